# SPDX-License-Identifier: Apache-2.0
"""Jobs that are done go after some days; all others stay until somebody saw to them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.kernel import jobs
from megagenome.kernel.database import begin_writing
from megagenome.kernel.done_jobs import KEPT_DAYS, forget_done
from megagenome.kernel.job_tables import job as t
from tests.kernel.ledgers import clock_at
from tests.kernel.records import open_records

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_records(tmp_path / "some.sqlite")
    yield engine
    engine.dispose()


def put_down(engine: sa.Engine, key: str) -> bool:
    with begin_writing(engine) as connection:
        return jobs.enqueue(connection, "ingest", key)


def begin(engine: sa.Engine, key: str) -> jobs.Job:
    assert put_down(engine, key)
    job = jobs.claim(engine, ["ingest"], "one", 60)
    assert job is not None
    return job


def finish(engine: sa.Engine, job: jobs.Job) -> None:
    with begin_writing(engine) as connection:
        jobs.finish(connection, job)


def states(engine: sa.Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return dict(map(tuple, connection.execute(sa.select(t.c.key, t.c.state))))


def test_only_what_was_done_days_ago_is_forgotten(engine: sa.Engine) -> None:
    with clock_at() as clock:
        running, failed = begin(engine, "running"), begin(engine, "failed")
        jobs.fail(engine, failed, "there is none of that name", None)
        late = begin(engine, "late")
        finish(engine, begin(engine, "done"))
        clock.step(days=3)
        jobs.extend(engine, running)
        jobs.extend(engine, late)
        finish(engine, late)
        assert put_down(engine, "waiting")
        assert forget_done(engine) == 0
        clock.step(days=KEPT_DAYS - 3, seconds=61)
        assert not put_down(engine, "done")  # it is known that it was done until it is forgotten
        assert (forget_done(engine), forget_done(engine)) == (1, 0)
        left = {"running": "running", "failed": "failed", "waiting": "waiting"}
        assert states(engine) == {"late": "done", **left}
        clock.step(days=100)
        assert forget_done(engine) == 1
        assert states(engine) == left
        [found] = [each for each in jobs.unfinished(engine) if each.state == "failed"]
        jobs.retry(engine, found.id)
        assert states(engine)["failed"] == "waiting"
