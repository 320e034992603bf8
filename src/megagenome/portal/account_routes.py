# SPDX-License-Identifier: Apache-2.0
"""The pages of signing in, of hub and node alike: `/login` and `/account`."""

from functools import partial
from typing import Any
from urllib.parse import urlencode

import anyio.to_thread
from litestar import Response, Router, get, post
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from megagenome.identity.access_tokens import DAYS, MOST_DAYS, AccessTokens
from megagenome.identity.caller_middleware import VISIT
from megagenome.identity.local_path import local_path
from megagenome.identity.roles import Grant, grants_of
from megagenome.identity.routes import Door
from megagenome.identity.sessions import Visit
from megagenome.kernel.errors import Conflict, Invalid, Unauthenticated
from megagenome.portal.pages import html, render
from megagenome.web import Http

Page = Response[str] | Redirect
_LARGEST_FORM_BYTES = 10_000


def account_router(
    door: Door, errors: ExceptionHandlersMap, tokens: AccessTokens | None = None, *, on_node: bool = False
) -> Router:
    """The pages. `errors` is how errors look on this server; `tokens` None where no program asks for a person;
    `on_node`: it is a node's."""

    @get("/login", sync_to_thread=False)
    def login(request: Http) -> Page:
        """The way to the provider; who is signed in goes where they wanted to."""
        wanted = local_path(request.query_params.get("next") or _came_from(request, door))
        if VISIT.get().session:
            return Redirect(wanted, status_code=303)
        signed_out = "out" in request.query_params
        return html(login_page(door.settings.provider_name, wanted, signed_out=signed_out, on_node=on_node))

    @get("/account")
    async def account() -> Page:
        """Who one is here."""
        visit = VISIT.get()
        if visit.session is None:
            return Redirect(f"/login?{urlencode({'next': '/account'})}", status_code=303)
        return html(await anyio.to_thread.run_sync(partial(account_page, door, visit, tokens, on_node=on_node)))

    handlers = [login, account, *([] if tokens is None else _token_routes(door, tokens))]
    return Router(
        "/",
        route_handlers=handlers,
        exception_handlers=errors,
        include_in_schema=False,
        request_max_body_size=_LARGEST_FORM_BYTES,
    )


def _token_routes(door: Door, tokens: AccessTokens) -> list[Any]:
    @post("/account/tokens", status_code=200)
    async def make(request: Http) -> Page:
        """A new token, shown on this page and never again."""
        visit, subject = _signed_in()
        posted = await request.form()
        made, problem = "", ""
        try:
            days = _days(posted.get("days", ""))
            label = str(posted.get("label", ""))
            made = await anyio.to_thread.run_sync(tokens.make, subject, label, days)
        except (Invalid, Conflict) as error:
            problem = f"No token was made: {error}."
        page = partial(account_page, door, visit, tokens, made=made, problem=problem)
        return html(await anyio.to_thread.run_sync(page), 400 if problem else 200)

    @post("/account/tokens/revoke")
    async def revoke(request: Http) -> Redirect:
        """Ends a token."""
        _, subject = _signed_in()
        named = str((await request.form()).get("token", ""))
        await anyio.to_thread.run_sync(tokens.revoke, subject, named)
        return Redirect("/account#tokens-heading", status_code=303)

    return [make, revoke]


def _signed_in() -> tuple[Visit, str]:
    visit = VISIT.get()
    if visit.session is None:
        raise Unauthenticated("you are not signed in, or your session has ended: sign in")
    return visit, visit.session.subject


def _days(text: object) -> int:
    if not isinstance(text, str) or not text.isascii() or not text.isdigit() or len(text) > 4:
        raise Invalid(f"a token is good for 1 to {MOST_DAYS} days")
    return int(text)


def _came_from(request: Http, door: Door) -> str:
    """The page of this server on which the link to sign in was, as the browser says; "/" where it doesn't."""
    site = door.callers.site(request.headers.get("host", ""))
    referer = request.headers.get("referer", "")
    if site is None or not referer.startswith(f"{site.origin}/"):
        return "/"
    return referer.removeprefix(site.origin)


def login_page(provider: str, wanted: str, *, signed_out: bool = False, on_node: bool = False) -> str:
    """The page before the provider's. `provider` is its name, empty where nobody can sign in."""
    return render("login.html", provider=provider, wanted=wanted, signed_out=signed_out, on_node=on_node)


def account_page(
    door: Door,
    visit: Visit,
    tokens: AccessTokens | None = None,
    *,
    made: str = "",
    problem: str = "",
    on_node: bool = False,
) -> str:
    """Who one is here: identity, roles, registered access, sessions, tokens; `made` is a token that was made now."""
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
        roles=[(grant.role.called, scope_text(grant)) for grant in grants],
        sessions=sessions.of(subject),
        provider=door.settings.provider_name,
        terms=door.settings.terms,
        tokens=None if tokens is None else tokens.of(subject),
        days=DAYS,
        most_days=MOST_DAYS,
        made=made,
        problem=problem,
        on_node=on_node,
    )


def scope_text(grant: Grant) -> str:
    """Where a role holds, for people."""
    parts = [text for text in (grant.scope.country, grant.scope.organisation, grant.scope.dataset) if text]
    return ", ".join(parts) or "everywhere on this server"
