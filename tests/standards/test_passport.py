# SPDX-License-Identifier: Apache-2.0
"""Claims of visas and passports: what is written is read back, and nothing that is not exact is read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.parts.passports.world import encode_identities
from megagenome.kernel.errors import Corrupt
from megagenome.standards.passport import (
    MAX_LINKED,
    MAX_VISAS,
    By,
    PassportClaims,
    Visa,
    VisaClaims,
    VisaIdentity,
    VisaType,
    decode_identities,
    is_issuer,
    is_subject,
    read_passport_claims,
    read_visa_claims,
)
from megagenome.standards.visa_conditions import read_conditions

DOI = "https://doi.org/10.1038/s41431-018-0219-y"
DATASET = "https://example-institute.org/datasets/710"


def visa_claims(**members: Any) -> dict[str, Any]:
    stated = {"type": "ControlledAccessGrants", "asserted": 1549632872, "value": DATASET, "by": "dac"}
    stated |= {"source": "https://grid.ac/institutes/grid.0000.0a"} | members
    return {"iss": "https://x.org/", "sub": "p@x", "iat": 1580000100, "exp": 1581168872, "ga4gh_visa_v1": stated}


def passport_claims(**members: Any) -> dict[str, Any]:
    return {"iss": "https://x.org/", "sub": "p", "iat": 1, "exp": 2, "ga4gh_passport_v1": ["a.b.c"]} | members


def test_a_visa_is_read_and_written() -> None:
    conditions = [[{"type": "AffiliationAndRole", "value": "const:faculty@med.stanford.edu"}]]
    claims = visa_claims(conditions=conditions) | {"jti": "1", "nbf": 5, "scope": "email"}
    read = read_visa_claims(claims | {"unknown": {"to": "us"}})
    assert read == VisaClaims(
        iss="https://x.org/",
        sub="p@x",
        iat=1580000100,
        exp=1581168872,
        jti="1",
        nbf=5,
        scope="email",
        visa=Visa(
            VisaType.CONTROLLED_ACCESS_GRANTS,
            1549632872,
            DATASET,
            "https://grid.ac/institutes/grid.0000.0a",
            By.DAC,
            read_conditions(conditions),
        ),
    )
    assert read.to_claims() == claims
    assert read.identity == VisaIdentity("p@x", "https://x.org/")


def test_a_passport_is_read_and_written() -> None:
    claims = passport_claims(aud=["https://me.org"], jti="1", nbf=7)
    read = read_passport_claims(claims)
    expected = PassportClaims(
        iss="https://x.org/", sub="p", iat=1, exp=2, visas=("a.b.c",), aud=("https://me.org",), jti="1", nbf=7
    )
    assert read == expected
    assert read.to_claims() == claims
    assert read_passport_claims(passport_claims()).to_claims() == passport_claims()


def test_one_audience_may_stand_alone() -> None:
    assert read_passport_claims(passport_claims(aud="x")).aud == ("x",)


def test_absent_and_empty_conditions_differ() -> None:
    assert read_visa_claims(visa_claims()).visa.conditions is None
    assert read_visa_claims(visa_claims(conditions=[])).visa.conditions == ()
    assert read_visa_claims(visa_claims(conditions=[])).to_claims() == visa_claims(conditions=[])


@pytest.mark.parametrize("claim", ["iss", "sub", "iat", "exp", "ga4gh_visa_v1", "ga4gh_passport_v1"])
def test_a_claim_that_is_missing_is_named(claim: str) -> None:
    visa, passport = visa_claims(), passport_claims()
    for claims, read in ((visa, read_visa_claims), (passport, read_passport_claims)):
        if claim in claims:
            del claims[claim]
            with pytest.raises(Corrupt, match=f"{claim} is missing"):
                read(claims)


@pytest.mark.parametrize("member", ["type", "asserted", "value", "source"])
def test_a_member_of_a_visa_that_is_missing_is_named(member: str) -> None:
    claims = visa_claims()
    del claims["ga4gh_visa_v1"][member]
    with pytest.raises(Corrupt, match=f"{member} is missing"):
        read_visa_claims(claims)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("sub", "p q"),
        ("sub", "p\n"),
        ("sub", ""),
        ("sub", "p\u200b"),
        ("sub", "x" * 256),
        ("sub", 7),
        ("iss", "x.org"),
        ("iss", "https://a@x.org/"),
        ("iss", "https://x.org/\u0430"),
        ("iat", -1),
        ("iat", True),
        ("iat", "1"),
        ("exp", 10**12),
        ("exp", None),
        ("nbf", []),
        ("jti", 5),
        ("jti", "\ud800"),
        ("jti", "x" * 256),
        ("scope", ["openid"]),
    ],
)
def test_a_claim_that_is_not_exact_is_named(claim: str, value: object) -> None:
    with pytest.raises(Corrupt, match=f"the claim {claim} is not"):
        read_visa_claims(visa_claims() | {claim: value})


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("ControlledAccessGrants", "EGAD00000000432"),
        ("ControlledAccessGrants", "https://x.org/" + "x" * 242),
        ("ControlledAccessGrants", "https://x.org/a b"),
        ("AcceptedTermsAndPolicies", "terms"),
        ("ResearcherStatus", "bona fide"),
        ("AffiliationAndRole", "faculty"),
        ("AffiliationAndRole", "@uni"),
        ("AffiliationAndRole", "faculty@"),
        ("LinkedIdentities", "p"),
    ],
)
def test_a_value_that_its_type_cannot_have_is_corrupt(type_: str, value: str) -> None:
    with pytest.raises(Corrupt, match="value"):
        read_visa_claims(visa_claims(type=type_, value=value))


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("ControlledAccessGrants", "http://127.0.0.1:8601/datasets/GDI-FI-1"),
        ("ControlledAccessGrants", "https://x.org/" + "x" * 241),
        ("ResearcherStatus", DOI),
        ("AffiliationAndRole", "ega.researcher@med@stanford.edu"),
        ("https://ras.nih.gov/visas/v1.1", "whatever:it-is"),
    ],
)
def test_a_value_that_its_type_can_have_is_read(type_: str, value: str) -> None:
    assert read_visa_claims(visa_claims(type=type_, value=value)).visa.value == value


def test_visas_are_limited() -> None:
    assert len(read_passport_claims(passport_claims(ga4gh_passport_v1=["x"] * MAX_VISAS)).visas) == MAX_VISAS
    with pytest.raises(Corrupt, match="more than"):
        read_passport_claims(passport_claims(ga4gh_passport_v1=["x"] * (MAX_VISAS + 1)))
    with pytest.raises(Corrupt, match="ga4gh_passport_v1"):
        read_passport_claims(passport_claims(ga4gh_passport_v1=["x", 1]))


def test_the_standards_linked_identities_are_read() -> None:
    value = "123456,https%3A%2F%2Fexample.org%2Fa%7Cb%2Cc;7890,https:%2F%2Fexample2.org"
    first, second = VisaIdentity("123456", "https://example.org/a|b,c"), VisaIdentity("7890", "https://example2.org")
    assert decode_identities(value) == (first, second)
    # no URL has a |, so nobody can be known by the first
    assert read_visa_claims(visa_claims(type="LinkedIdentities", value=value)).visa.linked() == (second,)


printable = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20)
identities = st.builds(
    VisaIdentity, printable, st.text("abc:/?#,;%=-", max_size=12).map(lambda rest: f"https://x{rest}")
)


@given(st.lists(identities, min_size=1, max_size=5).map(tuple))
def test_linked_identities_are_read_back(linked: tuple[VisaIdentity, ...]) -> None:
    value = encode_identities(linked)
    assert decode_identities(value) == linked
    assert read_visa_claims(visa_claims(type="LinkedIdentities", value=value)).visa.linked() == linked


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        "a",
        "a,",
        ",https%3A%2F%2Fx",
        "a,https%3A%2F%2Fx;",
        "a,https%3A%2F%2Fx,b",
        "a,https%3A%2F%2Fx;;b,https%3A%2F%2Fx",
        "a,https%3A%2F%2",
        "a,https%3A%2F%2Fx%zz",
        "a b,https%3A%2F%2Fx",
        ";".join(["a,https%3A%2F%2Fx"] * (MAX_LINKED + 1)),
    ],
)
def test_other_linked_identities_are_corrupt(value: str) -> None:
    with pytest.raises(Corrupt):
        decode_identities(value)


@pytest.mark.parametrize(
    "entry",
    [
        "a,x",
        "a%20b,https%3A%2F%2Fx",
        "a%0A,https%3A%2F%2Fx",
        "a,https%3A%2F%2Fb%40x",
        "%FF,https%3A%2F%2Fx",
        "%C3%A9,https%3A%2F%2Fx",
    ],
)
def test_linked_identities_that_nobody_can_have_join_nothing(entry: str) -> None:
    value = f"{entry};p,https%3A%2F%2Fx"
    visa = read_visa_claims(visa_claims(type="LinkedIdentities", value=value)).visa
    assert visa.linked() == (VisaIdentity("p", "https://x"),)


def test_only_linking_visas_link() -> None:
    assert read_visa_claims(visa_claims()).visa.linked() == ()


def test_a_subject_is_one_text_of_both_names() -> None:
    assert VisaIdentity("p@ls-aai", "https://login.example/").subject == "p@ls-aai@https://login.example/"


@pytest.mark.parametrize(
    ("sub", "iss", "named"),
    [
        ("p@ls-aai", "https://login.example/", (True, True)),
        ("x" * 255, "https://" + "y" * 247, (True, True)),
        ("x" * 256, "https://" + "y" * 248, (False, False)),
        ("", "", (False, False)),
        ("a b", "https://a b", (False, False)),
        ("a\n", "https://a\n", (False, False)),
        ("é", "https://é", (False, False)),
        (5, None, (False, False)),
        ("x", "https://user@host", (True, False)),
        ("x", "host", (True, False)),
    ],
)
def test_who_may_be_named(sub: object, iss: object, named: tuple[bool, bool]) -> None:
    assert (is_subject(sub), is_issuer(iss)) == named


@pytest.mark.parametrize(("stated", "read"), [(1.9, 1), (1, 1), (1e3, 1000)])
def test_times_may_have_fractions(stated: float, read: int) -> None:
    claims = visa_claims() | {"exp": stated}
    assert read_visa_claims(claims).exp == read
    claims["ga4gh_visa_v1"] = claims["ga4gh_visa_v1"] | {"asserted": stated}
    assert read_visa_claims(claims).visa.asserted == read
