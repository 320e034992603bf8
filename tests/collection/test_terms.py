# SPDX-License-Identifier: Apache-2.0
"""Terms that people are described with."""

import numpy as np
import pytest
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection import terms as module
from megagenome.collection.enrol import enrol
from megagenome.collection.model import FilteringTerm
from megagenome.collection.people import Fact, FactKind, People
from megagenome.collection.tables import term
from megagenome.collection.terms import read_terms, store_terms
from tests.collection.nodes import add_dataset, excluded, observed, ontology_for, person

PERSONS = [
    person("P0", *observed("HP:0000005"), *excluded("ICD10:I83", kind=FactKind.DISEASE)),
    person("P1", *observed("HP:0000004", kind=FactKind.DISEASE), Fact(FactKind.CUSTOM, "smoker", value="rarely")),
    person("P2", *observed("HP:0000004"), Fact(FactKind.MEASURE, "LOINC:8308-9", value="179")),
]
LABELS = {"HP:0000005": "Seizure", "ICD10:I83": "varicose veins", "LOINC:8308-9": "Height"}
SEIZURE = FilteringTerm("HP:0000005", "Seizure", "phenotype")
VEINS = FilteringTerm("ICD10:I83", "varicose veins", "disease")
SMOKER = FilteringTerm("smoker", "smoker", "custom")
FOUR = FilteringTerm("HP:0000004", "HP:0000004", "phenotype")  # as a disease too


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([0], (SEIZURE, VEINS)),
        ([1], (FOUR, SMOKER)),
        ([2], (FOUR,)),
        ([0, 1, 2], (FOUR, SEIZURE, VEINS, SMOKER)),
        ([], ()),
    ],
)
def test_only_terms_of_these_people_are_told(
    connection: sa.Connection, numbers: list[int], expected: tuple[FilteringTerm, ...]
) -> None:
    enrol(connection, add_dataset(connection, 1, "ONE"), People(PERSONS, LABELS, {}), ontology_for)
    # no value of a custom column, no measure, nothing that only others have, and no ancestor that nobody has recorded
    assert read_terms(connection, [(group(*numbers), 1)]) == expected


def group(*numbers: int) -> bitmap.Planes:
    return bitmap.from_numbers(np.array(numbers, np.int64), 1)


def test_a_term_is_told_when_enough_people_of_one_group_have_it(connection: sa.Connection) -> None:
    enrol(connection, add_dataset(connection, 1, "ONE"), People(PERSONS, LABELS, {}), ontology_for)
    assert read_terms(connection, [(group(0, 1, 2), 2)]) == (FOUR,)
    assert read_terms(connection, [(group(0, 1), 2), (group(0, 2), 2), (group(0, 2), 3)]) == ()
    assert read_terms(connection, [(group(1, 2), 2), (group(0), 1)]) == (FOUR, SEIZURE, VEINS)
    assert read_terms(connection, []) == ()


def test_a_term_gets_its_name_from_a_later_table(connection: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TERMS_AT_ONCE", 2)
    recorded = {(f"A:{i}", FactKind.DISEASE) for i in range(5)}
    store_terms(connection, recorded, {"A:0": "zero"})
    store_terms(connection, recorded | {("A:1", FactKind.PHENOTYPE)}, {"A:0": "other", "A:1": "one", "A:9": "nine"})
    found = connection.execute(sa.select(term).order_by("id", "kind")).all()
    assert [(row.id, row.kind, row.label) for row in found] == [
        ("A:0", "disease", "zero"),
        ("A:1", "disease", "one"),
        ("A:1", "phenotype", "one"),
        ("A:2", "disease", "A:2"),
        ("A:3", "disease", "A:3"),
        ("A:4", "disease", "A:4"),
    ]
