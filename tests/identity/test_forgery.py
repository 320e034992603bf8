# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.identity.forgery import check_origin, check_token
from megagenome.kernel.errors import NotEntitled

OWN = "https://hub.example.org"


@pytest.mark.parametrize(("origin", "site"), [(OWN, "same-origin"), (OWN, ""), (OWN.upper(), ""), ("", "same-origin")])
def test_pages_of_ones_own_may_change_things(origin: str, site: str) -> None:
    check_origin(OWN, origin, site)


@pytest.mark.parametrize(
    "origin", ["", "null", "http://hub.example.org", OWN + ":8443", OWN + ".evil.example", OWN + "/"]
)
@pytest.mark.parametrize("site", ["", "none", "same-site", "cross-site", "x"])
def test_others_may_not(origin: str, site: str) -> None:
    with pytest.raises(NotEntitled):
        check_origin(OWN, origin, site)


@pytest.mark.parametrize(("expected", "given"), [("", ""), ("a", ""), ("", "a"), ("a", "b"), ("a", "ä"), ("aa", "a")])
def test_a_wrong_token_is_refused(expected: str, given: str) -> None:
    with pytest.raises(NotEntitled):
        check_token(expected, given)
    check_token("a", "a")
