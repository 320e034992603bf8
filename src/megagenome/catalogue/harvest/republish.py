# SPDX-License-Identifier: Apache-2.0
"""What was harvested, told again as a FAIR Data Point of the hub's own, with the source of each dataset stated.

A dataset gets an address of the hub's, so that harvesters find it where the container leads; `dct:source` has the one
at its source, whose all other statements are as they were.
"""

from typing import NamedTuple

from megagenome.catalogue.harvest.find import Listed, Resource
from megagenome.catalogue.harvest.model import Statement
from megagenome.catalogue.model import ROOT
from megagenome.catalogue.rdf import IRI, Description, Literal, Triple, term, value
from megagenome.standards.dataset_record import EHDS
from megagenome.standards.harvested import Source

_EU = "http://publications.europa.eu/resource/authority/"
_IS_PART_OF = term("dct:isPartOf")


class HubPlace(NamedTuple):
    """The hub that serves the catalogue: its address without a slash at its end, its name, who runs it, its version."""

    url: str
    name: str
    organisation: str
    version: str

    @property
    def root(self) -> str:
        """The address of the FAIR Data Point."""
        return self.url + ROOT

    def catalog(self, source: str) -> str:
        """The address of what was harvested of a catalogue."""
        return f"{self.root}/catalog/{source}"

    def dataset(self, dataset: str) -> str:
        """The address of a dataset."""
        return f"{self.root}/dataset/{dataset}"


def tell_point(place: HubPlace, sources: tuple[Source, ...]) -> Description:
    """The root, which leads to one catalogue for each that is harvested."""
    said, at = Description(), place.root
    said.typed(at, "fdp:FAIRDataPoint", "fdp:MetadataService", "dcat:DataService", "dcat:Resource")
    said.text(at, "dct:title", f"FAIR Data Point of {place.name}", language="en")
    text = "Datasets of the network's nodes and of others, as harvested from their own catalogues."
    said.text(at, "dct:description", text, language="en")
    said.text(at, "fdp:fdpSoftwareVersion", f"Megagenome {place.version}")
    said.link(at, "dcat:endpointURL", at)
    said.link(at, "dcatap:applicableLegislation", EHDS)
    _publish(said, at, place)
    catalogues = [place.catalog(source.id) for source in sources]
    said.link(at, "fdp:metadataCatalog", *catalogues)
    _contain(said, at, "catalog", "fdp:metadataCatalog", catalogues)
    return said


def tell_catalogue(place: HubPlace, source: Source, listed: Listed) -> Description:
    """What was harvested of one catalogue."""
    said, at = Description(), place.catalog(source.id)
    addresses = [place.dataset(each) for each in listed.datasets]
    said.typed(at, "dcat:Catalog", "dcat:Resource")
    said.text(at, "dct:title", f"Datasets of {source.name}", language="en")
    said.text(at, "dct:description", f"As harvested from {source.url}", language="en")
    said.link(at, "dct:source", source.url)
    said.link(at, "dct:isPartOf", place.root)
    said.link(at, "dcatap:applicableLegislation", EHDS)
    if listed.changed:
        said.say(at, "dct:modified", value(listed.changed, "dateTime"))
    said.link(at, "dcat:dataset", *addresses)
    _publish(said, at, place)
    _contain(said, at, "dataset", "dcat:dataset", addresses)
    return said


def tell_dataset(place: HubPlace, found: Resource) -> Description:
    """One dataset as its source describes it; of one that is gone only that."""
    said, view = Description(), found.view
    at = place.dataset(view.id)
    said.typed(at, "dcat:Dataset", "dcat:Resource")
    said.link(at, "dct:source", view.address)
    if view.gone:
        said.text(at, "dct:title", view.title, language=view.described.language)
        said.text(at, "dct:identifier", *view.described.identifiers)
        said.link(at, "adms:status", f"{_EU}dataset-status/WITHDRAWN")
        said.say(at, "dct:modified", value(view.gone, "dateTime"))
        return said
    said.link(at, "dct:isPartOf", place.catalog(view.source.id))
    # nobody speaks of what is the hub's but the hub
    hubs = (f"{place.url}/", f"{place.url}#")
    theirs = (each for each in found.statements if each[0] == found.subject or not f"{each[0]}/".startswith(hubs))
    triples = (_triple(each, found.subject, at) for each in theirs)
    said.add(each for each in triples if each[:2] != (IRI(at), _IS_PART_OF))
    return said


def _triple(said: Statement, subject: str, at: str) -> Triple:
    who, property_, target, language, datatype, is_address = said
    object_ = IRI(at if target == subject else target) if is_address else Literal(target, language, datatype)
    return IRI(at if who == subject else who), IRI(property_), object_


def _publish(said: Description, at: str, place: HubPlace) -> None:
    publisher = f"{place.root}#publisher"
    said.link(at, "dct:publisher", publisher)
    said.typed(publisher, "foaf:Agent")
    said.text(publisher, "foaf:name", place.organisation)
    said.link(publisher, "foaf:homepage", place.url)


def _contain(said: Description, at: str, prefix: str, relation: str, children: list[str]) -> None:
    container = f"{at}/page/{prefix}"
    said.typed(container, "ldp:DirectContainer")
    said.link(container, "ldp:membershipResource", at)
    said.say(container, "ldp:hasMemberRelation", term(relation))
    said.link(container, "ldp:contains", *children)
