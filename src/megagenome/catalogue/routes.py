# SPDX-License-Identifier: Apache-2.0
"""The FAIR Data Point (FDP specification 1.2, https://specs.fairdatapoint.org) of a node, read-only, for everybody.

    GET  /fairdp                                the FAIR Data Point
    GET  /fairdp/{kind}/{name}                  catalog, dataset, distribution, service; .ttl .jsonld .rdf .nt .html
    GET  /fairdp/{kind}/{name}/page/{prefix}    ?page=0&size=10: a part of a container, with `Link`
    GET  /fairdp/{kind}/{name}/spec             the shapes (SHACL) that it is held to
    GET  /fairdp/{kind}/{name}/meta             its state

One address gives RDF to programs and a page to people, by `Accept`; `?profile=healthdcat-ap` the other view. Every
answer has a strong ETag. What was published and is no more is 410 with a description that says so.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import msgspec
from litestar import HttpMethod, Response, Router, get, route
from litestar.params import FromPath

from megagenome.catalogue.answers import CROSS_ORIGIN, allowing, answer, not_acceptable, number
from megagenome.catalogue.catalogue import POINT, Address, Catalogue, Document, path_of, tag_of
from megagenome.catalogue.check import shapes_text
from megagenome.catalogue.model import ROOT, Profile
from megagenome.catalogue.negotiate import negotiate, profile_named, split_suffix
from megagenome.catalogue.serialise import Form, serialise
from megagenome.catalogue.shown import Shown, show
from megagenome.kernel.errors import NotFound
from megagenome.standards.catalogue_pages import DatasetPage, WithdrawnPage
from megagenome.web import Http, caller_of

Render = Callable[[Shown], str]
"""A page as text; what it is made of is in `standards.catalogue_pages`."""

_KINDS = ("catalog", "dataset", "distribution", "service")
_READ = [HttpMethod.GET, HttpMethod.HEAD]
_SHAPES = {Profile.GDI: ("gdi",), Profile.HEALTHDCAT_AP: ("healthdcat-ap", "controlled")}


def catalogue_router(catalogue: Catalogue, render: Render, page_headers: Mapping[str, str]) -> Router:
    """The routes. `render` makes pages of what they show, with these headers."""
    answers = _Answers(catalogue, render, page_headers)
    return Router(ROOT, route_handlers=[*_resources(answers), *_beside(answers)], include_in_schema=False)


class _Answers:
    """From a request to an answer."""

    def __init__(self, catalogue: Catalogue, render: Render, page_headers: Mapping[str, str]) -> None:
        self.catalogue = catalogue
        self._render = render
        self._page_headers = page_headers

    def resource(self, request: Http, address: Address, form: Form | None) -> Response[bytes]:
        """A resource in the form that is asked for."""
        asked = form or negotiate(request.headers.get("accept", ""))
        if asked is None:
            return not_acceptable()
        if asked is Form.HTML:
            return self._page(request, address)
        profile = profile_named(request.query_params.get("profile", ""))
        document = self.catalogue.document(address, profile, asked)
        headers = {**_headers(document.tag, document.changed), "link": _links(address, profile)}
        answered = answer(request, document.content, asked, headers, gone=document.gone)
        self._count(request, document, answered)
        return answered

    def part(self, request: Http, address: Address, prefix: str) -> Response[bytes]:
        """A page of a container."""
        asked = negotiate(request.headers.get("accept", "")) or Form.TURTLE
        query = request.query_params
        size = number(query.get("size", "10"), "size")
        page = self.catalogue.page(address, prefix, number(query.get("page", "0"), "page"), size)
        at = f"{self.catalogue.place.url}{path_of(address)}/page/{prefix}"
        links = ", ".join(f'<{at}?page={n}&size={size}>; rel="{name}"' for name, n in page.numbers.items())
        form = Form.TURTLE if asked is Form.HTML else asked
        content = serialise(page.description.triples, form)
        return answer(request, content, form, {**_headers(tag_of(content), ""), "link": links})

    def spec(self, request: Http, address: Address) -> Response[bytes]:
        """The shapes of a resource that is there."""
        profile = profile_named(request.query_params.get("profile", ""))
        self.catalogue.document(address, profile, Form.N_TRIPLES)
        content = "\n".join(shapes_text(name) for name in _SHAPES[profile]).encode()
        return answer(request, content, Form.TURTLE, _headers(tag_of(content), ""))

    def state(self, address: Address) -> Response[bytes]:
        """The state of a resource, as the reference implementation writes it; only what is published is told of."""
        document = self.catalogue.document(address, Profile.GDI, Form.N_TRIPLES)
        state = "WITHDRAWN" if document.gone else "PUBLISHED"
        content = msgspec.json.encode({"state": {"current": state, "children": {}}, "path": path_of(address)})
        status = 410 if document.gone else 200
        return Response(content, media_type="application/json", status_code=status, headers=CROSS_ORIGIN)

    def _page(self, request: Http, address: Address) -> Response[bytes]:
        shown = show(self.catalogue, address)
        content = self._render(shown).encode()
        headers = {**_headers(tag_of(content), ""), **self._page_headers, "link": _links(address, Profile.GDI)}
        # who is signed in is named at the head of a page
        headers |= {"cache-control": "private, no-cache", "vary": "accept, cookie"}
        answered = answer(request, content, Form.HTML, headers, gone=isinstance(shown, WithdrawnPage))
        listed = shown.datasets if not isinstance(shown, DatasetPage | WithdrawnPage) else ()
        told = [each for each in (shown, *listed) if isinstance(each, DatasetPage) and each.people is not None]
        if told and answered.status_code == 200:
            self.catalogue.count_aggregate(caller_of(request).subject, [each.id for each in told])
        return answered

    def _count(self, request: Http, document: Document, answered: Response[bytes]) -> None:
        if document.told and answered.status_code == 200:
            self.catalogue.count_aggregate(caller_of(request).subject, document.told)


def _resources(answers: _Answers) -> list[Any]:
    @route("/", http_method=_READ, sync_to_thread=True)
    def point(request: Http) -> Response[bytes]:
        return answers.resource(request, POINT, None)

    @route("/{name:str}", http_method=_READ, sync_to_thread=True)
    def whole(request: Http, name: FromPath[str]) -> Response[bytes]:
        stem, form = split_suffix(name)
        if stem != "index" or form is None:
            raise NotFound("there is no such resource in this catalogue")
        return answers.resource(request, POINT, form)

    @route("/{kind:str}/{name:str}", http_method=_READ, sync_to_thread=True)
    def resource(request: Http, kind: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        stem, form = split_suffix(name)
        if form and answers.catalogue.has(_address(kind, name)):  # a dataset whose own id ends so
            stem, form = name, None
        return answers.resource(request, _address(kind, stem), form)

    return [allowing(["/", "/{name:str}", "/{kind:str}/{name:str}"]), point, whole, resource]


def _beside(answers: _Answers) -> list[Any]:
    """What is told beside each resource."""

    @get(["/page/{prefix:str}"], sync_to_thread=True)
    def part_of_point(request: Http, prefix: FromPath[str]) -> Response[bytes]:
        return answers.part(request, POINT, prefix)

    @get("/{kind:str}/{name:str}/page/{prefix:str}", sync_to_thread=True)
    def part(request: Http, kind: FromPath[str], name: FromPath[str], prefix: FromPath[str]) -> Response[bytes]:
        return answers.part(request, _address(kind, name), prefix)

    @get("/spec", sync_to_thread=True)
    def spec_of_point(request: Http) -> Response[bytes]:
        return answers.spec(request, POINT)

    @get("/{kind:str}/{name:str}/spec", sync_to_thread=True)
    def spec(request: Http, kind: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        return answers.spec(request, _address(kind, name))

    @get("/meta", sync_to_thread=True)
    def state_of_point() -> Response[bytes]:
        return answers.state(POINT)

    @get("/{kind:str}/{name:str}/meta", sync_to_thread=True)
    def state(kind: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        return answers.state(_address(kind, name))

    return [part_of_point, part, spec_of_point, spec, state_of_point, state]


def _address(kind: str, name: str) -> Address:
    if kind not in _KINDS:
        raise NotFound("there is no such resource in this catalogue")
    return kind, name


def _headers(tag: str, changed: str) -> dict[str, str]:
    headers = {"etag": tag, "vary": "accept", "cache-control": "no-cache", **CROSS_ORIGIN}
    if changed:
        headers["last-modified"] = format_datetime(datetime.fromisoformat(changed).astimezone(UTC), usegmt=True)
    return headers


def _links(address: Address, profile: Profile) -> str:
    """Signposts: the other forms and the other profile of the same description, and who it is."""
    path = path_of(address)
    forms = [
        f'<{path}/index{form.suffix}>; rel="alternate"; type="{form.media_type}"'
        if address == POINT
        else f'<{path}{form.suffix}>; rel="alternate"; type="{form.media_type}"'
        for form in Form
    ]
    profiles = [f'<{path}?profile={other.value}>; rel="alternate"' for other in Profile if other is not profile]
    return ", ".join([*forms, *profiles, f'<{path}>; rel="cite-as"'])
