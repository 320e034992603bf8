# SPDX-License-Identifier: Apache-2.0
"""What a server does again and again while it runs. Nothing that is raised ends it: it is noted, and tried again."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import NoReturn

import sqlalchemy as sa

from megagenome.kernel.errors import MegagenomeError

Lifespan = Callable[[object], AbstractAsyncContextManager[None]]
"""What a server runs in: entered before its first request, left after its last."""

Pause = float | Callable[[], float]
"""Seconds, or what says how many from now on."""

_log = logging.getLogger(__name__)


def every(pause_s: Pause, work: Callable[[], object], failing: str, *, at_once: bool = True) -> Lifespan:
    """A lifespan in which `work` is done in a thread, with a pause after each time.

    `failing` begins the line in the log when it fails; not `at_once`, the first pause comes first. A time that has
    begun when the server stops goes on in its thread; nobody waits for it.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        async with meanwhile(repeat(pause_s, lambda: asyncio.to_thread(work), failing, at_once=at_once)):
            yield

    return lifespan


@contextlib.asynccontextmanager
async def meanwhile(endless: Awaitable[NoReturn]) -> AsyncIterator[None]:
    """Let it run beside what is inside, and cancel it then."""
    running = asyncio.ensure_future(endless)
    try:
        yield
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def repeat(
    pause_s: Pause, act: Callable[[], Awaitable[object]], failing: str, *, at_once: bool = True
) -> NoReturn:
    """Do it again and again, for what needs the event loop; as `every`, until it is cancelled."""
    if not at_once:
        await _rest(pause_s)
    while True:
        await attempt(act, failing)
        await _rest(pause_s)


async def attempt(act: Callable[[], Awaitable[object]], failing: str) -> None:
    """Do it once; what it raises is noted and goes no further."""
    try:
        await act()
    except sa.exc.DBAPIError as error:  # and not its own text, which may quote who asked
        _log.error("%s: %s", failing, error.orig)
    except MegagenomeError as error:
        _log.error("%s: %s", failing, error)
    except Exception:  # noqa: BLE001 - a loop that ends by whatever it was would be missed much later
        _log.exception("%s", failing)


async def _rest(pause_s: Pause) -> None:
    await asyncio.sleep(pause_s() if callable(pause_s) else pause_s)
