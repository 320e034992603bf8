# SPDX-License-Identifier: Apache-2.0
"""Who is in a study, and their columns, from columns that are plain arrays."""

from typing import Any

import msgspec
import numpy as np

from megagenome.analytics.model import Table
from megagenome.analytics.people import StudyPeople, assembly_of, choose_people, parameters_of
from megagenome.analytics.relatives import relatives_of
from megagenome.collection.cohort import Everyone, HasCustom, Not
from megagenome.standards.study import (
    Age,
    Arm,
    Category,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Score,
    Sex,
    Site,
    StudyDocument,
    Survival,
    Variants,
    Weight,
    column_names,
)
from megagenome.standards.study_arrays import AlleleList
from tests.analytics.test_relatives import family
from tests.oracles.dense_scan import DenseScan

NAN = float("nan")
CASES, CONTROLS = '{"type":"sex","sex":"female"}', '{"type":"everyone"}'


class Values:
    """Five people with numbers 3, 5, 8, 13, 21."""

    people = 5
    numbers = np.array([3, 5, 8, 13, 21])
    sex = np.array([1.0, 0, 1, NAN, 0])
    age = np.array([40.0, 50, NAN, 60, 70])

    def measured(self, term: str) -> Any:
        return {"height": np.array([1.5, 1.6, 1.7, 1.8, NAN]), "weight": np.arange(5.0)}[term]

    def level(self, of: str, levels: Any) -> Any:
        assert (of, levels) == ("country", ("EE", "FI", "SE"))
        return np.array([0, 1, 2, -1, 2])

    def belongs(self, cohort: Any) -> Any:
        if cohort == HasCustom("dead", "yes"):
            return np.array([1, 0, -1, 1, 0], np.int8)
        if isinstance(cohort, Everyone):
            return np.ones(5, np.int8)
        women = np.array([1, 0, 1, -1, 0], np.int8)
        return np.array([0, 1, 0, -1, 1], np.int8) if isinstance(cohort, Not) else women


def document(method: Any) -> StudyDocument:
    return StudyDocument(1, "T", "P", CONTROLS, (Site("node.a", ("A",), "k"),), method)


VARIANTS = Variants("GRCh38")


def test_who_lacks_something_that_is_asked_is_left_out_and_counted() -> None:
    country = Category("country", ("EE", "FI", "SE"))
    method = Linear(VARIANTS, Measured("height"), (Sex(), country, Measured("weight")))
    found = choose_people(document(method), Values())
    assert found.numbers.tolist() == [3, 5, 8]
    assert found.incomplete == 2
    assert found.table.names == ("sex", "country=FI", "country=SE", "weight")
    assert found.table.covariates.tolist() == [[1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 1, 2]]
    assert found.table.trait.tolist() == [1.5, 1.6, 1.7]
    assert parameters_of(document(method)) == 6
    assert dict(found.recorded) == {"": 5, "sex": 4, "country": 4, "weight": 5, "height": 4}
    genotyped = np.array([True, True, False, False, False])
    found = choose_people(document(method), Values(), genotyped)
    assert dict(found.recorded)["genotypes of GRCh38"] == 2


def test_ages_and_groups() -> None:
    method = Logistic(VARIANTS, Group(CASES, CONTROLS), (Age(),))
    found = choose_people(document(method), Values())
    assert found.numbers.tolist() == [3, 5, 13, 21], "who is unknown to be a case and is a control is one"
    assert found.table.trait.tolist() == [1, 0, 0, 0]
    assert found.table.covariates[:, 0].tolist() == [40, 50, 60, 70]
    method = Logistic(VARIANTS, Group(CASES, '{"type":"not","part":' + CASES + "}"), ())
    found = choose_people(document(method), Values())
    assert found.table.trait.tolist() == [1, 0, 1, 0], "nobody of whom it is unknown"


def test_a_study_of_no_variables_is_of_everybody() -> None:
    found = choose_people(document(Frequencies(VARIANTS)), Values())
    assert (found.numbers.tolist(), found.incomplete) == ([3, 5, 8, 13, 21], 0)
    assert (found.table.trait.shape, found.table.covariates.shape) == ((0,), (5, 0))
    genotyped = np.array([True, False, True, True, False])
    found = choose_people(document(Frequencies(VARIANTS)), Values(), genotyped)
    assert (found.numbers.tolist(), found.incomplete) == ([3, 8, 13], 2)
    assert parameters_of(document(Frequencies(VARIANTS))) == 0


def test_survival_has_the_event_and_the_place_of_the_group() -> None:
    women, others = Arm("women", CASES), Arm("others", '{"type":"not","part":' + CASES + "}")
    method = Survival(Measured("weight"), "dead", "yes")
    found = choose_people(document(method), Values())
    assert (found.numbers.tolist(), found.incomplete) == ([3, 5, 13, 21], 1)
    assert found.table.covariates.tolist() == [[1, 0], [0, 0], [1, 0], [0, 0]]
    assert found.table.trait.tolist() == [0, 1, 3, 4]
    two = msgspec.structs.replace(method, groups=(others, women))
    found = choose_people(document(two), Values())
    assert found.numbers.tolist() == [3, 5, 21]
    assert found.table.covariates.tolist() == [[1, 1], [0, 0], [0, 0]]
    same = choose_people(document(msgspec.structs.replace(method, groups=(women, women))), Values())
    assert same.table.covariates[:, 1].tolist() == [0], "nobody is told whether somebody is in both"
    assert [each.tolist() for each in found.members()] == [[5, 21], [3]]


def test_the_assembly_of_what_a_study_reads() -> None:
    weights = (Weight("22", 1, "A", "C", 0.5),)
    for method, assembly in (
        (Frequencies(VARIANTS), "GRCh38"),
        (Score("GRCh37", "PGS1", weights), "GRCh37"),
        (Survival(Measured("weight"), "dead"), None),
    ):
        assert assembly_of(document(method)) == assembly


def test_names_of_columns() -> None:
    variables = (Measured("LOINC:8302-2"), Sex(), Age(), Category("x", ("a", "b", "c")), Group(CASES, CONTROLS))
    assert column_names(variables) == ("LOINC:8302-2", "sex", "age", "x=b", "x=c", "group")


def test_of_duplicates_one_is_left_and_relatives_are_counted_among_those_who_stay() -> None:
    calls = family(2_500).calls

    class Whole:
        def list_alleles(self, assembly: str, _regions: Any, _least: int) -> AlleleList:
            n = len(calls)
            return AlleleList(assembly, ("1",), np.zeros(n, np.uint32), np.arange(n) * 100_000, (b"A\tC",) * n)

        def scan(self, _alleles: AlleleList) -> DenseScan:
            return DenseScan(calls)

    table = Table(np.arange(8.0), np.zeros((8, 0)), ())
    everybody = StudyPeople(np.arange(8) * 10, table, 3, np.zeros((8, 0), np.bool_))
    found, compared = relatives_of(Whole(), Variants("GRCh38"), 8)
    assert compared == 8
    left = everybody.independent(found, compared, leave_out=True)
    assert (left.numbers.tolist(), left.table.trait.tolist()) == ([0, 10, 20, 30, 40, 50, 70], [0, 1, 2, 3, 4, 5, 7])
    counts = left.counts()
    assert [counts[name] for name in ("people", "incomplete", "held_back", "duplicates")] == [7, 3, 0, 1]
    assert (counts["first_degree"], counts["not_compared"]) == (7, 0)
    kept = everybody.independent(found, compared, leave_out=False)
    assert (kept.counts()["people"], kept.counts()["first_degree"]) == (8, 9)
    fewer = left.only(np.array([0, 10, 70]))
    assert (fewer.counts()["first_degree"], fewer.counts()["held_back"]) == (0, 4)
    found, compared = relatives_of(Whole(), Variants("GRCh38"), 7)
    too_many = everybody.independent(found, compared, leave_out=True)
    assert too_many.numbers.tolist() == left.numbers.tolist()
    counts = too_many.counts()
    assert (counts["duplicates"], counts["first_degree"], counts["not_compared"]) == (1, 0, 7)
