# SPDX-License-Identifier: Apache-2.0
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.ledger_tally import AggregateTally
from tests.kernel.ledgers import clock_at, open_ledger


def counted(ledger: Ledger) -> Counter[tuple[str, str, str]]:
    """By minute, subject and dataset, as the ledger has it."""
    sums: Counter[tuple[str, str, str]] = Counter()
    for entry in list(ledger.items()):  # a database in memory has one connection
        if isinstance(entry, Entry):
            assert (entry.kind, entry.permit) == ("aggregate", "")
            person = ledger.person(entry.actor)
            sums[entry.detail, person.subject if person else "", entry.dataset] += entry.count
    return sums


def test_one_entry_for_each_caller_dataset_and_minute() -> None:
    with clock_at() as clock, open_ledger() as ledger:
        tally = AggregateTally(ledger)
        for _ in range(3):
            tally.count(None, ["D1", "D2"])
        tally.count("ann@x", ["D1"])
        clock.step(seconds=59)
        tally.count(None, ["D1"])
        tally.flush()
        assert counted(ledger) == {}
        clock.step(seconds=1)
        tally.count(None, ["D1"])
        tally.flush()
        first = {
            ("2026-11-22T12:00Z", "", "D1"): 4,
            ("2026-11-22T12:00Z", "", "D2"): 3,
            ("2026-11-22T12:00Z", "ann@x", "D1"): 1,
        }
        assert counted(ledger) == first
        assert len(list(ledger.items())) == 3
        tally.flush(everything=True)
        assert counted(ledger) == first | {("2026-11-22T12:01Z", "", "D1"): 1}
        tally.flush(everything=True)
        assert len(list(ledger.items())) == 4
        assert ledger.verify().fine


def test_a_flush_settles_what_was_told_often() -> None:
    with clock_at() as clock, open_ledger() as ledger:
        tally = AggregateTally(ledger)
        for _ in range(5):
            ledger.append_often(Act(Kind.SLICE, dataset="D1", detail="open", count=3))
        clock.step(minutes=1)
        tally.flush()
        assert [entry.count for entry in ledger.items() if isinstance(entry, Entry)] == [3, 12]


def test_a_flush_closes_the_day() -> None:
    with clock_at() as clock, open_ledger() as ledger:
        tally = AggregateTally(ledger)
        tally.count(None, ["D1"])
        tally.flush(everything=True)
        clock.step(days=1)
        tally.flush()
        assert [type(item) for item in ledger.items()] == [Entry, str]


def test_what_cannot_be_entered_is_counted_still(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_acts: object) -> None:
        raise sa.exc.OperationalError("", {}, Exception("disk full"))

    with clock_at() as clock, open_ledger() as ledger:
        tally = AggregateTally(ledger)
        tally.count(None, ["D1"])
        clock.step(minutes=1)
        with monkeypatch.context() as failing:
            failing.setattr(ledger, "append", fail)
            with pytest.raises(sa.exc.OperationalError):
                tally.flush()
        tally.count(None, ["D1"])
        clock.step(minutes=1)
        tally.flush()
        assert counted(ledger) == {("2026-11-22T12:00Z", "", "D1"): 1, ("2026-11-22T12:01Z", "", "D1"): 1}


def test_threads_lose_no_count(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "node.sqlite") as ledger:
        tally = AggregateTally(ledger)

        def ask() -> None:
            for n in range(500):
                tally.count(None, ["D1", "D2"])
                if n % 100 == 0:
                    tally.flush(everything=True)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tally.flush(everything=True)
        sums = Counter[str]()
        for (_, _, dataset), count in counted(ledger).items():
            sums[dataset] += count
        assert sums == {"D1": 2000, "D2": 2000}


def test_counting_writes_nothing(tmp_path: Path) -> None:
    """The request pays for a count in memory: no statement reaches the database."""
    with open_ledger(tmp_path / "node.sqlite") as ledger:
        statements: list[str] = []
        sa.event.listen(
            ledger.engine, "before_cursor_execute", lambda _c, _k, statement, *_: statements.append(statement)
        )
        tally = AggregateTally(ledger)
        before = time.process_time()
        for _ in range(1000):
            tally.count("ann@x", ["D1"])
        assert time.process_time() - before < 1  # some 0.002: this finds a write, and no slowness
        assert statements == []
