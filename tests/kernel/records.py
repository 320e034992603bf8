# SPDX-License-Identifier: Apache-2.0
"""Migrated databases with nothing in them: SQLite files, or on a PostgreSQL server while the fixture `database` says
so. Migrating takes longer than most tests, so it is done once and copied."""

import contextlib
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from megagenome.kernel.database import open_database, sqlite_url, upgrade
from tests.kernel.postgres import new_database

_servers: list[sa.URL] = []
_there: dict[Path, sa.URL] = {}


@contextlib.contextmanager
def kept_on(server: sa.URL) -> Iterator[None]:
    """Below, records are kept on this server."""
    _servers.append(server)
    try:
        yield
    finally:
        _servers.pop()
        _there.clear()


def are_files() -> bool:
    """Whether records are files now, which a test may copy."""
    return not _servers


def open_records(path: Path) -> sa.Engine:
    """The database at `path`, or on the server the one that stands for it; made where there is none."""
    if are_files():
        if not path.exists():
            path.write_bytes(_empty_file())
        return open_database(sqlite_url(path))
    if path not in _there:
        _there[path] = new_database(_servers[-1], _migrated(_servers[-1]))
    return open_database(_there[path])


@cache
def _empty_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(sqlite_url(Path(folder) / "empty.db"))
        upgrade(engine)
        engine.dispose()
        return (Path(folder) / "empty.db").read_bytes()


@cache
def _migrated(server: sa.URL) -> str:
    made = new_database(server)
    engine = open_database(made)
    upgrade(engine)
    engine.dispose()
    assert made.database is not None
    return made.database
