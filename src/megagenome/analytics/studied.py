# SPDX-License-Identifier: Apache-2.0
"""The sets of this node's people of whom sums left, durable: what each later study must be the same as, or far from."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa

from megagenome.analytics import tables as t
from megagenome.analytics.held_back import Planes, choose_people, keeps_apart
from megagenome.collection import bitmap
from megagenome.collection.bitmap import Numbers
from megagenome.collection.scan import PeopleChanged
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import NotEntitled


class Studied(NamedTuple):
    """Who takes part, int64 [people], increasing, and how many more might but are held back."""

    numbers: Numbers
    held_back: int


class StudiedPeople:
    """Of one node. Sets that are equal are kept once, whatever was studied; at most `most` are. Safe for threads."""

    def __init__(self, engine: sa.Engine, least: int, most: int) -> None:
        """`least` people is the smallest difference between two sets that are not the same."""
        self._engine, self._least, self._most = engine, least, most

    def choose(self, run: str, today: Numbers, *, begins: bool) -> Studied:
        """Of the people who may be in a run `today` (numbers at the node, increasing), those who are. Nothing is
        written. A run that was begun keeps its people, also after a restart.

        begins  whether nothing that the run opened so far is used any more

        Raises `PeopleChanged` where a run that goes on cannot keep its people, `NotEntitled` where no choice keeps the
        rule. Cost: one read of all sets, and as for `held_back.choose_people`.
        """
        with self._engine.connect() as connection:
            part = sa.select(t.study_part.c.people).where(t.study_part.c.run == run)
            sets, mine = _sets(connection), connection.execute(part).scalar()
        planes, earlier = _as_planes(today, sets)
        if mine is not None:
            numbers = sets[mine]
            if np.isin(numbers, today).all():
                return Studied(numbers, len(today) - len(numbers))
            if not begins:
                raise PeopleChanged("people of the run are in it no more")
        chosen = choose_people(planes, earlier, self._least, np.random.default_rng())
        return Studied(bitmap.to_numbers(chosen.people), chosen.held_back)

    def record(self, run: str, numbers: Numbers) -> None:
        """These are the people of a run, from now on: to be called before its first sum leaves. Durable on return.

        Raises `PeopleChanged` where another run's people, too near to these, were recorded since they were chosen, and
        `NotEntitled` where the node keeps as many sets as it may.
        """
        content = _encode(numbers)
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        with begin_writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                # of two sets that are too near each other the second must see the first; SQLite has one writer anyway
                connection.exec_driver_sql("LOCK TABLE study_people IN SHARE ROW EXCLUSIVE MODE")
            sets = _sets(connection)
            if digest not in sets:
                self._add(connection, sets, numbers, {"digest": digest, "people": content})
            connection.execute(sa.delete(t.study_part).where(t.study_part.c.run == run))
            connection.execute(sa.insert(t.study_part).values(run=run, people=digest))

    def forget(self, runs: Iterable[str]) -> None:
        """These runs are over. The sets stay."""
        with begin_writing(self._engine) as connection:
            connection.execute(sa.delete(t.study_part).where(t.study_part.c.run.in_(list(runs))))

    def _add(
        self, connection: sa.Connection, sets: Mapping[str, Numbers], numbers: Numbers, row: dict[str, object]
    ) -> None:
        planes, earlier = _as_planes(numbers, sets)
        if not keeps_apart(planes, earlier, self._least):
            raise PeopleChanged("another study of nearly the same people began meanwhile")
        if len(sets) >= self._most:
            raise NotEntitled(
                f"this node has lent {self._most} different sets of people to studies, and takes no other: study the "
                "same people as before, or ask its operator to raise analytics.most_cohorts"
            )
        connection.execute(sa.insert(t.study_people).values(**row, since=clock.now().isoformat()))


def _sets(connection: sa.Connection) -> dict[str, Numbers]:
    people = t.study_people.c
    rows = connection.execute(sa.select(people.digest, people.people).order_by(people.since, people.digest))
    return {row.digest: _decode(row.people) for row in rows}


def _as_planes(today: Numbers, sets: Mapping[str, Numbers]) -> tuple[Planes, list[Planes]]:
    """Today's set and all others, equally wide."""
    largest = max((int(each[-1]) for each in (today, *sets.values()) if len(each)), default=0)
    batches = bitmap.batches_for(largest + 1)
    return bitmap.from_numbers(today, batches), [bitmap.from_numbers(each, batches) for each in sets.values()]


def _encode(numbers: Numbers) -> bytes:
    batches = bitmap.batches_for(int(numbers[-1]) + 1 if len(numbers) else 0)
    cuts = np.searchsorted(numbers, np.arange(1, batches) * bitmap.BATCH)
    within = (numbers % bitmap.BATCH).astype(np.uint16)
    return msgspec.msgpack.encode([bitmap.encode(each) for each in np.split(within, cuts)])


def _decode(content: bytes) -> Numbers:
    stored = msgspec.msgpack.decode(content, type=list[bytes])
    batches = [bitmap.decode(each).astype(np.int64) + k * bitmap.BATCH for k, each in enumerate(stored)]
    return np.concatenate(batches)
