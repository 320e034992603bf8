# SPDX-License-Identifier: Apache-2.0
"""Beacon individuals as people."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from megagenome.collection.model import Sex
from megagenome.collection.people import Fact, FactKind, Person
from megagenome.collection.read_people_beacon import JsonPeople
from megagenome.collection.vocabulary import Vocabulary
from megagenome.kernel.errors import Invalid
from tests.collection.nodes import excluded, observed, ontology_for

WHOLE = {
    "id": "P1",
    "sex": {"id": "NCIT:C20197", "label": "male"},
    "ethnicity": {"id": "NCIT:C42331", "label": "African"},
    "diseases": [{"diseaseCode": {"id": "ICD10:I83", "label": "varicose veins"}}],
    "phenotypicFeatures": [
        {"featureType": {"id": "HP:0000070", "label": "ignored"}},
        {"featureType": {"id": "HP:0000004"}, "excluded": True},
    ],
    "measures": [
        {
            "assayCode": {"id": "LOINC:8308-9", "label": "Height-standing"},
            "date": "2021-09-24",
            "measurementValue": {"unit": {"id": "NCIT:C49668", "label": "Centimeter"}, "value": 179.2973},
        }
    ],
}


def read(text: str) -> tuple[list[Person], Vocabulary, Counter[str]]:
    vocabulary, left_out = Vocabulary(ontology_for), Counter[str]()
    people = JsonPeople(iter(text.splitlines(keepends=True)), "people.json", vocabulary, left_out)
    return [person for _, person in people], vocabulary, left_out


def one(**record: Any) -> Person:
    (person,), _, _ = read(json.dumps([{"id": "P1"} | record]))
    return person


def measure(value: Any, **more: Any) -> Iterator[Fact]:
    return iter(one(measures=[{"assayCode": {"id": "LOINC:1-8"}, "measurementValue": value} | more]).facts)


def refused(text: str) -> str:
    with pytest.raises(Invalid) as error:
        read(text)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_whole_record() -> None:
    (person,), vocabulary, left_out = read(json.dumps([WHOLE]))
    assert person == Person(
        individual_id="P1",
        sex=Sex.MALE,
        facts=(
            *observed("HP:0000007"),
            *excluded("HP:0000004"),
            *observed("ICD10:I83", kind=FactKind.DISEASE),
            Fact(FactKind.MEASURE, "LOINC:8308-9", value="179.2973", unit="NCIT:C49668", time="2021-09-24"),
        ),
    )
    assert vocabulary.labels == {
        "HP:0000007": "Focal seizure",
        "HP:0000004": "HP:0000004",
        "ICD10:I83": "varicose veins",
        "LOINC:8308-9": "Height-standing",
    }
    assert left_out == {"ethnicity": 1}


@pytest.mark.parametrize(
    "text",
    [
        '[{"id":"P1"},{"id":"P2"}]',
        '\n [\n{"id":"P1"},\n{"id":"P2"}\n]\n',
        '{"id":"P1"}\n{"id":"P2"}',
        '\n{"id":"P1"}\n\n{"id":"P2"}\n',
    ],
)
def test_lists_and_lines(text: str) -> None:
    assert [person.individual_id for person in read(text)[0]] == ["P1", "P2"]


def test_one_object_over_several_lines() -> None:
    assert read(json.dumps(WHOLE, indent=2))[0] == read(json.dumps([WHOLE]))[0]


@pytest.mark.parametrize(
    ("sex", "expected"),
    [
        ({"id": "NCIT:C16576"}, Sex.FEMALE),
        ({"id": "NCIT:C20197", "label": "Male"}, Sex.MALE),
        ({"id": "NCIT:C17998"}, Sex.UNKNOWN),
        ({"id": "PATO:0000383", "label": "female"}, Sex.FEMALE),
        ("MALE", Sex.MALE),
        (None, Sex.UNKNOWN),
    ],
)
def test_sex(sex: object, expected: Sex) -> None:
    assert one(sex=sex).sex is expected


@pytest.mark.parametrize("part", ["geographicOrigin", "karyotypicSex", "info"])
def test_one_part_of_an_individual_is_enough(part: str) -> None:
    people, _, left_out = read(json.dumps({"id": "P1", part: {"id": "A:1"}, "ours": 1}))
    assert [person.individual_id for person in people] == ["P1"]
    assert left_out == {part: 1, "ours": 1}


def test_an_excluded_disease_is_not_observed() -> None:
    diseases = [{"diseaseCode": {"id": "ICD10:I83"}, "excluded": True}]
    assert one(diseases=diseases).facts == excluded("ICD10:I83", kind=FactKind.DISEASE)


def test_measures_in_all_the_ways_they_are_written() -> None:
    expected = Fact(FactKind.MEASURE, "LOINC:1-8", value="5.5", unit="UCUM:mm[Hg]")
    for unit in ({"unit": {"id": "UCUM:mm[Hg]"}}, {"units": {"id": "UCUM:mm[Hg]"}}, {"unit": "UCUM:mm[Hg]"}):
        assert [*measure({"value": 5.5} | unit)] == [expected]
        assert [*measure({"quantity": {"value": 5.5} | unit})] == [expected]
    assert [*measure({"value": 0})] == [Fact(FactKind.MEASURE, "LOINC:1-8", value="0")]
    assert [*measure({"id": "NCIT:C38758", "label": "Positive"})] == [
        Fact(FactKind.MEASURE, "LOINC:1-8", value="NCIT:C38758")
    ]


def test_a_measure_may_be_repeated_at_another_time() -> None:
    measures = [
        {"assayCode": {"id": "LOINC:1-8"}, "measurementValue": {"value": value}, "date": date}
        for value, date in ((1, "2020"), (2, "2021"))
    ]
    assert [(fact.value, fact.time) for fact in one(measures=measures).facts] == [("1", "2020"), ("2", "2021")]


def test_measures_of_several_quantities_are_left_out_and_told() -> None:
    pressure = {"assayCode": {"id": "LOINC:85354-9"}, "measurementValue": {"typedQuantities": [{"quantity": {}}]}}
    (person,), _, left_out = read(json.dumps([{"id": "P1", "measures": [pressure]}]))
    assert person.facts == ()
    assert left_out == {"measures of several quantities": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"id":"P1"}', "people.json: not a list of Beacon individuals: Input data was truncated"),
        ('[{"id":"P1"},{"sex":null}]', "people.json record 2: Object missing required field `id`"),
        ('[{"id":"P1"},7]', "people.json record 2: Expected `object`, got `int`"),
        ('{"id":"P1"}\n{"id":"P2"', "people.json line 2: Input data was truncated"),
        ('{"id":"P1"}\n\n{"id":"P2","sex":"w"}', "people.json line 3: (P2) sex 'w': use female"),
        ('{"id":"GDI-EE-1","title":"A cohort"}', "people.json line 1: (GDI-EE-1) this is no individual"),
        ('[{"id":"P1","diseases":[{"diseaseCode":{"id":"x"}}]}]', "people.json record 1: (P1) 'x' is not a CURIE"),
        (
            '[{"id":"P1","phenotypicFeatures":[{"featureType":{"id":"HP:0009999"}}]}]',
            "people.json record 1: (P1) HP:0009999 is not in HP",
        ),
        (
            '[{"id":"P1","measures":[{"assayCode":{"id":"LOINC:1-8"},"measurementValue":{}}]}]',
            "people.json record 1: (P1) measure LOINC:1-8: its measurementValue has no value",
        ),
        (
            json.dumps(
                [{"id": "P1", "diseases": [{"diseaseCode": {"id": "A:1"}, "excluded": e} for e in (True, False)]}]
            ),
            "people.json record 1: (P1) A:1 is both observed and excluded",
        ),
    ],
)
def test_records_that_are_refused(text: str, message: str) -> None:
    assert refused(text).startswith(message)
