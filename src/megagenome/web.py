# SPDX-License-Identifier: Apache-2.0
"""What the routes of all parts do alike: who asks, what they send, how answers and errors look.

Below the parts that serve HTTP, so that each rule stands once; above `standards`, whose problems it tells. It serves
nothing itself.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap

from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.errors import Invalid, MegagenomeError
from megagenome.standards import problem

Http = Request[Any, Any, Any]
"""A request to any of our servers. Nothing is read from Litestar's user, session or state."""

T = TypeVar("T")

PRIVATE: Mapping[str, str] = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""Headers of what only its reader may have: nobody keeps it, and no browser takes it for another kind of content."""

FAULT = "this server could not answer: a fault of its own, which its operator sees in the log"
_MOST_PARAMETERS = 100
_log = logging.getLogger(__name__)
"""Faults of ours only; no question, body or token is ever logged."""


def caller_of(request: Http) -> Caller:
    """Who asks, as `identity.caller_middleware` put it on the request; the public where nothing did."""
    caller = request.scope.get("caller", PUBLIC)
    return caller if isinstance(caller, Caller) else PUBLIC


def parameters_of(request: Http) -> list[tuple[str, str]]:
    """The parameters in the address, in their order. Raises `Invalid` for more than a hundred, before taking them
    apart: that would hold up all other requests."""
    text = request.scope["query_string"].decode("utf-8", "replace")
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise Invalid(f"more than {_MOST_PARAMETERS} parameters") from None


def require_json(request: Http) -> None:
    """Raises `Invalid` unless the body is said to be JSON. No form on another site can say so: a browser that is told
    to by a script there asks us first. With the tokens of `identity.forgery` this is the second defence."""
    if request.content_type[0] != MediaType.JSON:
        raise Invalid("send application/json")


def read_json(request: Http, body: bytes, kind: type[T]) -> T:
    """What a request says by its body. Raises `Invalid` where that is not said to be JSON (`require_json`), or is
    nothing of this kind; then with the place in it."""
    require_json(request)
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not understood: {error}") from None


def answer_json(content: object, status: int = 200, headers: Mapping[str, str] = PRIVATE) -> Response[bytes]:
    """An answer in JSON; for its reader alone where no other headers are given."""
    return Response(msgspec.json.encode(content), media_type=MediaType.JSON, status_code=status, headers=headers)


def problems(headers: Mapping[str, str] = PRIVATE) -> ExceptionHandlersMap:
    """For a router whose errors are RFC 9457 problems, with these headers."""

    def render(status: int, says: str) -> Response[bytes]:
        content = msgspec.json.encode(problem.problem(status, says))
        return Response(content, media_type=problem.MEDIA_TYPE, status_code=status, headers=headers)

    return errors(render)


def errors(render: Callable[[int, str], Response[bytes]]) -> ExceptionHandlersMap:
    """For a router whose errors `render` makes of a status and of what is said.

    Conditions have the status of `standards.problem` and their own words. Any other exception is a fault of ours: it is
    logged, and nothing of it is told. A 401 says that there are tokens.
    """

    def respond(_: Http, error: Exception) -> Response[bytes]:
        if isinstance(error, MegagenomeError):
            status, says = problem.status_of(error), str(error)
        elif isinstance(error, HTTPException):
            status, says = error.status_code, error.detail
        else:
            _log.error("answering failed", exc_info=error)
            status, says = 500, FAULT
        answered = render(status, says)
        if status == 401:
            answered.headers["www-authenticate"] = "Bearer"  # RFC 9110, 15.5.2; RFC 6750, 3
        return answered

    return {MegagenomeError: respond, HTTPException: respond, Exception: respond}
