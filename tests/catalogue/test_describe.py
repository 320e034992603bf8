# SPDX-License-Identifier: Apache-2.0
"""What HealthDCAT-AP release 8 demands of a dataset, by hand from the shapes of the Commission's validator
(https://code.europa.eu/healthdataeu/healthdcat-ap, cd7841f: shapes, ranges, controlled-vocabularies); and what GDI's
CKAN makes of its view, by hand from gdi-userportal-ckanext-fairdatapoint bb197dd and -ckanext-dcat 141359d."""

from collections import Counter

import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from rdflib import DCAT, DCTERMS, FOAF, OWL, RDF, RDFS, SKOS, Literal, Namespace, URIRef
from rdflib.term import Node

from megagenome.catalogue.check import check_shapes
from megagenome.catalogue.describe import describe_dataset, describe_distribution
from megagenome.catalogue.model import Listed, Offer, Profile
from megagenome.catalogue.serialise import as_graph
from megagenome.standards.dataset_record import DatasetRecord, DataUse, Governance, Party
from tests.catalogue.records import whole_records
from tests.catalogue.samples import PLACE, listed

CSVW = Namespace("http://www.w3.org/ns/csvw#")
CV, DPV = Namespace("http://data.europa.eu/m8g/"), Namespace("https://w3id.org/dpv#")
DCATAP, GEO = Namespace("http://data.europa.eu/r5r/"), Namespace("http://data.europa.eu/930/")
HEALTH = Namespace("http://healthdataportal.eu/ns/health#")
EU = "http://publications.europa.eu/resource/authority/"

ALWAYS = {
    DCTERMS.title,
    DCTERMS.description,
    DCTERMS.identifier,
    DCTERMS.accessRights,
    DCATAP.applicableLegislation,
    DCAT.distribution,
    DCAT.theme,
    HEALTH.hdab,
    HEALTH.healthCategory,
    HEALTH.hasStructuredData,
    HEALTH.hasVariables,  # as there are structured data
}
NON_PUBLIC = ALWAYS | {DCAT.contactPoint, DCAT.keyword, DCTERMS.type, DCTERMS.provenance}
ONCE = {DCTERMS.accessRights, DCTERMS.publisher, HEALTH.hdab, GEO.custodian, HEALTH.hasStructuredData}
RANGES = {
    HEALTH.analytics: DCAT.Distribution,
    HEALTH.hdab: FOAF.Agent,
    GEO.custodian: FOAF.Agent,
    HEALTH.healthCategory: SKOS.Concept,
    DPV.hasLegalBasis: DPV.LegalBasis,
    DPV.hasPersonalData: DPV.PersonalData,
    HEALTH.hasVariables: CSVW.TableGroup,
}
CONTACTED = (DCTERMS.publisher, HEALTH.hdab, GEO.custodian)
"""Organisations that have exactly one contact point."""


def described(found: Listed) -> tuple[rdflib.Graph, URIRef]:
    graph = as_graph(describe_dataset(found, PLACE, Profile.HEALTHDCAT_AP).triples)
    return graph, URIRef(PLACE.dataset(found.dataset.id))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(record=whole_records)
def test_a_whole_record_has_what_release_8_demands(record: DatasetRecord) -> None:
    graph, at = described(listed(record))
    said = Counter(graph.predicates(at))
    assert set(said) >= (NON_PUBLIC if record.access_rights == "NON_PUBLIC" else ALWAYS)
    assert {said[each] for each in ONCE} == {1}
    assert (at, DCAT.theme, URIRef(EU + "data-theme/HEAL")) in graph
    for property_, class_ in RANGES.items():
        assert all((each, RDF.type, class_) in graph for each in graph.objects(at, property_)), property_
    for each in CONTACTED:
        [contact] = graph.objects(graph.value(at, each), CV.contactPoint)
        assert (contact, RDF.type, CV.ContactPoint) in graph
        assert {CV.email, CV.contactPage} & set(graph.predicates(contact))
    for way in graph.subjects(RDF.type, DCAT.Distribution):
        assert (way, DCATAP.applicableLegislation, None) in graph
    for column in graph.subjects(RDF.type, CSVW.Column):
        assert set(graph.predicates(column)) == {RDF.type, CSVW.name, CSVW.title, CSVW.datatype, DCTERMS.description}


@pytest.mark.parametrize("party", [Party("Example biobank"), Party("Example biobank", url="https://example.org")])
def test_who_answers_for_open_data_can_be_written_to(party: Party) -> None:
    """Open data need state nothing; whom they do name has a contact point, which release 8 looks for."""
    record = DatasetRecord(publisher=party, hdab=party, governance=Governance(controller=party))
    problems = {each.field for each in check_shapes(listed(record, is_open=True), PLACE)}
    assert problems == (set() if party.url else {"publisher.email", "hdab.email", "governance.controller.email"})


def test_the_theme_health_is_asked_for() -> None:
    [problem] = check_shapes(listed(DatasetRecord(themes=("TECH",)), is_open=True), PLACE)
    assert problem.field == "themes"
    assert check_shapes(listed(DatasetRecord(themes=("TECH", "HEAL")), is_open=True), PLACE) == ()


@pytest.mark.parametrize(
    ("is_open", "synthetic", "kind"),
    [
        (False, False, "PERSONAL_DATA"),
        (False, True, "SYNTHETIC_DATA"),
        (True, True, "SYNTHETIC_DATA"),
        (True, False, ""),
    ],
)
def test_only_what_is_about_people_is_called_personal(*, is_open: bool, synthetic: bool, kind: str) -> None:
    found = listed(is_open=is_open)
    graph, at = described(found._replace(record=replace(found.record, synthetic=synthetic)))
    assert [str(each).rpartition("/")[2] for each in graph.objects(at, DCTERMS.type)] == ([kind] if kind else [])
    personal = {str(each).rpartition("#")[2] for each in graph.objects(at, DPV.hasPersonalData)}
    assert personal == ({"Age", "Gender", "Genetic", "MedicalHealth"} if kind == "PERSONAL_DATA" else set())


def harvested(found: Listed) -> tuple[rdflib.Graph, URIRef]:
    """What GDI's harvester puts together: the dataset's document, of each distribution what that says of itself, and
    of its service likewise. It follows no other address."""
    graph = as_graph(describe_dataset(found, PLACE, Profile.GDI).triples)
    for offer in Offer:
        way = URIRef(PLACE.distribution(found.dataset.id, offer))
        document = as_graph(describe_distribution(found, offer, PLACE, Profile.GDI).triples)
        for subject in (way, *document.objects(way, DCAT.accessService)):
            for property_, value in document.predicate_objects(subject):
                graph.add((subject, property_, value))
    return graph, URIRef(PLACE.dataset(found.dataset.id))


def shown(graph: rdflib.Graph, at: Node, property_: URIRef) -> set[str]:
    """The texts that GDI's portal shows, whose default language is English: of others it keeps an empty title."""
    texts = [text for value in graph.objects(at, property_) for text in (value, *graph.objects(value, RDFS.label))]
    return {str(text) for text in texts if isinstance(text, Literal) and text.language in (None, "en")}


@pytest.mark.parametrize("language", ["en", "et"])
def test_gdis_portal_shows_texts_in_any_language(language: str) -> None:
    found = listed()
    record = replace(found.record, language=language, title="T", population="P", keywords=("a", "b"))
    graph, at = harvested(found._replace(record=record))
    assert shown(graph, at, DCTERMS.title) == {"T"}
    assert shown(graph, at, DCTERMS.description) == {record.description}
    assert shown(graph, at, DCTERMS.provenance) == {record.provenance}
    assert shown(graph, at, HEALTH.populationCoverage) == {"P"}
    assert shown(graph, at, DCAT.keyword) == {"a", "b"}
    assert len(list(graph.objects(at, DCTERMS.title))) == len(list(graph.objects(at, DCTERMS.description))) == 1
    assert Literal("T", lang=language) in set(graph.objects(at))  # who knows languages finds it
    assert len(list(graph.objects(at, DCTERMS.language))) == 1
    assert shown(graph, at, DCAT.landingPage) == set()  # a label would stand for the address
    graph, at = described(found._replace(record=record))
    assert list(graph.objects(at, DCTERMS.title)) == [Literal("T", lang=language)]


def test_gdis_portal_shows_the_terms_of_use_with_the_way_to_the_data() -> None:
    found = listed()
    uses = (DataUse("DUO:0000007", ("MONDO:0005027 epilepsy",)), DataUse("DUO:0000021"))
    graph, _ = harvested(found._replace(record=replace(found.record, uses=uses)))
    access, beacon = (URIRef(PLACE.distribution(found.dataset.id, offer)) for offer in (Offer.ACCESS, Offer.BEACON))
    assert shown(graph, access, DCTERMS.rights) == {
        (
            "May be used for research into epilepsy (MONDO:0005027) only. "
            "Who uses it needs the approval of an ethics committee."
        )
    }
    [rights] = graph.objects(access, DCTERMS.rights)
    assert (rights, RDF.type, DCTERMS.RightsStatement) in graph
    assert (beacon, DCTERMS.rights, None) not in graph
    graph, _ = harvested(found._replace(record=replace(found.record, uses=())))
    assert (None, DCTERMS.rights, None) not in graph


def test_gdis_portal_shows_version_personal_data_and_service() -> None:
    found = listed()
    graph, at = harvested(found._replace(version="3"))
    assert shown(graph, at, OWL.versionInfo) == {"3"}
    assert len(list(graph.objects(at, DPV.hasPersonalData))) == 4
    [service] = graph.objects(None, DCAT.accessService)
    assert set(graph.objects(service, DCAT.servesDataset)) == {at}
    assert {DCTERMS.title, DCTERMS.description, DCAT.endpointURL} <= set(graph.predicates(service))
    assert len(list(graph.subjects(RDF.type, DCAT.Dataset))) == 1  # a second one might be taken for it


@pytest.mark.parametrize("is_open", [False, True])
def test_only_what_is_not_open_takes_a_permit(*, is_open: bool) -> None:
    found = listed(is_open=is_open)
    graph, _ = harvested(found)
    access = URIRef(PLACE.distribution(found.dataset.id, Offer.ACCESS))
    [title], [text] = shown(graph, access, DCTERMS.title), shown(graph, access, DCTERMS.description)
    assert ("by permit" in title, "without a permit" in text) == (not is_open, is_open)
