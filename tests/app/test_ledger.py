# SPDX-License-Identifier: Apache-2.0
import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from megagenome.app.ledger import keep_tally
from megagenome.kernel.errors import Corrupt
from tests.kernel.ledgers import NOON, clock_at


class FakeTally:
    """Notes its flushes, each of which `fails` where there is a reason."""

    def __init__(self, *, fails: Exception | None = None) -> None:
        self.fails = fails
        self.flushed: list[bool] = []
        self.was_flushed = threading.Event()

    def flush(self, *, everything: bool = False) -> None:
        self.flushed.append(everything)
        self.was_flushed.set()
        if self.fails:
            raise self.fails


def serve_a_moment(tally: Any, *, until_flushed: bool) -> None:
    async def serve() -> None:
        async with keep_tally(tally)(None):
            await asyncio.sleep(0)
            if until_flushed:
                await asyncio.to_thread(tally.was_flushed.wait, 30)

    asyncio.run(serve())


def test_what_was_counted_is_entered_when_a_minute_is_over_and_at_the_end() -> None:
    tally = FakeTally()
    with clock_at(NOON + timedelta(seconds=59.99)):
        serve_a_moment(tally, until_flushed=True)
    assert tally.flushed[0] is False
    assert tally.flushed[-1] is True
    assert tally.flushed.count(True) == 1


def test_within_a_minute_nothing_is_entered_before_the_end() -> None:
    tally = FakeTally()
    with clock_at(NOON):
        serve_a_moment(tally, until_flushed=False)
    assert tally.flushed == [True]


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        (
            sa.exc.OperationalError("INSERT", {"subject": "jane@idp"}, Exception("database or disk is full")),
            "they wait in memory: database or disk is full",
        ),
        (Corrupt("the newest entry was changed"), "they wait in memory: the newest entry was changed"),
    ],
)
def test_a_ledger_that_takes_nothing_does_not_stop_the_server(
    caplog: pytest.LogCaptureFixture, fails: Exception, says: str
) -> None:
    tally = FakeTally(fails=fails)
    with clock_at(NOON + timedelta(seconds=59.99)):
        serve_a_moment(tally, until_flushed=True)
    assert tally.flushed[-1] is True
    assert says in caplog.text
    assert "jane" not in caplog.text
