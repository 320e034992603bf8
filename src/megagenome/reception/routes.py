# SPDX-License-Identifier: Apache-2.0
"""The JSON routes of reception, as `standards.submission` has them.

The caller is `request.scope["caller"]`, which `app` puts there. Errors are RFC 9457 problems; what the caller may not
know of is 404, as what is not there.
"""

from typing import Any

from anyio import to_thread
from litestar import HttpMethod, MediaType, Response, Router, delete, get, post, route
from litestar.params import FromPath, RawBody

from megagenome.reception.reception import Reception
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
from megagenome.web import PRIVATE, Http, answer_json, caller_of, problems, read_json, require_json

RECEIPT_MEDIA_TYPE = "application/jwt"
_LARGEST_WORD_BYTES = 100_000
_ONE = ROOT + "/{submission:str}"


def reception_router(reception: Reception) -> Router:
    """All of them, to be mounted at the node's root."""
    return Router(
        "/",
        route_handlers=[*_sending(reception), *_reading(reception), _deciding(reception)],
        exception_handlers=problems(),
        include_in_schema=False,
        request_max_body_size=_LARGEST_WORD_BYTES,
    )


def _sending(reception: Reception) -> list[Any]:
    @post(ROOT, request_max_body_size=LARGEST_MANIFEST_BYTES)
    async def begin(request: Http) -> Response[bytes]:
        caller = caller_of(request)
        caller.require_subject()  # before megabytes of anybody's are read
        require_json(request)
        body = await request.body()
        return answer_json(await to_thread.run_sync(lambda: reception.begin(caller, read_manifest(body))), 201)

    @route(
        _ONE + "/files/{file:int}/parts/{part:int}",
        http_method=[HttpMethod.PUT, HttpMethod.POST],  # POST is for forms, which know no PUT
        status_code=200,
        request_max_body_size=LARGEST_PART_BYTES,
    )
    async def put_part(
        request: Http, submission: FromPath[str], file: FromPath[int], part: FromPath[int]
    ) -> Response[bytes]:
        caller = caller_of(request)
        await to_thread.run_sync(reception.require_wanted, caller, submission, file, part)
        sha256 = read_content_digest(request.headers.get(DIGEST_HEADER, ""))
        body = await request.body()
        taken, is_new = await to_thread.run_sync(reception.put_part, caller, submission, file, part, body, sha256)
        return answer_json(taken, 201 if is_new else 200)

    @post(_ONE + "/complete", sync_to_thread=True, status_code=200)
    def complete(request: Http, submission: FromPath[str], body: RawBody) -> Response[bytes]:
        said = read_json(request, body, Completed)
        return answer_json(reception.complete(caller_of(request), submission, said.parts))

    @delete(_ONE, sync_to_thread=True, status_code=204)
    def cancel(request: Http, submission: FromPath[str]) -> None:
        reception.cancel(caller_of(request), submission)

    @post(_ONE + "/cancel", sync_to_thread=True, status_code=204)  # for forms, which know no DELETE
    def cancel_by_form(request: Http, submission: FromPath[str]) -> None:
        reception.cancel(caller_of(request), submission)

    return [begin, put_part, complete, cancel, cancel_by_form]


def _reading(reception: Reception) -> list[Any]:
    @get(ROOT, sync_to_thread=True)
    def list_(request: Http) -> Response[bytes]:
        return answer_json(reception.all(caller_of(request)))

    @get(MAY_SEND + "/{dataset:str}", sync_to_thread=True, status_code=204)
    def may_send(request: Http, dataset: FromPath[str]) -> None:
        reception.require_welcome(caller_of(request), dataset)

    @get(_ONE, sync_to_thread=True)
    def show(request: Http, submission: FromPath[str]) -> Response[bytes]:
        return answer_json(reception.show(caller_of(request), submission))

    @get(_ONE + "/report", sync_to_thread=True)
    def report(request: Http, submission: FromPath[str]) -> Response[bytes]:
        text = reception.report(caller_of(request), submission)
        return Response(text.encode(), media_type=MediaType.JSON, headers=PRIVATE)

    @get(_ONE + "/receipt", sync_to_thread=True)
    def receipt(request: Http, submission: FromPath[str]) -> Response[bytes]:
        token = reception.receipt(caller_of(request), submission)
        headers = {**PRIVATE, "content-disposition": f'attachment; filename="{submission}.receipt.jwt"'}
        return Response(token.encode(), media_type=RECEIPT_MEDIA_TYPE, headers=headers)

    return [list_, may_send, show, report, receipt]


def _deciding(reception: Reception) -> Any:
    @post(_ONE + "/decision", sync_to_thread=True, status_code=200)
    def decide(request: Http, submission: FromPath[str], body: RawBody) -> Response[bytes]:
        said = read_json(request, body, Decision)
        return answer_json(reception.decide(caller_of(request), submission, said))

    @get(_ONE + "/preview", sync_to_thread=True)
    def preview(request: Http, submission: FromPath[str]) -> Response[bytes]:
        return answer_json(reception.preview(caller_of(request), submission))

    return Router("/", route_handlers=[decide, preview])
