# SPDX-License-Identifier: Apache-2.0
"""Descriptions of anybody are read as what they say, and hostile ones as nothing."""

import pytest

from benchmarks.parts.stub_catalogue import SAMPLE, descriptions
from megagenome.catalogue.harvest.model import Kind, Read
from megagenome.catalogue.harvest.read import read_description
from megagenome.kernel.errors import Corrupt
from megagenome.standards.dataset_record import Party
from tests.catalogue.harvest.foreign import PREFIXES

AT = "https://fdp.example.org/dataset/1"


def read(turtle: str, at: str = AT) -> Read:
    return read_description(at, (PREFIXES + turtle).encode())


def test_a_nodes_own_description_is_understood_whole() -> None:
    url = "https://node.example.org"
    content = dict(descriptions(url, 1))[f"/fairdp/dataset/{SAMPLE}"]
    found = read_description(f"{url}/fairdp/dataset/{SAMPLE}", content)
    said = found.described
    assert said is not None
    assert (found.kind, len(found.children), said.identifiers, said.people) == (Kind.DATASET, 2, (SAMPLE,), 40)
    assert said.access == "NON_PUBLIC"
    assert [each.value for each in said.uses] == ["DUO:0000006", "DUO:0000021", "DUO:0000045"]
    assert [each.value for each in said.categories] == ["human-genomic", "HEAL"]
    assert said.contact.email == "contact@example.org"
    assert said.legal_bases == ("Consent",)


@pytest.mark.parametrize("at", [AT, AT + "/", AT.replace("https", "http")])
def test_an_address_is_the_same_with_a_slash_and_by_http(at: str) -> None:
    found = read(f'<{AT}> a dcat:Dataset ; dct:title "One" .', at)
    assert found.described is not None
    assert (found.described.title, found.subject) == ("One", AT)


def test_a_dataset_without_anything_is_one() -> None:
    found = read("[] a dcat:Catalog . <urn:uuid:1> a dcat:Dataset .")
    assert found.kind is Kind.DATASET
    assert found.described is not None
    assert found.described.people is None


def test_english_comes_first_and_blank_nodes_are_followed() -> None:
    said = read(
        f"""<{AT}> a dcat:Dataset ; dct:title "Zwei"@de, "Two"@en-GB ; dcat:contactPoint [ vcard:fn "Desk" ;
        vcard:hasEmail <mailto:desk@example.org> ] ; dct:publisher <https://ror.org/1> ;
        dct:rights <http://purl.obolibrary.org/obo/DUO_0000042> ; health:numberOfUniqueIndividuals "12", "x" ;
        dcat:distribution [ a dcat:Distribution ; dcat:accessURL <https://data.example.org/> ] ."""
    ).described
    assert said is not None
    assert (said.title, said.language, said.people) == ("Two", "en-GB", 12)
    assert said.contact == Party("Desk", "desk@example.org")
    assert said.publisher == Party("", "", "https://ror.org/1")
    assert [each.value for each in said.uses] == ["DUO:0000042"]
    assert [way.address for way in said.ways] == ["https://data.example.org/"]


def test_nothing_that_runs_or_misleads_is_kept() -> None:
    found = read(
        f"""<{AT}> a dcat:Dataset ; dct:title "a\\u202Eb\\u0007c" ; dcat:landingPage <javascript:alert(1)>,
        <https://user:word@example.org/> ; dcat:contactPoint [ vcard:hasEmail <mailto:a@b.org?bcc=c@d.org> ] ;
        dct:issued "yesterday" ; dct:description "{"x" * 30_000}" ; dct:relation <https://example.org/a%20b> ."""
    )
    said = found.described
    assert said is not None
    assert (said.title, said.landing, said.contact, said.issued) == ("a b c", "", Party(), "")
    assert len(said.description) == 20_000
    assert all(len(each[2]) <= 20_000 for each in found.statements)


def test_nothing_is_said_of_what_is_others() -> None:
    """But what it is and is called; and all of the dataset, its parts, blank nodes and what is at the same host."""
    found = read(
        f"""<{AT}> a dcat:Dataset ; dct:publisher <https://ror.org/1> ; dct:creator [ foaf:name "Creator" ] .
        <{AT}#contact> foaf:homepage <https://page.example> .
        <https://ror.org/1> a foaf:Agent ; foaf:name "Institute" ; foaf:homepage <https://phish.example> .
        <https://node.example/fairdp/dataset/1> dct:title "Do not use" ; foaf:page <https://phish.example> ."""
    ).statements
    assert not any("phish" in said[2] or "Do not" in said[2] for said in found)
    assert {said[2] for said in found if not said[5]} == {"Creator", "Institute"}
    assert "https://page.example" in {said[2] for said in found}


@pytest.mark.parametrize(
    "said", ["<http://e.example/1> 'x'", "<urn:> 'x'", "dct:relation <javascript:x>", "dct:relation <data:x>"]
)
def test_what_some_form_of_rdf_cannot_write_or_nobody_should_follow_is_left_out(said: str) -> None:
    assert len(read(f"<{AT}> a dcat:Dataset ; {said} .").statements) == 1


def test_signs_that_no_xml_holds_are_blanks() -> None:
    found = read(f'<{AT}> a dcat:Dataset ; dct:title "a\\u0001b\\uD800c\\td" .')
    assert {said[2] for said in found.statements if not said[5]} == {"a b c\td"}


def test_containers_are_left_out_of_what_is_served_again() -> None:
    found = read(f"""<{AT}> a dcat:Dataset ; dct:publisher [ foaf:name "P" ] .
        <{AT}/page/distribution> a ldp:DirectContainer ; ldp:contains <https://fdp.example.org/distribution/1#x> .""")
    assert found.children == ("https://fdp.example.org/distribution/1",)
    assert not [each for each in found.statements if "ldp" in each[1] or each[0].endswith("/page/distribution")]
    assert sorted({each[0] for each in found.statements}) == [AT, f"{AT}#genid-1"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<<<", "no Turtle: line 1"),
        (b"\xff\xfe", "not UTF-8"),
        (b"<urn:a> <urn:b> <urn:c>", "ends within a statement"),
        (b"", "says nothing"),
        (b"<urn:a> <urn:b> <urn:c> .", "no catalogue, dataset"),
        (b"<urn:a> <urn:b> " + b"[ <urn:b> " * 5_000 + b"]" * 5_000 + b" .", "nested too deeply"),
        (b"<urn:a> <urn:b> " + b"(" * 5_000 + b")" * 5_000 + b" .", "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Corrupt, match=reason):
        read_description(AT, content)
