# SPDX-License-Identifier: Apache-2.0
"""What a service has as such: `GET /service-info`, `GET /health`, and errors that no role's routes answer."""

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from megagenome.kernel.errors import MegagenomeError, Unavailable
from megagenome.standards import problem
from megagenome.standards.service_info import ServiceInfo


class Health(msgspec.Struct, frozen=True):
    """`ok` is True when the service can answer questions now."""

    ok: bool
    version: str


def service_router(info: ServiceInfo, is_able: Callable[[], bool], version: str) -> Router:
    """`/service-info` (GA4GH service-info 1.0) and `/health`: 200 when `is_able` says so, else 503."""

    @get("/service-info", sync_to_thread=False)
    def service_info() -> ServiceInfo:
        return info

    @get("/health", sync_to_thread=True)
    def health() -> Health:
        try:
            able = is_able()
        except MegagenomeError:
            able = False
        if not able:
            raise Unavailable("this service cannot answer now; its operator's `check` says why")
        return Health(True, version)

    return Router("/", route_handlers=[service_info, health])


def error_handlers(pages: ExceptionHandlersMap) -> ExceptionHandlersMap:
    """Handlers of a whole application, for addresses that nobody serves and the routes above.

    Browsers, which accept `text/html`, get the page that `pages` makes of the error; programs a problem (RFC 9457).
    """

    def answer(request: Request[Any, Any, Any], error: MegagenomeError | HTTPException) -> Response[Any]:
        kind = MegagenomeError if isinstance(error, MegagenomeError) else HTTPException
        if "text/html" in request.headers.get("accept", ""):
            return pages[kind](request, error)
        if isinstance(error, HTTPException):
            status, reason = error.status_code, error.detail
        else:
            status, reason = problem.status_of(error), str(error)
        body = msgspec.json.encode(problem.problem(status, reason))
        return Response(body, media_type=problem.MEDIA_TYPE, status_code=status)

    return {HTTPException: answer, MegagenomeError: answer}
