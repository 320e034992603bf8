# SPDX-License-Identifier: Apache-2.0
"""What a hub harvested, for everybody.

    GET  /api/datasets                    ?q=&country=&category=&access=&use=&source=&skip=0&limit=20&gone=no
    GET  /api/datasets/{dataset}          one dataset; 410 with what is left of one that is gone
    GET  /fairdp                          the hub's FAIR Data Point: Turtle, JSON-LD, RDF/XML, N-Triples
    GET  /fairdp/{kind}/{name}            catalog, dataset; .ttl .jsonld .rdf .nt

Whoever asks `/fairdp` for HTML is sent to the page of the same. A facet may be given several times. Errors are RFC 9457
problems.
"""

from typing import Any

import msgspec
from litestar import HttpMethod, MediaType, Response, Router, get, route
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.types import ExceptionHandlersMap

from megagenome.catalogue.answers import CROSS_ORIGIN, Http, allowing, answer, not_acceptable, number
from megagenome.catalogue.catalogue import tag_of
from megagenome.catalogue.harvest.find import LARGEST_PAGE, Finder, question
from megagenome.catalogue.harvest.republish import HubPlace, tell_catalogue, tell_dataset, tell_point
from megagenome.catalogue.model import ROOT
from megagenome.catalogue.negotiate import negotiate, split_suffix
from megagenome.catalogue.rdf import Description
from megagenome.catalogue.serialise import Form, serialise
from megagenome.kernel.errors import Invalid, MegagenomeError, NotFound
from megagenome.standards import problem
from megagenome.standards.harvested import FACETS, PATH

PAGES = "/datasets"
"""Where the portal shows the same to people."""
_READ = [HttpMethod.GET, HttpMethod.HEAD]


def harvest_router(finder: Finder, place: HubPlace) -> Router:
    """The routes over what was harvested."""
    answers = _Answers(finder, place)
    handlers = [*_api(finder), *_data_point(answers)]
    return Router("/", route_handlers=handlers, exception_handlers=_problems(), include_in_schema=False)


def _api(finder: Finder) -> list[Any]:
    @get(PATH, sync_to_thread=True)
    def find(request: Http) -> Response[bytes]:
        query = request.query_params
        chosen = {name: query.getall(name, []) for name in FACETS}
        asked = question(query.get("q", ""), chosen, is_gone=query.get("gone", "") == "yes")
        limit = number(query.get("limit", "20"), "limit")
        if not 1 <= limit <= LARGEST_PAGE:
            raise Invalid(f"limit={limit}: ask for 1 to {LARGEST_PAGE} at once")
        found = finder.find(asked, number(query.get("skip", "0"), "skip"), limit)
        return _json(found)

    @get(PATH + "/{dataset:str}", sync_to_thread=True)
    def one(dataset: FromPath[str]) -> Response[bytes]:
        view = finder.view(dataset)
        return _json(view, 410 if view.gone else 200)

    return [find, one]


class _Answers:
    """From an address below `/fairdp` to an answer."""

    def __init__(self, finder: Finder, place: HubPlace) -> None:
        self._finder, self._place = finder, place

    def answer(self, request: Http, kind: str, name: str, form: Form | None) -> Response[bytes]:
        asked = form or negotiate(request.headers.get("accept", ""))
        if asked is None:
            return not_acceptable()
        if asked is Form.HTML:
            where = f"{PAGES}/{name}" if kind == "dataset" else PAGES
            return Response(b"", status_code=303, headers={"location": where, "vary": "accept"})
        said, is_gone = self._describe(kind, name)
        content = serialise(said.triples, asked)
        tag = tag_of(content)
        headers = {"etag": tag, "vary": "accept", "cache-control": "no-cache", **CROSS_ORIGIN}
        return answer(request, content, asked, headers, gone=is_gone)

    def _describe(self, kind: str, name: str) -> tuple[Description, bool]:
        if kind == "dataset":
            found = self._finder.resource(name)
            return tell_dataset(self._place, found), bool(found.view.gone)
        sources = self._finder.sources()
        if not kind:
            return tell_point(self._place, sources), False
        for source in sources:
            if (kind, name) == ("catalog", source.id):
                return tell_catalogue(self._place, source, self._finder.listed(source.id)), False
        raise NotFound("there is no such resource in this catalogue")


def _data_point(answers: _Answers) -> list[Any]:
    @route(ROOT, http_method=_READ, sync_to_thread=True)
    def point(request: Http) -> Response[bytes]:
        return answers.answer(request, "", "", None)

    @route(ROOT + "/{kind:str}/{name:str}", http_method=_READ, sync_to_thread=True)
    def resource(request: Http, kind: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        stem, form = split_suffix(name)
        return answers.answer(request, kind, stem, form)

    return [allowing([ROOT, ROOT + "/{kind:str}/{name:str}"]), point, resource]


def _json(answer: msgspec.Struct, status: int = 200) -> Response[bytes]:
    headers = {"cache-control": "no-cache", **CROSS_ORIGIN}
    return Response(msgspec.json.encode(answer), media_type=MediaType.JSON, status_code=status, headers=headers)


def _problems() -> ExceptionHandlersMap:
    def respond(_: Http, error: Exception) -> Response[bytes]:
        status = error.status_code if isinstance(error, HTTPException) else problem.status_of(error)
        says = str(error) if isinstance(error, MegagenomeError) else ""
        content = msgspec.json.encode(problem.problem(status, says))
        return Response(content, media_type=problem.MEDIA_TYPE, status_code=status, headers=dict(CROSS_ORIGIN))

    return {MegagenomeError: respond, HTTPException: respond}
