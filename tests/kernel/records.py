# SPDX-License-Identifier: Apache-2.0
"""Migrated databases with nothing in them: SQLite files, or on a PostgreSQL server while the fixture `database` says
so. Migrating takes longer than most tests, so it is done seldom."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from megagenome.kernel.database import open_database, sqlite_url, upgrade
from tests.kernel.postgres import new_database

_servers: list[sa.URL] = []
_used: dict[Path, sa.URL] = {}
_free: list[sa.URL] = []
_opened: list[sa.Engine] = []

# Making a database takes PostgreSQL longer than most tests, so those of the test before are emptied. What it left open
# is closed, or it could hold rows.
_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
SET session_replication_role = replica;
DO $$ DECLARE each record; BEGIN
    FOR each IN SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace LOOP
        IF each.relkind = 'r' AND each.relname NOT IN ('alembic_version', 'collection_version') THEN
            EXECUTE 'DELETE FROM ' || quote_ident(each.relname);
        ELSIF each.relkind = 'S' THEN
            EXECUTE 'ALTER SEQUENCE ' || quote_ident(each.relname) || ' RESTART';
        END IF;
    END LOOP;
    UPDATE collection_version SET version = 0;
END $$
"""


@contextlib.contextmanager
def kept_on(server: sa.URL) -> Iterator[None]:
    """Below, records are kept on this server."""
    _servers.append(server)
    try:
        yield
    finally:
        _servers.pop()
        while _opened:
            _opened.pop().dispose()
        _free.extend(map(_emptied, _used.values()))
        _used.clear()


def _emptied(url: sa.URL) -> sa.URL:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(_EMPTY)
    return url


def are_files() -> bool:
    """Whether records are files now, which a test may copy."""
    return not _servers


def open_records(path: Path) -> sa.Engine:
    """The database at `path`, or on the server the one that stands for it; made where there is none."""
    if are_files():
        if not path.exists():
            path.write_bytes(_empty_file())
        return open_database(sqlite_url(path))
    if path not in _used:
        _used[path] = _free.pop() if _free else _migrated(_servers[-1])
    _opened.append(open_database(_used[path]))
    return _opened[-1]


def copy_records(path: Path, to: Path) -> None:
    """Copy the database at `path`, or what stands for it, in place of what is at `to`. Nobody has either open."""
    lose_records(to)
    if are_files():
        for each in path.parent.glob(f"{path.name}*"):
            shutil.copyfile(each, to.with_name(each.name))
    else:
        _used[to] = new_database(_servers[-1], str(_used[path].database))


def lose_records(path: Path) -> None:
    """Remove the database at `path`, or what stands for it, where there is one. Nobody has it open."""
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    if path in _used:
        _free.append(_emptied(_used.pop(path)))


@cache
def _empty_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_database(sqlite_url(Path(folder) / "empty.db"))
        upgrade(engine)
        engine.dispose()
        return (Path(folder) / "empty.db").read_bytes()


def _migrated(server: sa.URL) -> sa.URL:
    url = new_database(server)
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()
    return url
