# SPDX-License-Identifier: Apache-2.0
"""Forgeries of what visas and passports say, and of where their keys are."""

import random
from typing import Any

from benchmarks.parts.passports.forged_tokens import strange_key
from benchmarks.parts.passports.forging import PASSPORT, VISA, Kept, altered, stated, without
from benchmarks.parts.passports.world import (
    ESTONIA,
    FINLAND,
    HUB,
    NOW,
    REGISTRY,
    SIGNERS,
    STRANGER,
    UNIVERSITY,
    Draft,
    encode_identities,
)
from megagenome.identity.model import DAY_S, Code
from megagenome.standards.passport import VISA_CLAIM, VisaType

kept = Kept()


@kept(VISA, Code.UNTRUSTED_JKU, Code.MALFORMED)
def foreign_jku(draft: Draft, random_: random.Random) -> Draft | str | None:
    jku, iss = draft.header["jku"], draft.claims["iss"]
    others = [s.jku for s in (*SIGNERS, STRANGER) if s.iss != iss]
    near = [f"{jku}/", f"{jku}?", f"{jku}#", jku.upper(), f" {jku}", f"{iss}other/jwks", jku.replace("https", "http")]
    tricks = [f"https://{jku[8:].split('/')[0]}@stranger.example/jwks", f"{iss}../jwks", "file:///etc/passwd", "", None]
    return altered(draft, {"jku": random_.choice([*others, *near, *tricks])})._replace(
        key=random_.choice([draft.key, strange_key(draft.alg)])
    )


@kept(PASSPORT, Code.UNTRUSTED_JKU)
def jku_on_the_passport(draft: Draft, random_: random.Random) -> Draft | str | None:
    key = strange_key(draft.alg)
    return altered(draft, {"jku": random_.choice([STRANGER.jku, "http://169.254.169.254/", "x"])})._replace(key=key)


@kept(VISA, Code.UNTRUSTED_JKU)
def no_jku(draft: Draft, _random: random.Random) -> Draft | str | None:
    return draft._replace(header=without(draft.header, "jku"))


@kept(VisaType.CONTROLLED_ACCESS_GRANTS, Code.UNTRUSTED_SOURCE)
def source_of_somebody_else(draft: Draft, random_: random.Random) -> Draft | str | None:
    source = draft.claims[VISA_CLAIM]["source"]
    near = [f"{FINLAND.iss}dacs", f"{FINLAND.iss}dac2", f"{source}/../x", f"{FINLAND.iss}dacs/../other", source.upper()]
    return stated(draft, source=random_.choice([*near, f"{ESTONIA.iss}dac", "https://no.organization", "https://x/"]))


@kept(VisaType.CONTROLLED_ACCESS_GRANTS, Code.BAD_CLAIMS, Code.NOT_NEEDED)
def source_or_value_that_is_no_url(draft: Draft, random_: random.Random) -> Draft | str | None:
    texts: list[Any] = ["", "dac", None, 1, ["https://fi.example/dac"], "https://fi.example/d\u0430c", "https://a b/"]
    texts += [f"{FINLAND.iss}{'x' * 250}", "https://fi.example/dac\n"]
    return stated(draft, **{random_.choice(["source", "value"]): random_.choice(texts)})


@kept(VisaType.CONTROLLED_ACCESS_GRANTS, Code.UNTRUSTED_VALUE)
def dataset_of_another_country(draft: Draft, random_: random.Random) -> Draft | str | None:
    """A Finnish committee that grants Estonian data, and values that only begin like Finnish ones."""
    near = [
        "https://fi.example.evil/datasets/1",
        "https://fi.example@evil.example/datasets/1",
        FINLAND.iss,
        "https://fi",
    ]
    near += [f"{FINLAND.iss}datasets/../secrets/1", f"{FINLAND.iss}datasets/%2e%2e/1", f"{FINLAND.iss}datasets"]
    return stated(draft, value=random_.choice([*near, f"{ESTONIA.iss}datasets/1", "https://FI.example/datasets/1"]))


@kept(VISA, Code.UNTRUSTED_TYPE, Code.NOT_NEEDED, Code.BAD_CLAIMS)
def type_that_is_not_the_issuers(draft: Draft, random_: random.Random) -> Draft | str | None:
    own = draft.claims[VISA_CLAIM]["type"]
    value = encode_identities((FINLAND.identity("p-1"), HUB.identity("h-1")))
    links = stated(draft, type=str(VisaType.LINKED_IDENTITIES), value=value)
    strange = stated(draft, type=random_.choice([own.lower(), f"{own} ", "", None, "https://visas.example/x", [own]]))
    return strange if own == VisaType.LINKED_IDENTITIES else random_.choice([links, strange])


@kept(VisaType.LINKED_IDENTITIES, Code.UNTRUSTED_TYPE)
def untrusted_linker(draft: Draft, random_: random.Random) -> Draft | str | None:
    """A registry of researchers, trusted for that, says who is the same person."""
    linker = random_.choice([REGISTRY, UNIVERSITY, FINLAND, ESTONIA])
    kid, key = linker.keys[0]
    changed = altered(draft, {"kid": kid, "jku": linker.jku, "alg": linker.alg}, iss=linker.iss)
    return changed._replace(alg=linker.alg, key=key)


@kept(VisaType.LINKED_IDENTITIES, Code.BAD_CLAIMS)
def link_encoded_otherwise(draft: Draft, random_: random.Random) -> Draft | str | None:
    value = draft.claims[VISA_CLAIM]["value"]
    texts = [value.replace(",", "%2C"), value.replace(",", ";"), f"{value};", f";{value}", value.replace(",", ",,", 1)]
    texts += [value.replace("%2F", "/%2", 1), value.replace(",", ", "), "%F,https%3A%2F%2Ffi.example%2F", ",", "a"]
    return stated(draft, value=random_.choice(texts))


@kept(VisaType.CONTROLLED_ACCESS_GRANTS, Code.UNTRUSTED_BY, Code.BAD_CLAIMS)
def by_nobody_who_may(draft: Draft, random_: random.Random) -> Draft | str | None:
    absent = altered(draft, **{VISA_CLAIM: without(draft.claims[VISA_CLAIM], "by")})
    return random_.choice(
        [absent, *(stated(draft, by=by) for by in ["self", "peer", "DAC", "dac ", "", None, ["dac"]])]
    )


@kept(VISA, Code.TOO_OLD, Code.NOT_YET_VALID, Code.BAD_CLAIMS)
def asserted_long_ago_or_not_yet(draft: Draft, random_: random.Random) -> Draft | str | None:
    bad: list[Any] = [NOW - 365 * DAY_S - 60, 0, NOW + 61, -1, None, "1", True, 10**12]
    return stated(draft, asserted=random_.choice(bad))


@kept(VISA, Code.OPENID_SCOPE, Code.BAD_CLAIMS)
def scope_of_an_access_token(draft: Draft, random_: random.Random) -> Draft | str | None:
    return altered(
        draft, scope=random_.choice(["openid", "openid ga4gh_passport_v1", "email\topenid", ["openid"], None])
    )


@kept(VisaType.CONTROLLED_ACCESS_GRANTS, Code.CONDITIONS_UNMET, Code.BAD_CLAIMS)
def conditions_that_nothing_meets(draft: Draft, random_: random.Random) -> Draft | str | None:
    faculty, terms = "const:faculty@uni.example", "AcceptedTermsAndPolicies"
    role: dict[str, Any] = {"type": "AffiliationAndRole", "value": faculty}
    unmet: list[Any] = [
        [[]],
        [[], []],
        [[{"type": "AffiliationAndRole", "value": "const:dean@uni.example"}]],
        [[{"type": "AffiliationAndRole", "value": "const:FACULTY@uni.example"}]],
        [[{"type": "AffiliationAndRole", "value": "faculty@uni.example"}]],
        [[{"type": "AffiliationAndRole", "value": "regex:.*"}]],
        [[{"type": "AffiliationAndRole", "value": "pattern:faculty"}]],
        [[{"type": "AffiliationAndRole"}]],
        [[{"value": faculty}]],
        [[role | {"by": "const:dac"}]],  # the right value and the right `by`, but of two visas
        [[role | {"source": "const:https://fi.example/dac"}]],
        [[role | {"asserted": "pattern:*"}]],
        [[role | {"conditions": "pattern:*"}]],
        [[role | {"conditions": [[role]]}]],
        [[role | {"sub": "pattern:*"}]],
        [[role, {"type": terms, "value": "const:https://terms.example/"}]],
        [[{"type": "ControlledAccessGrants", "value": "pattern:*"}]],  # itself
        [[{"type": "pattern:*", "value": "pattern:*"}]],
        {},
        [{}],
        [[[]]],
        "pattern:*",
        None,
        True,
        [[role] * 65],
    ]
    return stated(draft, conditions=random_.choice(unmet))


@kept(VisaType.AFFILIATION_AND_ROLE, Code.USED, Code.CONDITIONS_UNMET, Code.BAD_CLAIMS)
def condition_met_by_one_with_conditions(draft: Draft, random_: random.Random) -> Draft | str | None:
    itself = [[{"type": "AffiliationAndRole", "value": "pattern:*"}]]
    return stated(draft, conditions=random_.choice([[], itself]))


@kept(PASSPORT, Code.WRONG_AUDIENCE, Code.BAD_CLAIMS)
def for_another_service(draft: Draft, random_: random.Random) -> Draft | str | None:
    bad: list[Any] = [
        "https://me.example/",
        "https://ME.example",
        "https://me.example.evil",
        ["x", "y"],
        "",
        None,
        {},
        [[]],
    ]
    return altered(draft, aud=random_.choice(bad))


@kept(PASSPORT, Code.NO_AUDIENCE)
def for_nobody(draft: Draft, random_: random.Random) -> Draft | str | None:
    if draft.claims["iss"].startswith("https://login"):
        return None  # from this broker it is allowed
    empty = altered(draft, aud=[])
    return random_.choice([empty, draft._replace(claims=without(draft.claims, "aud"))])
