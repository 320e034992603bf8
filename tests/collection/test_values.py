# SPDX-License-Identifier: Apache-2.0
"""What is recorded of a reading's people, as columns: against their own records, one person at a time."""

import math
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.collection.cohort import Cohort, mentions_alleles
from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import Sex, Use
from megagenome.collection.people import Fact, FactKind, Person
from megagenome.collection.permits import store_permit
from megagenome.collection.values import PeopleValues
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import PermitId
from tests.collection import clocks
from tests.collection.files import statement
from tests.collection.nodes import HP, cohorts, people, person, persons
from tests.oracles.cohorts import Circumstances, holds

YEARS = {"ONE": None, "TWO": 2020, "THREE": 1990}


def values_of(collection: Collection, tables: dict[str, list[Person]]) -> PeopleValues:
    collection.journal = clocks.NoJournal()
    for name, some in tables.items():
        load(collection, statement(name, open=None, collection_year=YEARS[name]), people(*some))
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(datasets=list(tables)))
    collection.refresh()
    return collection.open(clocks.ALICE, Use.RESEARCH, permit=PermitId("permit-1")).values()


def names_of(collection: Collection, values: PeopleValues) -> list[str]:
    with collection.engine.connect() as connection:
        rows = connection.exec_driver_sql("select number, id from individual").all()
    names = {row[0]: row[1] for row in rows}
    return [names[number] for number in values.numbers.tolist()]


@settings(max_examples=25)
@given(some=persons(), asked=cohorts.filter(lambda cohort: not mentions_alleles(cohort)), later=st.integers(0, 8))
def test_columns_are_what_is_recorded_of_each(
    empty_collection: Path, some: list[Person], asked: Cohort, later: int
) -> None:
    with TemporaryDirectory() as folder:
        copytree(empty_collection, Path(folder) / "node")
        collection = Collection.open_folder(
            Path(folder) / "node", lambda curie: HP if curie.startswith("HP:") else None
        )
        tables = {"ONE": some, "TWO": some[later:], "THREE": some[: later // 2]}
        tables = {name: mine for name, mine in tables.items() if mine}
        values = values_of(collection, tables)
        by_name = {str(each.individual_id): each for each in some}
        names = names_of(collection, values)
        assert set(names) == {name for name, each in by_name.items() if each.consent and Use.RESEARCH in each.consent}
        belongs = values.belongs(asked)
        country, population = values.level("country", ["EE", "FI"]), values.level("population", ["south", "north"])
        site = values.level("site", ["b", "a"])
        for k, name in enumerate(names):
            each = by_name[name]
            datasets = [dataset for dataset, mine in tables.items() if each in mine]
            assert same(values.sex[k], {Sex.FEMALE: 1.0, Sex.MALE: 0.0}.get(each.sex))
            assert same(values.age[k], age(each, datasets))
            assert country[k] == index(["EE", "FI"], each.country)
            assert population[k] == index(["south", "north"], each.population)
            custom = [fact.value for fact in each.facts if fact.term == "site" and fact.kind is FactKind.CUSTOM]
            assert site[k] == index(["b", "a"], custom[0] if custom else None)
            told = [
                holds(asked, each, Circumstances(HP, frozenset(datasets), YEARS[dataset], {})) for dataset in datasets
            ]
            assert belongs[k] == (1 if True in told else 0 if False in told else -1)
        collection.close()


def age(each: Person, datasets: list[str]) -> float | None:
    years = [year for year in (YEARS[dataset] for dataset in datasets) if year is not None]
    if not years or each.birth_year is None or each.birth_year > years[0]:
        return None
    return years[0] - each.birth_year


def index(levels: list[str], value: str | None) -> int:
    return levels.index(value) if value in levels else -1


def same(found: float, expected: float | None) -> bool:
    return math.isnan(found) if expected is None else found == expected


def measure(term: str, value: str, unit: str | None = None, time: str = "") -> Fact:
    return Fact(FactKind.MEASURE, term, value=value, unit=unit, time=time)


def test_of_several_measures_the_latest_and_only_finite_numbers(collection: Collection) -> None:
    height, column = "LOINC:8302-2", "score"
    some = [
        person("A", measure(height, "170", "cm", "2010-05-01"), measure(height, "172.5", "cm", "2011-01-01")),
        person("B", measure(height, "180", "cm")),
        person("C", measure("LOINC:8308-9", "3", "cm")),
        *(person(f"D{k}", measure(height, text)) for k, text in enumerate(["nan", "inf", "tall", "", "1_7", "1e999"])),
        person("E", Fact(FactKind.CUSTOM, column, value="-1.5e2")),
    ]
    values = values_of(collection, {"ONE": some})
    names = names_of(collection, values)
    known = dict(zip(names, values.measured(height).tolist(), strict=True))
    assert {name: value for name, value in known.items() if not math.isnan(value)} == {"A": 172.5, "B": 180.0}
    assert known.keys() == {str(each.individual_id) for each in some}
    assert {name: v for name, v in zip(names, values.measured(column).tolist(), strict=True) if v == v} == {"E": -150.0}
    assert np.isnan(values.measured("LOINC:0")).all()


def test_a_measure_in_several_units_is_no_number(collection: Collection) -> None:
    some = [person("A", measure("X:1", "170", "cm")), person("B", measure("X:1", "1.7", "m"))]
    values = values_of(collection, {"ONE": some})
    with pytest.raises(Invalid, match=r"several units \(cm, m\)"):
        values.measured("X:1")


def test_nobody_has_empty_columns(collection: Collection) -> None:
    values = values_of(collection, {"ONE": [person("A", measure("X:1", "1"), consent=frozenset())]})
    assert values.people == 0
    assert values.sex.shape == values.age.shape == values.measured("X:1").shape == (0,)
