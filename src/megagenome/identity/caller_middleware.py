# SPDX-License-Identifier: Apache-2.0
"""Puts one `Caller` on each request: `scope["caller"]`, and for pages `VISIT`."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar

import anyio.to_thread
from litestar import Request
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from megagenome.identity.forgery import FIELD, HEADER, SAFE_METHODS, check_origin, check_token
from megagenome.identity.own_site import OwnSite, asked_site, configured_site
from megagenome.identity.sessions import Sessions, Visit
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.errors import TooLarge, Unauthenticated
from megagenome.web import Http

Bearer = Callable[[str], Awaitable[Caller | None]]
"""Who presents a token; None when it is of a kind that others read. Raises `Unauthenticated` when it is not valid."""

_ELSEWHERE = Visit(PUBLIC)
VISIT: ContextVar[Visit] = ContextVar("VISIT", default=_ELSEWHERE)
"""Whose the request is that is being answered, for what every page shows. Routes read `scope["caller"]`."""

_URLENCODED = "application/x-www-form-urlencoded"
_FORMS = (_URLENCODED, "multipart/form-data")
MOST_FIELDS = 1000
"""Fields of a form. Taking one apart holds up all other requests: ten megabytes of `a&` for four seconds."""


class CallerMiddleware:
    """Litestar middleware. `bearers` read tokens for every address, `bearers_below` for one path and what is below it.
    Who sends neither cookie nor token is `PUBLIC`, at no cost: no thread, no database.

    A request that changes something, by session, is refused unless a page of this session sent it; a token in
    `Authorization` needs no such proof, for no browser sends one by itself. Answers to people are kept by no cache.
    """

    def __init__(self, sessions: Sessions, url: str, *, offered: bool, notice: str = "") -> None:
        """`url` is the server's public address; empty: as it is asked, on this machine only. `offered` is whether pages
        lead to a sign-in; `notice` stands on each of them."""
        self.sessions = sessions
        self.bearers: list[Bearer] = []
        self.bearers_below: list[tuple[str, Bearer]] = []
        self.takes_no_form: Callable[[str], bool] = lambda _path: False
        """Of which addresses no body is read as a form: there the token against forgery is in the header."""
        self._configured = configured_site(url) if url else None
        self._nobody = Visit(PUBLIC, offered=offered, notice=notice)

    def site(self, host: str) -> OwnSite | None:
        """This server as one origin; None where nobody can sign in, because nothing would protect their session."""
        return self._configured or asked_site(host)

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def with_caller(scope: Scope, receive: Receive, send: Send) -> None:
            visit = self._nobody
            for name, _ in scope["headers"]:
                if name in (b"cookie", b"authorization"):
                    visit = await self._visit(Request(scope, receive, send))
                    break
            scope["caller"] = visit.caller  # type: ignore[typeddict-unknown-key]  # ASGI lets applications add keys
            before = VISIT.set(visit)
            try:
                await app(scope, receive, send if visit is self._nobody else _uncached(send))
            finally:
                VISIT.reset(before)

        return with_caller

    async def _visit(self, request: Http) -> Visit:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        # a program's token is known by its beginning; of anything else the others say what is wrong with it
        bearers = [*(reads for path, reads in self.bearers_below if _is_below(path, request.url.path)), *self.bearers]
        if bearers and scheme.lower() == "bearer":
            return await _bearer(bearers, token.strip())
        site = self.site(request.headers.get("host", ""))
        held = request.cookies.get(site.session_cookie) if site else None
        visit = await anyio.to_thread.run_sync(self.sessions.visit, held) if held else None
        if site is None or visit is None:
            return self._nobody
        if request.method not in SAFE_METHODS:
            headers = request.headers
            check_origin(site.origin, headers.get("origin", ""), headers.get("sec-fetch-site", ""))
            check_token(visit.csrf, await self._token(request))
        return visit._replace(notice=self._nobody.notice)

    async def _token(self, request: Http) -> str:
        """The token against forgery; a form that is read for it is kept for the route."""
        is_form = request.content_type[0] in _FORMS and not self.takes_no_form(request.url.path)
        if HEADER in request.headers or not is_form:
            return request.headers.get(HEADER, "")
        if request.content_type[0] == _URLENCODED and (await request.body()).count(b"&") >= MOST_FIELDS:
            raise TooLarge(f"a form has at most {MOST_FIELDS} fields")
        given = (await request.form()).get(FIELD, "")
        return given if isinstance(given, str) else ""


async def _bearer(bearers: list[Bearer], token: str) -> Visit:
    for reads in bearers:
        caller = await reads(token)
        if caller is not None:
            return Visit(caller)
    raise Unauthenticated("the token in `Authorization` is of no kind that is known here")


def _is_below(path: str, asked: str) -> bool:
    return asked == path or asked.startswith(f"{path}/")


def _uncached(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = headers
        await send(message)

    return sending
