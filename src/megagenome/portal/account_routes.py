# SPDX-License-Identifier: Apache-2.0
"""The pages of signing in, of hub and node alike: `/login` and `/account`."""

from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
from litestar import Request, Response, Router, get
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from megagenome.identity.caller_middleware import VISIT
from megagenome.identity.local_path import local_path
from megagenome.identity.roles import Grant, grants_of
from megagenome.identity.routes import Door
from megagenome.identity.sessions import Visit
from megagenome.kernel.errors import Unauthenticated
from megagenome.portal.pages import html, render

Page = Response[str] | Redirect


def account_router(door: Door, errors: ExceptionHandlersMap) -> Router:
    """The two pages. `errors` is how errors look on this server."""

    @get("/login", sync_to_thread=False)
    def login(request: Request[Any, Any, Any]) -> Page:
        """The way to the provider; who is signed in goes where they wanted to."""
        wanted = local_path(request.query_params.get("next") or _came_from(request, door))
        if VISIT.get().session:
            return Redirect(wanted, status_code=303)
        signed_out = "out" in request.query_params
        return html(login_page(door.settings.provider_name, wanted, signed_out=signed_out))

    @get("/account")
    async def account() -> Page:
        """Who one is here."""
        visit = VISIT.get()
        if visit.session is None:
            return Redirect(f"/login?{urlencode({'next': '/account'})}", status_code=303)
        return html(await anyio.to_thread.run_sync(account_page, door, visit))

    return Router("/", route_handlers=[login, account], exception_handlers=errors, include_in_schema=False)


def _came_from(request: Request[Any, Any, Any], door: Door) -> str:
    """The page of this server on which the link to sign in was, as the browser says; "/" where it doesn't."""
    site = door.callers.site(request.headers.get("host", ""))
    referer = request.headers.get("referer", "")
    if site is None or not referer.startswith(f"{site.origin}/"):
        return "/"
    return referer.removeprefix(site.origin)


def login_page(provider: str, wanted: str, *, signed_out: bool = False) -> str:
    """The page before the provider's. `provider` is its name, empty where nobody can sign in."""
    return render("login.html", provider=provider, wanted=wanted, signed_out=signed_out)


def account_page(door: Door, visit: Visit) -> str:
    """Who one is here: identity, roles, registered access, sessions."""
    if visit.session is None:
        raise Unauthenticated("you are not signed in: sign in")
    sessions = door.callers.sessions
    subject = visit.session.subject
    with sessions.engine.connect() as connection:
        grants = grants_of(connection, subject)
    return render(
        "account.html",
        person=sessions.person(subject),
        visit=lambda: visit,
        roles=[(role_name(grant), scope_text(grant)) for grant in grants],
        sessions=sessions.of(subject),
        provider=door.settings.provider_name,
        terms=door.settings.terms,
    )


def role_name(grant: Grant) -> str:
    """A role for people: `signing official`; a DAC is a data access committee."""
    return grant.role.value.replace("_", " ").replace("dac", "DAC")


def scope_text(grant: Grant) -> str:
    """Where a role holds, for people."""
    parts = [text for text in (grant.scope.country, grant.scope.organisation, grant.scope.dataset) if text]
    return ", ".join(parts) or "everywhere on this server"
