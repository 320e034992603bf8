# SPDX-License-Identifier: Apache-2.0
"""What is told without a permit: of each dataset the people who are in the public numbers, and who come and go next.

Consent changes at once; the public numbers change with a release, so that no difference of two of them shows somebody
(`cover.py`). Stored counts, `Dataset.individuals` and all readings without a permit are of these people.

Open data have no secret that a difference could show: their public numbers follow with each release as they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.collection.consent import read_consenting
from megagenome.collection.cover import NOT_TOLD, Told, choose, groups_of
from megagenome.collection.members import SetKind, read_all, read_members, replace_members
from megagenome.collection.model import DatasetState, Sex, Stratum, Use
from megagenome.collection.rows import insert_rows
from megagenome.collection.strata import Strata, count_individuals, read_strata
from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict
from megagenome.kernel.ids import Country, DatasetId

_DATASETS = sa.select(tables.dataset).order_by(tables.dataset.c.number)


class Holding(NamedTuple):
    """A dataset as planning needs to know it; `told` where the public may have seen its present numbers."""

    id: DatasetId
    number: int
    open: bool
    told: bool


class Change(NamedTuple):
    """A dataset's public people before and after."""

    dataset: Holding
    before: bitmap.Planes
    after: bitmap.Planes


class Census(NamedTuple):
    """The node's people, as a plan of changes sees them.

    strata   as they are now, and `strata_before` as the stored counts were made with
    moved    those whose stratum is another than before
    live     those who consent to being counted now
    told     of each dataset's id those who are in its public numbers; none of whom there are none
    rank     the order in which people are held back, drawn anew for each plan
    """

    strata: Strata
    strata_before: Strata
    moved: bitmap.Planes
    live: bitmap.Planes
    told: Mapping[str, bitmap.Planes]
    rank: npt.NDArray[np.int64]

    def told_of(self, dataset: Holding) -> bitmap.Planes:
        """Who is in a dataset's public numbers."""
        return self.told.get(dataset.id, bitmap.nobody(len(self.live)))


def read_released(connection: sa.Connection, dataset: DatasetId, batches: int) -> bitmap.Planes:
    """The people of a dataset who are in the public numbers."""
    return read_members(connection, SetKind.RELEASED, dataset, batches)


def take_census(connection: sa.Connection, strata: Strata, strata_before: Strata, moved: bitmap.Numbers) -> Census:
    """The node's people, as far as planning needs to know them."""
    batches = bitmap.batches_for(len(strata.of))
    return Census(
        strata,
        strata_before,
        bitmap.from_numbers(moved, batches),
        read_consenting(connection, Use.AGGREGATES, batches),
        dict(read_all(connection, SetKind.RELEASED, batches)),
        np.random.default_rng().permutation(batches * bitmap.BATCH),
    )


def read_holdings(connection: sa.Connection) -> tuple[Holding, ...]:
    """All datasets, by number."""
    rows = connection.execute(_DATASETS)
    return tuple(Holding(DatasetId(row.id), row.number, row.open, row.state == DatasetState.PUBLISHED) for row in rows)


def plan_release(connection: sa.Connection, dataset: Holding, census: Census, due: bitmap.Planes) -> Change:
    """The next public people of a dataset: those of it who consent, as far as may be. Of those who no longer do, `due`
    must leave now; of a dataset that is not told at present, all."""
    return _plan(connection, dataset, census, _consenting(connection, dataset, census), due)


def plan_load(connection: sa.Connection, dataset: Holding, census: Census, *, own: bool) -> Change:
    """The public people of a dataset after a load: of the load's `own` dataset the new ones enter if they are
    enough, and nobody leaves what is told; of others only those who are in another stratum now may have to leave."""
    target = census.told_of(dataset)
    if own:
        consenting = _consenting(connection, dataset, census)
        target = target | consenting if dataset.told else consenting
    return _plan(connection, dataset, census, target, bitmap.nobody(len(target)))


def _plan(
    connection: sa.Connection, dataset: Holding, census: Census, target: bitmap.Planes, due: bitmap.Planes
) -> Change:
    before = census.told_of(dataset)
    moved = before & census.moved
    if dataset.open or (not moved.any() and np.array_equal(before, target)):
        return Change(dataset, before, target)
    leaving = moved | (before & ~target & (due if dataset.told else before))
    strata = _Universe((*census.strata.strata, *census.strata_before.strata))
    now = strata.told(before, census.strata_before)
    known = strata.known(connection, dataset.number, len(now))
    after = choose(
        strata.told(target, census.strata),
        now,
        _bits(leaving),
        [*known, now] if dataset.told else known,
        groups_of(strata.strata),
        census.rank,
    )
    return Change(dataset, before, bitmap.from_numbers(np.flatnonzero(after != NOT_TOLD), len(target)))


def count_waiting(connection: sa.Connection, change: Change, census: Census) -> int:
    """How many people of the dataset consent to be counted and are not in its public numbers after the change."""
    return bitmap.count(_consenting(connection, change.dataset, census) & ~change.after)


def write_change(connection: sa.Connection, change: Change, census: Census) -> None:
    """Make a change hold. In the caller's transaction, which also writes the counts that were made for it."""
    if np.array_equal(change.before, change.after) and not (change.before & census.moved).any():
        return
    if change.dataset.told:
        _remember(connection, change.dataset, change.before, census.strata_before)
    replace_members(connection, SetKind.RELEASED, {change.dataset.id: change.after})


def remember_told(connection: sa.Connection, dataset: DatasetId) -> None:
    """Keep the public people of a dataset as a state that somebody may have noted; before it is no longer told."""
    strata = read_strata(connection)
    told = read_released(connection, dataset, bitmap.batches_for(len(strata.of)))
    [holding] = (each for each in read_holdings(connection) if each.id == dataset)
    _remember(connection, holding, told, strata)


def _remember(connection: sa.Connection, dataset: Holding, told: bitmap.Planes, strata: Strata) -> None:
    if dataset.open:
        return
    number = tables.told_before.c.number
    last = connection.scalar(sa.select(sa.func.max(number)).where(tables.told_before.c.dataset == dataset.number))
    state = 0 if last is None else int(last) + 1
    numbers = bitmap.to_numbers(told)
    keys = strata.of[numbers].astype(np.int64) * len(told) + numbers // bitmap.BATCH
    rows = []
    for key in np.unique(keys).tolist():
        stratum, batch = divmod(key, len(told))
        members = (numbers[keys == key] % bitmap.BATCH).astype(np.uint16)
        rows.append((dataset.number, state, *strata.strata[stratum], batch, bitmap.encode(members)))
    insert_rows(connection, tables.told_before, rows)


def refuse_withdrawn(connection: sa.Connection, dataset: DatasetId) -> None:
    """Raise `Conflict` where publishing would tell of people who do not consent to it (any more)."""
    batches = bitmap.batches_for(count_individuals(connection))
    _refuse(connection, dataset, read_released(connection, dataset, batches))


def refuse_newly_told(connection: sa.Connection, changes: Iterable[Change]) -> None:
    """Raise `Conflict` where what is published now tells of people who withdrew while the change was being made, and
    were not told of before."""
    published = {each.id for each in read_holdings(connection) if each.told}
    for change in changes:
        if change.dataset.id in published:
            new = change.after & ~change.before if change.dataset.told else change.after
            _refuse(connection, change.dataset.id, new)


def _refuse(connection: sa.Connection, dataset: DatasetId, new: bitmap.Planes) -> None:
    if gone := bitmap.count(new & ~read_consenting(connection, Use.AGGREGATES, len(new))):
        raise Conflict(
            f"dataset {dataset}: {gone:,} of the people who would be in its public numbers no longer consent to it; "
            "make a release (`megagenome node release DIR`), then do this again"
        )


def note_leavers(connection: sa.Connection) -> None:
    """Note who is in the public numbers without consent to it, each with the time when that began; after each change of
    either. In the caller's transaction."""
    batches = bitmap.batches_for(count_individuals(connection))
    told = bitmap.nobody(batches)
    for _, people in read_all(connection, SetKind.RELEASED, batches):
        told |= people
    gone = set(bitmap.to_numbers(told & ~read_consenting(connection, Use.AGGREGATES, batches)).tolist())
    who = tables.leaver.c.individual
    noted = set(connection.scalars(sa.select(who)))
    if back := noted - gone:
        connection.execute(sa.delete(tables.leaver).where(who == sa.bindparam("who")), [{"who": n} for n in back])
    now = clock.now().isoformat()
    insert_rows(connection, tables.leaver, [(number, now) for number in sorted(gone - noted)])


def read_due(connection: sa.Connection, until: datetime, batches: int) -> bitmap.Planes:
    """Those who have waited to leave the public numbers since `until` or longer."""
    due = [number for number, since in _read_leavers(connection) if _is_due(since, until)]
    return bitmap.from_numbers(np.array(due, np.int64), batches)


def count_leavers(connection: sa.Connection, until: datetime) -> tuple[int, int]:
    """How many people wait to leave the public numbers, and how many of them since `until` or longer."""
    leavers = _read_leavers(connection)
    return len(leavers), sum(_is_due(since, until) for _, since in leavers)


def _is_due(since: datetime, until: datetime) -> bool:
    """Who began to wait at a time to come did so while the clock was ahead: nobody knows for how long they have."""
    return since <= until or since > clock.now()


def _read_leavers(connection: sa.Connection) -> list[tuple[int, datetime]]:
    rows = connection.execute(sa.select(tables.leaver.c.individual, tables.leaver.c.since))
    return [(number, datetime.fromisoformat(since)) for number, since in rows]


def _consenting(connection: sa.Connection, dataset: Holding, census: Census) -> bitmap.Planes:
    return read_members(connection, SetKind.DATASET, dataset.id, len(census.live)) & census.live


def _bits(planes: bitmap.Planes) -> npt.NDArray[np.bool_]:
    return np.unpackbits(planes.reshape(-1), bitorder="little").view(np.bool_)


class _Universe:
    """Strata of now and of earlier, under one index."""

    def __init__(self, strata: Iterable[Stratum]) -> None:
        self._index = {stratum: k for k, stratum in enumerate(dict.fromkeys(strata))}

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """All of them, in the order of the index."""
        return tuple(self._index)

    def told(self, people: bitmap.Planes, strata: Strata) -> Told:
        """In which stratum each of `people` is."""
        place = np.array([self._index[stratum] for stratum in strata.strata], np.int32)
        told = np.full(len(people) * bitmap.BATCH, NOT_TOLD, np.int32)
        numbers = bitmap.to_numbers(people)
        told[numbers] = place[strata.of[numbers]]
        return told

    def known(self, connection: sa.Connection, dataset: int, size: int) -> list[Told]:
        """The states that were told earlier, each of `size` places."""
        table = tables.told_before
        states: defaultdict[int, Told] = defaultdict(lambda: np.full(size, NOT_TOLD, np.int32))
        for row in connection.execute(sa.select(table).where(table.c.dataset == dataset)):
            stratum = Stratum(Country(row.country), row.population, Sex(row.sex))
            k = self._index.setdefault(stratum, len(self._index))
            states[row.number][bitmap.decode(row.members).astype(np.int64) + row.batch * bitmap.BATCH] = k
        return list(states.values())
