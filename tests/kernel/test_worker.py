# SPDX-License-Identifier: Apache-2.0
"""A worker does what is put down, keeps its lease while it does, and gives back what it cannot do."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from megagenome.kernel import jobs
from megagenome.kernel import worker as module
from megagenome.kernel.database import begin_writing, open_database, sqlite_url
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NotEntitled, NotFound, TooLarge, Unavailable
from megagenome.kernel.job_tables import METADATA
from megagenome.kernel.job_tables import job as t
from megagenome.kernel.worker import Effects, Lease, Perform, Worker
from tests.kernel.ledgers import Clock, clock_at


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_database(sqlite_url(tmp_path / "some.sqlite"))
    METADATA.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> Iterator[Clock]:
    with clock_at() as clock:
        yield clock


def put_down(engine: sa.Engine, key: str = "a") -> None:
    with begin_writing(engine) as connection:
        jobs.enqueue(connection, "ingest", key)


def states(engine: sa.Engine) -> Mapping[str, tuple[str, int, str]]:
    with engine.connect() as connection:
        return {row.key: (row.state, row.attempt, row.failure) for row in connection.execute(sa.select(t))}


@contextlib.contextmanager
def at_work(*workers: Worker) -> Iterator[None]:
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.close()


def raising(error: Exception) -> Perform:
    def perform(_: Lease) -> Effects | None:
        raise error

    return perform


def test_effects_are_committed_with_the_end(engine: sa.Engine) -> None:
    put_down(engine)

    def perform(lease: Lease) -> Effects:
        lease.require()
        return lambda connection: jobs.enqueue(connection, "verify", lease.job.key) and None

    worker = Worker(engine, {"ingest": perform})
    assert worker.do_one()
    assert not worker.do_one()
    assert states(engine)["a"][0] == "waiting"  # the row of `verify`, which nobody here does


def test_effects_that_fail_undo_the_end(engine: sa.Engine, clock: Clock) -> None:
    put_down(engine)
    worker = Worker(engine, {"ingest": lambda _: raising(KeyError("a name"))})
    assert worker.do_one()
    assert states(engine) == {"a": ("waiting", 1, "KeyError")}  # and nothing that the error said of somebody


@pytest.mark.parametrize("error", [Invalid, NotEntitled, NotFound, TooLarge, Corrupt])
def test_what_is_hopeless_fails_for_good(engine: sa.Engine, error: Callable[[str], Exception]) -> None:
    put_down(engine)
    assert Worker(engine, {"ingest": raising(error("why"))}).do_one()
    assert states(engine) == {"a": ("failed", 1, "why")}


@pytest.mark.parametrize("error", [Unavailable("why"), Conflict("why")])
def test_what_may_pass_is_tried_again_later(engine: sa.Engine, clock: Clock, error: Exception) -> None:
    put_down(engine)
    worker = Worker(engine, {"ingest": raising(error)})
    for attempt in range(1, 6):
        assert worker.do_one()
        assert states(engine) == {"a": ("waiting", attempt, "why")}
        assert not worker.do_one()
        clock.step(seconds=2 ** (attempt - 1))


def test_a_worker_finds_what_is_put_down_and_stops(engine: sa.Engine) -> None:
    done = threading.Event()
    with at_work(Worker(engine, {"ingest": lambda _: done.set()})):
        put_down(engine)
        assert done.wait(30)
    assert states(engine) == {"a": ("done", 1, "")}


def test_two_workers_do_each_job_once(engine: sa.Engine) -> None:
    keys = [f"{number:02}" for number in range(20)]
    for key in keys:
        put_down(engine, key)
    did: list[str] = []
    enough = threading.Event()

    def perform(lease: Lease) -> None:
        did.append(lease.job.key)
        if len(did) == len(keys):
            enough.set()

    with at_work(Worker(engine, {"ingest": perform}), Worker(engine, {"ingest": perform}, threads=2)):
        assert enough.wait(60)
    assert sorted(did) == keys
    assert {state for state, _, _ in states(engine).values()} == {"done"}


def test_a_lease_is_kept_while_the_work_lasts(engine: sa.Engine) -> None:
    put_down(engine)

    def perform(lease: Lease) -> None:
        until = sa.select(t.c.lease_until_ms)
        with engine.connect() as connection:
            first = connection.scalar(until)
        for _ in range(300):
            with engine.connect() as connection:
                if connection.scalar(until) != first:
                    return
            lease.over.wait(0.1)
        raise Unavailable("it was not extended")

    assert Worker(engine, {"ingest": perform}, lease_s=3).do_one()
    assert states(engine) == {"a": ("done", 1, "")}


def test_who_loses_the_lease_learns_it_and_changes_nothing(engine: sa.Engine) -> None:
    put_down(engine)

    def perform(lease: Lease) -> Effects:
        with begin_writing(engine) as connection:  # as another worker does when this one seems dead
            connection.execute(sa.update(t).values(attempt=2))
        assert lease.over.wait(30)
        with pytest.raises(Conflict, match="is to end now"):
            lease.require()
        return lambda connection: jobs.enqueue(connection, "ingest", "never") and None

    assert Worker(engine, {"ingest": perform}, lease_s=0.3).do_one()
    assert states(engine) == {"a": ("running", 2, "")}


def test_what_is_stopped_in_the_middle_may_be_begun_at_once(engine: sa.Engine) -> None:
    put_down(engine)
    began = threading.Event()

    def perform(lease: Lease) -> None:
        began.set()
        assert lease.over.wait(30)
        lease.require()

    with at_work(Worker(engine, {"ingest": perform})):
        assert began.wait(30)
    assert states(engine)["a"][0] == "waiting"
    assert Worker(engine, {"ingest": lambda _: None}).do_one()
    assert states(engine)["a"][:2] == ("done", 2)


def test_as_many_are_done_at_once_as_there_are_threads_and_all_are_stopped(engine: sa.Engine) -> None:
    for key in "abc":
        put_down(engine, key)
    together = threading.Barrier(3)

    def perform(lease: Lease) -> None:
        together.wait(30)
        assert lease.over.wait(30)
        lease.require()

    with at_work(Worker(engine, {"ingest": perform}, threads=2)):
        together.wait(30)  # with two of the three
    assert sorted(attempt for _, attempt, _ in states(engine).values()) == [0, 1, 1]
    assert {state for state, _, _ in states(engine).values()} == {"waiting"}


@pytest.mark.parametrize("error", [KeyError("a fault of ours"), Unavailable("all connections are in use")])
def test_a_thread_outlives_what_claiming_raises(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    put_down(engine)
    done, claim, tries = threading.Event(), module.claim, iter([error])

    def failing_once(*given: Any) -> jobs.Job | None:
        for each in tries:
            raise each
        return claim(*given)

    monkeypatch.setattr(module, "claim", failing_once)
    monkeypatch.setattr(module, "_POLL_S", 0.01)
    with at_work(Worker(engine, {"ingest": lambda _: done.set()})):
        assert done.wait(30)
    assert states(engine) == {"a": ("done", 1, "")}


def test_a_job_whose_lease_nobody_could_keep_is_given_back(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    put_down(engine)
    start = threading.Thread.start

    def no_lease(thread: threading.Thread) -> None:
        if thread.name == "lease":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", no_lease)
    assert Worker(engine, {"ingest": lambda _: None}).do_one()
    assert states(engine) == {"a": ("waiting", 1, "RuntimeError")}
