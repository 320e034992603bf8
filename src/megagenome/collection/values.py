# SPDX-License-Identifier: Apache-2.0
"""What is recorded of a reading's people, as arrays: the columns of a study's table. Read whole from the stored sets
and facts, never person by person."""

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from megagenome.collection import bitmap, tables
from megagenome.collection.cohort import Cohort
from megagenome.collection.evaluate import Truth
from megagenome.collection.members import SetKind, read_keys, read_members
from megagenome.collection.model import Sex
from megagenome.collection.people import FactKind, Status
from megagenome.kernel.errors import Invalid

Floats = npt.NDArray[np.float64]
HOLDS, FAILS, UNKNOWN = 1, 0, -1


class Membership(NamedTuple):
    """A dataset's people of a reading, and the year that their ages are stated for."""

    members: bitmap.Planes
    collection_year: int | None


class PeopleValues:
    """Columns of a reading's people, who are fixed at its making, in the order of their numbers at the node. Made by
    `PermitReading.values`, and entered in the journal then.

    numbers  int64 [people], increasing: for `PermitReading.scan`, which can be given some of them. Nothing that leaves
             a node may be in this order.
    """

    def __init__(
        self,
        engine: sa.Engine,
        numbers: bitmap.Numbers,
        datasets: Sequence[Membership],
        batches: int,
        truth: Callable[[Cohort, int | None], Truth],
    ) -> None:
        """For `PermitReading.values`. `truth` evaluates a cohort for a collection year."""
        self._engine, self._datasets, self._batches, self._truth = engine, datasets, batches, truth
        self.numbers = numbers

    @property
    def people(self) -> int:
        """How many."""
        return len(self.numbers)

    @cached_property
    def sex(self) -> Floats:
        """1 of women, 0 of men, NaN where unrecorded."""
        sex = np.full(self.people, np.nan)
        with self._engine.connect() as connection:
            for value, name in ((1.0, Sex.FEMALE), (0.0, Sex.MALE)):
                sex[self._among(read_members(connection, SetKind.SEX, name, self._batches))] = value
        return sex

    @cached_property
    def age(self) -> Floats:
        """Calendar years between birth and the collection year of the first of the reading's datasets that the person
        is in and that states one; NaN where either is unrecorded, or where they were born later."""
        born, year = np.full((2, self.people), np.nan)
        with self._engine.connect() as connection:
            for key in read_keys(connection, SetKind.BIRTH_YEAR):
                born[self._among(read_members(connection, SetKind.BIRTH_YEAR, key, self._batches))] = int(key)
        for dataset in reversed(self._datasets):
            if dataset.collection_year is not None:
                year[self._among(dataset.members)] = dataset.collection_year
        age = year - born
        return np.where(age >= 0, age, np.nan)

    def measured(self, term: str) -> Floats:
        """A measure's or custom column's value, of several that with the latest time (as texts sort); NaN where there
        is none, or none that is a finite number. Raises `Invalid` where people's values have different units.

        Cost: one query that passes over the facts.
        """
        fact = tables.fact.c
        kinds = (FactKind.MEASURE, FactKind.CUSTOM)
        stored = sa.select(fact.individual, fact.value, fact.unit).where(
            fact.kind.in_(kinds), fact.term == term, fact.status == Status.OBSERVED
        )
        values = np.full(self.people, np.nan)
        units: set[str] = set()
        with self._engine.connect() as connection:
            rows = connection.execute(stored.order_by(fact.individual, fact.time)).all()
        who = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        place, mine = self._places(who)
        latest = np.append(np.diff(who) != 0, True) & mine if len(rows) else mine
        for k in np.flatnonzero(latest).tolist():
            values[place[k]] = _number(rows[k][1])
            units.update({rows[k][2]} - {None})
        if len(units) > 1:
            raise Invalid(f"{term} is recorded in several units ({', '.join(sorted(units))}): bring it to one")
        return values

    def level(self, of: str, levels: Collection[str]) -> npt.NDArray[np.int64]:
        """The index in `levels` of each person's `country`, `population` or custom column `of`; -1 where it is none of
        them or unrecorded. Cost: a query for each level."""
        level = np.full(self.people, -1, np.int64)
        with self._engine.connect() as connection:
            for k, name in enumerate(levels):
                kind, key = (
                    (SetKind(of), name)
                    if of in (SetKind.COUNTRY, SetKind.POPULATION)
                    else (SetKind.CUSTOM, f"{of}={name}")
                )
                level[self._among(read_members(connection, kind, key, self._batches))] = k
        return level

    def belongs(self, cohort: Cohort) -> npt.NDArray[np.int8]:
        """Whether each person belongs to a cohort: HOLDS, FAILS or UNKNOWN. Ages are those of each dataset: who belongs
        by one of them belongs."""
        found = np.full(self.people, UNKNOWN, np.int8)
        truths = {year: self._truth(cohort, year) for year in {each.collection_year for each in self._datasets}}
        for value in (FAILS, HOLDS):
            for dataset in self._datasets:
                truth = truths[dataset.collection_year]
                told = truth.holds if value == HOLDS else truth.fails
                found[self._among(told & dataset.members)] = value
        return found

    def _among(self, planes: bitmap.Planes) -> npt.NDArray[np.bool_]:
        """bool [people]: who of them is in a set."""
        held: npt.NDArray[np.bool_] = np.unpackbits(planes.reshape(-1), bitorder="little")[self.numbers].view(np.bool_)
        return held

    def _places(self, who: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """The place of each of some numbers, and whether it is one of these people's."""
        if not self.people:
            return np.zeros(len(who), np.int64), np.zeros(len(who), np.bool_)
        place = np.minimum(np.searchsorted(self.numbers, who), self.people - 1)
        return place, self.numbers[place] == who


def read_sexes(connection: sa.Connection, numbers: bitmap.Numbers, batches: int) -> npt.NDArray[np.str_]:
    """The recorded sex of people, as `Sex` writes it."""
    sexes = np.full(batches * bitmap.BATCH, Sex.UNKNOWN.value, "U7")
    for sex in (Sex.FEMALE, Sex.MALE):
        sexes[bitmap.to_numbers(read_members(connection, SetKind.SEX, sex, batches))] = sex
    return sexes[numbers]


def _number(text: str | None) -> float:
    try:
        value = float(text or "nan")
    except ValueError:
        return float("nan")
    return value if np.isfinite(value) and "_" not in (text or "") else float("nan")
