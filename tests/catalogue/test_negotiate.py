# SPDX-License-Identifier: Apache-2.0
"""Which form a request is answered in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.catalogue.negotiate import negotiate, split_suffix
from megagenome.catalogue.serialise import Form

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form.TURTLE),
        ("*/*", Form.TURTLE),
        ("text/turtle", Form.TURTLE),
        ("TEXT/Turtle; charset=utf-8", Form.TURTLE),
        ("application/ld+json", Form.JSON_LD),
        ("application/json", Form.JSON_LD),
        ("application/rdf+xml", Form.RDF_XML),
        ("application/n-triples", Form.N_TRIPLES),
        ("text/n3, text/turtle;q=0.5", Form.TURTLE),
        (FIREFOX, Form.HTML),
        ("text/html;q=0.5, application/ld+json;q=0.6", Form.JSON_LD),
        ("text/html;q=0.5, application/ld+json;q=0.499", Form.HTML),
        ("application/*", Form.JSON_LD),
        ("text/*;q=0.3, text/html;q=0.7, */*;q=0.5", Form.HTML),
        ("text/*, text/turtle;q=0", Form.HTML),
        ("*/*, text/turtle;q=0, text/html;q=0", Form.JSON_LD),
        ('application/ld+json;profile="x";q=0.9, text/turtle;q=0.1', Form.JSON_LD),
        ("nonsense", Form.TURTLE),
        ("text/turtle;q=nonsense", Form.TURTLE),
        ("image/png", None),
        ("text/turtle;q=0", None),
        ("image/png, */*;q=0", None),
    ],
)
def test_the_best_form_is_served(accept: str, form: Form | None) -> None:
    assert negotiate(accept) is form


@given(st.text("tex/urlhm*;q=01. ,ad+jsonp", max_size=80))
def test_anything_is_answered(accept: str) -> None:
    assert negotiate(accept) in (*Form, None)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("A.ttl", ("A", Form.TURTLE)),
        ("A.jsonld", ("A", Form.JSON_LD)),
        ("A.rdf", ("A", Form.RDF_XML)),
        ("A.nt", ("A", Form.N_TRIPLES)),
        ("A.html", ("A", Form.HTML)),
        ("A.v1", ("A.v1", None)),
        (".ttl", (".ttl", None)),
        ("A", ("A", None)),
    ],
)
def test_a_suffix_asks_for_a_form(name: str, found: tuple[str, Form | None]) -> None:
    assert split_suffix(name) == found
