# SPDX-License-Identifier: Apache-2.0
"""Empty tables in memory. Making them takes longer than most tests: they are made once, and what tests do is undone."""

import contextlib
from collections.abc import Iterator
from functools import cache

import sqlalchemy as sa

from megagenome.collection.tables import METADATA
from megagenome.kernel.database import open_database


@contextlib.contextmanager
def empty_tables() -> Iterator[sa.Connection]:
    """A transaction on empty tables, of which nothing stays."""
    with _engine().connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@cache
def _engine() -> sa.Engine:
    engine = open_database("sqlite://")
    METADATA.create_all(engine)
    return engine
