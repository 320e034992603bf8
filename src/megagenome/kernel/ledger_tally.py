# SPDX-License-Identifier: Apache-2.0
"""Counts of public aggregates for the ledger: in memory while a request runs, an entry per caller, dataset and minute.

A request pays a microsecond and no write. A crash loses the counts of the running minute (and, where the database was
not writable since, of those before it); it never breaks the chain. A stopped server enters what it has counted.
"""

import threading
from collections import Counter
from collections.abc import Iterable

from megagenome.kernel import clock
from megagenome.kernel.ledger import Act, Kind, Ledger


class AggregateTally:
    """How many aggregates were told to whom, of which dataset, in which minute. Safe to use from many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._counted: Counter[tuple[str, str | None, str]] = Counter()

    def count(self, subject: str | None, datasets: Iterable[str]) -> None:
        """One answer to `subject` (None: the public) out of each of `datasets`. Cost: about a microsecond each."""
        minute = _minute()
        with self._lock:
            for dataset in datasets:
                self._counted[minute, subject, dataset] += 1

    def flush(self, *, everything: bool = False) -> None:
        """Enter the minutes that are over, or `everything` at the end; durable on return. Settles what the ledger was
        told often, and closes the day as well.

        What cannot be entered, because the database does not take it, is counted still and entered the next time.
        """
        minute = _minute()
        with self._lock:
            due = {key: count for key, count in self._counted.items() if everything or key[0] != minute}
            for key in due:
                del self._counted[key]
        try:
            if due:
                self._ledger.append(*(_act(*key, count) for key, count in sorted(due.items(), key=_order)))
        except BaseException:
            with self._lock:
                self._counted.update(due)
            raise
        self._ledger.settle(everything=everything)
        self._ledger.close_day()


def _minute() -> str:
    return clock.now().isoformat(timespec="minutes")[:16] + "Z"


def _order(counted: tuple[tuple[str, str | None, str], int]) -> tuple[str, str, str]:
    minute, subject, dataset = counted[0]
    return minute, subject or "", dataset


def _act(minute: str, subject: str | None, dataset: str, count: int) -> Act:
    return Act(Kind.AGGREGATE, subject, dataset=dataset, detail=minute, count=count)
