# SPDX-License-Identifier: Apache-2.0
"""`POST /api/join`: where a node takes up its invitation (`standards.joining`). Errors are RFC 9457 problems."""

import threading
import time
from collections import deque
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from litestar import Response, Router, post
from litestar.params import RawBody

from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Invalid, RateLimited
from megagenome.network.invitations import take_up
from megagenome.network.settings import Node
from megagenome.standards import joining
from megagenome.standards.joining import JoinAnswer, JoinRequest
from megagenome.web import answer_json, problems

MOST_A_MINUTE = 60
"""Attempts of everybody together. Nodes join some times a year; a secret of 256 bits needs no protection by this."""


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
        return answer_json(JoinAnswer(hub, joined.node.id, joined.node.country))

    return Router(
        "/",
        route_handlers=[join],
        exception_handlers=problems(),
        request_max_body_size=joining.LARGEST_BYTES,
        include_in_schema=False,
    )
