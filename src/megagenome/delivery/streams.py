# SPDX-License-Identifier: Apache-2.0
"""Sends what may take long, a piece at a time, so that nobody else waits for it.

There are so many places for streams, and whoever has some gets another as long as no fewer are free than they have; all
who did not say who they are count as one, and may have three times as many as are free. So one caller gets half of the
places at most, nobody in particular three quarters, and whoever comes next finds one.

Pieces are made in threads of delivery's own, one at a time for each stream; between them a stream holds no thread. A
piece is asked for when the receiver took the one before, so a slow one holds a megabyte or two, and is let go when it
takes too long for one; of one that left, the stream ends at the next piece.
"""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from megagenome.kernel.errors import RateLimited, Unavailable

THREADS = 6
"""For all streams of a server. Sealing holds the interpreter's lock, so more would not send more."""

_NOBODYS = 3

Answer = TypeVar("Answer")


class Streams:
    """The streams of one server. Close it by `close`."""

    def __init__(self, most: int, slowest_s: float) -> None:
        """`most` at once; a receiver that takes `slowest_s` for a piece is let go."""
        self.slowest_s = slowest_s
        self.pool = ThreadPoolExecutor(THREADS, "delivery")
        self._most = most
        self._turn = threading.Lock()
        self._held: Counter[str | None] = Counter()

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Do something in a thread of delivery's."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, work)

    async def begin(self, open_pieces: Callable[[], Iterator[bytes]], caller: str | None = None) -> "Pieces":
        """Open a stream for a caller (their subject; None for whoever did not say who they are) and make its first
        piece, so that what is refused is refused before anything was sent. Raises `Unavailable` where there are too
        many already, and `RateLimited` where the caller has their share of them."""
        leave = self._enter(caller)
        try:
            return await self.run(lambda: Pieces(open_pieces(), leave))
        except BaseException:
            leave()
            raise

    def _enter(self, caller: str | None) -> Callable[[], None]:
        with self._turn:
            free, mine = self._most - self._held.total(), self._held[caller]
            if free <= 0:
                raise Unavailable("as many files and slices are being sent as may be at once: ask again in a moment")
            if mine >= (_NOBODYS if caller is None else 1) * free:
                who = "to whoever does not say who they are" if caller is None else "to you"
                says = f"{mine} files and slices are being sent {who}, and what is free is kept for others"
                raise RateLimited(f"{says}: ask again when one has ended")
            self._held[caller] += 1

        def leave() -> None:
            with self._turn:
                self._held[caller] -= 1
                if not self._held[caller]:
                    del self._held[caller]

        return leave

    def end(self, pieces: "Pieces") -> None:
        """End a stream, without waiting for a piece that is being made."""
        with contextlib.suppress(RuntimeError):  # the server stops, and what it reads from is closed with it
            self.pool.submit(pieces.close)

    def close(self) -> None:
        """Begin nothing any more."""
        self.pool.shutdown(wait=False, cancel_futures=True)


class Pieces:
    """The pieces of one stream, the first of which is made already."""

    def __init__(self, pieces: Iterator[bytes], leave: Callable[[], None]) -> None:
        """`leave` gives its place back."""
        self._turn = threading.Lock()
        self._pieces, self._leave, self._open = pieces, leave, True
        self._first: bytes | None = next(pieces, None)

    def next(self) -> bytes | None:
        """The next piece; None at the end."""
        with self._turn:
            if not self._open:
                return None
            if self._first is not None:
                first, self._first = self._first, None
                return first
            return next(self._pieces, None)

    def close(self) -> None:
        """End it, once a piece that is being made is made. Idempotent."""
        with self._turn:
            if not self._open:
                return
            self._open = False
            with contextlib.suppress(Exception):  # whatever it says now, nobody is there to read it
                getattr(self._pieces, "close", lambda: None)()
        self._leave()


class StreamedResponse(ASGIResponse):
    """A response of pieces."""

    __slots__ = ("pieces", "streams")

    _should_set_content_length = False

    def __init__(self, streams: Streams, pieces: Pieces, **response: Any) -> None:
        super().__init__(**response)
        self.streams, self.pieces = streams, pieces

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Send it. What is refused on the way breaks the connection off, so that nobody takes a part for the whole."""
        gone = asyncio.ensure_future(_gone(receive))
        try:
            while not gone.done():
                piece = await self.streams.run(self.pieces.next)
                async with asyncio.timeout(self.streams.slowest_s):
                    more = piece is not None
                    await send({"type": "http.response.body", "body": piece or b"", "more_body": more})
                if not more:
                    break
        finally:
            gone.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send head and body, and end the stream, however that goes."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.streams.end(self.pieces)


async def _gone(receive: Receive) -> None:
    """Return when the receiver left."""
    while (await receive())["type"] != "http.disconnect":
        pass
