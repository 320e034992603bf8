# SPDX-License-Identifier: Apache-2.0
"""Beacon v2 individuals, the parts that are read.

GA4GH Beacon v2.1.1 default model, `individuals/defaultSchema.json`
(https://github.com/ga4gh-beacon/beacon-v2/tree/v2.1.1/models/json/beacon-v2-default-model/individuals).
Lenient in what is accepted: a bare string for a term, `units` for `unit` (the schema's own example has it), a
quantity nested as in Phenopackets. `unread_parts` tells what stands in a record and is not read.
"""

from typing import Any

import msgspec


class OntologyTerm(msgspec.Struct, frozen=True, omit_defaults=True):
    """`{id, label}`."""

    id: str
    label: str = ""


class Disease(msgspec.Struct, frozen=True, rename="camel"):
    """A diagnosis. `excluded` is not Beacon's but its source's, Phenopackets; overlooked, it would be reversed."""

    disease_code: OntologyTerm
    excluded: bool = False


class PhenotypicFeature(msgspec.Struct, frozen=True, rename="camel"):
    """A feature that was looked for, and found unless `excluded`."""

    feature_type: OntologyTerm
    excluded: bool = False


class Quantity(msgspec.Struct, frozen=True):
    """A number with a unit."""

    value: float | int
    unit: OntologyTerm | str | None = None
    units: OntologyTerm | str | None = None


class MeasurementValue(msgspec.Struct, frozen=True, rename="camel"):
    """One of three: a quantity (flat or nested), an ontology term, or several quantities (which are not read)."""

    value: float | int | None = None
    unit: OntologyTerm | str | None = None
    units: OntologyTerm | str | None = None
    quantity: Quantity | None = None
    id: str | None = None
    typed_quantities: list[Any] | None = None


class Measure(msgspec.Struct, frozen=True, rename="camel"):
    """The result of an assay."""

    assay_code: OntologyTerm
    measurement_value: MeasurementValue
    date: str | None = None


class Individual(msgspec.Struct, frozen=True, rename="camel"):
    """One individual, as far as it is read."""

    id: str
    sex: OntologyTerm | str | None = None
    diseases: tuple[Disease, ...] | None = None
    phenotypic_features: tuple[PhenotypicFeature, ...] | None = None
    measures: tuple[Measure, ...] | None = None


_READ_PARTS = frozenset(field.encode_name for field in msgspec.structs.fields(Individual))
_OTHER_PARTS = frozenset(
    {
        "ethnicity",
        "exposures",
        "geographicOrigin",
        "info",
        "interventionsOrProcedures",
        "karyotypicSex",
        "pedigrees",
        "treatments",
    }
)
"""Those of the schema that are not read."""


def is_individual(record: dict[str, Any]) -> bool:
    """Whether a record may be an individual's: it has nothing but an id, or some part besides that one of these has.

    A description of something else, such as of a dataset, has an id, too.
    """
    return len(record) < 2 or not (_READ_PARTS | _OTHER_PARTS).isdisjoint(record.keys() - {"id"})


def unread_parts(record: dict[str, Any]) -> list[str]:
    """Names of the filled parts of a record that `Individual` does not have."""
    return [name for name, part in record.items() if name not in _READ_PARTS and part not in (None, [], {})]
