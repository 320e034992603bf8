# SPDX-License-Identifier: Apache-2.0
"""Phenopackets as people: sex, year of birth, diseases, phenotypic features and measurements.

Ages are not read: without the day that they were told on they give no year of birth. A diagnosis that stands only in an
interpretation of variants is not read either, since it may have been refuted there.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from megagenome.collection.people import Fact, FactKind, Person, parse_sex, parse_text, unite
from megagenome.collection.vocabulary import Vocabulary
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import IndividualId
from megagenome.standards.phenopackets import SEXES, Measurement, Phenopacket, unread_parts

_PHENOPACKET = msgspec.json.Decoder(Phenopacket)
_YEAR = re.compile(r"((?:18|19|20)[0-9]{2})-[0-9]{2}-[0-9]{2}")
_TIME_LIMIT = 40


def read_phenopacket(
    text: msgspec.Raw | str, record: dict[str, Any], vocabulary: Vocabulary, left_out: Counter[str]
) -> Person:
    """The person of the phenopacket in `text`, of which `record` is the content. Raises `Invalid` for what cannot be
    understood, a phenopacket of version 1 among it, or contradicts itself."""
    packet = _PHENOPACKET.decode(text)
    if any(feature.negated is not None for feature in packet.phenotypic_features):
        raise Invalid("this is a phenopacket of version 1 (`negated`); write it as version 2 (`excluded`)")
    subject = packet.subject
    try:
        if subject.sex not in SEXES:
            raise Invalid(f"sex {str(subject.sex)[:20]!r}: use FEMALE, MALE, OTHER_SEX or UNKNOWN_SEX")  # noqa: TRY301 - its place is added below
        if not subject.id:
            raise Invalid("the subject has no id")  # noqa: TRY301 - its place is added below
        person = Person(
            individual_id=IndividualId(parse_text("subject", subject.id)),
            sex=parse_sex(SEXES[subject.sex]),
            birth_year=_birth_year(subject.date_of_birth),
            facts=unite(_facts(packet, vocabulary, left_out)),
        )
    except Invalid as error:
        raise Invalid(f"({subject.id[:60]}) {error}") from None
    left_out.update(unread_parts(record))
    return person


def _birth_year(text: str) -> int | None:
    if not text:
        return None
    if not (found := _YEAR.match(text)):
        raise Invalid(f"dateOfBirth {text[:30]!r}: use a time such as 1980-04-01T00:00:00Z")
    return int(found[1])


def _facts(packet: Phenopacket, vocabulary: Vocabulary, left_out: Counter[str]) -> Iterator[Fact]:
    for feature in packet.phenotypic_features:
        found = feature.type
        yield vocabulary.fact(FactKind.PHENOTYPE, found.id, excluded=feature.excluded, label=found.label)
    for disease in packet.diseases:
        found = disease.term
        yield vocabulary.fact(FactKind.DISEASE, found.id, excluded=disease.excluded, label=found.label)
    for measurement in packet.measurements:
        if measurement.complex_value is not None:
            left_out["measurements of several quantities"] += 1
        else:
            yield _measure(measurement, vocabulary)


def _measure(measurement: Measurement, vocabulary: Vocabulary) -> Fact:
    assay, value = measurement.assay, measurement.value
    time = parse_text("timeObserved", str(measurement.time_observed or ""), _TIME_LIMIT)
    fact = vocabulary.fact(FactKind.MEASURE, assay.id, label=assay.label)
    if value is not None and value.quantity is not None:
        quantity = value.quantity
        return fact._replace(value=str(quantity.value), unit=parse_text("unit", quantity.unit.id), time=time)
    if value is not None and value.ontology_class is not None:
        return fact._replace(value=parse_text("value", value.ontology_class.id), time=time)
    raise Invalid(f"measurement {assay.id[:60]}: it has no value")
