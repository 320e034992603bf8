# SPDX-License-Identifier: Apache-2.0
"""Cohorts evaluated on stored sets against one person at a time in plain Python."""

from typing import Any as Anything

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.collection import bitmap
from megagenome.collection.cohort import (
    EVERYONE,
    All,
    Any,
    Carries,
    Cohort,
    FromCountry,
    HasAge,
    HasCustom,
    HasSex,
    HasTerm,
    InDataset,
    Not,
)
from megagenome.collection.enrol import enrol
from megagenome.collection.evaluate import Evidence, Truth, evaluate
from megagenome.collection.model import Sex
from megagenome.collection.people import Person
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import DatasetId
from tests.collection.memory import empty_tables
from tests.collection.nodes import (
    ALLELES,
    HP,
    add_dataset,
    cohorts,
    excluded,
    observed,
    ontology_for,
    people,
    person,
    persons,
)
from tests.oracles.cohorts import Circumstances, holds

ONE, TWO, HIDDEN = DatasetId("ONE"), DatasetId("TWO"), DatasetId("HIDDEN")


def nobody(_allele: Allele) -> Truth:
    return Truth(bitmap.nobody(1), bitmap.nobody(1))


def members(planes: bitmap.Planes) -> list[int]:
    return bitmap.to_numbers(planes).tolist()


def evidence(connection: sa.Connection, count: int, **other: Anything) -> Evidence:
    usual = {"datasets": {ONE, TWO}, "collection_year": 2020, "ontology_for": ontology_for, "carriers": nobody}
    return Evidence(connection, count, **(usual | other))


@st.composite
def calls(draw: st.DrawFn) -> dict[Allele, list[bool | None]]:
    """For each allele, whether P0, P1 ... carry it; None where it was not called."""
    each = st.lists(st.sampled_from([True, False, None]), min_size=8, max_size=8)
    return {allele: draw(each) for allele in ALLELES}


@settings(max_examples=60)
@given(persons(), st.data(), calls(), st.lists(cohorts, min_size=1, max_size=6), st.sampled_from([None, 2020]))
def test_cohorts_hold_and_fail_for_whom_they_should(
    who: list[Person],
    draw: st.DataObject,
    called: dict[Allele, list[bool | None]],
    asked: list[Cohort],
    year: int | None,
) -> None:
    placed = draw.draw(st.lists(st.sets(st.sampled_from([ONE, TWO, HIDDEN]), min_size=1), min_size=8, max_size=8))

    def carriers(allele: Allele) -> Truth:
        by = {answer: [i for i in range(len(who)) if called[allele][i] is answer] for answer in (True, False)}
        return Truth(*(bitmap.from_numbers(np.array(by[answer], np.int64), 1) for answer in (True, False)))

    with empty_tables() as connection:
        enrol(connection, add_dataset(connection, 9, "ALL"), people(*who), ontology_for)  # P0 gets number 0, ...
        for number, name in enumerate((ONE, TWO, HIDDEN)):
            mine = [one for one, datasets in zip(who, placed, strict=False) if name in datasets]
            enrol(connection, add_dataset(connection, number, name), people(*mine), ontology_for)
        known = evidence(connection, len(who), collection_year=year, carriers=carriers)
        for cohort in asked:
            truth = evaluate(cohort, known)
            assert {*members(truth.holds), *members(truth.fails)} <= set(range(len(who)))
            for number, one in enumerate(who):
                answers = {allele: answer for allele in ALLELES if (answer := called[allele][number]) is not None}
                around = Circumstances(HP, frozenset(placed[number]) - {HIDDEN}, year, answers)
                told = {(True, False): True, (False, True): False, (False, False): None}
                found = number in members(truth.holds), number in members(truth.fails)
                assert told[found] is holds(cohort, one, around), (cohort, one)


@pytest.fixture
def seven(connection: sa.Connection) -> Evidence:
    """P0 has a seizure, P1 a focal one, P2 has none, P3 nothing neurological (1), P4 a focal one though no seizure."""
    who = [
        person("P0", *observed("HP:0000005"), sex=Sex.FEMALE, birth_year=1980),
        person("P1", *observed("HP:0000007"), sex=Sex.MALE, birth_year=2000, country="EE"),
        person("P2", *excluded("HP:0000005"), birth_year=2021),
        person("P3", *excluded("HP:0000001"), country="FI"),
        person("P4", *observed("HP:0000007"), *excluded("HP:0000005")),
        person("P5", *observed("ICD10:I83")),
        person("P6"),
    ]
    enrol(connection, add_dataset(connection, 1, ONE), people(*who), ontology_for)
    enrol(connection, add_dataset(connection, 2, HIDDEN), people(who[0]), ontology_for)
    return evidence(connection, len(who))


@pytest.mark.parametrize(
    ("cohort", "holding", "failing"),
    [
        (EVERYONE, [0, 1, 2, 3, 4, 5, 6], []),
        (HasTerm("HP:0000005"), [0, 1, 4], [2, 3]),
        (HasTerm("HP:0000005", descendants=False), [0], [2, 3]),
        (HasTerm("HP:0000007"), [1, 4], [2, 3]),  # who has no seizure has no focal one; P4's finding outweighs
        (HasTerm("HP:0000070"), [1, 4], [2, 3]),  # its alternative id
        (HasTerm("HP:0000001"), [0, 1, 4], [3]),  # who has no seizure may have something else
        (HasTerm("HP:0000006"), [], [3]),
        (Not(HasTerm("HP:0000005")), [2, 3], [0, 1, 4]),
        (HasTerm("ICD10:I83"), [5], []),
        (HasTerm("ICD10:Z99"), [], []),
        (HasSex(Sex.FEMALE), [0], [1]),
        (HasSex(Sex.UNKNOWN), [], [0, 1]),  # unrecorded is never known
        (FromCountry("FI"), [3], [1]),
        (FromCountry("ZZ"), [], [1, 3]),
        (HasAge(20, 40), [0, 1], []),
        (HasAge(21), [0], [1]),
        (HasAge(at_most=39), [1], [0]),
        (HasAge(50, 10), [], [0, 1]),
        (HasAge(), [0, 1], []),  # P2 was born after the ages were stated
        (InDataset("ONE"), [0, 1, 2, 3, 4, 5, 6], []),
        (InDataset("HIDDEN"), [], [0, 1, 2, 3, 4, 5, 6]),
        (InDataset("NONE"), [], [0, 1, 2, 3, 4, 5, 6]),
        (HasCustom("smoker", "yes"), [], []),
        (All((HasSex(Sex.FEMALE), HasTerm("HP:0000005"))), [0], [1, 2, 3]),
        (Any((HasSex(Sex.FEMALE), HasTerm("HP:0000005"))), [0, 1, 4], []),
        (All(()), [0, 1, 2, 3, 4, 5, 6], []),
        (Any(()), [], [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_what_is_known_of_each(seven: Evidence, cohort: Cohort, holding: list[int], failing: list[int]) -> None:
    truth = evaluate(cohort, seven)
    assert (members(truth.holds), members(truth.fails)) == (holding, failing)


def test_without_a_collection_year_ages_are_unknown(seven: Evidence) -> None:
    truth = evaluate(HasAge(), seven._replace(collection_year=None))
    assert (members(truth.holds), members(truth.fails)) == ([], [])


@pytest.mark.parametrize(
    ("cohort", "message"),
    [
        (HasTerm("HP:0009999"), "HP:0009999 is not in HP"),
        (HasTerm("seizure"), "not a CURIE"),
        (FromCountry("Estonia"), "two capital letters"),
        (HasCustom("a=b", "c"), "cannot be the name of a custom column"),
    ],
)
def test_what_cannot_be_meant_is_refused(seven: Evidence, cohort: Cohort, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        evaluate(All((HasSex(Sex.MALE), Not(cohort))), seven)


def test_each_leaf_is_read_once(seven: Evidence) -> None:
    asked: list[Allele] = []

    def carriers(allele: Allele) -> Truth:
        asked.append(allele)
        return nobody(allele)

    carrier = Carries(ALLELES[0])
    evaluate(Any((carrier, All((carrier, HasSex(Sex.MALE))), Not(carrier))), seven._replace(carriers=carriers))
    assert asked == [ALLELES[0]]


def test_who_knows_fewer_batches_is_not_disturbed_by_newcomers(connection: sa.Connection) -> None:
    size = 65_536
    one = add_dataset(connection, 1, ONE)
    enrol(connection, one, people(*(person(f"P{i}", sex=Sex.MALE) for i in range(size + 1))), ontology_for)
    truth = evaluate(HasSex(Sex.MALE), evidence(connection, size))
    assert (truth.holds.shape, bitmap.count(truth.holds)) == ((1, 8_192), size)
