# SPDX-License-Identifier: Apache-2.0
"""The individuals' rows: numbers, samples and facts, new ones written and known ones filled in."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.collection.model import Sex
from megagenome.collection.people import Fact, FactKind, Person, Status, join
from megagenome.collection.rows import insert_rows
from megagenome.collection.strata import count_individuals
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.ids import Country, IndividualId, SampleId

_PEOPLE_AT_ONCE = 5_000


class Entry(NamedTuple):
    """A person as they stand in the register after their entry; `before` is None for a new one."""

    number: int
    person: Person
    before: Person | None


class Register:
    """The node's individuals, as one dataset enters its people."""

    def __init__(self, connection: sa.Connection, dataset_number: int) -> None:
        self._connection = connection
        self._dataset_number = dataset_number
        self.people = count_individuals(connection)
        biosample = tables.biosample.c
        mine = sa.select(biosample.id).where(biosample.dataset == dataset_number).limit(1)
        # nobody need be looked for among none
        self._has_people = self.people > 0
        self._has_samples = connection.scalar(mine) is not None

    def enter(self, persons: Iterable[Person]) -> Iterator[Entry]:
        """Write the persons (each individual and each sample once), some thousand at a time. Raises `Conflict` for the
        first who contradicts what is stored."""
        remaining = iter(persons)
        while at_once := tuple(islice(remaining, _PEOPLE_AT_ONCE)):
            known = self._read_known(at_once) if self._has_people else {}
            entries = [self._entry(person, known.get(person.individual_id)) for person in at_once]
            if self._has_samples:
                self._refuse_taken_samples(entries)
            self._write(entries)
            yield from entries

    def _entry(self, person: Person, known: tuple[int, Person] | None) -> Entry:
        if known is None:
            self.people += 1
            return Entry(self.people - 1, person, None)
        number, before = known
        try:
            return Entry(number, join(before, person), before)
        except Invalid as error:
            raise Conflict(
                f"individual {person.individual_id}: {error}, from an earlier load of this node; correct the table"
            ) from None

    def _read_known(self, persons: Sequence[Person]) -> dict[IndividualId, tuple[int, Person]]:
        """Those whom the node has already: number and record. Consent is not in it: it is stated per dataset."""
        individual, fact, biosample = tables.individual, tables.fact, tables.biosample
        rows = self._connection.execute(
            sa.select(individual).where(individual.c.id.in_([person.individual_id for person in persons]))
        ).all()
        numbers = [row.number for row in rows]
        if not numbers:
            return {}
        facts: dict[int, list[Fact]] = {number: [] for number in numbers}
        for number, kind, term, status, *rest in self._connection.execute(
            sa.select(fact).where(fact.c.individual.in_(numbers))
        ):
            facts[number].append(Fact(FactKind(kind), term, Status(status), *rest))
        samples: dict[int, SampleId] = {
            row.individual: row.id
            for row in self._connection.execute(
                sa.select(biosample).where(
                    biosample.c.dataset == self._dataset_number, biosample.c.individual.in_(numbers)
                )
            )
        }
        return {
            row.id: (
                row.number,
                Person(
                    individual_id=row.id,
                    sample_id=samples.get(row.number),
                    sex=Sex(row.sex),
                    country=Country(row.country),
                    population=row.population,
                    birth_year=row.birth_year,
                    facts=tuple(facts[row.number]),
                ),
            )
            for row in rows
        }

    def _refuse_taken_samples(self, entries: Sequence[Entry]) -> None:
        biosample = tables.biosample
        owners = {entry.person.sample_id: entry for entry in entries if entry.person.sample_id is not None}
        taken = sa.select(biosample.c.id, biosample.c.individual).where(
            biosample.c.dataset == self._dataset_number, biosample.c.id.in_(list(owners))
        )
        for sample, number in self._connection.execute(taken):
            if owners[sample].number != number:
                raise Conflict(
                    f"sample {sample}: the dataset has it from another individual than "
                    f"{owners[sample].person.individual_id}; correct the table"
                )

    def _write(self, entries: Sequence[Entry]) -> None:
        new = [
            (entry.number, entry.person.individual_id, *_recorded(entry.person))
            for entry in entries
            if entry.before is None
        ]
        insert_rows(self._connection, tables.individual, new)
        filled_in = [
            dict(zip(("who", *_RECORDED), (entry.number, *_recorded(entry.person)), strict=True))
            for entry in entries
            if entry.before is not None and _recorded(entry.before) != _recorded(entry.person)
        ]
        if filled_in:
            the_one = tables.individual.c.number == sa.bindparam("who")
            self._connection.execute(sa.update(tables.individual).where(the_one), filled_in)
        samples = [
            (self._dataset_number, entry.person.sample_id, entry.number)
            for entry in entries
            if entry.person.sample_id is not None and not (entry.before and entry.before.sample_id)
        ]
        insert_rows(self._connection, tables.biosample, samples)
        # plain texts: of an enumeration's members the driver asks each time how to store them
        facts = [
            (entry.number, kind.value, term, status.value, *rest)
            for entry in entries
            for kind, term, status, *rest in _new_facts(entry)
        ]
        insert_rows(self._connection, tables.fact, facts)


_RECORDED = ("sex", "country", "population", "birth_year")


def _recorded(person: Person) -> tuple[str, str, str, int | None]:
    return person.sex.value, person.country, person.population, person.birth_year


def _new_facts(entry: Entry) -> tuple[Fact, ...]:
    if entry.before is None:
        return entry.person.facts
    return tuple(fact for fact in entry.person.facts if fact not in entry.before.facts)
