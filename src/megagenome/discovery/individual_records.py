# SPDX-License-Identifier: Apache-2.0
"""What is recorded of a person as an individual of the Beacon model."""

import re
from collections.abc import Collection

from megagenome.collection.individual_records import IndividualRecord
from megagenome.collection.model import Sex
from megagenome.collection.people import Fact, FactKind, Status
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import UNKNOWN_COUNTRY, DatasetId
from megagenome.reference.ontology import OntologyFor
from megagenome.standards.beacon.people import (
    AssayResult,
    Feature,
    IndividualEntry,
    IndividualNotes,
    MeasuredQuantity,
    ObservedDisease,
    OtherResult,
)
from megagenome.standards.individuals import OntologyTerm

_SEXES = {
    Sex.FEMALE: OntologyTerm("NCIT:C16576", "female"),
    Sex.MALE: OntologyTerm("NCIT:C20197", "male"),
    Sex.UNKNOWN: OntologyTerm("NCIT:C17998", "unknown"),
}
_TERM = re.compile(r"\w[^:]+:.+")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def individual_entry(
    record: IndividualRecord, asked: Collection[DatasetId], ontology_for: OntologyFor
) -> IndividualEntry:
    """The entry of a person. Of a fact that was excluded it says so; what is unrecorded is not there."""
    observed, excluded = (
        [fact for fact in record.facts if fact.status is status] for status in (Status.OBSERVED, Status.EXCLUDED)
    )
    results = [_result(fact, ontology_for) for fact in observed if fact.kind is FactKind.MEASURE]
    return IndividualEntry(
        record.id,
        _SEXES[record.sex],
        tuple(ObservedDisease(term_of(f.term, ontology_for)) for f in observed if f.kind is FactKind.DISEASE),
        tuple(
            Feature(term_of(fact.term, ontology_for), fact.status is Status.EXCLUDED)
            for fact in record.facts
            if fact.kind is FactKind.PHENOTYPE
        ),
        tuple(result for result in results if isinstance(result, AssayResult)),
        IndividualNotes(
            tuple(dataset for dataset in record.datasets if dataset in asked),
            "" if record.country == UNKNOWN_COUNTRY else record.country,
            record.population,
            record.birth_year,
            tuple(term_of(f.term, ontology_for) for f in excluded if f.kind is FactKind.DISEASE),
            tuple(result for result in results if isinstance(result, OtherResult)),
            {fact.term: fact.value or "" for fact in observed if fact.kind is FactKind.CUSTOM},
        ),
    )


def term_of(curie: str, ontology_for: OntologyFor) -> OntologyTerm:
    """A term with its name, where the ontology that it is of is loaded."""
    ontology = ontology_for(curie)
    try:
        return OntologyTerm(curie, ontology.label(ontology.canonical(curie)) if ontology else "")
    except Invalid:  # of another release than the one that is loaded
        return OntologyTerm(curie)


def _result(fact: Fact, ontology_for: OntologyFor) -> AssayResult | OtherResult:
    """The result of an assay in the model's form, where it has one: a number with a unit that is a term, or a term."""
    value, unit = fact.value or "", fact.unit or ""
    assay, date = term_of(fact.term, ontology_for), fact.time
    if _DAY.fullmatch(date) or not date:
        if _NUMBER.fullmatch(value) and _TERM.fullmatch(unit):
            return AssayResult(assay, MeasuredQuantity(term_of(unit, ontology_for), float(value)), date)
        if _TERM.fullmatch(value) and not unit:
            return AssayResult(assay, term_of(value, ontology_for), date)
    return OtherResult(fact.term, value, unit, date)
