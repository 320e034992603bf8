# SPDX-License-Identifier: Apache-2.0
"""One schema for nodes and hubs: its revision, its tables' owners, and who waits for whom."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.access import tables as access
from megagenome.analytics import tables as analytics
from megagenome.archive import tables as archive
from megagenome.catalogue.harvest import tables as harvest
from megagenome.collection import tables as collection
from megagenome.identity import tables as identity
from megagenome.kernel import database, job_tables, ledger_tables
from megagenome.kernel.database import (
    begin_snapshot,
    begin_writing,
    open_database,
    require_revision,
    sqlite_url,
    upgrade,
    write_if_free,
)
from megagenome.kernel.errors import Conflict, Unavailable
from megagenome.network import tables as network
from megagenome.network.studies import tables as studies
from megagenome.reception import tables as reception

TALLY = sa.table("tally", sa.column("n"))
OWNERS = [
    collection.METADATA,
    ledger_tables.METADATA,
    job_tables.METADATA,
    access.METADATA,
    identity.METADATA,
    network.METADATA,
    studies.METADATA,
    analytics.METADATA,
    archive.METADATA,
    reception.METADATA,
    harvest.METADATA,
]


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    made = open_database(sqlite_url(tmp_path / "some.sqlite"))
    with made.begin() as connection:
        connection.execute(sa.text("CREATE TABLE tally (n INTEGER NOT NULL)"))
        connection.execute(sa.text("INSERT INTO tally VALUES (0)"))
    return made


def test_every_table_is_somebodys_and_the_revision_is_the_newest() -> None:
    engine = open_database("sqlite://")
    upgrade(engine)
    found = set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
    assert found == {name for owner in OWNERS for name in owner.tables}
    versions = Path(database.__file__).parent / "migrations" / "versions"
    assert max(path.name[:4] for path in versions.glob("0*.py")) == database.REVISION
    require_revision(engine)
    engine.dispose()


def test_another_revision_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(Unavailable, match="node check"):
        require_revision(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('0000')"))
    with pytest.raises(Conflict, match="is at revision 0000"):
        require_revision(engine)
    engine.dispose()


def test_a_database_of_a_newer_version_is_left_alone(engine: sa.Engine) -> None:
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    for touch in (require_revision, upgrade):
        with pytest.raises(Conflict, match="newer version that wrote it"):
            touch(engine)


def test_two_who_upgrade_at_once_both_find_it_done(tmp_path: Path) -> None:
    engines = [open_database(sqlite_url(tmp_path / "new.sqlite")) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(upgrade, engines))
    require_revision(engines[0])


def test_many_who_open_a_new_file_at_once_all_get_it(tmp_path: Path) -> None:
    def write(engine: sa.Engine) -> None:
        with begin_writing(engine) as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS t (n)")

    for number in range(10):
        engines = [open_database(sqlite_url(tmp_path / f"{number}.sqlite")) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, engines))
        for engine in engines:
            engine.dispose()


def test_who_reads_to_write_is_alone(engine: sa.Engine) -> None:
    def add() -> None:
        for _ in range(20):
            with begin_writing(engine) as connection:
                n = connection.scalar(sa.text("SELECT n FROM tally"))
                connection.execute(sa.text("UPDATE tally SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.begin() as connection:
        assert connection.scalar(sa.text("SELECT n FROM tally")) == 80
    engine.dispose()


def test_what_may_be_left_out_waits_for_nobody(engine: sa.Engine) -> None:
    more = sa.update(TALLY).values(n=TALLY.c.n + 1)
    with begin_writing(engine):
        assert not write_if_free(engine, more)
    assert write_if_free(engine, more)
    with engine.connect() as connection:
        assert connection.execute(sa.select(TALLY.c.n)).scalar() == 1
        # and whoever gets the connection after it waits again
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000


def test_a_snapshot_stays_what_it_was(engine: sa.Engine) -> None:
    with begin_snapshot(engine) as reading:
        assert reading.scalar(sa.text("SELECT n FROM tally")) == 0
        with begin_writing(engine) as writing:
            writing.execute(sa.text("UPDATE tally SET n = 5"))
        assert reading.scalar(sa.text("SELECT n FROM tally")) == 0
    with begin_snapshot(engine) as reading:
        assert reading.scalar(sa.text("SELECT n FROM tally")) == 5
    engine.dispose()


def test_an_error_quotes_nobody(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.OperationalError) as caught, engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO gone VALUES (:name)"), {"name": "Jane Doe"})
    assert "Jane" not in f"{caught.value} {caught.value!r}"


def test_a_failed_writer_leaves_nothing(engine: sa.Engine) -> None:
    def fail() -> None:
        with begin_writing(engine) as connection:
            connection.execute(sa.text("UPDATE tally SET n = 9"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with begin_writing(engine) as connection:
        assert connection.scalar(sa.text("SELECT n FROM tally")) == 0
    engine.dispose()


def test_a_thread_that_gets_no_connection_is_told_in_our_words(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(engine.pool, sa.QueuePool)
    monkeypatch.setattr(engine.pool, "_timeout", 0.01)
    held = [engine.connect() for _ in range(database.CONNECTIONS)]
    with pytest.raises(Unavailable, match="all connections to the database are in use"), engine.connect():
        pass
    held.pop().close()
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT n FROM tally")) == 0
    for each in held:
        each.close()
    engine.dispose()
