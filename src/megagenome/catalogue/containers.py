# SPDX-License-Identifier: Apache-2.0
"""The FAIR Data Point itself and its catalogue, and the containers that lead from each resource to those below it.

A container lists all children that are published, whatever pages there are beside it: harvesters follow `ldp:contains`
alone, and GDI's ignores `Link` headers. Drafts are in none.
"""

from collections.abc import Sequence

from megagenome.catalogue.describe import EU, say_agent, type_vocabulary
from megagenome.catalogue.model import Listed, Listing, Offer, Place, Profile
from megagenome.catalogue.rdf import Description, Literal, term, value
from megagenome.standards.dataset_record import EHDS, Party


def describe_point(listing: Listing, place: Place, profile: Profile) -> Description:
    """The root: the service that tells of this node's catalogue."""
    said, at = Description(), place.root
    said.typed(at, "fdp:FAIRDataPoint", "fdp:MetadataService", "dcat:DataService", "dcat:Resource")
    said.text(at, "dct:title", f"FAIR Data Point of {place.name}", language="en")
    text = f"Which genomes {place.organisation} keeps at this node, and how to ask for them."
    said.text(at, "dct:description", text, language="en")
    said.text(at, "dcat:version", place.version)
    said.text(at, "fdp:fdpSoftwareVersion", f"Megagenome {place.version}")
    said.link(at, "fdp:metadataIdentifier", at)
    said.say(at, "fdp:metadataModified", *_changed(listing))
    said.link(at, "fdp:uiLanguage", "http://id.loc.gov/vocabulary/iso639-1/en")
    said.link(at, "dcat:endpointURL", at)
    said.link(at, "dcatap:applicableLegislation", EHDS)
    said.link(at, "fdp:metadataCatalog", place.catalog)
    _publish(said, at, place, profile)
    _contain(said, at, "catalog", "Catalogues", "fdp:metadataCatalog", [place.catalog])
    if profile is Profile.HEALTHDCAT_AP:
        type_vocabulary(said)
    return said


def describe_catalog(listing: Listing, place: Place, profile: Profile) -> Description:
    """The catalogue: the addresses of all datasets that are published."""
    said, at = Description(), place.catalog
    datasets = [place.dataset(each.dataset.id) for each in listing.published]
    said.typed(at, "dcat:Catalog", "dcat:Resource")
    said.text(at, "dct:title", f"Genomes at {place.name}", language="en")
    text = f"The datasets of genomes and clinical facts that {place.organisation} keeps and tells of."
    said.text(at, "dct:description", text, language="en")
    said.text(at, "dcat:version", place.version)
    if profile is Profile.GDI:  # DCAT-AP has no catalogue in anything but another catalogue
        said.link(at, "dct:isPartOf", place.root)
    said.say(at, "dct:modified", *_changed(listing))
    said.link(at, "dcatap:applicableLegislation", EHDS)
    said.link(at, "dcat:themeTaxonomy", EU + "data-theme")
    said.link(at, "foaf:homepage", place.url)
    said.link(at, "dcat:dataset", *datasets)
    said.link(at, "dcat:service", place.beacon)
    _publish(said, at, place, profile)
    _contain(said, at, "dataset", "Datasets", "dcat:dataset", datasets)
    if profile is Profile.HEALTHDCAT_AP:
        _type_targets(said, listing.published, place)
    return said


def contain_distributions(said: Description, listed: Listed, place: Place) -> None:
    """Let a dataset lead to the ways to it."""
    ways = [place.distribution(listed.dataset.id, offer) for offer in Offer]
    at = place.dataset(listed.dataset.id)
    _contain(said, at, "distribution", "Distributions", "dcat:distribution", ways)


def describe_page(at: str, prefix: str, children: Sequence[str]) -> Description:
    """Some of a container's children, for those who ask for a page of them."""
    said = Description()
    title, relation = PAGED[prefix]
    _contain(said, at, prefix, title, relation, children)
    return said


PAGED = {
    "catalog": ("Catalogues", "fdp:metadataCatalog"),
    "dataset": ("Datasets", "dcat:dataset"),
    "distribution": ("Distributions", "dcat:distribution"),
}
"""What a container is called and says of its children, by the beginning of their addresses."""


def _contain(said: Description, at: str, prefix: str, title: str, relation: str, children: Sequence[str]) -> None:
    container = f"{at}/page/{prefix}"
    said.typed(container, "ldp:DirectContainer")
    said.text(container, "dct:title", title)
    said.link(container, "ldp:membershipResource", at)
    said.say(container, "ldp:hasMemberRelation", term(relation))
    said.link(container, "ldp:contains", *children)


def _publish(said: Description, at: str, place: Place, profile: Profile) -> None:
    said.link(at, "dct:publisher", f"{at}#publisher")
    say_agent(said, f"{at}#publisher", Party(place.organisation, "", place.url), profile)


def _type_targets(said: Description, datasets: Sequence[Listed], place: Place) -> None:
    """What the catalogue links to, as far as DCAT-AP's shapes look it up in the data."""
    said.typed(EHDS, "eli:LegalResource")
    said.typed(place.url, "foaf:Document")
    said.typed(EU + "data-theme", "skos:ConceptScheme")
    said.text(EU + "data-theme", "dct:title", "Data theme", language="en")
    said.typed(place.beacon, "dcat:DataService")
    said.text(place.beacon, "dct:title", f"Beacon of {place.name}", language="en")
    said.link(place.beacon, "dcat:endpointURL", f"{place.url}/beacon/v2")
    for each in datasets:
        at, record = place.dataset(each.dataset.id), each.record
        said.typed(at, "dcat:Dataset")
        said.text(at, "dct:title", record.title, language=record.language)
        said.text(at, "dct:description", record.description, language=record.language)


def _changed(listing: Listing) -> tuple[Literal, ...]:
    return (value(listing.changed, "dateTime"),) if listing.changed else ()
