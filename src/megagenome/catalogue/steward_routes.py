# SPDX-License-Identifier: Apache-2.0
"""The JSON routes of data stewards, version 1; no outside standard. Errors are RFC 9457 problems.

GET   /metadata                     all datasets of the node
GET   /metadata/{dataset}           its record, what stands against it, and all versions
POST  /metadata/{dataset}           {"record": {…}, "draft": false}
POST  /metadata/{dataset}/state     {"to": "published"}
GET   /metadata/{dataset}/preview   what everybody would see if it were published with the record that was saved last;
                                    /index.ttl .jsonld .rdf .nt below it the description, ?profile=healthdcat-ap
"""

from typing import Any, TypeVar

import msgspec
from litestar import MediaType, Request, Response, Router, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath, RawBody

from megagenome.catalogue.negotiate import profile_named, split_suffix
from megagenome.catalogue.preview import Previews
from megagenome.catalogue.serialise import Form
from megagenome.catalogue.steward import Stewardship, require_steward
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.errors import Invalid, MegagenomeError, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.standards import problem
from megagenome.standards.catalogue_pages import STEWARD_PATH, UNPUBLISHED, ToMove, ToWrite
from megagenome.standards.dataset_record import LARGEST_BYTES

Http = Request[Any, Any, Any]
Body = TypeVar("Body")
_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def steward_router(stewardship: Stewardship, previews: Previews) -> Router:
    """All of them, to be mounted at the node's root. The caller is `request.scope["caller"]`."""

    @get("/", sync_to_thread=True)
    def datasets(request: Http) -> Response[bytes]:
        return _json(stewardship.datasets(_caller(request)))

    @get("/{dataset:str}", sync_to_thread=True)
    def view(request: Http, dataset: FromPath[str]) -> Response[bytes]:
        return _json(stewardship.view(_caller(request), DatasetId(dataset)))

    @post("/{dataset:str}", sync_to_thread=True, status_code=200)
    def write(request: Http, dataset: FromPath[str], body: RawBody) -> Response[bytes]:
        return _json(stewardship.write(_caller(request), DatasetId(dataset), _decode(request, body, ToWrite)))

    @post("/{dataset:str}/state", sync_to_thread=True, status_code=200)
    def move(request: Http, dataset: FromPath[str], body: RawBody) -> Response[bytes]:
        to = _decode(request, body, ToMove).to
        return _json({"was": stewardship.move(_caller(request), DatasetId(dataset), to), "is": to})

    @get("/{dataset:str}/preview", sync_to_thread=True)
    def preview(request: Http, dataset: FromPath[str]) -> Response[bytes]:
        answer = _json(previews.view(_caller(request), DatasetId(dataset)))
        answer.headers |= UNPUBLISHED
        return answer

    @get("/{dataset:str}/preview/{name:str}", sync_to_thread=True)
    def described(request: Http, dataset: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        require_steward(_caller(request))
        stem, form = split_suffix(name)
        if stem != "index" or form is None or form is Form.HTML:
            raise NotFound("a preview is index.ttl, index.jsonld, index.rdf or index.nt")
        profile = profile_named(request.query_params.get("profile", ""))
        document = previews.document(_caller(request), DatasetId(dataset), profile, form)
        return Response(document.content, media_type=form.media_type, headers={**_PRIVATE, **UNPUBLISHED})

    return Router(
        STEWARD_PATH,
        route_handlers=[datasets, view, write, move, preview, described],
        exception_handlers={MegagenomeError: _problem, HTTPException: _problem},
        request_max_body_size=LARGEST_BYTES * 2,
        include_in_schema=False,
    )


def _json(answer: object) -> Response[bytes]:
    return Response(msgspec.json.encode(answer), media_type=MediaType.JSON, headers=_PRIVATE)


def _problem(_: Http, error: Exception) -> Response[bytes]:
    status = error.status_code if isinstance(error, HTTPException) else problem.status_of(error)
    content = msgspec.json.encode(problem.problem(status, str(error) if isinstance(error, MegagenomeError) else ""))
    return Response(content, media_type=problem.MEDIA_TYPE, status_code=status, headers=_PRIVATE)


def _caller(request: Http) -> Caller:
    caller = request.scope.get("caller", PUBLIC)
    return caller if isinstance(caller, Caller) else PUBLIC


def _decode(request: Http, body: bytes, kind: type[Body]) -> Body:
    # a form on another site can send text, but not this type without asking first
    if request.content_type[0] != MediaType.JSON:
        raise Invalid("send application/json")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not understood: {error}") from None
