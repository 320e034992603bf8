# SPDX-License-Identifier: Apache-2.0
"""Strata by individual number."""

import sqlalchemy as sa

from megagenome.collection.enrol import enrol
from megagenome.collection.model import Sex, Stratum
from megagenome.collection.strata import count_individuals, read_strata
from megagenome.kernel.ids import Country
from tests.collection.nodes import add_dataset, ontology_for, people, person

EE, FI, ZZ = Country("EE"), Country("FI"), Country("ZZ")


def test_no_people(connection: sa.Connection) -> None:
    strata = read_strata(connection)
    assert (strata.strata, strata.of.tolist(), count_individuals(connection)) == ((), [], 0)


def test_strata_are_sorted_and_indexed_by_number(connection: sa.Connection) -> None:
    persons = [
        person("P0", sex=Sex.MALE, country=FI),
        person("P1"),
        person("P2", sex=Sex.FEMALE, country=EE, population="north"),
        person("P3", sex=Sex.MALE, country=FI),
        person("P4", sex=Sex.FEMALE, country=EE),
    ]
    enrol(connection, add_dataset(connection, 1, "ONE"), people(*persons), ontology_for)
    strata = read_strata(connection)
    assert strata.strata == (
        Stratum(EE, "", Sex.FEMALE),
        Stratum(EE, "north", Sex.FEMALE),
        Stratum(FI, "", Sex.MALE),
        Stratum(ZZ, "", Sex.UNKNOWN),
    )
    assert strata.of.tolist() == [2, 3, 1, 2, 0]
    assert count_individuals(connection) == 5
