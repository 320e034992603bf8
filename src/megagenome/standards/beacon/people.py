# SPDX-License-Identifier: Apache-2.0
"""Individuals as a Beacon writes them, and its answer with their records. Beacon v2.1.1 default model.

The model has no way to write that a disease was excluded, nor a measured value without a unit that is a term: both
stand in `info`, so that nobody who reads the model alone takes them for something else.
"""

import msgspec

from megagenome.standards.beacon.responses import CountPrecision, ResponseMeta, ResponseSummary
from megagenome.standards.individuals import OntologyTerm


class ObservedDisease(msgspec.Struct, frozen=True, rename="camel"):
    """A diagnosis that was made."""

    disease_code: OntologyTerm


class Feature(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A feature that was looked for, and found unless `excluded`."""

    feature_type: OntologyTerm
    excluded: bool = False


class MeasuredQuantity(msgspec.Struct, frozen=True):
    """A number with its unit."""

    unit: OntologyTerm
    value: float


class AssayResult(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The result of an assay: a quantity or a term. `date` as YYYY-MM-DD."""

    assay_code: OntologyTerm
    measurement_value: MeasuredQuantity | OntologyTerm
    date: str = ""


class OtherResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """A measured value as the holder wrote it, where the model has no form for it."""

    assay: str
    value: str
    unit: str = ""
    time: str = ""


class IndividualNotes(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Ours, in an individual's `info`; what is unrecorded is not there.

    country    ISO 3166-1 alpha-2
    datasets   of those that were asked, the ones that the person is in
    columns    of the holder's own, by name
    """

    datasets: tuple[str, ...] = ()
    country: str = ""
    population: str = ""
    birth_year: int | None = None
    excluded_diseases: tuple[OntologyTerm, ...] = ()
    other_measures: tuple[OtherResult, ...] = ()
    columns: dict[str, str] = {}


class IndividualEntry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One person."""

    id: str
    sex: OntologyTerm
    diseases: tuple[ObservedDisease, ...] = ()
    phenotypic_features: tuple[Feature, ...] = ()
    measures: tuple[AssayResult, ...] = ()
    info: IndividualNotes = IndividualNotes()


class IndividualSet(msgspec.Struct, frozen=True, rename="camel"):
    """One dataset's people of a page; `results_count` are all who match."""

    id: str
    exists: bool
    results_count: int
    results: tuple[IndividualEntry, ...]
    set_type: str = "dataset"
    count_precision: CountPrecision = CountPrecision.EXACT


class IndividualSets(msgspec.Struct, frozen=True, rename="camel"):
    """The result sets."""

    result_sets: tuple[IndividualSet, ...]


class IndividualsResponse(msgspec.Struct, frozen=True, rename="camel"):
    """An answer with individual records."""

    meta: ResponseMeta
    response_summary: ResponseSummary
    response: IndividualSets
