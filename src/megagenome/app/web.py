# SPDX-License-Identifier: Apache-2.0
"""The web application that a node and a hub are: Litestar, without what neither uses."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin

from megagenome.standards import problem

Render = Callable[[Request[Any, Any, Any], HTTPException], Response[Any]]


class WebApp(Litestar):
    """Litestar without its support for pydantic and attrs, which it loads where they are installed (other packages of
    ours bring them): 0.35 s of processor at each start and 9 MB, for types that no route here has (litestar 2.25)."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def elsewhere(show_page: Render) -> Render:
    """How errors look that no router renders, such as an address or a method that is not served: `show_page` for
    browsers, an RFC 9457 problem for programs."""

    def respond(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
        if "text/html" in request.headers.get("accept", ""):
            return show_page(request, error)
        body = msgspec.json.encode(problem.problem(error.status_code))
        return Response(body, media_type=problem.MEDIA_TYPE, status_code=error.status_code)

    return respond
