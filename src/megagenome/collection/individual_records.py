# SPDX-License-Identifier: Apache-2.0
"""All that is recorded of single people, as it is in the tables. `permit_reading` says who may have it, and under which
name."""

from collections.abc import Callable, Collection

import msgspec
import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.collection.model import Sex
from megagenome.collection.people import Fact, FactKind, Status
from megagenome.kernel.ids import Country, DatasetId


class IndividualRecord(msgspec.Struct, frozen=True):
    """What is recorded of one person, under the pseudonym that they have in this permit.

    `Sex.UNKNOWN`, `UNKNOWN_COUNTRY`, "" and None where unrecorded. `datasets` are those of the permit that they are in.
    """

    id: str
    sex: Sex
    country: Country
    population: str
    birth_year: int | None
    facts: tuple[Fact, ...]
    datasets: tuple[DatasetId, ...]


def read_individuals(
    connection: sa.Connection, numbers: Collection[int], datasets_of: Callable[[int], tuple[DatasetId, ...]]
) -> dict[int, IndividualRecord]:
    """The records of people by their numbers, without a pseudonym yet. Facts are in the order of kind, term and time.

    `datasets_of` says which datasets of the permit a person is in. Cost: two queries; ask for some thousand at once.
    """
    individual, fact = tables.individual.c, tables.fact.c
    facts: dict[int, list[Fact]] = {number: [] for number in numbers}
    stored = sa.select(tables.fact).where(fact.individual.in_(numbers)).order_by(fact.kind, fact.term, fact.time)
    for number, kind, term, status, *rest in connection.execute(stored):
        facts[number].append(Fact(FactKind(kind), term, Status(status), *rest))
    return {
        row.number: IndividualRecord(
            "",
            Sex(row.sex),
            Country(row.country),
            row.population,
            row.birth_year,
            tuple(facts[row.number]),
            datasets_of(row.number),
        )
        for row in connection.execute(sa.select(tables.individual).where(individual.number.in_(numbers)))
    }
