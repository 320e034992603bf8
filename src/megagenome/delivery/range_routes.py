# SPDX-License-Identifier: Apache-2.0
"""The one range service: `GET, HEAD /delivery/{file}` and `/delivery/{dataset}/{assembly}`, by the ticket that htsget
or DRS gave, as `Authorization: Bearer`.

Whole files have ranges, an `ETag`, and the conditions `If-Match`, `If-None-Match` and `If-Range`; slices, which are
made while they are sent, are sent whole.
"""

from collections.abc import Awaitable, Callable

import msgspec
from litestar import HttpMethod, Response, Router, route
from litestar.concurrency import sync_to_thread
from litestar.response.base import ASGIResponse

from megagenome.delivery import asked
from megagenome.delivery.asked import RANGES
from megagenome.delivery.delivery import Delivery, Stream, Whole
from megagenome.delivery.streams import StreamedResponse, Streams
from megagenome.delivery.tickets import Tickets
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Unauthenticated
from megagenome.standards import problem
from megagenome.standards.byte_range import Unsatisfiable, read_range
from megagenome.standards.drs import portable_name
from megagenome.standards.entity_tags import status_instead
from megagenome.web import PRIVATE, Http, caller_of

_MEDIA_TYPE = "application/octet-stream"


def range_router(delivery: Delivery, streams: Streams) -> Router:
    """The route."""

    @route("/{object:path}", http_method=[HttpMethod.GET, HttpMethod.HEAD], status_code=200)
    async def content(request: Http) -> ASGIResponse:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("fetch this with the ticket that htsget or DRS gave you")
        place = request.path_params["object"].strip("/")
        found = await sync_to_thread(delivery.redeem, token.strip(), place)
        headers = _headers(request, found)
        if isinstance(found, Whole) and (status := _status_instead(request, found)):
            del headers["content-length"]
            return ASGIResponse(status_code=status, headers=headers)
        if request.method == HttpMethod.HEAD:
            return _head(headers)
        if isinstance(found, Stream):
            return StreamedResponse(
                streams,
                await streams.begin(found.open, caller_of(request).subject),
                headers=headers,
                media_type=_MEDIA_TYPE,
            )
        return await _whole(request, streams, found, headers)

    @route("/{object:path}", http_method=[HttpMethod.OPTIONS], sync_to_thread=False, status_code=200)
    def may_ask(request: Http) -> Response[bytes]:
        return asked.preflight(request)

    handlers = asked.errors(_render, problem.MEDIA_TYPE)
    return Router(RANGES, route_handlers=[may_ask, content], exception_handlers=handlers)


def ticket_reader(tickets: Tickets) -> Callable[[str], Awaitable[Caller | None]]:
    """For `CallerMiddleware.bearers_below`: who holds a ticket. It says who fetches, and nothing of what they may."""

    async def reads(token: str) -> Caller | None:
        return tickets.read(token).caller

    return reads


async def _whole(request: Http, streams: Streams, found: Whole, headers: dict[str, str]) -> ASGIResponse:
    condition = _field(request, "if-range")
    field = _field(request, "range") if condition in (None, found.etag) else None
    try:
        part = read_range(field, found.size_bytes)
    except Unsatisfiable:
        headers |= {"content-range": f"bytes */{found.size_bytes}", "content-length": "0"}
        return ASGIResponse(status_code=416, headers=headers, media_type=_MEDIA_TYPE)
    start, end = part or (0, found.size_bytes)
    pieces = await streams.begin(lambda: found.open()(start, end), caller_of(request).subject)
    status = 200
    if part is not None:
        status = 206
        headers |= {"content-range": part.content_range(found.size_bytes), "content-length": str(end - start)}
    return StreamedResponse(streams, pieces, status_code=status, headers=headers, media_type=_MEDIA_TYPE)


def _status_instead(request: Http, found: Whole) -> int | None:
    return status_instead(_field(request, "if-match"), _field(request, "if-none-match"), found.etag)


def _field(request: Http, name: str) -> str | None:
    """A header; where it was sent several times, all of them as the one list that they are (RFC 9110, 5.3), which is
    none of what counts where a header is no list."""
    return ", ".join(request.headers.getall(name, [])) or None


def _headers(request: Http, found: Whole | Stream) -> dict[str, str]:
    name = portable_name(found.name)
    fields = {
        **PRIVATE,
        "content-disposition": f'attachment; filename="{name}"',
    }
    if isinstance(found, Whole):
        fields |= {"accept-ranges": "bytes", "etag": found.etag, "content-length": str(found.size_bytes)}
    else:
        fields |= {"accept-ranges": "none"}
    return fields | asked.across_origins(request)


def _head(headers: dict[str, str]) -> ASGIResponse:
    return ASGIResponse(headers=headers | {"content-type": _MEDIA_TYPE}, is_head_response=True)


def _render(error: Exception) -> bytes:
    return msgspec.json.encode(problem.problem(problem.status_of(error), str(error)))
