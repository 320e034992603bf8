# SPDX-License-Identifier: Apache-2.0
"""What a Beacon says of itself: info, configuration, entry types, map, filtering terms, datasets."""

import msgspec

from megagenome.kernel.errors import Corrupt
from megagenome.standards.beacon.requests import API_VERSION, Granularity, RequestedSchema
from megagenome.standards.beacon.responses import ResponseMeta, ResponseSummary

_CONFIGURATION = "https://raw.githubusercontent.com/ga4gh-beacon/beacon-v2/main/framework/json/configuration"


class InformationalMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Who answers, in which schema."""

    beacon_id: str
    api_version: str = API_VERSION
    returned_schemas: tuple[RequestedSchema, ...] = ()


class Organization(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Who is responsible for a Beacon."""

    id: str
    name: str
    welcome_url: str = ""
    contact_url: str = ""


class BeaconNotes(msgspec.Struct, frozen=True, omit_defaults=True):
    """Ours, in a Beacon's `info`: the country (ISO 3166-1 alpha-2) whose genomes it answers for."""

    country: str = ""


class BeaconInfo(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Name, organization and versions of a Beacon. `version` is the software's, `api_version` the protocol's."""

    id: str
    name: str
    environment: str
    organization: Organization
    api_version: str = msgspec.field(default_factory=lambda: API_VERSION)
    description: str = ""
    version: str = ""
    welcome_url: str = ""
    info: BeaconNotes = BeaconNotes()


class InfoResponse(msgspec.Struct, frozen=True):
    """Answer of `/info`."""

    meta: InformationalMeta
    response: BeaconInfo


class NamedElement(msgspec.Struct, frozen=True):
    """An id with a name."""

    id: str
    name: str


class OntologyTerm(msgspec.Struct, frozen=True):
    """A CURIE with its label."""

    id: str
    label: str


class SchemaReference(msgspec.Struct, frozen=True, rename="camel"):
    """Where a schema is defined."""

    id: str
    name: str
    reference_to_schema_definition: str
    schema_version: str


class EntryType(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A kind of thing that can be asked for."""

    id: str
    name: str
    part_of_specification: str
    default_schema: SchemaReference
    ontology_term_for_this_type: OntologyTerm | None = None
    description: str = ""
    a_collection_of: tuple[NamedElement, ...] = ()
    non_filtered_queries_allowed: bool = True


class EntryTypes(msgspec.Struct, frozen=True, rename="camel"):
    """By entry type id."""

    entry_types: dict[str, EntryType]


class EntryTypesResponse(msgspec.Struct, frozen=True):
    """Answer of `/entry_types`."""

    meta: InformationalMeta
    response: EntryTypes


class MaturityAttributes(msgspec.Struct, frozen=True, rename="camel"):
    """`DEV`, `TEST` or `PROD`."""

    production_status: str


class SecurityAttributes(msgspec.Struct, frozen=True, rename="camel"):
    """What is answered without asking for a granularity, and to whom."""

    default_granularity: Granularity
    security_levels: tuple[str, ...]


class Configuration(msgspec.Struct, frozen=True, rename="camel"):
    """Maturity, security and entry types of a Beacon."""

    maturity_attributes: MaturityAttributes
    security_attributes: SecurityAttributes
    entry_types: dict[str, EntryType]
    schema: str = msgspec.field(name="$schema", default=f"{_CONFIGURATION}/beaconConfigurationSchema.json")


class ConfigurationResponse(msgspec.Struct, frozen=True):
    """Answer of `/configuration`."""

    meta: InformationalMeta
    response: Configuration


class Endpoint(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Where an entry type is served."""

    entry_type: str
    root_url: str


class BeaconMap(msgspec.Struct, frozen=True, rename="camel"):
    """By entry type id, what is served and nothing else."""

    endpoint_sets: dict[str, Endpoint]
    schema: str = msgspec.field(name="$schema", default=f"{_CONFIGURATION}/beaconMapSchema.json")


class MapResponse(msgspec.Struct, frozen=True):
    """Answer of `/map`."""

    meta: InformationalMeta
    response: BeaconMap


class FilteringTerm(msgspec.Struct, frozen=True, omit_defaults=True):
    """A filter that may be used. `type` is `ontology`, `alphanumeric` or `custom`; `values` are those allowed."""

    id: str
    type: str
    label: str = ""
    scopes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


class Resource(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An ontology that terms come from."""

    id: str
    name: str = ""
    url: str = ""
    version: str = ""
    name_space_prefix: str = ""
    iri_prefix: str = ""


class FilteringTerms(msgspec.Struct, frozen=True, rename="camel"):
    """Filters and the ontologies they come from."""

    filtering_terms: tuple[FilteringTerm, ...] = ()
    resources: tuple[Resource, ...] = ()


class FilteringTermsResponse(msgspec.Struct, frozen=True):
    """Answer of `/filtering_terms`."""

    meta: InformationalMeta
    response: FilteringTerms


class DatasetNotes(msgspec.Struct, frozen=True, omit_defaults=True):
    """Ours, in a dataset's `info`: whether the holder declared it open or synthetic; the smallest count it tells; the
    tiers in which allele frequencies and counts of people are told, and in words what that needs and how to get it."""

    open: bool = False
    floor: int | None = None
    assemblies: tuple[str, ...] = ()
    beacon_id: str = msgspec.field(name="beaconId", default="")
    alleles: str = ""
    people: str = ""
    access: str = ""


class Dataset(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A dataset in a Beacon's list."""

    id: str
    name: str
    description: str = ""
    create_date_time: str = ""
    update_date_time: str = ""
    info: DatasetNotes = DatasetNotes()


class Collections(msgspec.Struct, frozen=True):
    """Collections of one kind; datasets here."""

    collections: tuple[Dataset, ...]


class CollectionsResponse(msgspec.Struct, frozen=True, rename="camel"):
    """Answer of `/datasets`."""

    meta: ResponseMeta
    response_summary: ResponseSummary
    response: Collections


class _TheirCollections(msgspec.Struct, frozen=True):
    response: Collections


class _TheirTerms(msgspec.Struct, frozen=True):
    response: FilteringTerms


class _TheirInfo(msgspec.Struct, frozen=True):
    response: BeaconInfo


_collections = msgspec.json.Decoder(_TheirCollections, strict=False)
_terms = msgspec.json.Decoder(_TheirTerms, strict=False)
_info = msgspec.json.Decoder(_TheirInfo, strict=False)
_NOT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_datasets(body: bytes) -> tuple[Dataset, ...]:
    """Read another Beacon's `/datasets`. Raises `Corrupt`."""
    try:
        return _collections.decode(body).response.collections
    except _NOT as error:
        raise Corrupt(f"not a list of datasets: {error}") from None


def decode_filtering_terms(body: bytes) -> FilteringTerms:
    """Read another Beacon's `/filtering_terms`. Raises `Corrupt`."""
    try:
        return _terms.decode(body).response
    except _NOT as error:
        raise Corrupt(f"not a list of filtering terms: {error}") from None


def decode_info(body: bytes) -> BeaconInfo:
    """Read another Beacon's `/info`. Raises `Corrupt`."""
    try:
        return _info.decode(body).response
    except _NOT as error:
        raise Corrupt(f"not a Beacon's info: {error}") from None
