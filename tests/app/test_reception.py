# SPDX-License-Identifier: Apache-2.0
"""What a node's server does for its reception: which jobs at once, and which alone."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from litestar import Router

from megagenome.app.reception import THREADS, NodeReception
from megagenome.kernel import jobs
from megagenome.kernel.database import begin_writing, open_database, sqlite_url
from megagenome.kernel.job_tables import METADATA
from megagenome.kernel.job_tables import job as job_table
from megagenome.kernel.worker import Lease
from tests.kernel.ledgers import clock_at


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_database(sqlite_url(tmp_path / "some.sqlite"))
    METADATA.create_all(engine)
    yield engine
    engine.dispose()


def test_loads_wait_for_no_archiving_and_are_done_one_at_a_time(engine: sa.Engine) -> None:
    loads, at_once, most = threading.Semaphore(0), [0], [0]
    archiving, stop = threading.Barrier(THREADS + 1), threading.Event()

    def ingest(_: Lease) -> None:
        archiving.wait(30)
        stop.wait(30)

    def load(_: Lease) -> None:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        stop.wait(0.05)
        at_once[0] -= 1
        loads.release()

    reception: Any = SimpleNamespace(performing=lambda: {"ingest": ingest, "load": load}, tidy=lambda: 0)
    with begin_writing(engine) as connection:
        for number in range(3):
            jobs.enqueue(connection, "ingest", str(number))
            jobs.enqueue(connection, "load", str(number))

    async def serve() -> None:
        async with NodeReception(reception, Router("/", route_handlers=[]), engine).lifespan(None):
            await asyncio.to_thread(archiving.wait, 30)
            for _ in range(3):
                assert await asyncio.to_thread(loads.acquire, True, 30)
            stop.set()

    asyncio.run(serve())
    assert most == [1]


def test_done_jobs_of_long_ago_are_forgotten_when_the_server_begins(engine: sa.Engine) -> None:
    tidied = threading.Semaphore(0)

    def tidy() -> int:
        tidied.release()
        return 0

    reception: Any = SimpleNamespace(performing=lambda: {"load": lambda _: None}, tidy=tidy)

    async def serve() -> None:
        async with NodeReception(reception, Router("/", route_handlers=[]), engine).lifespan(None):
            assert await asyncio.to_thread(tidied.acquire, True, 30)

    with clock_at() as clock:
        with begin_writing(engine) as connection:
            jobs.enqueue(connection, "ingest", "old")
        job = jobs.claim(engine, ["ingest"], "one", 60)
        assert job is not None
        with begin_writing(engine) as connection:
            jobs.finish(connection, job)
        clock.step(days=30)
        asyncio.run(serve())
    with engine.connect() as connection:
        assert connection.execute(sa.select(job_table)).all() == []
