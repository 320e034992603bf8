# SPDX-License-Identifier: Apache-2.0
"""One schema for nodes and hubs: its revision, its tables' owners, and who waits for whom; on both databases."""

import threading
from collections.abc import Iterator
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
    begin_erasing,
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


class DatabaseSuite:
    """On the empty database of the fixture `url`, which a subclass gives."""

    @pytest.fixture
    def engine(self, url: str | sa.URL) -> Iterator[sa.Engine]:
        made = open_database(url)
        with made.begin() as connection:
            connection.execute(sa.text("CREATE TABLE tally (n INTEGER NOT NULL)"))
            connection.execute(sa.text("INSERT INTO tally VALUES (0)"))
        yield made
        made.dispose()

    def count(self, connection: sa.Connection) -> int:
        return connection.execute(sa.select(TALLY.c.n)).scalar_one()

    def test_another_revision_is_refused(self, engine: sa.Engine) -> None:
        with pytest.raises(Unavailable, match="node check"):
            require_revision(engine)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
            connection.execute(sa.text("INSERT INTO alembic_version VALUES ('0000')"))
        with pytest.raises(Conflict, match="is at revision 0000"):
            require_revision(engine)

    def test_a_database_of_a_newer_version_is_left_alone(self, engine: sa.Engine) -> None:
        upgrade(engine)
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        for touch in (require_revision, upgrade):
            with pytest.raises(Conflict, match="newer version that wrote it"):
                touch(engine)

    def test_some_who_upgrade_at_once_all_find_it_done(self, url: str | sa.URL) -> None:
        engines = [open_database(url) for _ in range(3)]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(upgrade, engines))
        require_revision(engines[0])
        for engine in engines:
            engine.dispose()

    def test_who_reads_to_write_is_alone(self, engine: sa.Engine) -> None:
        def add() -> None:
            for _ in range(20):
                with begin_writing(engine) as connection:
                    connection.execute(sa.text("UPDATE tally SET n = :n"), {"n": self.count(connection) + 1})

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with engine.begin() as connection:
            assert self.count(connection) == 80

    def test_who_erases_is_alone_too(self, engine: sa.Engine) -> None:
        def erase() -> int:
            with begin_erasing(engine) as erasing:
                return self.count(erasing)

        with ThreadPoolExecutor(1) as pool:
            with begin_writing(engine) as connection:
                connection.execute(sa.text("UPDATE tally SET n = 1"))
                waiting = pool.submit(erase)
                with pytest.raises(TimeoutError):
                    waiting.result(0.3)
            assert waiting.result(30) == 1

    def test_a_reading_is_of_one_moment(self, engine: sa.Engine) -> None:
        for begin in (begin_snapshot, lambda engine: engine.begin()):
            with begin(engine) as reading:
                before = self.count(reading)
                with begin_writing(engine) as writing:
                    writing.execute(sa.update(TALLY).values(n=TALLY.c.n + 5))
                assert self.count(reading) == before
            with begin(engine) as reading:
                assert self.count(reading) == before + 5

    def test_a_failed_writer_leaves_nothing(self, engine: sa.Engine) -> None:
        def fail() -> None:
            with begin_writing(engine) as connection:
                connection.execute(sa.text("UPDATE tally SET n = 9"))
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        with begin_writing(engine) as connection:
            assert self.count(connection) == 0

    def test_what_is_not_really_erased_stays(self, engine: sa.Engine) -> None:
        with begin_erasing(engine, really=False) as connection:
            connection.execute(sa.text("UPDATE tally SET n = 9"))
        with engine.begin() as connection:
            assert self.count(connection) == 0

    def test_an_error_quotes_nobody(self, engine: sa.Engine) -> None:
        with pytest.raises(sa.exc.DBAPIError) as caught, engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO gone VALUES (:name)"), {"name": "Jane Doe"})
        assert "Jane" not in f"{caught.value} {caught.value!r}"

    def test_texts_are_ordered_by_their_bytes(self, engine: sa.Engine) -> None:
        words = ["b", "a", "B", "é", "Z", "ab", "a b", "𝔸"]
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE word (w VARCHAR(9))"))
            connection.execute(sa.text("INSERT INTO word VALUES (:w)"), [{"w": word} for word in words])
            found = connection.scalars(sa.text("SELECT w FROM word ORDER BY w")).all()
        assert found == sorted(words, key=str.encode)

    def test_a_thread_that_gets_no_connection_is_told_in_our_words(
        self, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
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


class TestOnSqlite(DatabaseSuite):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return sqlite_url(tmp_path / "some.sqlite")


@pytest.mark.postgres
class TestOnPostgresql(DatabaseSuite):
    @pytest.fixture
    def url(self, postgres: sa.URL) -> sa.URL:
        return postgres


def test_every_table_is_somebodys_and_the_revision_is_the_newest() -> None:
    engine = open_database("sqlite://")
    upgrade(engine)
    found = set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
    assert found == {name for owner in OWNERS for name in owner.tables}
    versions = Path(database.__file__).parent / "migrations" / "versions"
    assert max(path.name[:4] for path in versions.glob("0*.py")) == database.REVISION
    require_revision(engine)
    engine.dispose()


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


def test_what_may_be_left_out_waits_for_nobody(tmp_path: Path) -> None:
    engine = open_database(sqlite_url(tmp_path / "some.sqlite"))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE tally (n INTEGER NOT NULL)"))
        connection.execute(sa.text("INSERT INTO tally VALUES (0)"))
    more = sa.update(TALLY).values(n=TALLY.c.n + 1)
    with begin_writing(engine):
        assert not write_if_free(engine, more)
    assert write_if_free(engine, more)
    with engine.connect() as connection:
        assert connection.execute(sa.select(TALLY.c.n)).scalar() == 1
        # and whoever gets the connection after it waits again
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    engine.dispose()
