# SPDX-License-Identifier: Apache-2.0
"""A node's or hub's records: SQLAlchemy Core over SQLite (WAL, synchronous=FULL) or PostgreSQL, migrated by Alembic.

Both keep the same promises, so that what is right on one is right on the other: a reading transaction sees one moment
from its first statement on; of those who read to write (`begin_writing`) there is one at a time; texts are ordered by
their bytes. What PostgreSQL does not keep is `Invalid` there: texts with U+0000, and those too long for their column.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from megagenome.kernel.errors import Conflict, Invalid, Unavailable

REVISION = "0020"
"""The schema revision that this version of the code needs; the newest file in `migrations/versions`."""

_PATIENCE_MS = 30_000
"""How long a writer waits for another one."""

CONNECTIONS = 64
"""At most, of a process: each thread of a server may hold one, and a second one where it writes in a ledger what it
reads with the first."""

_KEPT_OPEN = 10
"""Of them, while nobody needs them."""

_WRITERS_LOCK = 0x6D65676167656E6F  # "megageno"
"""The number of PostgreSQL's advisory lock that its one writer holds."""


class _Pool(sa.QueuePool):
    """One that says in our words that all of its connections are in use; to its library that is no database error."""

    def connect(self) -> sa.PoolProxiedConnection:
        try:
            return super().connect()
        except sa.exc.TimeoutError:
            raise Unavailable("all connections to the database are in use: try again in a moment") from None


_POOL: dict[str, Any] = {"poolclass": _Pool, "pool_size": _KEPT_OPEN, "max_overflow": CONNECTIONS - _KEPT_OPEN}
_IN_MEMORY = (None, "", ":memory:")
"""Databases of one connection, for tests."""


def open_database(url: str | sa.URL) -> sa.Engine:
    """An engine on `url`. SQLite gets write-ahead logging, full synchronisation, foreign keys and a 30 s busy wait.

    Connects to nothing yet; who then waits 30 s for one of its `CONNECTIONS` gets `Unavailable`. Raises `Invalid` where
    PostgreSQL's driver is missing.
    """
    url = sa.make_url(url)
    if url.get_backend_name() == "postgresql":
        return _open_postgresql(url)
    # the library would quote them in errors, and so in logs: names, what people wrote, who is signed in
    engine = sa.create_engine(url, hide_parameters=True, **({} if url.database in _IN_MEMORY else _POOL))
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_postgresql(url: sa.URL) -> sa.Engine:
    url = url.set(drivername="postgresql+psycopg")
    try:
        # a connection that the server ended meanwhile is replaced instead of failing its next user
        engine = sa.create_engine(
            url, hide_parameters=True, isolation_level="REPEATABLE READ", pool_pre_ping=True, **_POOL
        )
    except ImportError:
        raise Invalid("PostgreSQL needs another package: run `pip install 'megagenome[postgres]'`") from None
    sa.event.listen(engine, "handle_error", _refuse)
    return engine


def _refuse(context: sa.ExceptionContext) -> None:
    """What PostgreSQL does not keep, or look for, is a mistake of whoever sent it, and no fault of the server's."""
    error = context.original_exception
    if "NUL (0x00)" in str(error):
        raise Invalid("a text has the character U+0000, which no text has") from None
    if getattr(error, "sqlstate", "") == "22001":
        raise Invalid("a text is longer than what is kept of its kind") from None


@contextlib.contextmanager
def begin_writing(engine: sa.Engine, *, alone: bool = True) -> Iterator[sa.Connection]:
    """A transaction for those who read and then write what follows from it; it commits on a clean exit.

    It holds the one write lock from its beginning, so that what it read is still so when it writes; another writer
    waits up to 30 s for it. Not `alone`, on PostgreSQL, are those who themselves lock the rows that they read.
    """
    with _writing(engine) as connection, connection.begin():
        take_turn(connection, alone=alone)
        yield connection


def _writing(engine: sa.Engine) -> sa.Connection:
    if engine.dialect.name == "sqlite":
        return engine.connect().execution_options(sqlite_writing=True)
    # a moment that is fixed before the lock is held would be one before the last writer's commit
    return engine.connect().execution_options(isolation_level="READ COMMITTED")


@contextlib.contextmanager
def begin_either(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that may only read, or write after it took its turn: by its first statement on SQLite, and by
    `take_turn` on PostgreSQL, where each statement then sees the newest."""
    connection = engine.connect()
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="READ COMMITTED")
    with connection, connection.begin():
        yield connection


def take_turn(connection: sa.Connection, *, alone: bool = True) -> None:
    """Wait until no other writer is at work on PostgreSQL, and let none be until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.set_config("lock_timeout", f"{_PATIENCE_MS}ms", True)))
        if alone:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITERS_LOCK)))


@contextlib.contextmanager
def begin_erasing(engine: sa.Engine, *, really: bool = True) -> Iterator[sa.Connection]:
    """A transaction like `begin_writing`'s in which what is deleted or replaced is gone for good once it ends.

    On SQLite its bytes are overwritten with zeros, in the log as soon as nobody reads it; on PostgreSQL they go with
    the next vacuum. Without `really` nothing of it is done: it shows what would be.
    """
    is_sqlite = engine.dialect.name == "sqlite"
    try:
        with _writing(engine) as connection, connection.begin() as transaction:
            take_turn(connection)
            if is_sqlite:
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            yield connection
            if not really:
                transaction.rollback()
    finally:
        if is_sqlite:  # also where nothing was left to do: the process before may have been killed here
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def write_if_free(engine: sa.Engine, statement: sa.Update) -> bool:
    """Carry out a write that may as well be left out, in a transaction of its own; whether it was.

    On SQLite it waits for nobody: False where another writer is at work, as a load may be for longer than a reader who
    only wanted to note something could wait.
    """
    with engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
        try:
            connection.execute(statement)
            connection.commit()
        except sa.exc.OperationalError:
            connection.rollback()
            return False
        finally:
            if is_sqlite:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MS}")
        return True


@contextlib.contextmanager
def begin_snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction in which all that is read is of one moment, however long it takes and whoever writes meanwhile."""
    with engine.connect() as connection, connection.begin():
        yield connection


def _begin_sqlite(connection: sa.Connection) -> None:
    # sqlite3 itself would begin a transaction only at the first write, so that two reads could see two states
    writing = connection.get_execution_options().get("sqlite_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    _keep_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_PATIENCE_MS}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _keep_wal(connection: Any) -> None:
    """Write ahead. Of two who say so first of a new file at once, one is told at once that it is locked: SQLite does
    not wait there, whatever its timeout."""
    until = time.monotonic() + _PATIENCE_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path}"


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to `REVISION`, in one transaction; of several at once one does it. Idempotent.

    Raises `Unavailable` where the database does not answer, `Conflict` for the schema of a newer version, and `Invalid`
    for a PostgreSQL database with another order of texts or another encoding.
    """
    try:
        with begin_writing(engine) as connection:
            _require_bytewise(connection)
            if sa.inspect(connection).has_table("alembic_version"):
                _refuse_newer(_revision(connection))
            _migrate(connection)
    except sa.exc.OperationalError as error:
        raise Unavailable(f"the database does not answer: {_first_line(error)}") from None


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # Alembic takes 0.2 s to import, and serving never migrates
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, REVISION)


def require_empty(engine: sa.Engine) -> None:
    """Raise unless nobody keeps anything in this database: `Conflict` where somebody does, `Unavailable` where it does
    not answer."""
    try:
        found = sa.inspect(engine).get_table_names()
    except sa.exc.OperationalError as error:
        raise Unavailable(f"the database does not answer: {_first_line(error)}") from None
    if found:
        raise Conflict(
            f"there are records in the database already (table {found[0]}): a node or hub needs an empty one of its "
            "own; where a failed `init` left them, make the database anew"
        )


def require_revision(engine: sa.Engine) -> None:
    """Raise unless the schema is the one that this code needs."""
    try:
        with engine.connect() as connection:
            found = _revision(connection)
    except (sa.exc.OperationalError, sa.exc.ProgrammingError) as error:
        says = _first_line(error)
        raise Unavailable(f"the database does not answer or is empty: {says}; run `megagenome node check`") from None
    _refuse_newer(found)
    if found != REVISION:
        raise Conflict(
            f"the database is at revision {found}, this version needs {REVISION}: stop its server, and run `megagenome "
            "node upgrade` or `megagenome hub upgrade` on its folder"
        )


def _require_bytewise(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        found = connection.execute(
            sa.text(
                "SELECT datcollate, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()"
            )
        ).one()
        if found[0] not in ("C", "POSIX", "C.UTF-8", "C.utf8") or found[1] != "UTF8":
            raise Invalid(
                f"the database orders texts by {found[0]} in {found[1]}, and must by their bytes: make it with "
                "`createdb --template template0 --encoding UTF8 --locale C NAME`"
            )


def _first_line(error: sa.exc.DBAPIError) -> str:
    return str(error.orig).partition("\n")[0]


def _revision(connection: sa.Connection) -> str:
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() or ""


def _refuse_newer(found: str) -> None:
    if found > REVISION:
        raise Conflict(
            f"the database is at revision {found}, this version knows up to {REVISION}: use the newer version that "
            "wrote it, or restore the backup that was made before"
        )
