# SPDX-License-Identifier: Apache-2.0
"""The portal's calls of the hub's JSON API: in process, on everybody's routes, as the caller of the page."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec

from megagenome.identity.caller_middleware import VISIT
from megagenome.identity.forgery import HEADER as FORGERY_HEADER
from megagenome.kernel.errors import MegagenomeError, Unavailable
from megagenome.standards.federation import (
    CohortAnswer,
    CohortDefined,
    NodeList,
    RegionAnswer,
    Resolved,
    TermList,
    VariantAnswer,
)
from megagenome.standards.problem import CONDITIONS, decode_detail
from megagenome.web import Http

Answer = TypeVar("Answer")
Receive = Callable[[], Awaitable[Any]]
_CALLER_HEADERS = (b"authorization", b"cookie", b"host")
_ORIGIN_HEADERS = (b"origin", b"sec-fetch-site")
_CONNECTION = ("asgi", "http_version", "scheme", "client", "server", "root_path")
"""What a call in process has in common with the request of the page."""
FRESH_S = 10.0
PATIENCE_S = 1.0


class Reply(NamedTuple):
    """An answer of the API before it is read."""

    status: int
    body: bytes


class Reader(NamedTuple):
    """Who reads the page: the request, where one hears that they leave, and the headers that say who they are."""

    request: Http
    receive: Receive
    headers: tuple[tuple[bytes, bytes], ...]


def reader_of(request: Http) -> Reader:
    """The reader behind a request."""
    headers = tuple((name, value) for name, value in request.scope["headers"] if name in _CALLER_HEADERS)
    return Reader(request, request.receive, headers)


Ask = Callable[[Reader, str, Mapping[str, str]], Awaitable[Reply]]
"""Asks a path of the API with these query parameters, as the reader."""


async def ask_own_app(reader: Reader, path: str, query: Mapping[str, Sequence[str]]) -> Reply:
    """Ask the application that serves the page, without a socket and without a line in any client's log. A
    list in `query` is a parameter that stands several times.

    When the reader leaves, the API hears of it as if it had been asked directly, and stops asking nodes.
    """
    return await _call_own_app(reader, "GET", path, query, reader.headers, reader.receive)


class Sent(NamedTuple):
    """What is sent to the API to change something. `digest`: for `Content-Digest`, where the API wants one."""

    body: bytes
    media_type: str = "application/json"
    digest: str = ""


async def send_own_app(reader: Reader, path: str, query: Mapping[str, str], sent: Sent) -> Reply:
    """POST to the application that serves the page.

    To be called for a form that the middleware has found to be meant: the token of its session goes on with it, so the
    API makes both checks again (`identity.forgery`), with the origin that the browser stated.
    """
    csrf = VISIT.get().csrf.encode()
    own = [(b"content-type", sent.media_type.encode()), (b"content-length", str(len(sent.body)).encode())]
    if sent.digest:
        own.append((b"content-digest", sent.digest.encode()))
    if csrf:
        own.append((FORGERY_HEADER.encode(), csrf))
    given = [(name, value) for name, value in reader.request.scope["headers"] if name in _ORIGIN_HEADERS]
    left = [{"type": "http.request", "body": sent.body, "more_body": False}]

    async def receive() -> Any:
        return left.pop() if left else await reader.receive()

    return await _call_own_app(reader, "POST", path, query, [*reader.headers, *given, *own], receive)


async def _call_own_app(
    reader: Reader,
    method: str,
    path: str,
    query: Mapping[str, Sequence[str]],
    headers: Sequence[tuple[bytes, bytes]],
    receive: Receive,
) -> Reply:
    scope = {name: value for name, value in reader.request.scope.items() if name in _CONNECTION}
    scope |= {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": urlencode(query, doseq=True).encode(),
        "headers": list(headers),
    }
    status, body = 500, bytearray()

    async def take(message: Mapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        body.extend(message.get("body", b""))

    await cast("Any", reader.request.app)(scope, receive, take)
    return Reply(status, bytes(body))


def read_reply(reply: Reply, path: str, kind: type[Answer]) -> Answer:
    """What the API answered. Raises the condition that it answered with, `Unavailable` for what cannot be read."""
    if reply.status not in (200, 201):
        raise _condition(reply)
    try:
        return msgspec.json.decode(reply.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unavailable(f"{path} answered what this page cannot read: hub and portal may differ in version") from None


def read_content(reply: Reply) -> bytes:
    """What the API answered, as it is; nothing where it only did what it was asked. Raises its condition."""
    if reply.status not in (200, 201, 204):
        raise _condition(reply)
    return reply.body


class Hub(NamedTuple):
    """The API as functions. Each raises the condition that the API answered with (`Invalid` with the API's own reason
    and so on), and `Unavailable` when it fails or answers what it must not."""

    ask: Ask
    reader: Reader

    async def nodes(self) -> NodeList:
        """GET /api/nodes."""
        return await self._call("/api/nodes", {}, NodeList)

    async def resolve(self, text: str, assembly: str) -> Resolved:
        """GET /resolve: what a text names."""
        return await self._call("/resolve", {"q": text, "assembly": assembly}, Resolved)

    async def variant(self, text: str, assembly: str) -> VariantAnswer:
        """GET /api/variant."""
        return await self._call("/api/variant", {"q": text, "assembly": assembly}, VariantAnswer)

    async def region(self, text: str, assembly: str, skip: int) -> RegionAnswer:
        """GET /api/region."""
        return await self._call("/api/region", {"q": text, "assembly": assembly, "skip": str(skip)}, RegionAnswer)

    async def cohort(self, question: str) -> CohortAnswer:
        """GET /api/cohort."""
        return await self._call("/api/cohort", {"q": question}, CohortAnswer)

    async def cohort_definition(self, question: str) -> CohortDefined:
        """GET /api/cohort/definition: no node is asked."""
        return await self._call("/api/cohort/definition", {"q": question}, CohortDefined)

    async def terms(self, text: str) -> TermList:
        """GET /api/terms: terms that match, best first."""
        return await self._call("/api/terms", {"q": text}, TermList)

    async def _call(self, path: str, query: dict[str, str], kind: type[Answer]) -> Answer:
        reply = await self.ask(self.reader, path, {name: value for name, value in query.items() if value})
        return read_reply(reply, path, kind)


def _condition(reply: Reply) -> MegagenomeError:
    detail = decode_detail(reply.body)
    condition = CONDITIONS.get(reply.status, Unavailable)
    return condition(detail or f"the network could not be asked (HTTP {reply.status}); try again in a minute")


class Glance:
    """What the network is made of, for pages that say it in passing. No page waits long for it, however slow a node
    is: what was last seen is shown, at most `FRESH_S` old where nodes answer within `PATIENCE_S`. That there is no node
    is not kept: it takes nothing to see again, and nodes may be joining just now."""

    def __init__(self) -> None:
        self._seen: NodeList | None = None
        self._asked_at = -float("inf")
        self._asking: asyncio.Task[None] | None = None

    async def look(self, hub: Hub) -> NodeList | None:
        """The nodes as last seen, by anybody and as the public sees them; None when nobody has seen them yet."""
        if time.monotonic() - self._asked_at >= FRESH_S:
            if self._asking is None or self._asking.done():
                # the answer serves later readers too, so it is awaited whoever leaves
                anybody = hub.reader._replace(receive=_never_leaves, headers=())
                self._asking = asyncio.create_task(self._see(hub._replace(reader=anybody)))
            await asyncio.wait({self._asking}, timeout=PATIENCE_S)
        return self._seen

    async def _see(self, hub: Hub) -> None:
        try:
            self._seen = await hub.nodes()
            self._asked_at = time.monotonic() if self._seen.nodes else -float("inf")
        except MegagenomeError:
            self._seen = None


async def _never_leaves() -> Any:
    return await asyncio.get_running_loop().create_future()
