# SPDX-License-Identifier: Apache-2.0
"""Ledgers for tests: in memory or in a file, under a clock that the test sets."""

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from megagenome.kernel.database import open_database, sqlite_url
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.ledger_tables import METADATA

ISSUER = "node.ee"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def make_keys() -> SigningKeys:
    """New keys whose folder is gone."""
    with tempfile.TemporaryDirectory() as folder:
        return SigningKeys.open(Path(folder) / "keys")


KEYS = make_keys()


@contextlib.contextmanager
def open_ledger(path: Path | None = None, keys: SigningKeys = KEYS) -> Iterator[Ledger]:
    """A ledger in the SQLite file at `path`, or in memory; made where there is none."""
    engine = open_database(sqlite_url(path) if path else "sqlite://")
    METADATA.create_all(engine)
    try:
        yield Ledger(engine, keys, ISSUER)
    finally:
        engine.dispose()


class Clock:
    """Stands in place of `kernel.clock.now`."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def step(self, **difference: float) -> None:
        self.now += timedelta(**difference)


@contextlib.contextmanager
def clock_at(now: datetime = NOON) -> Iterator[Clock]:
    """A clock that stands until the test steps it."""
    clock = Clock(now)
    with patch("megagenome.kernel.clock.now", lambda: clock.now):
        yield clock
