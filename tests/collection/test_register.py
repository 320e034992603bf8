# SPDX-License-Identifier: Apache-2.0
"""Individuals' rows: numbers, samples, facts; new, known, and refused."""

import pytest
import sqlalchemy as sa

from megagenome.collection import register as module
from megagenome.collection import tables
from megagenome.collection.model import Sex
from megagenome.collection.people import Fact, FactKind, Person, Status
from megagenome.collection.register import Entry, Register
from megagenome.kernel.errors import Conflict
from tests.collection.nodes import add_dataset, excluded, observed, person

HEIGHT = Fact(FactKind.MEASURE, "LOINC:8308-9", Status.OBSERVED, "179", "cm", "2021-09-24")
FULL = person(
    "A", *observed("HP:0000005"), *excluded("HP:0000004"), HEIGHT,
    sample_id="S1", sex=Sex.FEMALE, country="EE", population="north", birth_year=1950, consent=None,
)  # fmt: skip


def enter(connection: sa.Connection, dataset: int, *persons: Person) -> list[Entry]:
    return list(Register(connection, dataset).enter(persons))


def rows(connection: sa.Connection, table: sa.Table) -> list[tuple[object, ...]]:
    return sorted(map(tuple, connection.execute(sa.select(table))))


def test_new_people_are_written_whole(connection: sa.Connection) -> None:
    one = add_dataset(connection, 1, "ONE")
    assert enter(connection, one, FULL, person("B", sample_id=None)) == [
        Entry(0, FULL, None),
        Entry(1, person("B", sample_id=None), None),
    ]
    assert rows(connection, tables.individual) == [
        (0, "A", "female", "EE", "north", 1950),
        (1, "B", "unknown", "ZZ", "", None),
    ]
    assert rows(connection, tables.biosample) == [(1, "S1", 0)]
    assert rows(connection, tables.fact) == [
        (0, "measure", "LOINC:8308-9", "observed", "179", "cm", "2021-09-24"),
        (0, "phenotype", "HP:0000004", "excluded", None, None, ""),
        (0, "phenotype", "HP:0000005", "observed", None, None, ""),
    ]


def test_known_people_come_back_as_they_were_and_nothing_is_written(connection: sa.Connection) -> None:
    one = add_dataset(connection, 1, "ONE")
    enter(connection, one, FULL)
    before = [rows(connection, table) for table in tables.METADATA.sorted_tables]
    ((number, after, stored),) = enter(connection, one, FULL)
    assert stored is not None
    assert (number, set(stored.facts), set(after.facts)) == (0, set(FULL.facts), set(FULL.facts))
    assert [rows(connection, table) for table in tables.METADATA.sorted_tables] == before


def test_numbers_have_no_gaps_over_several_entries(connection: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PEOPLE_AT_ONCE", 3)
    one = add_dataset(connection, 1, "ONE")
    first = enter(connection, one, *(person(f"P{i}") for i in range(7)))
    assert [entry.number for entry in first] == list(range(7))
    second = enter(connection, one, *(person(f"P{i}") for i in (9, 3, 8, 0)))
    assert [(entry.person.individual_id, entry.number) for entry in second] == [
        ("P9", 7),
        ("P3", 3),
        ("P8", 8),
        ("P0", 0),
    ]


def test_another_dataset_fills_in_and_has_samples_of_its_own(connection: sa.Connection) -> None:
    one, two = add_dataset(connection, 1, "ONE"), add_dataset(connection, 2, "TWO")
    enter(connection, one, person("A", *observed("HP:0000005"), sex=Sex.FEMALE, sample_id="S1"))
    more = person("A", *observed("HP:0000005", "HP:0000006"), country="FI", birth_year=1960, sample_id="T1")
    ((number, after, stored),) = enter(connection, two, more)
    assert stored is not None
    assert (number, stored.sample_id, after.sex, after.country) == (0, None, Sex.FEMALE, "FI")
    assert rows(connection, tables.individual) == [(0, "A", "female", "FI", "", 1960)]
    assert rows(connection, tables.biosample) == [(1, "S1", 0), (2, "T1", 0)]
    assert [row[2] for row in rows(connection, tables.fact)] == ["HP:0000005", "HP:0000006"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (person("A", sex=Sex.MALE, sample_id=None), "individual A: sex is male here and female before"),
        (person("A", country="FI", sample_id=None), "individual A: country is FI here and EE before"),
        (person("A", population="south", sample_id=None), "individual A: population is south here and north before"),
        (person("A", birth_year=1951, sample_id=None), "individual A: birth_year is 1951 here and 1950 before"),
        (
            person("A", *excluded("HP:0000005"), sample_id=None),
            "individual A: HP:0000005 is both observed",
        ),
        (
            person("A", HEIGHT._replace(value="180"), sample_id=None),
            "individual A: measure LOINC:8308-9 has two",
        ),
        (person("A", sample_id="S2"), "individual A: sample_id is S2 here and S1 before"),
        (person("B", sample_id="S1"), "sample S1: the dataset has it from another individual than B"),
    ],
)
def test_contradictions_are_refused(connection: sa.Connection, more: Person, message: str) -> None:
    one = add_dataset(connection, 1, "ONE")
    enter(connection, one, FULL)
    with pytest.raises(Conflict) as error:
        enter(connection, one, more)
    assert str(error.value).startswith(message)
    assert str(error.value).endswith("correct the table")
