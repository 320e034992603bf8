# SPDX-License-Identifier: Apache-2.0
"""The signing keys and the ledger of a node's or hub's folder, and what its server does for the ledger each minute."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.every import Lifespan, attempt, every
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.ledger_tally import AggregateTally

KEYS = "keys"
"""The folder of the signing keys, below the node's or hub's own."""

_FAILING = "counts of aggregates are not in the ledger yet, they wait in memory"


def open_keys(folder: Path) -> SigningKeys:
    """The signing keys of a node or hub; a folder of a version that had none gets them now."""
    return SigningKeys.open(folder / KEYS)


def open_ledger(folder: Path, engine: sa.Engine, identity: str) -> Ledger:
    """The ledger of a node or hub, whose id its heads state."""
    return Ledger(engine, open_keys(folder), identity)


def keep_tally(tally: AggregateTally) -> Lifespan:
    """A server's lifespan that enters the counted aggregates when a minute is over, and the rest when it stops."""

    each_minute = every(_until_the_next_minute, tally.flush, _FAILING, at_once=False)

    @contextlib.asynccontextmanager
    async def lifespan(app: object) -> AsyncIterator[None]:
        try:
            async with each_minute(app):
                yield
        finally:
            await attempt(partial(asyncio.to_thread, tally.flush, everything=True), _FAILING)

    return lifespan


def _until_the_next_minute() -> float:
    now = clock.now()
    return 60.1 - now.second - now.microsecond / 1e6
