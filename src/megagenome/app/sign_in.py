# SPDX-License-Identifier: Apache-2.0
"""Signing in, as a node and a hub mount it: who asks, the routes, the pages."""

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa
from litestar import Router

from megagenome.identity.access_tokens import AccessTokens
from megagenome.identity.caller_middleware import CallerMiddleware
from megagenome.identity.routes import Door, make_door, sign_in_router
from megagenome.identity.sessions import Sessions
from megagenome.identity.settings import SignInSettings
from megagenome.portal.account_routes import account_router

if TYPE_CHECKING:
    from litestar.types import ExceptionHandlersMap


class SigningIn(NamedTuple):
    """One server's sign-in. `callers` is the application's middleware; whoever reads tokens joins `callers.bearers`.
    `tokens` are those of people's own programs."""

    callers: CallerMiddleware
    door: Door
    tokens: AccessTokens

    def routers(self, errors: "ExceptionHandlersMap", *, on_node: bool = False) -> list[Router]:
        """Routes and pages; `errors` are the error pages of this server."""
        return [sign_in_router(self.door, errors), account_router(self.door, errors, self.tokens, on_node=on_node)]


STUDIES = "/studies"
INBOX = "/inbox"


def sign_in(engine: sa.Engine, settings: SignInSettings, url: str, notice: str, *, tokens_below: str) -> SigningIn:
    """The sign-in of a server with this database, these settings and this public address (empty: as it is asked).
    `notice` stands on each of its pages; below `tokens_below`, and nowhere else, people's programs ask with tokens."""
    callers = CallerMiddleware(Sessions(engine, settings), url, offered=bool(settings.issuer), notice=notice)
    tokens = AccessTokens(engine)
    callers.bearers_below.append((tokens_below, tokens.reads))
    return SigningIn(callers, make_door(settings, callers), tokens)
