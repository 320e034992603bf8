# SPDX-License-Identifier: Apache-2.0
"""The web application that a node and a hub are: Litestar, without what neither uses."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Litestar, Response
from litestar.exceptions import HTTPException
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.types import ExceptionHandlersMap

from megagenome.kernel.errors import MegagenomeError
from megagenome.standards import problem
from megagenome.web import Http

Error = HTTPException | MegagenomeError
Render = Callable[[Http, Error], Response[Any]]


class WebApp(Litestar):
    """Litestar without its support for pydantic and attrs, which it loads where they are installed (other packages of
    ours bring them): 0.35 s of processor at each start and 9 MB, for types that no route here has (litestar 2.25)."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def elsewhere(show_page: Render) -> ExceptionHandlersMap:
    """How errors look that no router renders, such as an address or a method that is not served: `show_page` for
    browsers, an RFC 9457 problem for programs."""

    def respond(request: Http, error: Error) -> Response[Any]:
        if "text/html" in request.headers.get("accept", ""):
            return show_page(request, error)
        if isinstance(error, HTTPException):
            found = problem.problem(error.status_code)
        else:
            found = problem.problem(problem.status_of(error), str(error))
        headers = {"www-authenticate": "Bearer"} if found.status == 401 else {}  # RFC 6750, 3
        return Response(
            msgspec.json.encode(found), media_type=problem.MEDIA_TYPE, status_code=found.status, headers=headers
        )

    return {HTTPException: respond, MegagenomeError: respond}
