# SPDX-License-Identifier: Apache-2.0
"""Phenopackets as people: what is read, what is refused, and 320 published cases."""

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from megagenome.collection.model import Sex
from megagenome.collection.people import Fact, FactKind, Person, Status
from megagenome.collection.read_people import read_people
from megagenome.collection.read_people_beacon import JsonPeople
from megagenome.collection.vocabulary import Vocabulary
from megagenome.kernel.errors import Invalid

FEATURE = {"type": {"id": "HP:1"}}
PACKET = {
    "id": "PMID_1",
    "subject": {"id": "P1", "sex": "FEMALE", "dateOfBirth": "1980-04-01T00:00:00Z"},
    "phenotypicFeatures": [
        {"type": {"id": "HP:0001250", "label": "Seizure"}, "onset": {"age": {"iso8601duration": "P1Y"}}},
        {"type": {"id": "HP:0000348"}, "excluded": True},
    ],
    "diseases": [
        {"term": {"id": "OMIM:147791", "label": "Jacobsen syndrome"}},
        {"term": {"id": "MONDO:1"}, "excluded": True},
    ],
    "measurements": [
        {
            "assay": {"id": "LOINC:8308-9", "label": "Height"},
            "value": {"quantity": {"unit": {"id": "UCUM:cm", "label": "cm"}, "value": 179.5}},
            "timeObserved": {"timestamp": "2021-09-24T00:00:00Z"},
        },
        {"assay": {"id": "LOINC:1-8"}, "value": {"ontologyClass": {"id": "NCIT:C38757"}}},
        {"assay": {"id": "LOINC:2-6"}, "complexValue": {"typedQuantities": []}},
    ],
    "interpretations": [{"id": "i"}],
    "metaData": {"phenopacketSchemaVersion": "2.0"},
}


def read(*packets: dict[str, Any]) -> tuple[list[Person], Counter[str], str]:
    left_out = Counter[str]()
    lines = [json.dumps(packet) + "\n" for packet in packets]
    people = JsonPeople(iter(lines), "people.jsonl", Vocabulary(lambda _term: None), left_out)
    return [person for _, person in people], left_out, people.kind


def test_a_whole_packet() -> None:
    [person], left_out, kind = read(PACKET)
    assert kind == "phenopackets"
    assert (person.individual_id, person.sex, person.birth_year, person.consent) == ("P1", Sex.FEMALE, 1980, None)
    assert person.facts == (
        Fact(FactKind.PHENOTYPE, "HP:0001250"),
        Fact(FactKind.PHENOTYPE, "HP:0000348", Status.EXCLUDED),
        Fact(FactKind.DISEASE, "OMIM:147791"),
        Fact(FactKind.DISEASE, "MONDO:1", Status.EXCLUDED),
        Fact(FactKind.MEASURE, "LOINC:8308-9", value="179.5", unit="UCUM:cm", time="2021-09-24T00:00:00Z"),
        Fact(FactKind.MEASURE, "LOINC:1-8", value="NCIT:C38757"),
    )
    assert left_out == {"interpretations": 1, "measurements of several quantities": 1}


@pytest.mark.parametrize(
    ("sex", "means"), [("MALE", Sex.MALE), ("OTHER_SEX", Sex.UNKNOWN), (1, Sex.FEMALE), (0, Sex.UNKNOWN)]
)
def test_sex(sex: object, means: Sex) -> None:
    [person], _, _ = read({"subject": {"id": "P", "sex": sex}})
    assert person.sex is means


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"subject": {"id": "P1", "sex": "BOTH"}}, "line 1: (P1) sex 'BOTH'"),
        ({"subject": {"id": ""}}, "the subject has no id"),
        ({"subject": {"sex": "MALE"}}, "missing required field `id`"),
        ({"subject": {"id": "P1", "dateOfBirth": "1.4.80"}}, "dateOfBirth '1.4.80'"),
        ({"phenotypicFeatures": [{"type": {"id": "HP:1"}, "negated": True}]}, "a phenopacket of version 1"),
        ({"phenotypicFeatures": [{"type": {"id": "seizure"}}]}, "(P1)"),
        (
            {"phenotypicFeatures": [{"type": {"id": "HP:1"}}, {"type": {"id": "HP:1"}, "excluded": True}]},
            "both observed",
        ),
        ({"measurements": [{"assay": {"id": "LOINC:1-8"}, "value": {}}]}, "measurement LOINC:1-8: it has no value"),
    ],
)
def test_what_cannot_be_understood(change: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid) as error:
        read(PACKET | change)
    assert says in str(error.value)


def test_families_are_refused() -> None:
    with pytest.raises(Invalid, match="a Family or a Cohort of phenopackets"):
        read({"id": "f", "proband": PACKET})


@pytest.mark.shared
def test_published_cases(shared: Path) -> None:
    path = shared / "data/phenopackets/phenopackets.jsonl.gz"
    packets = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    by_id: dict[str, dict[str, Any]] = {}
    for packet in packets:
        by_id.setdefault(packet["subject"]["id"], packet)
    one_each, _, _ = read(*by_id.values())
    persons = {person.individual_id: person for person in one_each}
    assert len(persons) > 200
    for name, packet in by_id.items():
        person = persons[name]
        assert person.sex.value == {"FEMALE": "female", "MALE": "male"}.get(packet["subject"].get("sex", ""), "unknown")
        features = {(f["type"]["id"], bool(f.get("excluded"))) for f in packet.get("phenotypicFeatures", [])}
        found = {(f.term, f.status is Status.EXCLUDED) for f in person.facts if f.kind is FactKind.PHENOTYPE}
        assert found == features
    with pytest.raises(Invalid, match="the individual stands twice"):  # people of several papers have one name
        read_people([path], lambda _term: None)
