# SPDX-License-Identifier: Apache-2.0
"""The portal's calls of the hub's JSON API: in process, on the routes that everybody uses, as the caller of the page."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import httpx
import msgspec
from litestar import Request

from megagenome.kernel.errors import MegagenomeError, Unavailable
from megagenome.standards.federation import (
    CohortAnswer,
    NodeList,
    RegionAnswer,
    Resolved,
    TermList,
    VariantAnswer,
)
from megagenome.standards.problem import STATUS, decode_detail

Answer = TypeVar("Answer")
PageRequest = Request[Any, Any, Any]
_CALLER_HEADERS = ("authorization", "cookie")
_CONDITIONS = {status: condition for condition, status in STATUS.items() if status < 500}


class Reply(NamedTuple):
    """An answer of the API before it is read."""

    status: int
    body: bytes


Ask = Callable[[PageRequest, str, Mapping[str, str]], Awaitable[Reply]]
"""Asks a path of the API with these query parameters, as the caller of the page's request."""


async def ask_own_app(request: PageRequest, path: str, query: Mapping[str, str]) -> Reply:
    """Ask the application that serves the page, without a socket. When the reader leaves, the question is cancelled."""
    headers = {name: request.headers[name] for name in _CALLER_HEADERS if name in request.headers}
    transport = httpx.ASGITransport(request.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=str(request.base_url), trust_env=False) as client:
        response = await client.get(path, params=query, headers=headers)
    return Reply(response.status_code, response.content)


class Hub(NamedTuple):
    """The API as functions. Each raises the condition that the API answered with (`Invalid` with the API's own reason
    and so on), and `Unavailable` when it fails or answers what it must not."""

    ask: Ask
    request: PageRequest

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

    async def terms(self, text: str) -> TermList:
        """GET /api/terms: terms that match, best first."""
        return await self._call("/api/terms", {"q": text}, TermList)

    async def _call(self, path: str, query: dict[str, str], kind: type[Answer]) -> Answer:
        reply = await self.ask(self.request, path, {name: value for name, value in query.items() if value})
        if reply.status != 200:
            raise _condition(reply)
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unavailable(
                f"{path} answered what this page cannot read: hub and portal may differ in version"
            ) from None


def _condition(reply: Reply) -> MegagenomeError:
    detail = decode_detail(reply.body)
    condition = _CONDITIONS.get(reply.status, Unavailable)
    return condition(detail or f"the network could not be asked (HTTP {reply.status}); try again in a minute")
