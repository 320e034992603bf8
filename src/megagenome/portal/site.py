# SPDX-License-Identifier: Apache-2.0
"""What every page's server needs, hub and node alike: the files of the style, and errors as pages."""

import logging
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from megagenome.kernel.errors import MegagenomeError, NotFound
from megagenome.portal.network_pages import error_page
from megagenome.portal.pages import HEADERS, STATIC, html
from megagenome.standards.problem import status_of

_LOG = logging.getLogger(__name__)


@get("/static/{name:str}", include_in_schema=False)
async def static_file(name: str) -> Response[bytes]:
    """The style sheet, the script and the icon; each address changes with its content."""
    file = STATIC.get(name)
    if file is None:
        raise NotFound("There is no such file.")
    headers = {**HEADERS, "cache-control": "public, max-age=31536000, immutable"}
    return Response(file.content, media_type=file.media_type, headers=headers)


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """True when a browser asks: an error outside the portal's own routes is then shown as a page."""
    return "text/html" in request.headers.get("accept", "")


def show_error(_request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """Any error as a page. What was not foreseen is logged, and shown without its message."""
    if isinstance(error, HTTPException):
        return html(error_page(error.status_code, error.detail if error.status_code < 500 else ""), error.status_code)
    if isinstance(error, MegagenomeError):
        return html(error_page(status_of(error), str(error)), status_of(error))
    _LOG.error("a page failed", exc_info=error)
    return html(error_page(500), 500)


error_pages: ExceptionHandlersMap = {HTTPException: show_error, MegagenomeError: show_error, Exception: show_error}
"""For a router, or for an application whose every reader is a person."""
