# SPDX-License-Identifier: Apache-2.0
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.identity.subjects import profile_of, readable, subject_of
from megagenome.kernel.errors import Unauthenticated

SUBS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)
ISSUERS = st.text(st.sampled_from("abc/:.-"), min_size=1, max_size=20).map("https://".__add__)


@given(SUBS, ISSUERS, SUBS, ISSUERS)
def test_two_people_never_have_the_same_subject(one: str, here: str, two: str, there: str) -> None:
    assert (subject_of(one, here) == subject_of(two, there)) == ((one, here) == (two, there))


def test_a_sub_that_holds_an_address_is_still_of_its_issuer() -> None:
    assert subject_of("x@https://a", "https://b") != subject_of("x", "https://a")
    assert subject_of("user@lifescience-ri.eu", "https://a") == "user@lifescience-ri.eu@https://a"


@pytest.mark.parametrize("sub", ["", "a b", "a\n", "é", "\x00", "x" * 256, "\u202e"])
def test_what_no_provider_may_give_names_nobody(sub: str) -> None:
    with pytest.raises(Unauthenticated):
        subject_of(sub, "https://a")


@given(st.text(max_size=300))
def test_what_is_readable_steers_no_screen(text: str) -> None:
    shown = readable(text)
    assert len(shown) <= 200
    assert not [letter for letter in shown if unicodedata.category(letter).startswith(("C", "Zl", "Zp"))]
    assert shown == readable(shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("  Jane\n\tDoe ", "Jane Doe"), ("Žofie Æ 李", "Žofie Æ 李"), (None, ""), (3, ""), ("\x1b[2J", "[2J")],
)
def test_names_stay_as_they_are_but_for_that(text: object, shown: str) -> None:
    assert readable(text) == shown


@pytest.mark.parametrize(
    ("claims", "name", "organisation"),
    [
        ({"name": "Jane Doe"}, "Jane Doe", ""),
        ({"given_name": "Jane", "family_name": "Doe"}, "Jane Doe", ""),
        ({"preferred_username": "jane"}, "jane", ""),
        ({"email": "j@example.org"}, "j@example.org", ""),
        ({}, "1", ""),
        ({"name": "\x1b[31mJane\n\u202eeoD"}, "[31mJane eoD", ""),
        ({"name": ["Jane"]}, "1", ""),
        ({"name": "x" * 1000}, "x" * 200, ""),
        ({"name": "J", "schac_home_organization": "example.org"}, "J", "example.org"),
        ({"name": "J", "eduperson_scoped_affiliation": "faculty@example.org"}, "J", "example.org"),
        ({"name": "J", "eduperson_scoped_affiliation": ["no", "faculty@a b", "staff@c.org", 3]}, "J", "c.org"),
    ],
)
def test_names_and_organisations_are_the_providers_words_made_readable(
    claims: dict[str, object], name: str, organisation: str
) -> None:
    found = profile_of({"sub": "1", **claims}, "https://a")
    assert (found.name, found.organisation) == (name, organisation)
