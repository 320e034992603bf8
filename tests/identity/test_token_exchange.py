# SPDX-License-Identifier: Apache-2.0
"""Requests for a passport: what RFC 8693 and GA4GH AAI ask for, and errors that RFC 6749 allows in an answer."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.identity.token_exchange import Exchange, Refusal, read_exchange

HERE = "https://ee.example"
GOOD = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "requested_token_type": "urn:ga4gh:params:oauth:token-type:passport",
    "subject_token": "a.b.c",
    "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
}


def test_a_request_as_the_profile_has_it() -> None:
    assert read_exchange(GOOD.items(), HERE) == Exchange("a.b.c", (HERE,))


def test_whom_it_is_for_may_be_said_in_both_ways_and_more_than_once() -> None:
    said = [("audience", "https://a.example"), ("resource", "https://b.example/x"), ("audience", "https://a.example")]
    assert read_exchange([*GOOD.items(), *said], HERE).audiences == ("https://a.example", "https://b.example/x")


def test_the_session_needs_no_subject_token() -> None:
    without = {name: value for name, value in GOOD.items() if not name.startswith("subject")}
    assert read_exchange([*without.items(), ("csrf", "x")], HERE) == Exchange("", (HERE,))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("grant_type", "", "invalid_request"),
        ("grant_type", "authorization_code", "unsupported_grant_type"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token", "invalid_request"),
        ("requested_token_type", "", "invalid_request"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2", "invalid_request"),
        ("subject_token_type", "", "invalid_request"),
        ("actor_token", "x", "invalid_request"),
        ("audience", "somewhere", "invalid_target"),
        ("audience", "https://a.example/#part", "invalid_target"),
        ("resource", "https://[", "invalid_target"),
        ("resource", "https://a.example/" + "x" * 255, "invalid_target"),
        ("resource", "https://ä.example/", "invalid_target"),
    ],
)
def test_what_is_not_right_is_refused_by_its_code(name: str, value: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_exchange((GOOD | {name: value}).items(), HERE)
    assert refused.value.code == code


def test_nothing_may_stand_twice_and_audiences_not_often() -> None:
    with pytest.raises(Refusal, match="twice"):
        read_exchange([*GOOD.items(), ("subject_token", "d.e.f")], HERE)
    many = [("audience", f"https://a{n}.example") for n in range(11)]
    with pytest.raises(Refusal, match="more than 10"):
        read_exchange([*GOOD.items(), *many], HERE)


@given(st.lists(st.tuples(st.one_of(st.sampled_from([*GOOD, "audience"]), st.text()), st.text())), st.text())
def test_any_request_is_read_or_refused_in_the_letters_that_are_allowed(
    pairs: list[tuple[str, str]], says: str
) -> None:
    said = [Refusal("invalid_request", says)]
    try:
        read_exchange([*GOOD.items(), *pairs] if says else pairs, HERE)
    except Refusal as refusal:
        said.append(refusal)
    assert all(re.fullmatch(r"[\x20-\x21\x23-\x5B\x5D-\x7E]*", each.says) for each in said)
