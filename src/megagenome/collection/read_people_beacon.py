# SPDX-License-Identifier: Apache-2.0
"""JSON of people: Beacon v2 individuals (sex, diseases, phenotypic features and measures), or Phenopackets.

Ethnicity and geographic origin are not mapped to populations and countries (they answer another question), and no age
is, because an age without the year that it was told in gives no year of birth.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

import msgspec

from megagenome.collection.model import Sex
from megagenome.collection.people import Fact, FactKind, Person, parse_sex, parse_text, unite
from megagenome.collection.read_people_phenopackets import read_phenopacket
from megagenome.collection.vocabulary import Vocabulary
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import IndividualId
from megagenome.standards.individuals import Individual, Measure, OntologyTerm, is_individual, unread_parts
from megagenome.standards.phenopackets import is_collection, is_phenopacket

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_RECORD = msgspec.json.Decoder(dict[str, Any])
_INDIVIDUAL = msgspec.json.Decoder(Individual)

UNIT_LIMIT = 100
TIME_LIMIT = 40


class JsonPeople:
    """A file of Beacon individuals or Phenopackets: a JSON list, or JSON objects, one per line (or one in all).

    Iterate once: `(number, Person)`, where `number` counts lines, or records of a list (`unit` says which), from 1.
    `kind` says what they were, and `left_out` is filled meanwhile. A list is held in memory whole; lines are not.
    Raises `Invalid` at the first record that cannot be understood, with its place.
    """

    names_samples = False

    def __init__(self, lines: Iterator[str], name: str, vocabulary: Vocabulary, left_out: Counter[str]) -> None:
        self._lines = lines
        self._name = name
        self._vocabulary = vocabulary
        self._left_out = left_out
        self.unit = "line"
        self.kind = "beacon-individuals"

    def __iter__(self) -> Iterator[tuple[int, Person]]:
        for number, record in self._records():
            try:
                yield number, self._person(record)
            except (Invalid, msgspec.MsgspecError) as error:
                raise Invalid(f"{self._name} {self.unit} {number}: {error}") from None

    def _records(self) -> Iterator[tuple[int, msgspec.Raw | str]]:
        first = next(line for line in self._lines if line.strip())
        if first.lstrip().startswith("{") and _is_json(first):
            yield from ((n, line) for n, line in enumerate(chain((first,), self._lines), start=1) if line.strip())
            return
        self.unit = "record"
        whole = first + "".join(self._lines)
        if first.lstrip().startswith("{"):
            yield 1, whole
            return
        try:
            records = _LIST.decode(whole)
        except msgspec.MsgspecError as error:
            raise Invalid(f"{self._name}: not a list of Beacon individuals: {error}") from None
        yield from enumerate(records, start=1)

    def _person(self, text: msgspec.Raw | str) -> Person:
        record = _RECORD.decode(text)
        if is_phenopacket(record):
            self.kind = "phenopackets"
            return read_phenopacket(text, record, self._vocabulary, self._left_out)
        if is_collection(record):
            raise Invalid("this is a Family or a Cohort of phenopackets; give the phenopacket of each person")
        individual = _INDIVIDUAL.decode(text)
        if not is_individual(record):
            raise Invalid(f"({individual.id[:60]}) this is no individual: take it out if it describes something else")
        self._left_out.update(unread_parts(record))
        try:
            return Person(
                individual_id=IndividualId(parse_text("id", individual.id)),
                sex=_sex(individual.sex),
                facts=unite(self._facts(individual)),
            )
        except Invalid as error:
            raise Invalid(f"({individual.id[:60]}) {error}") from None

    def _facts(self, individual: Individual) -> Iterator[Fact]:
        fact = self._vocabulary.fact
        for feature in individual.phenotypic_features or ():
            found = feature.feature_type
            yield fact(FactKind.PHENOTYPE, found.id, excluded=feature.excluded, label=found.label)
        for disease in individual.diseases or ():
            found = disease.disease_code
            yield fact(FactKind.DISEASE, found.id, excluded=disease.excluded, label=found.label)
        for measure in individual.measures or ():
            if (value := _value(measure)) is None:
                self._left_out["measures of several quantities"] += 1
                continue
            assay = measure.assay_code
            yield fact(FactKind.MEASURE, assay.id, label=assay.label)._replace(
                value=parse_text("value", value),
                unit=_unit(measure),
                time=parse_text("date", measure.date or "", TIME_LIMIT),
            )


def _is_json(line: str) -> bool:
    try:
        _RECORD.decode(line)
    except msgspec.MsgspecError:
        return False
    return True


def _sex(sex: OntologyTerm | str | None) -> Sex:
    match sex:
        case None:
            return Sex.UNKNOWN
        case str():
            return parse_sex(sex)
        case OntologyTerm(id=term, label=label):
            try:
                return parse_sex(term)
            except Invalid:
                return parse_sex(label or term)


def _value(measure: Measure) -> str | None:
    """The measured value as text: a number or a term; None for a value of several quantities."""
    given = measure.measurement_value
    if given.typed_quantities is not None:
        return None
    value = given.quantity.value if given.quantity else given.value
    if value is None and given.id is None:
        raise Invalid(f"measure {measure.assay_code.id[:60]}: its measurementValue has no value")
    return given.id if value is None else str(value)


def _unit(measure: Measure) -> str | None:
    given = measure.measurement_value.quantity or measure.measurement_value
    unit = given.unit or given.units
    text = unit.id if isinstance(unit, OntologyTerm) else unit
    return parse_text("unit", text, UNIT_LIMIT) if text else None
