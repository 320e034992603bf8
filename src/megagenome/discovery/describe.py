# SPDX-License-Identifier: Apache-2.0
"""What this Beacon says of itself: info, service-info, configuration, map, entry types, datasets, filtering terms.

The map and the configuration list what is served, and nothing else.
"""

from collections.abc import Iterable, Sequence

from megagenome.collection.model import Dataset, FilteringTerm, Tier
from megagenome.discovery.model import Identity
from megagenome.discovery.settings import DiscoverySettings
from megagenome.reference.ontology import Ontology
from megagenome.standards import beacon
from megagenome.standards.service_info import ServiceInfo, ServiceOrganization, ServiceType

PREFIX = "/beacon/v2"
"""Where a node serves its Beacon."""

SPECIFICATION = f"Beacon {beacon.API_VERSION}"
_MODEL = "https://raw.githubusercontent.com/ga4gh-beacon/beacon-v2/main/models/json/beacon-v2-default-model"
_FRAMEWORK = "https://raw.githubusercontent.com/ga4gh-beacon/beacon-v2/main/framework/json/responses"

VARIANT = beacon.RequestedSchema("genomicVariant", f"{_MODEL}/genomicVariations/defaultSchema.json")
INDIVIDUAL = beacon.RequestedSchema("individual", f"{_MODEL}/individuals/defaultSchema.json")
DATASET = beacon.RequestedSchema("dataset", f"{_MODEL}/datasets/defaultSchema.json")

_PERMIT = (
    "The request parameter permit, an object {id, use} (by GET: permit=ID&use=research), names a permit of the caller, "
    "who is signed in or sends a passport as a bearer token. Counts are then exact counts of the permit's cohort, and "
    "at record granularity there are individuals and, for alleles, who carries them. /individuals/{id} needs one."
)


def _schema(name: str, entry: str, folder: str) -> beacon.SchemaReference:
    return beacon.SchemaReference(
        f"ga4gh-beacon-{entry}-v2.0.0",
        f"Default schema for a {name}",
        f"{_MODEL}/{folder}/defaultSchema.json",
        "v2.0.0",
    )


ENTRY_TYPES = {
    "genomicVariant": beacon.EntryType(
        "genomicVariant",
        "Genomic variants",
        SPECIFICATION,
        _schema("genomic variation", "variant", "genomicVariations"),
        beacon.OntologyTerm("ENSGLOSSARY:0000092", "Variant"),
        "Alleles and how often they are, by country, sex and population; by permit also who carries them",
        non_filtered_queries_allowed=False,
    ),
    "individual": beacon.EntryType(
        "individual",
        "Individuals",
        SPECIFICATION,
        _schema("individual", "individual", "individuals"),
        beacon.OntologyTerm("NCIT:C25190", "Person"),
        "How many people there are; records of them by permit",
    ),
    "dataset": beacon.EntryType(
        "dataset",
        "Datasets",
        SPECIFICATION,
        _schema("dataset", "dataset", "datasets"),
        beacon.OntologyTerm("NCIT:C47824", "Data set"),
        "Published datasets",
        (beacon.NamedElement("genomicVariant", "Genomic variants"), beacon.NamedElement("individual", "Individuals")),
    ),
}

_FIXED_TERMS = (
    beacon.FilteringTerm("NCIT:C16576", "ontology", "Female", ("individual",)),
    beacon.FilteringTerm("NCIT:C20197", "ontology", "Male", ("individual",)),
    beacon.FilteringTerm("age", "alphanumeric", "Age in whole years at collection", ("individual",)),
    beacon.FilteringTerm("country", "alphanumeric", "Country, ISO 3166-1 alpha-2", ("individual",)),
    beacon.FilteringTerm("dataset", "alphanumeric", "Dataset id", ("individual",)),
    beacon.FilteringTerm("population", "alphanumeric", "Population as the holder states it", ("individual",)),
    beacon.FilteringTerm("sex", "alphanumeric", "Sex", ("individual",), ("female", "male", "unknown")),
)
_RESOURCES = {
    "HP": ("Human Phenotype Ontology", "https://hpo.jax.org", "http://purl.obolibrary.org/obo/HP_"),
}
_NCIT = beacon.Resource(
    "ncit", "NCI Thesaurus", "https://ncit.nci.nih.gov", "", "NCIT", "http://purl.obolibrary.org/obo/NCIT_"
)


def service_info(identity: Identity, settings: DiscoverySettings) -> ServiceInfo:
    """GA4GH service-info of this Beacon; a node serves it at its root, too."""
    return ServiceInfo(
        identity.id,
        identity.name,
        ServiceType("org.ga4gh", "beacon", beacon.API_VERSION),
        ServiceOrganization(identity.organization_name, identity.organization_url),
        identity.version,
        identity.description,
        environment=settings.environment,
    )


def info(identity: Identity, settings: DiscoverySettings) -> beacon.InfoResponse:
    """Answer of `/info`."""
    organization = beacon.Organization(identity.organization_id, identity.organization_name, identity.organization_url)
    response = beacon.BeaconInfo(
        identity.id,
        identity.name,
        settings.environment,
        organization,
        description=identity.description,
        version=identity.version,
        welcome_url=identity.url,
        info=beacon.BeaconNotes(identity.country),
    )
    return beacon.InfoResponse(_meta(identity, f"{_FRAMEWORK}/sections/beaconInfoResults.json"), response)


def configuration(identity: Identity, settings: DiscoverySettings) -> beacon.ConfigurationResponse:
    """Answer of `/configuration`."""
    status = {"prod": "PROD", "dev": "DEV"}.get(settings.environment, "TEST")
    response = beacon.Configuration(
        beacon.MaturityAttributes(status),
        beacon.SecurityAttributes(beacon.Granularity.RECORD, ("PUBLIC", "REGISTERED", "CONTROLLED")),
        ENTRY_TYPES,
        beacon.ConfigurationNotes(_PERMIT),
    )
    return beacon.ConfigurationResponse(_meta(identity, response.schema), response)


def entry_types(identity: Identity) -> beacon.EntryTypesResponse:
    """Answer of `/entry_types`."""
    meta = _meta(identity, f"{_FRAMEWORK}/beaconEntryTypesResponse.json")
    return beacon.EntryTypesResponse(meta, beacon.EntryTypes(ENTRY_TYPES))


def beacon_map(identity: Identity) -> beacon.MapResponse:
    """Answer of `/map`."""
    base = f"{identity.url}{PREFIX}"
    carriers = beacon.RelatedEndpoint("individual", f"{base}/g_variants/{{id}}/individuals")
    response = beacon.BeaconMap(
        {
            "genomicVariant": beacon.Endpoint(
                "genomicVariant", f"{base}/g_variants", f"{base}/g_variants/{{id}}", {"individual": carriers}
            ),
            "individual": beacon.Endpoint("individual", f"{base}/individuals", f"{base}/individuals/{{id}}"),
            "dataset": beacon.Endpoint("dataset", f"{base}/datasets"),
        }
    )
    return beacon.MapResponse(_meta(identity, response.schema), response)


def filtering_terms(
    identity: Identity, terms: Iterable[FilteringTerm], ontologies: Sequence[Ontology], page: beacon.Pagination
) -> beacon.FilteringTermsResponse:
    """Answer of `/filtering_terms`: all that `/individuals` takes, without counts. All where no limit is said."""
    listed = [*_FIXED_TERMS, *(_term(term) for term in terms)]
    end = page.skip + page.limit if page.limit else None
    resources = [beacon_resource(ontology) for ontology in ontologies]
    response = beacon.FilteringTerms(tuple(listed[page.skip : end]), (*resources, _NCIT))
    return beacon.FilteringTermsResponse(
        _meta(identity, f"{_FRAMEWORK}/sections/beaconFilteringTermsResults.json"), response
    )


def beacon_resource(ontology: Ontology) -> beacon.Resource:
    """A loaded ontology as a resource of filtering terms."""
    name, url, iri = _RESOURCES.get(ontology.prefix, ("", "", ""))
    return beacon.Resource(ontology.prefix.lower(), name, url, ontology.version, ontology.prefix, iri)


def dataset(each: Dataset, floor: int) -> beacon.Dataset:
    """A dataset's entry in `/datasets`; `floor` is the one that holds for it. It has no count of people: that is asked
    of `/individuals`, which discloses it."""
    return beacon.Dataset(
        each.id,
        each.title or each.id,
        each.description,
        each.created,
        each.updated,
        beacon.DatasetNotes(
            each.open, floor, each.assemblies, alleles=each.alleles_tier, people=each.people_tier, access=_access(each)
        ),
    )


_NEEDED = {
    Tier.REGISTERED: "need registered access: sign in, accept the terms and have your standing as researcher confirmed",
    Tier.CONTROLLED: "need a permit: apply for access to this dataset",
}


def _access(each: Dataset) -> str:
    """What a dataset needs, in words: that it exists is told to everybody, because nobody asks for what they do not
    know of."""
    tiers = (("Allele frequencies", each.alleles_tier), ("Counts of people", each.people_tier))
    parts = [f"{what} {_NEEDED[tier]}." for what, tier in tiers if tier in _NEEDED]
    return " ".join([*parts, "Individual records need a permit: apply for access to this dataset."])


def _term(term: FilteringTerm) -> beacon.FilteringTerm:
    kind = "custom" if term.kind == "custom" else "ontology"
    return beacon.FilteringTerm(term.id, kind, term.label, ("individual",))


def _meta(identity: Identity, schema: str) -> beacon.InformationalMeta:
    return beacon.InformationalMeta(identity.id, returned_schemas=(beacon.RequestedSchema(schema=schema),))
