# SPDX-License-Identifier: Apache-2.0
"""The JSON routes of reception, as `standards.submission` has them.

The caller is `request.scope["caller"]`, which `app` puts there. Errors are RFC 9457 problems; what the caller may not
know of is 404, as what is not there.
"""

from typing import Any, TypeVar

import msgspec
from anyio import to_thread
from litestar import HttpMethod, MediaType, Request, Response, Router, delete, get, post, route
from litestar.exceptions import HTTPException
from litestar.params import FromPath, RawBody

from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.errors import Invalid, MegagenomeError
from megagenome.reception.parts import require_subject
from megagenome.reception.reception import Reception
from megagenome.standards import problem
from megagenome.standards.submission import (
    DIGEST_HEADER,
    LARGEST_MANIFEST_BYTES,
    LARGEST_PART_BYTES,
    MAY_SEND,
    ROOT,
    Completed,
    Decision,
    read_content_digest,
    read_manifest,
)

Http = Request[Any, Any, Any]
T = TypeVar("T")

RECEIPT_MEDIA_TYPE = "application/jwt"
_PRIVATE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_LARGEST_WORD_BYTES = 100_000
_ONE = ROOT + "/{submission:str}"


def reception_router(reception: Reception) -> Router:
    """All of them, to be mounted at the node's root."""
    return Router(
        "/",
        route_handlers=[*_sending(reception), *_reading(reception), _deciding(reception)],
        exception_handlers={MegagenomeError: _problem, HTTPException: _problem},
        include_in_schema=False,
        request_max_body_size=_LARGEST_WORD_BYTES,
    )


def _sending(reception: Reception) -> list[Any]:
    @post(ROOT, request_max_body_size=LARGEST_MANIFEST_BYTES)
    async def begin(request: Http) -> Response[bytes]:
        caller = _caller(request)
        require_subject(caller)  # before megabytes of anybody's are read
        _require_json(request)
        body = await request.body()
        return _json(await to_thread.run_sync(lambda: reception.begin(caller, read_manifest(body))), 201)

    @route(
        _ONE + "/files/{file:int}/parts/{part:int}",
        http_method=[HttpMethod.PUT, HttpMethod.POST],  # POST is for forms, which know no PUT
        status_code=200,
        request_max_body_size=LARGEST_PART_BYTES,
    )
    async def put_part(
        request: Http, submission: FromPath[str], file: FromPath[int], part: FromPath[int]
    ) -> Response[bytes]:
        caller = _caller(request)
        await to_thread.run_sync(reception.require_wanted, caller, submission, file, part)
        sha256 = read_content_digest(request.headers.get(DIGEST_HEADER, ""))
        body = await request.body()
        taken, is_new = await to_thread.run_sync(reception.put_part, caller, submission, file, part, body, sha256)
        return _json(taken, 201 if is_new else 200)

    @post(_ONE + "/complete", sync_to_thread=True, status_code=200)
    def complete(request: Http, submission: FromPath[str], body: RawBody) -> Response[bytes]:
        said = _decode(request, body, Completed)
        return _json(reception.complete(_caller(request), submission, said.parts))

    @delete(_ONE, sync_to_thread=True, status_code=204)
    def cancel(request: Http, submission: FromPath[str]) -> None:
        reception.cancel(_caller(request), submission)

    @post(_ONE + "/cancel", sync_to_thread=True, status_code=204)  # for forms, which know no DELETE
    def cancel_by_form(request: Http, submission: FromPath[str]) -> None:
        reception.cancel(_caller(request), submission)

    return [begin, put_part, complete, cancel, cancel_by_form]


def _reading(reception: Reception) -> list[Any]:
    @get(ROOT, sync_to_thread=True)
    def list_(request: Http) -> Response[bytes]:
        return _json(reception.all(_caller(request)))

    @get(MAY_SEND + "/{dataset:str}", sync_to_thread=True, status_code=204)
    def may_send(request: Http, dataset: FromPath[str]) -> None:
        reception.require_welcome(_caller(request), dataset)

    @get(_ONE, sync_to_thread=True)
    def show(request: Http, submission: FromPath[str]) -> Response[bytes]:
        return _json(reception.show(_caller(request), submission))

    @get(_ONE + "/report", sync_to_thread=True)
    def report(request: Http, submission: FromPath[str]) -> Response[bytes]:
        text = reception.report(_caller(request), submission)
        return Response(text.encode(), media_type=MediaType.JSON, headers=_PRIVATE)

    @get(_ONE + "/receipt", sync_to_thread=True)
    def receipt(request: Http, submission: FromPath[str]) -> Response[bytes]:
        token = reception.receipt(_caller(request), submission)
        headers = {**_PRIVATE, "content-disposition": f'attachment; filename="{submission}.receipt.jwt"'}
        return Response(token.encode(), media_type=RECEIPT_MEDIA_TYPE, headers=headers)

    return [list_, may_send, show, report, receipt]


def _deciding(reception: Reception) -> Any:
    @post(_ONE + "/decision", sync_to_thread=True, status_code=200)
    def decide(request: Http, submission: FromPath[str], body: RawBody) -> Response[bytes]:
        said = _decode(request, body, Decision)
        return _json(reception.decide(_caller(request), submission, said))

    @get(_ONE + "/preview", sync_to_thread=True)
    def preview(request: Http, submission: FromPath[str]) -> Response[bytes]:
        return _json(reception.preview(_caller(request), submission))

    return Router("/", route_handlers=[decide, preview])


def _caller(request: Http) -> Caller:
    caller = request.scope.get("caller", PUBLIC)
    return caller if isinstance(caller, Caller) else PUBLIC


def _require_json(request: Http) -> None:
    # a form on another site can send text, but not this type without asking first
    if request.content_type[0] != MediaType.JSON:
        raise Invalid("send application/json")


def _decode(request: Http, body: bytes, kind: type[T]) -> T:
    _require_json(request)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not understood: {error}") from None


def _json(answer: msgspec.Struct, status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(answer), media_type=MediaType.JSON, status_code=status, headers=_PRIVATE)


def _problem(_: Http, error: Exception) -> Response[bytes]:
    status = error.status_code if isinstance(error, HTTPException) else problem.status_of(error)
    says = error.detail if isinstance(error, HTTPException) else str(error)
    content = msgspec.json.encode(problem.problem(status, says))
    return Response(content, media_type=problem.MEDIA_TYPE, status_code=status, headers=_PRIVATE)
