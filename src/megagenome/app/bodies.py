# SPDX-License-Identifier: Apache-2.0
"""How much of what strangers send a server holds in memory, and for how long.

Routes say how long a body of theirs may be, and read it whole; thousands of connections that send one each and stop
just before its end would take all memory there is. So all bodies together have so much room, and each has so much time.
"""

import asyncio

from litestar.types import ASGIApp, Receive, ReceiveMessage, Scope, Send

from megagenome.kernel.errors import Unavailable

MOST_BYTES = 512 << 20
"""Of all long bodies together: thirty-two parts of a submission, or two of the longest scoring files."""

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
        self.held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope.get("method", "GET") in ("GET", "HEAD"):  # or no request at all
            await self._app(scope, receive, send)
            return
        body = _Body(self, receive)
        try:
            await self._app(scope, body.receive, send)
        finally:
            self.held_bytes -= body.held_bytes


class _Body:
    def __init__(self, bodies: Bodies, receive: Receive) -> None:
        self._bodies, self._receive = bodies, receive
        self._size_bytes, self._is_whole = 0, False
        self._began = asyncio.get_running_loop().time()
        self.held_bytes = 0

    async def receive(self) -> ReceiveMessage:
        if self._is_whole:
            return await self._receive()  # which waits until the client leaves
        until = self._began + PATIENCE_S + self._size_bytes / LEAST_BYTES_PER_S
        try:
            async with asyncio.timeout_at(until):
                message = await self._receive()
        except TimeoutError:
            raise Unavailable("what was sent came too slowly: send it again") from None
        if message["type"] == "http.request":
            self._is_whole = not message["more_body"]
            self._take(len(message["body"]))
        return message

    def _take(self, size_bytes: int) -> None:
        self._size_bytes += size_bytes
        taken = max(self._size_bytes - SHORT_BYTES, 0) - self.held_bytes
        if self._bodies.held_bytes + taken > MOST_BYTES:
            raise Unavailable("too much is sent to this server at this moment: send it again in a minute")
        self._bodies.held_bytes += taken
        self.held_bytes += taken
