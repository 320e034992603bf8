# SPDX-License-Identifier: Apache-2.0
"""What the network's Beacon says of itself: info, service-info, configuration, map, entry types.

The map and the configuration list what is served, and nothing else.
"""

from megagenome import __version__
from megagenome.network.settings import HubIdentity
from megagenome.standards import beacon
from megagenome.standards.service_info import ServiceInfo, ServiceOrganization, ServiceType

PREFIX = "/beacon/v2"
"""Where the hub serves the network's Beacon."""

DESCRIPTION = "The Beacon of a network: every question is asked of all nodes, and their answers come as one"
ENVIRONMENT = "prod"

_SPECIFICATION = f"Beacon {beacon.API_VERSION}"
_MODEL = "https://raw.githubusercontent.com/ga4gh-beacon/beacon-v2/main/models/json/beacon-v2-default-model"
_FRAMEWORK = "https://raw.githubusercontent.com/ga4gh-beacon/beacon-v2/main/framework/json/responses"
_ROOTS = {"genomicVariant": "g_variants", "individual": "individuals", "dataset": "datasets"}


def schema_of(entity_type: str, folder: str) -> beacon.RequestedSchema:
    """The default schema of an entry type."""
    return beacon.RequestedSchema(entity_type, f"{_MODEL}/{folder}/defaultSchema.json")


VARIANT = schema_of("genomicVariant", "genomicVariations")
INDIVIDUAL = schema_of("individual", "individuals")
DATASET = schema_of("dataset", "datasets")


def _entry_type(schema: beacon.RequestedSchema, entry: str, name: str, term: beacon.OntologyTerm) -> beacon.EntryType:
    reference = beacon.SchemaReference(
        f"ga4gh-beacon-{entry}-v2.0.0", f"Default schema for {name.lower()}", schema.schema, "v2.0.0"
    )
    return beacon.EntryType(schema.entity_type, name, _SPECIFICATION, reference, term)


ENTRY_TYPES = {
    each.id: each
    for each in (
        _entry_type(VARIANT, "variant", "Genomic variants", beacon.OntologyTerm("ENSGLOSSARY:0000092", "Variant")),
        _entry_type(INDIVIDUAL, "individual", "Individuals", beacon.OntologyTerm("NCIT:C25190", "Person")),
        _entry_type(DATASET, "dataset", "Datasets", beacon.OntologyTerm("NCIT:C47824", "Data set")),
    )
}


def info(identity: HubIdentity, url: str) -> beacon.InfoResponse:
    """Answer of `/info`. `url` is the hub's public address."""
    return beacon.InfoResponse(
        _meta(identity, f"{_FRAMEWORK}/sections/beaconInfoResults.json"),
        beacon.BeaconInfo(
            identity.id,
            identity.name,
            ENVIRONMENT,
            beacon.Organization(identity.id, identity.organisation or identity.name, url),
            description=DESCRIPTION,
            version=__version__,
            welcome_url=url,
        ),
    )


def service_info(identity: HubIdentity, url: str) -> ServiceInfo:
    """GA4GH service-info of the network's Beacon."""
    return ServiceInfo(
        identity.id,
        identity.name,
        ServiceType("org.ga4gh", "beacon", beacon.API_VERSION),
        ServiceOrganization(identity.organisation or identity.name, url),
        __version__,
        DESCRIPTION,
        environment=ENVIRONMENT,
    )


def configuration(identity: HubIdentity) -> beacon.ConfigurationResponse:
    """Answer of `/configuration`."""
    response = beacon.Configuration(
        beacon.MaturityAttributes("PROD"),
        beacon.SecurityAttributes(beacon.Granularity.RECORD, ("PUBLIC",)),
        ENTRY_TYPES,
    )
    return beacon.ConfigurationResponse(_meta(identity, response.schema), response)


def entry_types(identity: HubIdentity) -> beacon.EntryTypesResponse:
    """Answer of `/entry_types`."""
    return beacon.EntryTypesResponse(
        _meta(identity, f"{_FRAMEWORK}/beaconEntryTypesResponse.json"), beacon.EntryTypes(ENTRY_TYPES)
    )


def beacon_map(identity: HubIdentity, url: str) -> beacon.MapResponse:
    """Answer of `/map`."""
    response = beacon.BeaconMap({name: beacon.Endpoint(name, f"{url}{PREFIX}/{root}") for name, root in _ROOTS.items()})
    return beacon.MapResponse(_meta(identity, response.schema), response)


def filtering_terms(identity: HubIdentity, terms: beacon.FilteringTerms) -> beacon.FilteringTermsResponse:
    """Answer of `/filtering_terms` with these terms."""
    return beacon.FilteringTermsResponse(
        _meta(identity, f"{_FRAMEWORK}/sections/beaconFilteringTermsResults.json"), terms
    )


def _meta(identity: HubIdentity, schema: str) -> beacon.InformationalMeta:
    return beacon.InformationalMeta(identity.id, returned_schemas=(beacon.RequestedSchema(schema=schema),))
