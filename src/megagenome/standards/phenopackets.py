# SPDX-License-Identifier: Apache-2.0
"""GA4GH Phenopackets 2.0 as JSON, the parts that are read.

Schema `phenopackets.schema.v2` (https://phenopacket-schema.readthedocs.io, ISO 4454), in the JSON form of Protocol
Buffers: names in camel case, enumerations by name. `unread_parts` tells what stands in a phenopacket and is not read.
"""

from typing import Any

import msgspec

from megagenome.standards.individuals import OntologyTerm


class Age(msgspec.Struct, frozen=True):
    """An age such as `P6Y3M`."""

    iso8601duration: str = ""


class TimeElement(msgspec.Struct, frozen=True, rename="camel"):
    """When something was, in one of the forms that are read."""

    timestamp: str = ""
    age: Age | None = None
    gestational_age: Any = None
    age_range: Any = None
    ontology_class: OntologyTerm | None = None

    def __str__(self) -> str:
        """As the holder wrote it; "" for ranges and gestational ages."""
        if self.timestamp:
            return self.timestamp
        if self.age:
            return self.age.iso8601duration
        return self.ontology_class.id if self.ontology_class else ""


class Subject(msgspec.Struct, frozen=True, rename="camel"):
    """The person."""

    id: str
    sex: str | int = "UNKNOWN_SEX"
    date_of_birth: str = ""


class Feature(msgspec.Struct, frozen=True):
    """A phenotypic feature, which was found unless `excluded`. `negated` is what version 1 called it."""

    type: OntologyTerm
    excluded: bool = False
    negated: bool | None = None


class Diagnosed(msgspec.Struct, frozen=True):
    """A disease, which the person has unless `excluded`."""

    term: OntologyTerm
    excluded: bool = False


class Quantity(msgspec.Struct, frozen=True):
    """A number with its unit."""

    unit: OntologyTerm
    value: float | int


class Value(msgspec.Struct, frozen=True, rename="camel"):
    """A measured value: a quantity or a term."""

    quantity: Quantity | None = None
    ontology_class: OntologyTerm | None = None


class Measurement(msgspec.Struct, frozen=True, rename="camel"):
    """The result of an assay; a `complex_value` is several quantities."""

    assay: OntologyTerm
    value: Value | None = None
    complex_value: Any = None
    time_observed: TimeElement | None = None


class Phenopacket(msgspec.Struct, frozen=True, rename="camel"):
    """One phenopacket, as far as it is read."""

    subject: Subject
    id: str = ""
    phenotypic_features: tuple[Feature, ...] = ()
    diseases: tuple[Diagnosed, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    meta_data: dict[str, Any] = {}


SEXES = {
    "FEMALE": "female",
    "MALE": "male",
    "OTHER_SEX": "other",
    "UNKNOWN_SEX": "",
    1: "female",
    2: "male",
    3: "other",
    0: "",
}
"""The enumeration `Sex`, by name and by number, in words."""

_READ_PARTS = frozenset(field.encode_name for field in msgspec.structs.fields(Phenopacket))


def unread_parts(record: dict[str, Any]) -> list[str]:
    """Names of the filled parts of a phenopacket that `Phenopacket` does not have."""
    return [name for name, part in record.items() if name not in _READ_PARTS and part not in (None, [], {}, "")]


def is_phenopacket(record: dict[str, Any]) -> bool:
    """True when the record is a GA4GH Phenopacket (v1 or v2), whose person is its `subject`."""
    return "subject" in record


def is_collection(record: dict[str, Any]) -> bool:
    """True for a Family or a Cohort, which hold several phenopackets."""
    return "proband" in record or "members" in record
