# SPDX-License-Identifier: Apache-2.0
"""Where requests wait until something of a study changes."""

import asyncio
import contextlib
import threading


class Board:
    """Counts changes; threads note them, requests wait for the next. Safe for both."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.changes = 0

    def note(self) -> None:
        """Something changed: whoever waits looks again. From any thread; returns at once."""
        with self._turn:
            self.changes += 1
            waiting, self._waiting = self._waiting, set()
        for loop, event in waiting:
            with contextlib.suppress(RuntimeError):  # the loop was closed just now
                loop.call_soon_threadsafe(event.set)

    async def wait(self, seen: int, timeout_s: float) -> None:
        """Until `changes` is no longer `seen`, or the time is over."""
        mine = (asyncio.get_running_loop(), asyncio.Event())
        with self._turn:
            if self.changes != seen:
                return
            self._waiting.add(mine)
        try:
            async with asyncio.timeout(timeout_s):
                await mine[1].wait()
        except TimeoutError:
            pass
        finally:
            with self._turn:
                self._waiting.discard(mine)
