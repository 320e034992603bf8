# SPDX-License-Identifier: Apache-2.0
"""What follows from a passport: who it is, what is granted, until when, and what makes that end."""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.parts.passports.world import (
    ESTONIA,
    FINLAND,
    HUB,
    LOGIN,
    ME,
    NOW,
    REGISTRY,
    TRUST,
    Draft,
    Mint,
    Signer,
    policy,
    sign,
    sign_passport,
)
from megagenome.identity.clearinghouse import decide
from megagenome.identity.model import DAY_S, SKEW_S, Code, Decision, Entitlement, Policy, TokenId
from megagenome.identity.trust import Broker, Trust
from megagenome.standards.passport import PASSPORT_CLAIM, REGISTERED_ACCESS, VISA_CLAIM, VisaType

DATASET = f"{FINLAND.iss}datasets/1"
MINT = Mint(random.Random(1))
HOUR = NOW + 3600


def timed(draft: Draft, *, exp: int = HOUR, asserted: int = NOW, **claims: Any) -> Draft:
    """The draft with times that the test knows."""
    stated = {VISA_CLAIM: draft.claims[VISA_CLAIM] | {"asserted": asserted}} if VISA_CLAIM in draft.claims else {}
    return draft._replace(claims=draft.claims | {"iat": NOW, "exp": exp} | stated | claims)


def passport(*visas: Draft, of: Signer = HUB, sub: str = "h-1", **claims: Any) -> str:
    claims = {"jti": "p-1", "aud": ME, "exp": HOUR} | claims
    return sign_passport(timed(MINT.passport(of, sub), **claims), [sign(visa) for visa in visas])


def grant(dataset: str = DATASET, sub: str = "p-1", by: str = "dac", **times: Any) -> Draft:
    return timed(MINT.grant(FINLAND, sub, dataset, by=by), **times)


def link(**times: Any) -> Draft:
    return timed(MINT.link(HUB, "h-1", FINLAND.identity("p-1"), REGISTRY.identity("r-1")), **times)


def registered(type_: str, by: str = "so", **times: Any) -> Draft:
    return timed(MINT.visa(REGISTRY, "r-1", type_, REGISTERED_ACCESS, by=by), **times)


def ask(text: str, **wanted: Any) -> Decision:
    return decide(text, TRUST, msgspec.structs.replace(policy(), **wanted), NOW)


def codes(decision: Decision) -> list[Code]:
    return [reason.code for reason in decision.reasons]


def test_an_empty_passport_says_who_it_is() -> None:
    decision = ask(passport())
    assert decision.accepted
    assert decision.subject == "h-1@https://hub.example/"
    assert (decision.linked, decision.grants, decision.registered) == ((), (), False)
    assert (decision.expires, decision.token) == (HOUR, TokenId(HUB.iss, "p-1"))


def test_a_grant_names_all_that_a_caller_needs() -> None:
    visa = MINT.visa(FINLAND, "p-1", VisaType.CONTROLLED_ACCESS_GRANTS, DATASET, f"{FINLAND.iss}dac", by="dac")
    decision = ask(passport(link(exp=NOW + 900), timed(visa)))
    [granted] = decision.grants
    assert (granted.dataset, granted.source, granted.by, granted.visa) == (DATASET, f"{FINLAND.iss}dac", "dac", 1)
    assert granted.expires == NOW + 900
    assert set(decision.linked) == {FINLAND.identity("p-1"), REGISTRY.identity("r-1")}
    assert codes(decision) == [Code.ACCEPTED, Code.USED, Code.USED]


def test_each_of_several_grants_ends_when_its_visa_does() -> None:
    decision = ask(passport(link(), grant(exp=NOW + 10), grant(exp=NOW + 30), grant(f"{DATASET}2")))
    found = [(each.dataset, each.visa, each.expires - NOW) for each in decision.grants]
    assert found == [(DATASET, 1, 10), (DATASET, 2, 30), (f"{DATASET}2", 3, 3600)]


@pytest.mark.parametrize(
    ("passport_exp", "link_exp", "grant_exp", "asserted", "ends"),
    [
        (NOW + 100, HOUR, HOUR, NOW, NOW + 100),
        (HOUR, NOW + 100, HOUR, NOW, NOW + 100),
        (HOUR, HOUR, NOW + 100, NOW, NOW + 100),
        (HOUR, HOUR, HOUR, NOW + 100 - 365 * DAY_S, NOW + 100),
    ],
)
def test_access_ends_with_the_first_of_all_that_it_rests_on(
    passport_exp: int, link_exp: int, grant_exp: int, asserted: int, ends: int
) -> None:
    text = passport(link(exp=link_exp), grant(exp=grant_exp, asserted=asserted), exp=passport_exp)
    assert [each.expires for each in ask(text).grants] == [ends]


def test_a_condition_ends_access_with_the_visa_that_meets_it() -> None:
    conditions = [[{"type": "ResearcherStatus", "by": "const:so"}]]
    conditional = timed(MINT.grant(FINLAND, "p-1", DATASET, conditions=conditions))
    short = registered(VisaType.RESEARCHER_STATUS, exp=NOW + 50)
    assert [each.expires for each in ask(passport(link(), conditional, short)).grants] == [NOW + 50]
    longer = registered(VisaType.RESEARCHER_STATUS, exp=NOW + 70)
    assert [each.expires for each in ask(passport(link(), conditional, short, longer)).grants] == [NOW + 70]


def test_a_condition_is_not_met_across_two_visas() -> None:
    conditions = [[{"type": "ResearcherStatus", "value": f"const:{REGISTERED_ACCESS}", "by": "const:peer"}]]
    conditional = timed(MINT.grant(FINLAND, "p-1", DATASET, conditions=conditions))
    by_so = registered(VisaType.RESEARCHER_STATUS, by="so")
    other_by_peer = registered(VisaType.ACCEPTED_TERMS_AND_POLICIES, by="peer")
    assert not ask(passport(link(), conditional, by_so, other_by_peer)).grants
    assert ask(passport(link(), conditional, registered(VisaType.RESEARCHER_STATUS, by="peer"))).grants


@pytest.mark.parametrize("fault", ["stranger", "expired", "revoked", "another person"])
def test_a_condition_is_met_only_by_a_visa_that_counts(fault: str) -> None:
    conditional = timed(
        MINT.grant(FINLAND, "p-1", DATASET, conditions=[[{"type": "ResearcherStatus", "by": "const:so"}]])
    )
    status = registered(VisaType.RESEARCHER_STATUS, jti="s")
    worse = {
        "stranger": status._replace(header=status.header | {"alg": "ES256"}, alg="ES256", key=ESTONIA.keys[0][1]),
        "expired": registered(VisaType.RESEARCHER_STATUS, exp=NOW - SKEW_S),
        "revoked": status,
        "another person": timed(MINT.visa(REGISTRY, "r-2", VisaType.RESEARCHER_STATUS, REGISTERED_ACCESS)),
    }
    revoked = {TokenId(REGISTRY.iss, "s")} if fault == "revoked" else set()
    assert ask(passport(link(), conditional, status)).grants
    decision = ask(passport(link(), conditional, worse[fault]), revoked_tokens=revoked)
    assert decision.grants == ()
    assert Code.CONDITIONS_UNMET in codes(decision)


def test_registered_access_takes_both_visas() -> None:
    terms = registered(VisaType.ACCEPTED_TERMS_AND_POLICIES, by="self", exp=NOW + 20)
    status = registered(VisaType.RESEARCHER_STATUS, exp=NOW + 40)
    assert ask(passport(link(), terms, status)).registered_until == NOW + 20
    assert not ask(passport(link(), terms)).registered
    assert not ask(passport(link(), status)).registered
    assert not ask(passport(link(), terms, registered(VisaType.RESEARCHER_STATUS, by="self"))).registered
    assert not ask(passport(terms, status)).registered


def test_visas_for_other_ends_are_set_aside() -> None:
    other_terms = timed(MINT.visa(REGISTRY, "r-1", VisaType.RESEARCHER_STATUS, "https://other.example/status"))
    custom = timed(MINT.visa(HUB, "h-1", "https://visas.example/unknown", "x"))
    decision = ask(passport(other_terms, custom, grant()), dataset=f"{DATASET}0")
    assert codes(decision) == [Code.ACCEPTED, *[Code.NOT_NEEDED] * 3, Code.NOT_GRANTED]
    assert not decision.accepted


@pytest.mark.parametrize(("late", "counts"), [(0, True), (SKEW_S - 1, True), (SKEW_S, False)])
def test_clocks_may_differ_by_a_minute(late: int, counts: bool) -> None:
    assert ask(passport(exp=NOW - late)).accepted is counts
    assert bool(ask(passport(link(), grant(exp=NOW - late))).grants) is counts
    begins = late + (0 if counts else 1)
    assert ask(passport(iat=NOW + begins)).accepted is counts
    assert bool(ask(passport(link(), grant(nbf=NOW + begins))).grants) is counts


def test_access_is_given_for_as_long_as_it_is_wanted_or_not_at_all() -> None:
    text = passport(link(), grant(exp=NOW + 600))
    assert ask(text, requested_ttl_s=600 + SKEW_S - 1).grants
    decision = ask(text, requested_ttl_s=600 + SKEW_S)
    assert (decision.grants, codes(decision)[2]) == ((), Code.TOO_OLD)
    assert ask(text, max_authz_ttl_s=100).grants
    assert not ask(passport(link(), grant(asserted=NOW - 200)), max_authz_ttl_s=100).grants


def test_a_passport_that_counts_once_counts_once() -> None:
    text, spent = passport(), set[TokenId]()
    decision = ask(text, spent=spent)
    assert decision.token is not None
    spent.add(decision.token)
    assert codes(ask(text, spent=spent)) == [Code.REPLAYED]
    assert codes(ask(passport(jti=""), spent=spent)) == [Code.NO_JTI]
    assert ask(text).accepted


def test_revoked_tokens_do_not_count() -> None:
    visa = grant(jti="v")
    text = passport(link(), visa)
    assert codes(ask(text, revoked_tokens={TokenId(HUB.iss, "p-1")})) == [Code.REVOKED]
    assert codes(ask(text, revoked_tokens={TokenId(FINLAND.iss, "v")}))[2] == Code.REVOKED
    assert ask(text, revoked_tokens={TokenId(ESTONIA.iss, "v"), TokenId(HUB.iss, "v")}).grants


@pytest.mark.parametrize(
    "subject", ["p-1@https://fi.example/", "h-1@https://hub.example/", "r-1@https://registry.example/"]
)
def test_a_revoked_entitlement_ends_access_under_every_name_of_the_person(subject: str) -> None:
    text = passport(link(), grant(), grant(f"{DATASET}2"))
    decision = ask(text, revoked_grants={Entitlement(subject, DATASET)})
    assert [each.dataset for each in decision.grants] == [f"{DATASET}2"]
    assert codes(decision)[2] == Code.ENTITLEMENT_REVOKED
    assert len(ask(text, revoked_grants={Entitlement(f"x{subject}", DATASET)}).grants) == 2


def test_a_revoked_entitlement_meets_no_condition_either() -> None:
    other = f"{DATASET}2"
    needs_first = [[{"type": "ControlledAccessGrants", "value": f"const:{DATASET}"}]]
    text = passport(link(), grant(), timed(MINT.grant(FINLAND, "p-1", other, conditions=needs_first)))
    assert ask(text, dataset=other).accepted
    assert not ask(text, dataset=other, revoked_grants={Entitlement("h-1@https://hub.example/", DATASET)}).accepted


def test_brokers_that_need_no_audience_may_still_not_name_another() -> None:
    assert ask(sign_passport(_without_audience(MINT.passport(LOGIN, "l")), [])).accepted
    assert codes(ask(passport(of=LOGIN, sub="l", aud=["https://another.example"]))) == [Code.WRONG_AUDIENCE]


def _without_audience(draft: Draft) -> Draft:
    return draft._replace(claims={name: claim for name, claim in draft.claims.items() if name != "aud"})


def test_keys_that_cannot_be_had_are_said_to_be_so() -> None:
    without = Trust([Broker(HUB.iss, None, HUB.jku)], [])
    assert codes(decide(passport(), without, policy(), NOW)) == [Code.NO_KEYS]


def test_a_passport_may_name_the_address_of_its_keys() -> None:
    draft = timed(MINT.passport(HUB, "h-1"), aud=ME)
    named = [draft._replace(header=draft.header | {"jku": jku}) for jku in (HUB.jku, "https://hub.example/other")]
    assert [ask(sign(each)).accepted for each in named] == [True, False]
    by_hand = Trust([Broker(HUB.iss, HUB.published())], [])
    assert decide(sign(named[1]), by_hand, policy(), NOW).accepted


def test_a_passport_within_a_passport_is_no_visa() -> None:
    inner = timed(MINT.passport(FINLAND, "p-1"), aud=ME)._replace(header=MINT.passport(FINLAND, "p-1").header)
    decision = ask(passport(link(), inner))
    assert decision.grants == ()
    assert decision.reasons[2].code in {Code.WRONG_TYP, Code.UNTRUSTED_JKU}


def test_more_visas_than_are_read_are_refused_at_once() -> None:
    draft = timed(MINT.passport(HUB, "h-1"), aud=ME, jti="p")
    text = sign(draft._replace(claims=draft.claims | {PASSPORT_CLAIM: ["x"] * 101}))
    assert codes(ask(text)) == [Code.BAD_CLAIMS]


def test_reasons_hold_no_token_and_no_person() -> None:
    secret = "very-secret-person"
    visas = [grant(sub=secret), timed(MINT.visa(HUB, secret, "LinkedIdentities", "bad"))]
    text = passport(*visas, of=HUB, sub=secret)
    for asked in (text, text[:-9], text.replace(".", "x", 1)):
        for reason in ask(asked, dataset=DATASET).reasons:
            assert secret not in reason.says
            assert len(reason.says) < 400
            assert reason.says.isprintable()
            assert reason.says.endswith(".")
            assert not any(segment in reason.says for segment in text.split("."))


def test_foreign_words_cannot_steer_a_terminal_or_fill_a_page() -> None:
    draft = timed(MINT.passport(HUB, "h-1"), iss="https://\x1b[31m\x07" + "x" * 9999)
    [reason] = ask(sign(draft)).reasons
    assert reason.says.isprintable()
    assert len(reason.says) < 250
    msgspec.json.encode(reason)
    visa = timed(MINT.visa(HUB, "h-1", "Type\x07\x1b[31m", "x"))
    msgspec.json.encode(ask(passport(visa)))


@given(st.text() | st.from_regex(r"\A[\w-]{1,20}\.[\w-]{1,20}\.[\w-]{0,20}\Z"))
def test_any_text_is_refused_and_nothing_breaks(text: str) -> None:
    assert not ask(text).accepted


members: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(["iss", "sub", "iat", "exp", "nbf", "jti", "scope", "aud", VISA_CLAIM, PASSPORT_CLAIM]),
    st.sampled_from(["type", "asserted", "value", "source", "by", "conditions", None]),
    members,
)
def test_any_claim_of_any_kind_breaks_nothing(claim: str, member: str | None, content: Any) -> None:
    visa = grant()
    stated = content if member is None else visa.claims[VISA_CLAIM] | {member: content}
    changed = visa._replace(claims=visa.claims | {claim: stated if claim == VISA_CLAIM else content})
    outer = timed(MINT.passport(HUB, "h-1"), aud=ME)
    ask(sign(outer._replace(claims=outer.claims | {claim: content})))
    assert ask(passport(link(), changed)).subject == "h-1@https://hub.example/"


def test_the_answer_depends_on_nothing_else() -> None:
    text = passport(link(), grant())
    assert ask(text) == ask(text)
    assert Policy(audiences=frozenset({ME})) == policy()
