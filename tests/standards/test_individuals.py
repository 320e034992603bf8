# SPDX-License-Identifier: Apache-2.0
"""Beacon individuals, as the model's own examples and other software write them."""

import msgspec
import pytest

from megagenome.standards.individuals import Individual, OntologyTerm, unread_parts

# the middle example of the model, shortened; `units` is how it is written there
EXAMPLE = {
    "id": "Ind001",
    "sex": {"id": "NCIT:C16576", "label": "female"},
    "ethnicity": {"id": "NCIT:C43851", "label": "European"},
    "diseases": [{"diseaseCode": {"id": "OMIM:164400"}, "familyHistory": False, "stage": {"id": "OGMS:0000119"}}],
    "measures": [
        {
            "assayCode": {"id": "LOINC:26515-7", "label": "Platelets"},
            "date": "2017-05-03",
            "measurementValue": {"units": {"id": "NCIT:C103452"}, "value": 55345},
        }
    ],
    "phenotypicFeatures": [{"featureType": {"id": "HP:0001250"}, "excluded": True}],
}


def decode(record: dict[str, object]) -> Individual:
    return msgspec.json.decode(msgspec.json.encode(record), type=Individual)


def test_the_parts_that_are_read() -> None:
    individual = decode(EXAMPLE)
    assert individual.sex == OntologyTerm("NCIT:C16576", "female")
    assert individual.diseases is not None
    assert [disease.disease_code.id for disease in individual.diseases] == ["OMIM:164400"]
    assert individual.phenotypic_features is not None
    assert [(one.feature_type.id, one.excluded) for one in individual.phenotypic_features] == [("HP:0001250", True)]
    assert individual.measures is not None
    assert individual.measures[0].measurement_value.units == OntologyTerm("NCIT:C103452")


def test_the_smallest_record_and_nulls() -> None:
    assert decode({"id": "P1"}) == decode({"id": "P1", "sex": None, "diseases": None, "measures": None})


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"id": 1},
        {"id": "P1", "diseases": [{}]},
        {"id": "P1", "diseases": {"diseaseCode": {"id": "A:1"}}},
        {"id": "P1", "phenotypicFeatures": [{"featureType": {"id": "HP:1"}, "excluded": "yes"}]},
        {"id": "P1", "measures": [{"assayCode": {"id": "A:1"}}]},
    ],
)
def test_other_shapes_are_refused(record: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(record)


def test_what_is_not_read_is_told() -> None:
    assert unread_parts(EXAMPLE | {"treatments": [], "info": None, "exposures": [{}]}) == ["ethnicity", "exposures"]
