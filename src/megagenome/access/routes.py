# SPDX-License-Identifier: Apache-2.0
"""The JSON routes of the application process, version 1; no outside standard. They parse, call and render.

    GET        /access/forms, /access/forms/{form}/{version}
    GET, POST  /access/applications                                      ?scope=mine|desk|all&state=&skip=&limit=
    GET        /access/applications/{application}
    POST       /access/applications/{application}/commands
    POST       /access/applications/{application}/attachments            ?id=&version=&name=   the body is the document
    GET        /access/applications/{application}/attachments/{attachment}
    GET        /access/applications/{application}/permit

The caller is `request.scope["caller"]`, which `app` puts there; without one it is the public, which may do nothing but
read forms. Errors are RFC 9457 problems; what the caller may not know of is 404, as what is not there.
"""

import hashlib
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath, RawBody

from megagenome.access import command_types as c
from megagenome.access.attachments import MEDIA_TYPES
from megagenome.access.form import form_of, forms, read_form
from megagenome.access.lists import list_applications
from megagenome.access.process import Process
from megagenome.access.reading import Reader
from megagenome.kernel.errors import Invalid
from megagenome.standards.application import Scope, State
from megagenome.web import PRIVATE, Http, answer_json, caller_of, problems, read_json

LARGEST_COMMAND_BYTES = 1_000_000
LARGEST_PAGE = 200


def access_router(process: Process, reader: Reader) -> Router:
    """All routes of access, to be mounted at the hub's root."""
    return Router(
        "/access",
        route_handlers=[*_forms(), *_lists(process, reader), *_one(process, reader), *_documents(process, reader)],
        exception_handlers=problems(),
        request_max_body_size=LARGEST_COMMAND_BYTES,
    )


def _forms() -> list[Any]:
    @get("/forms", sync_to_thread=False)
    def list_forms() -> Response[bytes]:
        return answer_json(forms())

    @get("/forms/{form:str}/{version:str}", sync_to_thread=False)
    def show_form(form: FromPath[str], version: FromPath[str]) -> Response[bytes]:
        return answer_json(read_form(form_of(form, version)))

    return [list_forms, show_form]


def _lists(process: Process, reader: Reader) -> list[Any]:
    @get("/applications", sync_to_thread=True)
    def list_(request: Http) -> Response[bytes]:
        asked = request.query_params
        page = list_applications(
            reader.store,
            reader.world.directory,
            caller_of(request),
            _choice(Scope, asked.get("scope", Scope.MINE), "scope"),
            tuple(_choice(State, each, "state") for each in asked.getall("state", [])),
            whole_number(asked.get("skip", "0"), "skip", 1_000_000),
            whole_number(asked.get("limit", "50"), "limit", LARGEST_PAGE),
            asked.get("cohort", ""),
        )
        return answer_json(page)

    @post("/applications", sync_to_thread=True)
    def create(request: Http, body: RawBody) -> Response[bytes]:
        return answer_json(process.create(caller_of(request), read_json(request, body, c.Create)), 201)

    return [list_, create]


def _one(process: Process, reader: Reader) -> list[Any]:
    @get("/applications/{application:str}", sync_to_thread=True)
    def show(request: Http, application: FromPath[str]) -> Response[bytes]:
        return answer_json(reader.application(caller_of(request), application))

    @post("/applications/{application:str}/commands", sync_to_thread=True, status_code=200)
    def command(request: Http, application: FromPath[str], body: RawBody) -> Response[bytes]:
        order = read_json(request, body, c.Order)
        if isinstance(order.command, c.Attach):
            raise Invalid("documents are sent to .../attachments, with the document as the body")
        return answer_json(process.do(caller_of(request), application, order))

    @get("/applications/{application:str}/permit", sync_to_thread=True)
    def show_permit(request: Http, application: FromPath[str]) -> Response[bytes]:
        return answer_json(reader.permit(caller_of(request), application))

    return [show, command, show_permit]


def _documents(process: Process, reader: Reader) -> list[Any]:
    # the process says in words when a document is too large; this stops what is far beyond
    most = 2 * process.world.settings.attachment_bytes

    @post("/applications/{application:str}/attachments", sync_to_thread=True, request_max_body_size=most)
    def attach(request: Http, application: FromPath[str], body: RawBody) -> Response[bytes]:
        asked = request.query_params
        command = {"type": "attach", "name": asked.get("name", ""), "sha256": hashlib.sha256(body).hexdigest()}
        version = whole_number(asked.get("version", ""), "version", 10**15)
        order = _convert({"id": asked.get("id", ""), "version": version, "command": command}, c.Order)
        return answer_json(process.do(caller_of(request), application, order, body), 201)

    @get("/applications/{application:str}/attachments/{attachment:str}", sync_to_thread=True)
    def download(request: Http, application: FromPath[str], attachment: FromPath[str]) -> Response[bytes]:
        found = reader.attachment(caller_of(request), application, attachment)
        headers = {
            **PRIVATE,
            # RFC 6266: only the encoded form, which no name can break out of
            "content-disposition": f"attachment; filename*=UTF-8''{quote(found.name or 'document', safe='')}",
            "content-security-policy": "sandbox; default-src 'none'",
        }
        return Response(found.content, media_type=MEDIA_TYPES[found.kind], headers=headers)

    return [attach, download]


def _convert(content: dict[str, Any], kind: type[Any]) -> Any:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"not understood: {error}") from None


def _choice(kind: Any, text: str, name: str) -> Any:
    if text not in list(kind):
        raise Invalid(f"{name} is one of {', '.join(kind)}")
    return kind(text)


def whole_number(text: str, name: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= most):
        raise Invalid(f"{name} is a number up to {most}")
    return int(text)
