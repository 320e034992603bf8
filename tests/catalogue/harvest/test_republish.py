# SPDX-License-Identifier: Apache-2.0
"""What was harvested, told again: at addresses of the hub's, and otherwise as its source said it."""

import msgspec
from rdflib import DCAT, DCTERMS, FOAF, RDF, Graph, Literal, URIRef

from megagenome.catalogue.harvest.find import Listed, Resource
from megagenome.catalogue.harvest.model import Statement
from megagenome.catalogue.harvest.republish import HubPlace, tell_catalogue, tell_dataset, tell_point
from megagenome.catalogue.rdf import Description
from megagenome.catalogue.serialise import as_graph
from tests.portal.harvested import SINCE, source, view

HUB = HubPlace("https://hub.example.org", "Hub", "Institute", "1.0")
HERE, THERE = URIRef("https://hub.example.org/fairdp/dataset/d1"), URIRef("https://there.example/dataset/1")
CONTAINS = URIRef("http://www.w3.org/ns/ldp#contains")
STATUS = URIRef("http://www.w3.org/ns/adms#status")


def graph(said: Description) -> Graph:
    return as_graph(said.triples)


def stated(*statements: tuple[str, str, str]) -> tuple[Statement, ...]:
    return tuple((who, what, to, "", "", to.startswith("http")) for who, what, to in statements)


def told(*statements: Statement) -> Graph:
    shown = msgspec.structs.replace(view(), address="https://there.example/api/1")
    return graph(tell_dataset(HUB, Resource(shown, str(THERE), statements)))


def test_the_dataset_is_the_hubs_wherever_it_is_named_and_nothing_else_is() -> None:
    page = "https://there.example/page"
    found = told(
        *stated(
            (str(THERE), str(DCTERMS.publisher), f"{THERE}#publisher"),
            (f"{THERE}#publisher", str(FOAF.made), str(THERE)),
            (str(THERE), str(DCAT.landingPage), page),
        ),
        (str(THERE), str(DCTERMS.title), "Olá", "pt", "", False),
        (str(THERE), str(DCTERMS.extent), "3", "", "http://www.w3.org/2001/XMLSchema#integer", False),
    )
    assert (HERE, DCTERMS.publisher, URIRef(f"{THERE}#publisher")) in found
    assert (URIRef(f"{THERE}#publisher"), FOAF.made, HERE) in found
    assert (HERE, DCAT.landingPage, URIRef(page)) in found
    assert found.value(HERE, DCTERMS.title) == Literal("Olá", lang="pt")
    assert str(found.value(HERE, DCTERMS.extent).datatype).endswith("integer")
    assert THERE not in set(found.subjects()) | set(found.objects())
    assert found.value(HERE, DCTERMS.source) == URIRef("https://there.example/api/1")


def test_of_the_hub_itself_nobody_else_says_anything() -> None:
    """Of itself, of its other datasets, of who runs it."""
    hubs = ("https://hub.example.org", "https://hub.example.org/fairdp/dataset/d2", f"{HUB.root}#publisher")
    found = told(*stated(*((each, str(DCAT.landingPage), "https://phish.example") for each in hubs)))
    assert list(found.objects(None, DCAT.landingPage)) == []


def test_it_is_part_of_the_hubs_catalogue_and_of_no_other() -> None:
    found = told(*stated((str(THERE), str(DCTERMS.isPartOf), "https://there.example/catalog/9")))
    assert list(found.objects(HERE, DCTERMS.isPartOf)) == [URIRef("https://hub.example.org/fairdp/catalog/s")]


def test_of_what_is_gone_only_that_is_told() -> None:
    shown = msgspec.structs.replace(view("pt", gone=SINCE), address=str(THERE))
    statements = stated((str(THERE), str(DCTERMS.description), "secret"))
    found = graph(tell_dataset(HUB, Resource(shown, str(THERE), statements)))
    assert {each for each in found.predicates() if each != RDF.type} == {
        DCTERMS.source,
        DCTERMS.title,
        DCTERMS.identifier,
        DCTERMS.modified,
        STATUS,
    }
    assert str(found.value(HERE, STATUS)).endswith("dataset-status/WITHDRAWN")


def test_containers_lead_from_the_root_to_each_dataset() -> None:
    root = graph(tell_point(HUB, (source(), msgspec.structs.replace(source(), id="t"))))
    catalogues = {URIRef(f"https://hub.example.org/fairdp/catalog/{name}") for name in "st"}
    assert set(root.objects(None, CONTAINS)) == catalogues
    assert next(root.objects(URIRef(HUB.root), DCTERMS.publisher)) == URIRef(f"{HUB.root}#publisher")
    at = URIRef("https://hub.example.org/fairdp/catalog/s")
    catalogue = graph(tell_catalogue(HUB, source(), Listed(("d1", "d2"), SINCE)))
    assert set(catalogue.objects(None, CONTAINS)) == set(catalogue.objects(at, DCAT.dataset))
    assert len(set(catalogue.objects(at, DCAT.dataset))) == 2
    assert str(catalogue.value(at, DCTERMS.modified)) == SINCE
    assert catalogue.value(at, DCTERMS.source) == URIRef("https://ee.example/fairdp")
    empty = graph(tell_catalogue(HUB, source(), Listed((), "")))
    assert not list(empty.objects(at, DCTERMS.modified))
