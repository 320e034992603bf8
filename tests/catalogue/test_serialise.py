# SPDX-License-Identifier: Apache-2.0
"""Descriptions as bytes."""

import pytest
import rdflib
from hypothesis import given, settings
from rdflib.compare import isomorphic

from megagenome.catalogue.describe import describe_dataset
from megagenome.catalogue.model import Profile
from megagenome.catalogue.rdf import TYPE, Description, Literal, term, value
from megagenome.catalogue.serialise import Form, as_graph, serialise
from megagenome.standards.dataset_record import DatasetRecord
from tests.catalogue.records import whole_records
from tests.catalogue.samples import PLACE, listed

READ = {Form.TURTLE: "turtle", Form.JSON_LD: "json-ld", Form.RDF_XML: "xml", Form.N_TRIPLES: "nt"}


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")  # of the parser that we do not use
@settings(max_examples=8)
@given(whole_records)
def test_each_form_says_the_same(record: DatasetRecord) -> None:
    for profile in Profile:
        triples = describe_dataset(listed(record), PLACE, profile).triples
        for form, name in READ.items():
            content = serialise(triples, form)
            assert isomorphic(rdflib.Graph().parse(data=content, format=name), as_graph(triples))
            assert content == serialise(tuple(reversed(triples)), form)


def test_a_description_keeps_each_statement_once() -> None:
    said = Description()
    for _ in range(2):
        said.typed("https://a.example", "dcat:Dataset")
        said.text("https://a.example", "dct:title", "T", "", language="en")
        said.link("https://a.example", "dcat:theme", "", "https://b.example")
        said.say("https://a.example", "dct:issued", value("2026-01-05T08:00:00Z", "dateTime"))
    assert [(property_.rpartition("/")[2].rpartition("#")[2], object_) for _, property_, object_ in said.triples] == [
        ("type", term("dcat:Dataset")),
        ("title", Literal("T", "en")),
        ("theme", "https://b.example"),
        ("issued", Literal("2026-01-05T08:00:00Z", "", "http://www.w3.org/2001/XMLSchema#dateTime")),
    ]
    assert said.triples[0][1] == TYPE


@pytest.mark.parametrize("form", Form)
def test_forms_have_names(form: Form) -> None:
    assert form.media_type.count("/") == 1
    assert form.suffix.startswith(".")
    assert form.label in ("Turtle", "JSON-LD", "RDF/XML", "N-Triples", "HTML")
