# SPDX-License-Identifier: Apache-2.0
"""Work that is put down: begun when it is due, by one at a time, finished once whatever clocks and kills do."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.kernel import jobs
from megagenome.kernel.database import begin_writing, open_database, sqlite_url
from megagenome.kernel.errors import Conflict, Invalid, NotFound
from megagenome.kernel.job_tables import METADATA
from megagenome.kernel.job_tables import job as t
from megagenome.kernel.jobs import Job
from tests.kernel.ledgers import Clock, clock_at
from tests.kernel.schema import assert_migrated


class JobsSuite:
    """On the empty database of the fixture `engine`, which a subclass gives."""

    @pytest.fixture(autouse=True)
    def clock(self) -> Iterator[Clock]:
        with clock_at() as clock:
            yield clock

    def put_down(self, engine: sa.Engine, *keys: str, kind: str = "ingest") -> None:
        for key in keys:
            with begin_writing(engine) as connection:
                assert jobs.enqueue(connection, kind, key, {"file": key})

    def claim(self, engine: sa.Engine, owner: str = "one", lease_s: float = 60) -> Job | None:
        return jobs.claim(engine, ["ingest"], owner, lease_s)

    def begin(self, engine: sa.Engine, owner: str = "one") -> Job:
        job = self.claim(engine, owner)
        assert job is not None
        return job

    def finish(self, engine: sa.Engine, job: Job) -> None:
        with begin_writing(engine) as connection:
            jobs.finish(connection, job)

    def row(self, engine: sa.Engine) -> sa.Row[tuple[object, ...]]:
        with engine.connect() as connection:
            return connection.execute(sa.select(t)).one()

    def test_a_job_is_there_when_its_transaction_commits(self, engine: sa.Engine) -> None:
        def fail() -> None:
            with begin_writing(engine) as connection:
                jobs.enqueue(connection, "ingest", "a")
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert self.claim(engine) is None
        self.put_down(engine, "a")
        assert self.claim(engine) == Job(1, "ingest", "a", {"file": "a"}, 1, 60) or engine.dialect.name != "sqlite"

    def test_one_of_a_kind_and_key_is_put_down_once(self, engine: sa.Engine) -> None:
        self.put_down(engine, "a")
        self.put_down(engine, "a", kind="verify")
        for done in (False, True):
            with begin_writing(engine) as connection:
                assert not jobs.enqueue(connection, "ingest", "a", {"file": "other"})
            if not done:
                job = self.begin(engine)
                assert job.arguments == {"file": "a"}
                self.finish(engine, job)
        assert self.claim(engine) is None

    def test_the_one_that_is_due_longest_comes_first(self, engine: sa.Engine, clock: Clock) -> None:
        for key in ("b", "a", "c"):
            self.put_down(engine, key)
            clock.step(seconds=1)
        assert [self.begin(engine).key for _ in range(3)] == ["b", "a", "c"]
        assert self.claim(engine) is None

    def test_nobody_gets_a_job_of_another_kind(self, engine: sa.Engine) -> None:
        self.put_down(engine, "a", kind="verify")
        assert self.claim(engine) is None

    def test_many_who_claim_at_once_get_one_each(self, engine: sa.Engine) -> None:
        keys = [f"{number:02}" for number in range(24)]
        self.put_down(engine, *keys)

        def work(owner: int) -> list[str]:
            mine = []
            while job := self.claim(engine, str(owner)):
                mine.append(job.key)
                self.finish(engine, job)
            return mine

        with ThreadPoolExecutor(4) as pool:
            assert sorted(itertools.chain.from_iterable(pool.map(work, range(4)))) == keys

    def test_what_is_leased_is_nobody_elses_until_the_lease_ends(self, engine: sa.Engine, clock: Clock) -> None:
        self.put_down(engine, "a")
        job = self.begin(engine)
        clock.step(seconds=59)
        assert self.claim(engine, "two") is None
        jobs.extend(engine, job)
        clock.step(seconds=59)
        assert self.claim(engine, "two") is None
        self.finish(engine, job)
        clock.step(hours=9)
        assert self.claim(engine, "two") is None

    def test_a_zombie_changes_nothing(self, engine: sa.Engine, clock: Clock) -> None:
        self.put_down(engine, "a")
        zombie = self.begin(engine, "zombie")
        clock.step(seconds=61)
        assert self.claim(engine, "two") is None  # it waits a second, as after any failure
        clock.step(seconds=1)
        job = self.begin(engine, "two")
        assert (job.attempt, zombie.attempt) == (2, 1)
        for act in (
            lambda: self.finish(engine, zombie),
            lambda: jobs.extend(engine, zombie),
            lambda: jobs.fail(engine, zombie, "late", None),
            lambda: jobs.fail(engine, zombie, "late", 0),
        ):
            with pytest.raises(Conflict, match="attempt 1 is over"):
                act()
        assert self.row(engine).lease_owner == "two"
        self.finish(engine, job)
        with pytest.raises(Conflict):
            self.finish(engine, job)

    def test_a_zombies_effects_are_undone_with_its_finish(self, engine: sa.Engine, clock: Clock) -> None:
        self.put_down(engine, "a")
        zombie = self.begin(engine)
        clock.step(seconds=61)
        self.claim(engine, "two")

        def effects() -> None:
            with begin_writing(engine) as connection:
                jobs.enqueue(connection, "verify", "a")
                jobs.finish(connection, zombie)

        with pytest.raises(Conflict):
            effects()
        assert jobs.claim(engine, ["verify"], "two", 60) is None

    def test_a_slow_one_may_finish_while_nobody_else_began(self, engine: sa.Engine, clock: Clock) -> None:
        self.put_down(engine, "a")
        job = self.begin(engine)
        clock.step(minutes=5)
        self.finish(engine, job)
        assert self.row(engine).state == "done"

    def test_what_failed_is_begun_again_when_it_may(self, engine: sa.Engine, clock: Clock) -> None:
        self.put_down(engine, "a")
        jobs.fail(engine, self.begin(engine), "no space", 30)
        assert self.row(engine).failure == "no space"
        clock.step(seconds=29)
        assert self.claim(engine) is None
        clock.step(seconds=1)
        assert self.begin(engine).attempt == 2

    def test_what_failed_for_good_is_not_begun_again(self, engine: sa.Engine, clock: Clock) -> None:
        self.put_down(engine, "a")
        jobs.fail(engine, self.begin(engine), "checksum differs", None)
        clock.step(days=30)
        assert self.claim(engine) is None
        assert (self.row(engine).state, self.row(engine).failure) == ("failed", "checksum differs")

    def test_what_kills_its_process_is_tried_ever_more_seldom(self, engine: sa.Engine, clock: Clock) -> None:
        self.put_down(engine, "a")
        for attempt in range(1, 15):
            job = self.claim(engine, lease_s=1)
            assert job is not None
            assert job.attempt == attempt
            clock.step(seconds=1)
            assert self.claim(engine) is None  # but it is known now that its lease is over
            clock.step(seconds=min(2 ** (attempt - 1), 3600) - 1)
            assert self.claim(engine) is None
            clock.step(seconds=1)
        assert "did not come back" in self.row(engine).failure

    @pytest.mark.parametrize("hours", [-0.5, -1, 1, -25, 25])
    def test_a_clock_that_is_set_loses_nothing_and_finishes_nothing_twice(
        self, engine: sa.Engine, clock: Clock, hours: float
    ) -> None:
        self.put_down(engine, "a")
        job = self.begin(engine)
        clock.step(hours=hours)
        other = self.claim(engine, "two")  # set back by more than a lease may last, the lease counts as over
        assert other is None
        clock.step(seconds=1)
        other = self.claim(engine, "two")
        assert (other is None) == (hours == -0.5)
        if other is not None:
            with pytest.raises(Conflict):
                self.finish(engine, job)
            job = other
        self.finish(engine, job)
        assert self.row(engine).state == "done"

    def test_a_job_that_was_put_down_before_the_clock_was_set_back_is_begun(
        self, engine: sa.Engine, clock: Clock
    ) -> None:
        self.put_down(engine, "a")
        clock.step(hours=-25)
        assert self.begin(engine).key == "a"

    def test_what_is_not_done_is_listed(self, engine: sa.Engine, clock: Clock) -> None:
        self.put_down(engine, "a", "b", "c", "d")
        self.finish(engine, self.begin(engine))
        jobs.fail(engine, self.begin(engine), "checksum differs", None)
        jobs.fail(engine, self.begin(engine), "no space", 30)
        self.begin(engine)
        found = jobs.unfinished(engine)
        assert [(each.kind, each.key, each.state, each.attempts, each.failure, each.stuck) for each in found] == [
            ("ingest", "b", "failed", 1, "checksum differs", True),
            ("ingest", "c", "waiting", 1, "no space", False),
            ("ingest", "d", "running", 1, "", False),
        ]
        assert [each.due for each in found[1:]] == ["2026-11-22T12:00:30Z", "2026-11-22T12:01:00Z"]
        clock.step(hours=24, seconds=31)
        assert [each.stuck for each in jobs.unfinished(engine)] == [True, True, False]
        clock.step(seconds=30)
        assert [each.stuck for each in jobs.unfinished(engine)] == [True, True, True]

    def test_what_fails_ten_times_is_stuck_until_it_is_done(self, engine: sa.Engine, clock: Clock) -> None:
        self.put_down(engine, "a")
        for attempt in range(1, 11):
            assert not jobs.unfinished(engine)[0].stuck
            jobs.fail(engine, self.begin(engine), "no space", 1)
            clock.step(seconds=1)
            assert jobs.unfinished(engine)[0].attempts == attempt
        assert jobs.unfinished(engine)[0].stuck
        job = self.begin(engine)
        assert jobs.unfinished(engine)[0].stuck
        self.finish(engine, job)
        assert jobs.unfinished(engine) == []

    def test_what_failed_is_begun_at_once_where_somebody_says_so(self, engine: sa.Engine) -> None:
        self.put_down(engine, "a")
        jobs.fail(engine, self.begin(engine), "checksum differs", None)
        [failed] = jobs.unfinished(engine)
        for _ in range(2):
            jobs.retry(engine, failed.id)
        job = self.begin(engine)
        assert job.attempt == 2, "so whoever was slow with the first changes nothing"
        with pytest.raises(Conflict, match="is running"):
            jobs.retry(engine, failed.id)
        jobs.fail(engine, job, "no space", 3600)
        jobs.retry(engine, failed.id)
        self.finish(engine, self.begin(engine))
        with pytest.raises(Conflict, match="is done"):
            jobs.retry(engine, failed.id)
        with pytest.raises(NotFound, match="no job 999"):
            jobs.retry(engine, 999)

    @pytest.mark.parametrize("lease_s", [0, -1, 3601])
    def test_a_lease_has_bounds(self, engine: sa.Engine, lease_s: float) -> None:
        with pytest.raises(Invalid, match="lease"):
            self.claim(engine, lease_s=lease_s)


class TestOnSqlite(JobsSuite):
    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[sa.Engine]:
        engine = open_database(sqlite_url(tmp_path / "some.sqlite"))
        METADATA.create_all(engine)
        yield engine
        engine.dispose()


@pytest.mark.postgres
class TestOnPostgresql(JobsSuite):
    @pytest.fixture
    def engine(self, postgres: sa.URL) -> Iterator[sa.Engine]:
        engine = open_database(postgres)
        METADATA.create_all(engine)
        yield engine
        engine.dispose()


def test_migrations_make_the_table() -> None:
    assert_migrated(METADATA)


def test_waits_double_up_to_an_hour() -> None:
    assert [jobs.backoff_s(attempt) for attempt in (1, 2, 3, 12, 13, 10_000)] == [1, 2, 4, 2048, 3600, 3600]
