# SPDX-License-Identifier: Apache-2.0
"""How much of what strangers send a server holds in memory, and for how long.

Routes say how long a body of theirs may be, and read it whole; thousands of connections that send one each and stop
just before its end would take all memory there is. So all bodies together have so much room, of which those of nobody
in particular have a part, and each has so much time. What nodes send for studies is bounded by who reads it.
"""

import asyncio

from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send

from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Unavailable
from megagenome.standards import study_exchange

MOST_BYTES = 512 << 20
"""Of all long bodies together: thirty-two parts of a submission, or two of the longest scoring files."""

MOST_OF_NOBODY_BYTES = MOST_BYTES // 4
"""Of those whose sender did not say who they are: they keep nobody out who did."""

SHORT_BYTES = 64 << 10
"""What of a body counts for nothing, so that questions and forms come through whatever else is sent; these are bounded
by the number of connections."""

PATIENCE_S = 30.0
LEAST_BYTES_PER_S = 64 << 10
"""Half a megabit in a second: the slowest line over which parts of 16 MiB still come."""


class Bodies:
    """An ASGI application whose requests' bodies are bounded. Where one has no room or comes too slowly, whoever reads
    it gets `Unavailable`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.held_bytes = self.held_of_nobody_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        has_body = scope.get("method", "GET") not in ("GET", "HEAD")  # what is no request has no method
        if not has_body or scope["path"] == study_exchange.PATH:
            await self._app(scope, receive, send)
            return
        body = _Body(self, scope, receive)
        try:
            await self._app(scope, body.receive, send)
        finally:
            body.let_go()


class _Body:
    def __init__(self, bodies: Bodies, scope: Scope, receive: Receive) -> None:
        self._bodies, self._scope, self._receive = bodies, scope, receive
        self._size_bytes, self._is_whole = 0, False
        self._waited_s = 0.0  # for the client; what the server itself takes between is not its fault
        self._held_bytes = self._of_nobody_bytes = 0

    async def receive(self) -> ReceiveMessage:
        if self._is_whole:
            return await self._receive()  # which waits until the client leaves
        clock = asyncio.get_running_loop().time
        began, patience_s = clock(), PATIENCE_S + self._size_bytes / LEAST_BYTES_PER_S
        try:
            async with asyncio.timeout(patience_s - self._waited_s):
                message = await self._receive()
        except TimeoutError:
            raise Unavailable("what was sent came too slowly: send it again") from None
        finally:
            self._waited_s += clock() - began
        if message["type"] == "http.request":
            self._is_whole = not message["more_body"]
            self._take(len(message["body"]))
        return message

    def let_go(self) -> None:
        self._bodies.held_bytes -= self._held_bytes
        self._bodies.held_of_nobody_bytes -= self._of_nobody_bytes

    def _take(self, size_bytes: int) -> None:
        self._size_bytes += size_bytes
        taken = max(self._size_bytes - SHORT_BYTES, 0) - self._held_bytes
        caller = self._scope.get("caller")  # which the application has found meanwhile
        of_nobody = 0 if isinstance(caller, Caller) and caller.subject else taken
        bodies = self._bodies
        has_no_room = bodies.held_bytes + taken > MOST_BYTES
        if has_no_room or (of_nobody and bodies.held_of_nobody_bytes + of_nobody > MOST_OF_NOBODY_BYTES):
            raise Unavailable("too much is sent to this server at this moment: send it again in a minute")
        bodies.held_bytes += taken
        bodies.held_of_nobody_bytes += of_nobody
        self._held_bytes += taken
        self._of_nobody_bytes += of_nobody
