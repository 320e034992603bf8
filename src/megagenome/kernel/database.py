# SPDX-License-Identifier: Apache-2.0
"""The node's records: SQLAlchemy Core over SQLite (WAL, synchronous=FULL) or PostgreSQL by URL, migrated by Alembic."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from megagenome.kernel.errors import Conflict, Unavailable

REVISION = "0002"
"""The schema revision that this version of the code needs; the newest file in `migrations/versions`."""


def open_database(url: str) -> sa.Engine:
    """An engine on `url`. SQLite gets write-ahead logging, full synchronisation, foreign keys and a 30 s busy wait."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        # sqlite3 would begin a transaction only at the first write, so that two reads could see two states
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}").close()


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path}"


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to `REVISION`, in one transaction. Idempotent."""
    from alembic import command  # Alembic takes 0.2 s to import, and serving never migrates
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, REVISION)


def require_revision(engine: sa.Engine) -> None:
    """Raise unless the schema is the one that this code needs."""
    try:
        with engine.connect() as connection:
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    except sa.exc.OperationalError as error:
        raise Unavailable(
            f"the database does not answer or is empty: {error.orig}; run `megagenome node check`"
        ) from None
    if found != REVISION:
        raise Conflict(
            f"the database is at revision {found}, this version needs {REVISION}: run `megagenome node upgrade`"
        )
