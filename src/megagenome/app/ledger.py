# SPDX-License-Identifier: Apache-2.0
"""The signing keys and the ledger of a node's or hub's folder, and what its server does for the ledger each minute."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.errors import MegagenomeError
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.ledger_tally import AggregateTally

KEYS = "keys"
"""The folder of the signing keys, below the node's or hub's own."""

_log = logging.getLogger(__name__)


def open_keys(folder: Path) -> SigningKeys:
    """The signing keys of a node or hub; a folder of a version that had none gets them now."""
    return SigningKeys.open(folder / KEYS)


def open_ledger(folder: Path, engine: sa.Engine, identity: str) -> Ledger:
    """The ledger of a node or hub, whose id its heads state."""
    return Ledger(engine, open_keys(folder), identity)


def keep_tally(tally: AggregateTally) -> Callable[[object], AbstractAsyncContextManager[None]]:
    """A server's lifespan that enters the counted aggregates when a minute is over, and the rest when it stops."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        flushing = asyncio.create_task(_flush_each_minute(tally))
        try:
            yield
        finally:
            flushing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await flushing
            await asyncio.to_thread(_flush, tally, everything=True)

    return lifespan


async def _flush_each_minute(tally: AggregateTally) -> None:
    while True:
        now = clock.now()
        await asyncio.sleep(60.1 - now.second - now.microsecond / 1e6)
        await asyncio.to_thread(_flush, tally, everything=False)


def _flush(tally: AggregateTally, *, everything: bool) -> None:
    try:
        tally.flush(everything=everything)
    except (sa.exc.DatabaseError, MegagenomeError) as error:
        says = error.orig if isinstance(error, sa.exc.DatabaseError) else error  # and not who asked
        _log.error("counts of aggregates are not in the ledger yet, they wait in memory: %s", says)
