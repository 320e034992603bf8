# SPDX-License-Identifier: Apache-2.0
"""The record of a dataset: its metadata for catalogues and the governance that lets it be published, as one model.

Of it are made the GDI metadata profile (GDI metadata 1.1, https://github.com/GenomicDataInfrastructure/gdi-metadata),
HealthDCAT-AP (https://healthdcat-ap.github.io) over DCAT-AP 3.0.1 and schema.org's Dataset; holders write it as TOML or
JSON with these names. An empty text is what nobody stated. What is needed, and what a text may be, is in
`dataset_fields`; nothing here is personal data but the names of those who answer for the dataset.
"""

from typing import Annotated, Any

import msgspec

from megagenome.kernel.errors import Invalid

EHDS = "http://data.europa.eu/eli/reg/2025/327/oj"
"""Regulation (EU) 2025/327 on the European Health Data Space."""

LARGEST_BYTES = 200_000
Line = Annotated[str, msgspec.Meta(max_length=1_000)]
Text = Annotated[str, msgspec.Meta(max_length=20_000)]
Lines = Annotated[tuple[Line, ...], msgspec.Meta(max_length=100)]


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An organisation, or a contact point: its name, where to write to, and its page or registered address (ROR)."""

    name: Line = ""
    email: Line = ""
    url: Line = ""


class DataUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A term of the Data Use Ontology, such as `DUO:0000007`, and what it is limited to, such as diseases in MONDO."""

    term: Line
    values: Lines = ()


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something on paper: who gave it, its number or address there, and its day (ISO 8601)."""

    by: Line = ""
    reference: Line = ""
    on: Line = ""


class SignOff(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The contact point's word that all of this is right and may be published: who, in which function, which day."""

    name: Line = ""
    role: Line = ""
    on: Line = ""


class Governance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """On what ground the data may be used. `legal_basis` is a key of `dataset_fields.LEGAL_BASES`, `law` its words."""

    controller: Party = Party()
    legal_basis: Line = ""
    law: Text = ""
    ethics: Approval = Approval()
    dpia: Approval = Approval()
    sign_off: SignOff = SignOff()


class DatasetRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A dataset's metadata and governance.

    identifier         by the pattern of GDI, such as GDI-FI-COHORT-001
    access_rights      PUBLIC, RESTRICTED or NON_PUBLIC (EU authority table access-right)
    themes             codes of the EU authority table data-theme
    health_categories  keys of `dataset_fields.HEALTH_CATEGORIES`
    conforms_to        the kind of dataset by 1+MG: 1MGCompliant, 1MGCohort or ExternallyGoverned
    synthetic          nobody in it is real
    language           of these texts, ISO 639-1
    creator            who made the dataset; the publisher where it is empty
    hdab               the health data access body that decides on applications
    references         addresses of publications
    """

    title: Line = ""
    description: Text = ""
    identifier: Line = ""
    access_rights: Line = ""
    legislation: Lines = (EHDS,)
    themes: Lines = ("HEAL",)
    health_categories: Lines = ("human-genomic",)
    keywords: Lines = ()
    provenance: Text = ""
    population: Text = ""
    conforms_to: Line = ""
    synthetic: bool = False
    language: Line = "en"
    references: Lines = ()
    creator: Party = Party()
    publisher: Party = Party()
    contact: Party = Party()
    hdab: Party = Party()
    uses: Annotated[tuple[DataUse, ...], msgspec.Meta(max_length=50)] = ()
    governance: Governance = Governance()


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with one field, which is named as in a file: `publisher.email`."""

    field: str
    says: str


class RecordVersion(msgspec.Struct, frozen=True):
    """One state of a dataset's record; a draft is shown to stewards only and nothing is served of it."""

    version: int
    draft: bool
    by: str
    at: str
    record: DatasetRecord


def read_record(content: bytes, name: str) -> DatasetRecord:
    """A record from a file's content: JSON where `name` ends in `.json`, else TOML. Raises `Invalid` with the place."""
    if len(content) > LARGEST_BYTES:
        raise Invalid(f"{name}: a record of a dataset has {LARGEST_BYTES:,} bytes at most")
    decode = msgspec.json.decode if name.endswith(".json") else msgspec.toml.decode
    try:
        return decode(content, type=DatasetRecord)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"{name}: {error}") from None
    except ValueError as error:  # what the reader of TOML raises
        raise Invalid(f"{name}: not understood: {error}") from None


def encode_record(record: DatasetRecord) -> str:
    """The record as JSON, the same for the same record."""
    return msgspec.json.encode(record, order="deterministic").decode()


def decode_record(text: str) -> DatasetRecord:
    """A record that `encode_record` wrote."""
    return msgspec.json.decode(text, type=DatasetRecord)


def value_at(record: DatasetRecord, path: str) -> Any:
    """The value of a field by its name in a file, such as `governance.ethics.on`."""
    value: Any = record
    for name in path.split("."):
        value = getattr(value, name)
    return value


def with_value(record: DatasetRecord, path: str, value: Any) -> DatasetRecord:
    """The record with another value in one field."""
    name, _, rest = path.partition(".")
    inner = with_value(getattr(record, name), rest, value) if rest else value
    return msgspec.structs.replace(record, **{name: inner})
