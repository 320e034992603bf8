# SPDX-License-Identifier: Apache-2.0
"""What a hub harvested, for everybody.

    GET  /api/datasets                    ?q=&country=&category=&access=&use=&source=&skip=0&limit=20&gone=no
    GET  /api/datasets/{dataset}          one dataset; 410 with what is left of one that is gone
    GET  /fairdp                          the hub's FAIR Data Point: Turtle, JSON-LD, RDF/XML, N-Triples
    GET  /fairdp/{kind}/{name}            catalog, dataset; .ttl .jsonld .rdf .nt

Whoever asks `/fairdp` for HTML is sent to the page of the same. A facet may be given several times. Errors are RFC 9457
problems.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
from litestar import HttpMethod, Response, Router, get, route
from litestar.params import FromPath

from megagenome.catalogue.answers import CROSS_ORIGIN, allowing, has_it, not_acceptable, number
from megagenome.catalogue.catalogue import tag_of
from megagenome.catalogue.harvest.find import LARGEST_PAGE, Finder, question
from megagenome.catalogue.harvest.republish import HubPlace, tell_catalogue, tell_dataset, tell_point
from megagenome.catalogue.model import ROOT
from megagenome.catalogue.negotiate import negotiate, split_suffix
from megagenome.catalogue.rdf import Description
from megagenome.catalogue.serialise import Form, serialise
from megagenome.kernel.errors import Invalid, NotFound
from megagenome.standards.harvested import FACETS, PATH
from megagenome.web import Http, answer_json, problems

PAGES = "/datasets"
"""Where the portal shows the same to people."""
_SHARED = {"cache-control": "no-cache", **CROSS_ORIGIN}
_READ = [HttpMethod.GET, HttpMethod.HEAD]
_MOST_KEPT_BYTES = 16 << 20
"""Of descriptions kept in memory, each of some KB; when there are more, all are forgotten."""


def harvest_router(finder: Finder, place: HubPlace) -> Router:
    """The routes over what was harvested."""
    answers = _Answers(finder, place)
    handlers = [*_api(finder), *_data_point(answers)]
    return Router("/", route_handlers=handlers, exception_handlers=problems(CROSS_ORIGIN), include_in_schema=False)


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
        return answer_json(found, headers=_SHARED)

    @get(PATH + "/{dataset:str}", sync_to_thread=True)
    def one(dataset: FromPath[str]) -> Response[bytes]:
        view = finder.view(dataset)
        return answer_json(view, 410 if view.gone else 200, _SHARED)

    return [find, one]


class _Found(NamedTuple):
    """A resource that is there: what its description is known by, whether it is gone, and how it is described."""

    tag: str
    is_gone: bool
    describe: Callable[[], Description]


class _Answers:
    """From an address below `/fairdp` to an answer."""

    def __init__(self, finder: Finder, place: HubPlace) -> None:
        self._finder, self._place = finder, place
        self._kept: dict[str, bytes] = {}
        self._kept_bytes = 0

    def answer(self, request: Http, kind: str, name: str, form: Form | None) -> Response[bytes]:
        asked = form or negotiate(request.headers.get("accept", ""))
        if asked is None:
            return not_acceptable()
        if asked is Form.HTML:
            where = f"{PAGES}/{name}" if kind == "dataset" else PAGES
            return Response(b"", status_code=303, headers={"location": where, "vary": "accept"})
        tag, is_gone, describe = self._find(kind, name, asked)
        headers = {"etag": tag, "vary": "accept", "cache-control": "no-cache", **CROSS_ORIGIN}
        if not is_gone and has_it(request, tag):
            return Response(b"", status_code=304, headers=headers)
        content = self._kept.get(tag)
        if content is None:
            content = serialise(describe().triples, asked)
            self._keep(tag, content)
        return Response(content, media_type=asked.media_type, status_code=410 if is_gone else 200, headers=headers)

    def _keep(self, tag: str, content: bytes) -> None:
        if self._kept_bytes + len(content) > _MOST_KEPT_BYTES:
            self._kept, self._kept_bytes = {}, 0
        if len(content) < _MOST_KEPT_BYTES // 16:  # what a stranger describes at length pushes out nobody else
            self._kept[tag] = content
            self._kept_bytes += len(content)

    def _find(self, kind: str, name: str, form: Form) -> "_Found":
        """A resource by all that its description is made of, so that it is made when it changed only."""
        place, finder = self._place, self._finder
        if kind == "dataset":
            state = finder.state(name)
            tag = self._tag(name, form, state)
            return _Found(tag, bool(state.gone), lambda: tell_dataset(place, finder.resource(name)))
        sources = finder.sources()
        if not kind:
            tag = self._tag(name, form, [each.id for each in sources])
            return _Found(tag, False, partial(tell_point, place, sources))
        for source in sources:
            if (kind, name) == ("catalog", source.id):
                listed = finder.listed(source.id)
                tag = self._tag(name, form, (source.name, source.url, *listed))
                return _Found(tag, False, partial(tell_catalogue, place, source, listed))
        raise NotFound("there is no such resource in this catalogue")

    def _tag(self, name: str, form: Form, state: Sequence[object]) -> str:
        return tag_of(msgspec.json.encode((self._place, name, form.name, state)))


def _data_point(answers: _Answers) -> list[Any]:
    @route(ROOT, http_method=_READ, sync_to_thread=True)
    def point(request: Http) -> Response[bytes]:
        return answers.answer(request, "", "", None)

    @route(ROOT + "/{kind:str}/{name:str}", http_method=_READ, sync_to_thread=True)
    def resource(request: Http, kind: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        stem, form = split_suffix(name)
        return answers.answer(request, kind, stem, form)

    return [allowing([ROOT, ROOT + "/{kind:str}/{name:str}"]), point, resource]
