# SPDX-License-Identifier: Apache-2.0
"""The HTTP routes of signing in and out. The pages around them are the portal's: `/login` and `/account`.

    GET   /login/start?next=    sends the browser to the provider
    GET   /login/callback       where the provider sends it back
    POST  /logout               ends this session, or with `everywhere` all of the person's
    POST  /account/sessions     ends one other session: `session`, its id as the account's page has it
    POST  /account/terms        accepts the terms of registered access

Each POST carries the session's token against forgery (`csrf`), which the middleware has checked before it comes here.
"""

from functools import partial
from typing import NamedTuple

import anyio
import anyio.to_thread
from litestar import Router, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency, Provide
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from megagenome.identity import begun
from megagenome.identity.begin_limit import BeginLimit, address_of
from megagenome.identity.caller_middleware import VISIT, CallerMiddleware
from megagenome.identity.local_path import local_path
from megagenome.identity.oidc import RelyingParty
from megagenome.identity.own_site import OwnSite
from megagenome.identity.sessions import Session
from megagenome.identity.settings import SignInSettings
from megagenome.kernel.errors import Invalid, Unauthenticated
from megagenome.web import Http

CALLBACK = "/login/callback"
_AT_ONCE = 4
"""Threads in which people sign in, who may be anybody: a provider that hangs, or a load that holds the database, takes
these and none of those that answer questions."""


class Door(NamedTuple):
    """What signing in needs: the settings, who asks, the provider, and how often people may begin."""

    settings: SignInSettings
    callers: CallerMiddleware
    relying: RelyingParty
    waiting: anyio.CapacityLimiter
    beginning: BeginLimit


def make_door(settings: SignInSettings, callers: CallerMiddleware, relying: RelyingParty | None = None) -> Door:
    """The door of one server."""
    return Door(settings, callers, relying or RelyingParty(settings), anyio.CapacityLimiter(_AT_ONCE), BeginLimit())


ADoor = NamedDependency[Door]


@get("/login/start")
async def start(request: Http, door: ADoor) -> Redirect:
    """To the provider, with a cookie that binds the sign-in to this browser."""
    site = _site(request, door)
    peer = request.client.host if request.client else ""
    # some proxies write a line of their own under what the caller wrote
    forwarded = ",".join(request.headers.getall("x-forwarded-for", []))
    door.beginning.take(address_of(peer, forwarded))
    next_path = local_path(request.query_params.get("next", "/"))
    secret = await anyio.to_thread.run_sync(partial(_begin, door, next_path), limiter=door.waiting)
    address = await anyio.to_thread.run_sync(
        door.relying.address, begun.keys_of(secret), site.origin + CALLBACK, limiter=door.waiting
    )
    cookie = _cookie(site, site.sign_in_cookie, secret, begun.LASTS_S)
    return Redirect(address, status_code=303, cookies=[cookie], headers=_UNCACHED)


@get(CALLBACK)
async def callback(request: Http, door: ADoor) -> Redirect:
    """Back from the provider: a new session, and on to where the person wanted to go."""
    site = _site(request, door)
    query = dict(request.query_params)
    if len(query) < len(list(request.query_params.multi_items())):
        raise Invalid("the provider's answer says something twice: sign in again")
    secret = request.cookies.get(site.sign_in_cookie, "")
    finishing = partial(_finish, door, secret, query.get("state", ""))
    next_path = await anyio.to_thread.run_sync(finishing, limiter=door.waiting)
    profile = await anyio.to_thread.run_sync(
        door.relying.profile, query, begun.keys_of(secret), site.origin + CALLBACK, limiter=door.waiting
    )
    held = request.cookies.get(site.session_cookie, "")
    browser = request.headers.get("user-agent", "")
    opened = partial(door.callers.sessions.open, profile, browser, instead_of=held)
    token = await anyio.to_thread.run_sync(opened, limiter=door.waiting)
    cookies = [
        _cookie(site, site.session_cookie, token, door.settings.longest_s),
        _cookie(site, site.sign_in_cookie, "", 0),
    ]
    return Redirect(next_path, status_code=303, cookies=cookies, headers=_UNCACHED)


@post("/logout")
async def logout(request: Http, door: ADoor) -> Redirect:
    """Ends this session; with `everywhere` all of the person's."""
    mine = _own_session()
    form = await request.form()
    sessions = door.callers.sessions
    if form.get("everywhere"):
        await anyio.to_thread.run_sync(sessions.end_all, mine.subject)
    else:
        await anyio.to_thread.run_sync(sessions.end, mine.subject, mine.id_sha256)
    site = _site(request, door)
    return Redirect("/login?out=1", status_code=303, cookies=[_cookie(site, site.session_cookie, "", 0)])


@post("/account/sessions")
async def end_session(request: Http, door: ADoor) -> Redirect:
    """Ends another session of the same person."""
    mine = _own_session()
    named = (await request.form()).get("session", "")
    if not isinstance(named, str) or not named:
        raise Invalid("say which session to end: its id, as the account's page has it")
    await anyio.to_thread.run_sync(door.callers.sessions.end, mine.subject, named)
    return Redirect("/account", status_code=303)


@post("/account/terms")
async def accept(door: ADoor) -> Redirect:
    """Accepts the terms of registered access."""
    mine = _own_session()
    await anyio.to_thread.run_sync(door.callers.sessions.accept_terms, mine.subject)
    return Redirect("/account", status_code=303)


def sign_in_router(door: Door, errors: ExceptionHandlersMap) -> Router:
    """All routes of signing in and out; `errors` renders what goes wrong."""

    async def provide_door() -> Door:
        return door

    return Router(
        "/",
        route_handlers=[start, callback, logout, end_session, accept],
        dependencies={"door": Provide(provide_door)},
        exception_handlers=errors,
        include_in_schema=False,
        request_max_body_size=10_000,
    )


_UNCACHED = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


def _site(request: Http, door: Door) -> OwnSite:
    site = door.callers.site(request.headers.get("host", ""))
    if site is None:
        raise Invalid(
            "nobody can sign in at this address: without https everybody on the way could take the session; "
            "the operator sets `hub.url` or `node.url` to the https address of this server"
        )
    return site


def _own_session() -> Session:
    visit = VISIT.get()
    if visit.session is None:
        raise Unauthenticated("you are not signed in, or your session has ended: sign in")
    return visit.session


def _begin(door: Door, next_path: str) -> str:
    with door.callers.sessions.engine.begin() as connection:
        return begun.begin(connection, door.settings.issuer, next_path)


def _finish(door: Door, secret: str, state: str) -> str:
    with door.callers.sessions.engine.begin() as connection:
        return begun.finish(connection, secret, state, door.settings.issuer)


def _cookie(site: OwnSite, name: str, value: str, max_age_s: int) -> Cookie:
    return Cookie(key=name, value=value, path="/", httponly=True, secure=site.secure, samesite="lax", max_age=max_age_s)
