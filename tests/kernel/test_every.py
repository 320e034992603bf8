# SPDX-License-Identifier: Apache-2.0
"""What a server does again and again outlives whatever it raises, and ends with the server."""

import asyncio
import itertools
import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from megagenome.kernel.errors import Unavailable
from megagenome.kernel.every import Pause, attempt, every, meanwhile, repeat

FULL = sa.exc.OperationalError("INSERT", {"subject": "jane@idp"}, Exception("database or disk is full"))


def serve_until(work: Callable[[], object], done: threading.Event, pause_s: Pause = 0.001) -> None:
    async def serve() -> None:
        async with every(pause_s, work, "it is not done yet")(None):
            assert await asyncio.to_thread(done.wait, 20)

    asyncio.run(serve())


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        (Unavailable("the store does not answer"), "it is not done yet: the store does not answer"),
        (FULL, "it is not done yet: database or disk is full"),
        (sa.exc.TimeoutError("QueuePool limit reached"), "QueuePool limit reached"),
        (KeyError("a fault of ours"), "a fault of ours"),
    ],
)
def test_what_fails_is_noted_and_tried_again(caplog: pytest.LogCaptureFixture, fails: Exception, says: str) -> None:
    tries = itertools.count(1)
    done = threading.Event()

    def work() -> None:
        if next(tries) < 4:
            raise fails
        done.set()

    serve_until(work, done)
    assert sum(record.getMessage().startswith("it is not done yet") for record in caplog.records) == 3
    assert says in caplog.text
    assert "jane" not in caplog.text


def test_pauses_are_asked_for_one_by_one() -> None:
    asked: list[float] = []
    done = threading.Event()

    def pause_s() -> float:
        asked.append(0.001)
        if len(asked) == 3:
            done.set()
        return asked[-1]

    worked: list[int] = []
    serve_until(lambda: worked.append(len(asked)), done, pause_s)
    assert worked[:3] == [0, 1, 2]


def test_the_first_pause_may_come_first() -> None:
    worked: list[int] = []

    async def serve() -> None:
        async with every(3600, lambda: worked.append(1), "", at_once=False)(None):
            await asyncio.sleep(0.05)

    asyncio.run(serve())
    assert worked == []


def test_it_ends_with_what_is_inside() -> None:
    ended: list[str] = []

    async def act() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("the act")

    async def serve() -> None:
        async with meanwhile(repeat(1, act, "")):
            await asyncio.sleep(0.01)
        ended.append("the server")

    asyncio.run(serve())
    assert ended == ["the act", "the server"]


def test_a_cancelled_attempt_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(attempt(cancelled, "it is not done yet"))
    assert not caplog.records
