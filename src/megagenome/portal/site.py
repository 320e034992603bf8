# SPDX-License-Identifier: Apache-2.0
"""What every page's server needs, hub and node alike: the files of the style, and errors as pages."""

import logging
from urllib.parse import urlencode

from litestar import Response, get
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap

from megagenome.kernel.errors import MegagenomeError, NotFound, Unauthenticated
from megagenome.portal.network_pages import error_page
from megagenome.portal.pages import HEADERS, STATIC, html
from megagenome.standards.problem import status_of
from megagenome.web import Http

_LOG = logging.getLogger(__name__)


@get("/static/{name:str}", include_in_schema=False)
async def static_file(name: FromPath[str]) -> Response[bytes]:
    """The style sheet, the script and the icon; each address changes with its content."""
    file = STATIC.get(name)
    if file is None:
        raise NotFound("There is no such file.")
    headers = {**HEADERS, "cache-control": "public, max-age=31536000, immutable"}
    return Response(file.content, media_type=file.media_type, headers=headers)


def show_error(_request: Http, error: Exception, *, on_node: bool = False) -> Response[str]:
    """Any error as a page. What was not foreseen is logged, and shown without its message."""
    status, reason = 500, ""
    if isinstance(error, HTTPException):
        status = error.status_code
        # Litestar's words on a 400 name types of parameters, on a 404 nothing new, and on a 5xx are for the log
        reason = error.detail if 400 < status < 500 and status != 404 else ""
    elif isinstance(error, MegagenomeError):
        status, reason = status_of(error), str(error)
    else:
        _LOG.error("a page failed", exc_info=error)
    return html(error_page(status, reason, on_node=on_node), status)


def to_sign_in(request: Http, error: Unauthenticated) -> Redirect | Response[str]:
    """Whoever is not signed in, and only wants to read, goes to the sign-in and comes back."""
    if request.method not in ("GET", "HEAD"):
        return show_error(request, error)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Redirect(f"/login?{urlencode({'next': path})}", status_code=303)


error_pages: ExceptionHandlersMap = {HTTPException: show_error, MegagenomeError: show_error, Exception: show_error}
"""For a router of the hub's pages."""
