# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL keeps the promises that SQLite keeps: one writer, one moment, one order of texts."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from megagenome.kernel import database
from megagenome.kernel.database import (
    begin_erasing,
    begin_snapshot,
    begin_writing,
    open_database,
    require_empty,
    require_revision,
    upgrade,
    write_if_free,
)
from megagenome.kernel.errors import Conflict, Invalid, Unavailable
from tests.kernel.postgres import new_database
from tests.kernel.schema import described
from tests.kernel.test_database import OWNERS, TALLY

pytestmark = pytest.mark.postgres


@pytest.fixture
def engine(postgres: sa.URL) -> Iterator[sa.Engine]:
    made = open_database(postgres)
    with made.begin() as connection:
        connection.execute(sa.text("CREATE TABLE tally (n INTEGER NOT NULL)"))
        connection.execute(sa.text("INSERT INTO tally VALUES (0)"))
    yield made
    made.dispose()


def count(connection: sa.Connection) -> int:
    return connection.execute(sa.select(TALLY.c.n)).scalar_one()


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


def test_two_who_upgrade_at_once_both_find_it_done(postgres: sa.URL) -> None:
    engines = [open_database(postgres) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(upgrade, engines))
    require_revision(engines[0])
    for engine in engines:
        engine.dispose()


def test_who_reads_to_write_is_alone(engine: sa.Engine) -> None:
    def add() -> None:
        for _ in range(20):
            with begin_writing(engine) as connection:
                connection.execute(sa.text("UPDATE tally SET n = :n"), {"n": count(connection) + 1})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.begin() as connection:
        assert count(connection) == 80


def test_who_erases_is_alone_too(engine: sa.Engine) -> None:
    with begin_writing(engine) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(sa.text("UPDATE tally SET n = 1"))

        def erase() -> int:
            with begin_erasing(engine) as erasing:
                return count(erasing)

        waiting = pool.submit(erase)
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        connection.commit()
        assert waiting.result(30) == 1


def test_who_locks_rows_alone_waits_for_nobody(engine: sa.Engine) -> None:
    with begin_writing(engine), begin_writing(engine, alone=False) as other:
        assert count(other) == 0


def test_a_writer_gives_up_waiting(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_PATIENCE_MS", 100)
    with begin_writing(engine), pytest.raises(sa.exc.OperationalError, match="lock timeout"), begin_writing(engine):
        pass


def test_a_reading_is_of_one_moment(engine: sa.Engine) -> None:
    more = sa.update(TALLY).values(n=TALLY.c.n + 5)
    for begin in (begin_snapshot, lambda engine: engine.begin()):
        with begin(engine) as reading:
            before = count(reading)
            with begin_writing(engine) as writing:
                writing.execute(more)
            assert count(reading) == before
        with begin(engine) as reading:
            assert count(reading) == before + 5
    assert write_if_free(engine, more)


def test_a_failed_writer_leaves_nothing(engine: sa.Engine) -> None:
    def fail() -> None:
        with begin_writing(engine) as connection:
            connection.execute(sa.text("UPDATE tally SET n = 9"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with begin_writing(engine) as connection:
        assert count(connection) == 0


def test_an_error_quotes_nobody(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.ProgrammingError) as caught, engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO gone VALUES (:name)"), {"name": "Jane Doe"})
    assert "Jane" not in f"{caught.value} {caught.value!r}"


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
    with pytest.raises(Conflict, match="table tally"):
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
