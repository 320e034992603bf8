# SPDX-License-Identifier: Apache-2.0
"""The sets of this node's people of whom sums left, durable: what each later study must be the same as, or far from."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa

from megagenome.analytics import tables as t
from megagenome.analytics.held_back import Earlier, Planes, choose_people, keeps_apart
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

    def choose(self, run: str, today: Numbers, groups: Sequence[Numbers] = (), *, begins: bool) -> Studied:
        """Of the people who may be in a run `today` (numbers at the node, increasing), of whom it tells these groups
        apart, those who are. Nothing is written. A run that was begun keeps its people, also after a restart.

        begins  whether nothing that the run opened so far is used any more

        Raises `PeopleChanged` where a run that goes on cannot keep its people, `NotEntitled` where no choice keeps the
        rule. Cost: one read of all sets, and as for `held_back.choose_people`.
        """
        with self._engine.connect() as connection:
            part = sa.select(t.study_part.c.people).where(t.study_part.c.run == run)
            sets, mine = _sets(connection), connection.execute(part).scalar()
        (planes, *parts), earlier = _as_planes((today, *groups), sets)
        if mine is not None:
            numbers = sets[mine].numbers
            if np.isin(numbers, today).all():
                return Studied(numbers, len(today) - len(numbers))
            if not begins:
                raise PeopleChanged("people of the run are in it no more")
        chosen = choose_people(planes, earlier, self._least, np.random.default_rng(), parts)
        return Studied(bitmap.to_numbers(chosen.people), chosen.held_back)

    def record(self, run: str, numbers: Numbers, groups: Sequence[Numbers] = ()) -> None:
        """These are the people of a run, and the groups among them, from now on: to be called before its first sum
        leaves. Durable on return.

        Raises `PeopleChanged` where another run's people, too near to these, were recorded since they were chosen, and
        `NotEntitled` where the node keeps as many sets as it may.
        """
        with begin_writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                # of two sets that are too near each other the second must see the first; SQLite has one writer anyway
                connection.exec_driver_sql("LOCK TABLE study_people IN SHARE ROW EXCLUSIVE MODE")
            digest = self._add(connection, _sets(connection), numbers, groups)
            connection.execute(sa.delete(t.study_part).where(t.study_part.c.run == run))
            connection.execute(sa.insert(t.study_part).values(run=run, people=digest))

    def forget(self, runs: Iterable[str]) -> None:
        """These runs are over. The sets stay."""
        with begin_writing(self._engine) as connection:
            connection.execute(sa.delete(t.study_part).where(t.study_part.c.run.in_(list(runs))))

    def _add(
        self,
        connection: sa.Connection,
        sets: Mapping[str, "_Set"],
        numbers: Numbers,
        groups: Sequence[Numbers],
    ) -> str:
        (people, *parts), earlier = _as_planes((numbers, *groups), sets)
        if not keeps_apart(people, parts, earlier, self._least):
            raise PeopleChanged("another study of nearly the same people began meanwhile")
        digest, content = _stored(numbers)
        new = {named: stored for named, stored in map(_stored, groups) if named not in sets and named != digest}
        since = clock.now().isoformat()
        rows = [{"digest": named, "people": stored, "since": since, "is_group": True} for named, stored in new.items()]
        if digest not in sets:
            rows.append({"digest": digest, "people": content, "since": since, "is_group": False})
        if rows and len(sets) + len(rows) > self._most:
            raise NotEntitled(
                f"this node has lent {self._most} different sets of people to studies, and takes no other: study the "
                "same people as before, or ask its operator to raise analytics.most_cohorts"
            )
        if rows:
            connection.execute(sa.insert(t.study_people), rows)
        known = t.study_people.c
        connection.execute(
            sa.update(t.study_people).where(known.digest == digest, known.is_group).values(is_group=False)
        )
        return digest


def digest_of(numbers: Numbers) -> str:
    """By which a set is known."""
    return _stored(numbers)[0]


class _Set(NamedTuple):
    numbers: Numbers
    is_group: bool


def _sets(connection: sa.Connection) -> dict[str, _Set]:
    people = t.study_people.c
    asked = sa.select(people.digest, people.people, people.is_group).order_by(people.since, people.digest)
    return {row.digest: _Set(_decode(row.people), row.is_group) for row in connection.execute(asked)}


def _as_planes(today: Sequence[Numbers], sets: Mapping[str, _Set]) -> tuple[list[Planes], Earlier]:
    """Today's sets and all others, equally wide."""
    every = [*today, *(each.numbers for each in sets.values())]
    batches = bitmap.batches_for(max((int(each[-1]) for each in every if len(each)), default=0) + 1)
    wholes, groups = (
        [bitmap.from_numbers(each.numbers, batches) for each in sets.values() if each.is_group == kind]
        for kind in (False, True)
    )
    return [bitmap.from_numbers(each, batches) for each in today], Earlier(wholes, groups)


def _stored(numbers: Numbers) -> tuple[str, bytes]:
    """A set's digest, and how it is kept."""
    content = _encode(numbers)
    return "sha256:" + hashlib.sha256(content).hexdigest(), content


def _encode(numbers: Numbers) -> bytes:
    batches = bitmap.batches_for(int(numbers[-1]) + 1 if len(numbers) else 0)
    cuts = np.searchsorted(numbers, np.arange(1, batches) * bitmap.BATCH)
    within = (numbers % bitmap.BATCH).astype(np.uint16)
    return msgspec.msgpack.encode([bitmap.encode(each) for each in np.split(within, cuts)])


def _decode(content: bytes) -> Numbers:
    stored = msgspec.msgpack.decode(content, type=list[bytes])
    batches = [bitmap.decode(each).astype(np.int64) + k * bitmap.BATCH for k, each in enumerate(stored)]
    return np.concatenate(batches)
