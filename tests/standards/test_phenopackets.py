# SPDX-License-Identifier: Apache-2.0
"""Phenopackets as types."""

import msgspec
import pytest

from megagenome.standards.phenopackets import (
    Phenopacket,
    TimeElement,
    is_collection,
    is_phenopacket,
    unread_parts,
)


def test_phenopackets_are_told_from_individuals_and_collections() -> None:
    packet = {"id": "PMID_1", "subject": {"id": "P1"}, "metaData": {}}
    assert is_phenopacket(packet)
    assert not is_phenopacket({"id": "P1", "sex": {"id": "NCIT:C16576"}})
    assert is_collection({"id": "f", "proband": packet, "pedigree": {}})
    assert is_collection({"id": "c", "members": [packet]})
    assert not is_collection(packet)


def test_what_is_not_read_is_told() -> None:
    record = {
        "id": "1",
        "subject": {},
        "interpretations": [{}],
        "files": [],
        "phenotypic_features": [1],
        "metaData": {},
    }
    assert unread_parts(record) == ["interpretations", "phenotypic_features"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"timestamp": "2021-09-24T00:00:00Z"}', "2021-09-24T00:00:00Z"),
        ('{"age": {"iso8601duration": "P6Y3M"}}', "P6Y3M"),
        ('{"ontologyClass": {"id": "HP:0003577", "label": "Congenital onset"}}', "HP:0003577"),
        ('{"ageRange": {"start": {}}}', ""),
        ("{}", ""),
    ],
)
def test_times(text: str, says: str) -> None:
    assert str(msgspec.json.decode(text, type=TimeElement)) == says


def test_a_subject_must_have_an_id() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode('{"id": "1", "subject": {"sex": "MALE"}}', type=Phenopacket)
