# SPDX-License-Identifier: Apache-2.0
"""The same fact under every name that profiles have for it, and nothing of what is none."""

import string
import unicodedata

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st

from megagenome.catalogue.harvest.understand import clean, understand_dataset, understand_way
from megagenome.standards.dataset_record import Party
from megagenome.standards.harvested import Described, Labelled, Way
from tests.catalogue.harvest.foreign import PREFIXES

AT = rdflib.URIRef("https://fdp.example.org/dataset/1")
MORE = """@prefix dpv: <https://w3id.org/dpv#> . @prefix cv: <http://data.europa.eu/m8g/> .
@prefix odrl: <http://www.w3.org/ns/odrl/2/> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix geo: <http://data.europa.eu/930/> . @prefix eu: <http://publications.europa.eu/resource/authority/> .
"""


def said(properties: str, more: str = "") -> Described:
    text = f"{PREFIXES}{MORE}<{AT}> a dcat:Dataset ; {properties} . {more}"
    return understand_dataset(rdflib.Graph().parse(data=text, format="turtle"), AT)


@pytest.mark.parametrize(
    ("properties", "access"),
    [
        ("dct:accessRights <http://publications.europa.eu/resource/authority/access-right/NON_PUBLIC>", "NON_PUBLIC"),
        ("dct:accessRights <https://publications.europa.eu/resource/authority/access-right/RESTRICTED>", "RESTRICTED"),
        ('dct:accessRights "open"', "PUBLIC"),
        ('dct:accessRights "non-public"', "NON_PUBLIC"),
        ('dct:accessRights "ask my secretary"', ""),
        ('dct:title "T"', ""),
    ],
)
def test_access_is_one_of_three_words_or_none(properties: str, access: str) -> None:
    assert said(properties).access == access


@pytest.mark.parametrize(
    "namespace",
    [
        "http://healthdataportal.eu/ns/health#",
        "http://healthdata.ec.europa.eu/ns/health#",
        "https://healthdcat-ap.github.io/#",
    ],
)
def test_what_is_of_healthdcat_ap_is_known_in_each_of_its_namespaces(namespace: str) -> None:
    found = said(
        f"""<{namespace}numberOfUniqueIndividuals> 1200 ; <{namespace}numberOfRecords> "3400"^^xsd:nonNegativeInteger ;
        <{namespace}hdab> [ foaf:name "Body" ; cv:contactPoint [ cv:email "body@example.org" ] ] ;
        <{namespace}populationCoverage> "Adults"@en ;
        <{namespace}healthCategory> <https://x.example/HGPD>, <https://x.example/EINS>"""
    )
    assert (found.people, found.records, found.population) == (1200, 3400, "Adults")
    assert found.hdab == Party("Body", "body@example.org")
    assert found.categories == (
        Labelled("EINS", "Health data from biobanks and associated databases"),
        Labelled("HGPD", "Human genetic, epigenomic and genomic data"),
    )


@pytest.mark.parametrize(
    ("party", "expected"),
    [
        (
            '[ foaf:name "A" ; foaf:mbox <mailto:a@x.example> ; foaf:homepage <https://x.example> ]',
            ("A", "a@x.example", 1),
        ),
        ('[ vcard:fn "A" ; vcard:hasEmail "a@x.example" ; vcard:hasURL <https://x.example> ]', ("A", "a@x.example", 1)),
        ('[ skos:prefLabel "A" ; dcat:contactPoint [ vcard:hasEmail <mailto:a@x.example> ] ]', ("A", "a@x.example", 0)),
        ('[ foaf:name "A" ; foaf:mbox <mailto:a@x.example?cc=b@x.example> ]', ("A", "", 0)),
        ("<https://x.example>", ("", "", 1)),
        ('"A"', ("A", "", 0)),
        ("<javascript:alert(1)>", ("", "", 0)),
        ('[ foaf:homepage <https://u:p@x.example> ; foaf:mbox "no mail" ]', ("", "", 0)),
    ],
)
def test_who_stands_behind_it_is_named_however_it_is_written(party: str, expected: tuple[str, str, int]) -> None:
    name, mail, has_page = expected
    assert said(f"dct:publisher {party}").publisher == Party(name, mail, "https://x.example" if has_page else "")


def test_gdis_categories_are_our_own_and_themes_have_names() -> None:
    found = said(
        """health:healthCategory <http://data.gdi.eu/core/p2/HealthCategoryHumanGenomic>, <urn:odd:thing> ;
        dcat:theme eu:data-theme_HEAL, <http://publications.europa.eu/resource/authority/data-theme/HEAL>""",
        '<urn:odd:thing> skos:prefLabel "Odd things" .',
    )
    labels = {each.value: each.label for each in found.categories}
    assert labels["human-genomic"] == "Human genomic data"
    assert labels["HEAL"] == "Health"
    assert "Odd things" in labels.values()


def test_terms_of_duo_are_found_wherever_they_stand() -> None:
    found = said(
        """odrl:hasPolicy [ dct:type <http://purl.obolibrary.org/obo/DUO_0000007> ; rdfs:label "Only epilepsy" ] ;
        dct:rights "DUO:0000042" ; dct:license <https://licence.example/DUO_9999999>"""
    )
    assert [each.value for each in found.uses] == ["DUO:0000007", "DUO:0000042", "DUO:9999999"]
    assert "certain diseases" in found.uses[0].label
    assert found.uses[2].label == "DUO:9999999"  # which is none that we know
    assert "Only epilepsy" in found.terms


@pytest.mark.parametrize(
    ("numbers", "people"),
    [
        ('"12"', 12),
        ('"12", "7", "x"', 7),
        ('"-3"', None),
        ('"1e9"', None),
        ('"٣"', None),
        (f'"{10**12}"', None),
        ("0", 0),
    ],
)
def test_a_number_of_people_is_the_least_that_is_one(numbers: str, people: int | None) -> None:
    assert said(f"health:numberOfUniqueIndividuals {numbers}").people == people


def test_moments_are_the_newest_that_are_any() -> None:
    found = said('dct:modified "2024-01-01", "2025-02-03T04:05:06Z"^^xsd:dateTime, "soon" ; dct:issued "someday"')
    assert (found.modified[:19], found.issued) == ("2025-02-03T04:05:06", "")


def test_the_language_of_a_title_may_be_known_by_its_label() -> None:
    assert said('dct:title "Genoomid" ; skos:prefLabel "Genoomid"@et').language == "et"
    assert said('dct:title "Genomes" ; skos:prefLabel "Genoomid"@et').language == ""
    assert said('dct:title "Genomes"@en ; skos:prefLabel "Genomes"@et').language == "en"


def test_english_is_chosen_and_else_what_there_is() -> None:
    assert said('dct:title "Un"@fr, "One"@en, "Eins"@de').language == "en"
    found = said('dct:title "Un"@fr')
    assert (found.title, found.language) == ("Un", "fr")


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        (
            "dct:title 'T' ; dcat:accessURL <https://x.example/a> ; dcat:mediaType <urn:x:media-types/text/csv>",
            Way("T", "", "https://x.example/a", "text/csv"),
        ),
        (
            "dcat:downloadURL <https://x.example/d> ; dcat:mediaType 'text/tab'",
            Way("", "", "https://x.example/d", "text/tab"),
        ),
        ("dcat:endpointURL <https://x.example/e>", Way("", "", "https://x.example/e", "")),
        ("dcat:accessURL <file:///etc/passwd>", Way()),
    ],
)
def test_a_way_is_where_it_leads_and_what_one_gets(properties: str, expected: Way) -> None:
    text = f"{PREFIXES}<{AT}> a dcat:Distribution ; {properties} ."
    assert understand_way(rdflib.Graph().parse(data=text, format="turtle"), AT) == expected


@given(st.text(st.characters() | st.sampled_from("\u202e\u2028\x00\x1b\n\r\x85"), max_size=60), st.integers(0, 40))
def test_no_text_steers_the_screen_or_is_longer_than_asked(text: str, most: int) -> None:
    found = clean(text, most)
    assert len(found) <= most
    assert not {each for each in found if unicodedata.category(each) == "Cc"} - {"\n"}
    assert not set(found) & set("\u2028\u2029\u202a\u202b\u202c\u202d\u202e")


@given(st.text(string.ascii_letters + " ", max_size=30))
def test_plain_words_stay(text: str) -> None:
    assert clean(text, 100) == text.strip()
