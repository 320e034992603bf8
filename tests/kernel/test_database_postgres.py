# SPDX-License-Identifier: Apache-2.0
"""What is PostgreSQL's own; `test_database.py` has what both keep."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.kernel import database
from megagenome.kernel.database import (
    begin_writing,
    open_database,
    require_empty,
    require_revision,
    upgrade,
    write_if_free,
)
from megagenome.kernel.errors import Conflict, Invalid, Unavailable
from megagenome.kernel.job_tables import job
from megagenome.kernel.jobs import enqueue
from tests.kernel.postgres import new_database
from tests.kernel.records import kept_on, open_records
from tests.kernel.schema import described
from tests.kernel.test_database import OWNERS

pytestmark = pytest.mark.postgres

VERSION = sa.table("collection_version", sa.column("version"))


@pytest.fixture
def engine(postgres_server: sa.URL, tmp_path: Path) -> Iterator[sa.Engine]:
    """A migrated database with nothing in it but one row that says 0."""
    with kept_on(postgres_server):
        yield open_records(tmp_path / "records")


def count(connection: sa.Connection) -> int:
    return connection.execute(sa.select(VERSION.c.version)).scalar_one()


def test_the_migrations_make_the_tables_of_the_code(postgres_server: sa.URL) -> None:
    migrated, declared = (open_database(new_database(postgres_server)) for _ in range(2))
    upgrade(migrated)
    upgrade(migrated)
    require_revision(migrated)
    for metadata in OWNERS:
        metadata.create_all(declared)
        made, named = described(migrated, metadata.tables), described(declared, metadata.tables)
        for each in (made, named):  # the condition of its index is in the migration alone; identity/tables.py says why
            each.get("role_grant", {}).pop("indexes", None)
        assert made == named
    found = set(sa.inspect(migrated).get_table_names()) - {"alembic_version"}
    assert found == {name for owner in OWNERS for name in owner.tables}
    migrated.dispose()
    declared.dispose()


def test_who_locks_rows_alone_waits_for_nobody(engine: sa.Engine) -> None:
    with begin_writing(engine), begin_writing(engine, alone=False) as other:
        assert count(other) == 0


def test_a_writer_gives_up_waiting(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PATIENCE_MS", 100)
    with begin_writing(engine), pytest.raises(sa.exc.OperationalError, match="lock timeout"), begin_writing(engine):
        pass


def test_texts_are_ordered_by_their_bytes_or_not_kept(postgres_server: sa.URL) -> None:
    engine = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE other TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
    other = open_database(postgres_server.set(database="other"))
    with pytest.raises(Invalid, match="--locale C"):
        upgrade(other)
    require_empty(other)
    other.dispose()


def test_who_needs_an_empty_one_gets_no_other(engine: sa.Engine, postgres_server: sa.URL) -> None:
    with pytest.raises(Conflict, match="there are records in the database already"):
        require_empty(engine)
    absent = open_database(postgres_server.set(database="absent"))
    for look in (require_empty, require_revision):
        with pytest.raises(Unavailable, match="absent"):
            look(absent)
    absent.dispose()


def test_a_connection_that_the_server_ended_is_replaced(engine: sa.Engine, postgres_server: sa.URL) -> None:
    with engine.begin() as connection:
        mine = connection.scalar(sa.text("SELECT pg_backend_pid()"))
    other = sa.create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with other.connect() as connection:
        connection.execute(sa.select(sa.func.pg_terminate_backend(mine, 5000)))
    with begin_writing(engine) as connection:
        assert count(connection) == 0


def test_what_may_be_left_out_is_carried_out_where_it_waits_for_nobody(engine: sa.Engine) -> None:
    assert write_if_free(engine, sa.update(VERSION).values(version=VERSION.c.version + 5))
    with engine.begin() as connection:
        assert count(connection) == 5


def test_what_it_does_not_keep_is_the_fault_of_who_sent_it(engine: sa.Engine) -> None:
    longest = job.c.kind.type.length  # type: ignore[attr-defined]  # of a text
    for kind, match in (("a\0b", r"U\+0000"), ("a" * (longest + 1), "longer than what is kept")):
        with pytest.raises(Invalid, match=match), begin_writing(engine) as connection:
            enqueue(connection, kind, "key")
    with engine.begin() as connection:
        assert connection.scalars(sa.select(job.c.kind)).all() == []
        with pytest.raises(Invalid, match=r"U\+0000"):
            connection.execute(sa.select(job.c.kind).where(job.c.kind == "\0"))
