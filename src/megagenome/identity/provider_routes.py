# SPDX-License-Identifier: Apache-2.0
"""The HTTP routes of the demo's OpenID provider.

GET        /.well-known/openid-configuration , /jwks
GET, POST  /authorize    the form; name and password
POST       /token        a code for tokens
GET, POST  /userinfo     who a token is for
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from litestar import HttpMethod, Response, Router, get, post, route
from litestar.response import Redirect

from megagenome.identity.forgery import check_origin
from megagenome.identity.provider import DemoProvider, TurnedAway
from megagenome.kernel.errors import Invalid, RateLimited, Unauthenticated
from megagenome.web import Http

ShowForm = Callable[[str, str], Response[str]]
"""The page with the form, for a client's id and what was wrong ("" at first)."""

_UNCACHED = {"cache-control": "no-store"}
_AT_ONCE = 2
"""Passwords that are digested at a time: each takes 16 MB and a core."""

Page = Response[str] | Redirect


def provider_router(provider: DemoProvider, show_form: ShowForm) -> Router:
    """All routes of the provider. `show_form` makes its one page, for the client with this redirect address."""
    digesting = anyio.CapacityLimiter(_AT_ONCE)

    @get("/.well-known/openid-configuration", sync_to_thread=False)
    def discovery() -> dict[str, Any]:
        return provider.discovery()

    @get("/jwks", sync_to_thread=False)
    def jwks() -> dict[str, Any]:
        return provider.jwks()

    @route("/authorize", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200)
    async def authorize(request: Http) -> Page:
        try:
            asked = provider.asked(_once(request.query_params.multi_items()))
        except TurnedAway as error:
            if not error.address:
                raise Invalid(f"this sign-in cannot go on: {error.description}") from None
            return Redirect(error.address, status_code=303, headers=_UNCACHED)
        if request.method == HttpMethod.GET:
            return show_form(asked.client.redirect_uri, "")
        headers = request.headers
        check_origin(provider.issuer, headers.get("origin", ""), headers.get("sec-fetch-site", ""))
        form = _once((await request.form()).multi_items())
        signing = partial(provider.sign_in, asked, form.get("username", ""), form.get("password", ""))
        try:
            address = await anyio.to_thread.run_sync(signing, limiter=digesting)
        except (Unauthenticated, RateLimited) as error:
            return show_form(asked.client.redirect_uri, str(error))
        return Redirect(address, status_code=303, headers=_UNCACHED)

    @post("/token", status_code=200)
    async def token(request: Http) -> Response[dict[str, Any]]:
        try:
            form = _once((await request.form()).multi_items())
            return Response(provider.token(form), headers=_UNCACHED)
        except TurnedAway as error:
            answer = {"error": error.code, "error_description": error.description}
            return Response(answer, status_code=400, headers=_UNCACHED)

    @route("/userinfo", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200, sync_to_thread=False)
    def userinfo(request: Http) -> Response[dict[str, Any]]:
        scheme, _, access_token = request.headers.get("authorization", "").partition(" ")
        try:
            return Response(provider.userinfo(access_token if scheme.lower() == "bearer" else ""), headers=_UNCACHED)
        except Unauthenticated:
            headers = {**_UNCACHED, "www-authenticate": 'Bearer error="invalid_token"'}
            return Response({"error": "invalid_token"}, status_code=401, headers=headers)

    return Router("/", route_handlers=[discovery, jwks, authorize, token, userinfo], request_max_body_size=10_000)


def _once(pairs: Any) -> dict[str, str]:
    """Parameters by name. OAuth 2.0 allows none twice (RFC 6749, 3.1)."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found or not isinstance(value, str):
            raise Invalid(f"{name[:40]!r} may stand once, as text")
        found[name] = value
    return found
