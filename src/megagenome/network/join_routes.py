# SPDX-License-Identifier: Apache-2.0
"""`POST /api/join`: where a node takes up its invitation (`standards.joining`). Errors are RFC 9457 problems."""

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from litestar import MediaType, Request, Response, Router, post
from litestar.exceptions import HTTPException
from litestar.params import RawBody
from litestar.types import ExceptionHandlersMap

from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Invalid, MegagenomeError, RateLimited
from megagenome.network.invitations import take_up
from megagenome.network.settings import Node
from megagenome.standards import joining, problem
from megagenome.standards.joining import JoinAnswer, JoinRequest

MOST_A_MINUTE = 60
"""Attempts of everybody together. Nodes join some times a year; a secret of 256 bits needs no protection by this."""

_log = logging.getLogger(__name__)


class Bound:
    """At most so many calls in any minute, of everybody together. Safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._turn = threading.Lock()
        self._times: deque[float] = deque(maxlen=most)

    def enter(self) -> None:
        """Raises `RateLimited`."""
        now = time.monotonic()
        with self._turn:
            if len(self._times) == self._most and now - self._times[0] < 60:
                raise RateLimited(f"more than {self._most} attempts in a minute: try again in a minute")
            self._times.append(now)


def join_router(engine: sa.Engine, hub: str, listed: Sequence[Node], most_a_minute: int = MOST_A_MINUTE) -> Router:
    """The route, for the hub of this id. `listed` are the nodes of its settings."""
    bound = Bound(most_a_minute)

    @post(joining.PATH, sync_to_thread=True, status_code=200)
    def join(body: RawBody) -> Response[bytes]:
        """Take up an invitation."""
        bound.enter()
        try:
            request = msgspec.json.decode(body, type=JoinRequest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Invalid("send the secret of an invitation and a signed descriptor, as JSON") from None
        with begin_writing(engine) as connection:
            joined = take_up(connection, request, hub, listed)
        answer = JoinAnswer(hub, joined.node.id, joined.node.country)
        return Response(msgspec.json.encode(answer), media_type=MediaType.JSON)

    return Router(
        "/",
        route_handlers=[join],
        exception_handlers=_errors(),
        request_max_body_size=joining.LARGEST_BYTES,
        include_in_schema=False,
    )


def _errors() -> ExceptionHandlersMap:
    def respond(status: int, message: str) -> Response[bytes]:
        content = msgspec.json.encode(problem.problem(status, message))
        return Response(content, media_type=problem.MEDIA_TYPE, status_code=status)

    def condition(_: Request[Any, Any, Any], error: MegagenomeError) -> Response[bytes]:
        return respond(problem.status_of(error), str(error))

    def http(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
        return respond(error.status_code, error.detail)

    def fault(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        _log.error("joining failed", exc_info=error)
        return respond(500, "the hub could not do this: a fault of its own, which its operator sees in the log")

    return {MegagenomeError: condition, HTTPException: http, Exception: fault}
