# SPDX-License-Identifier: Apache-2.0
"""What is asked of one visa by itself; what several must show together is in `persons` and `clearinghouse`."""

from collections.abc import Iterable
from typing import NamedTuple

from megagenome.identity.linked_identities import Standing
from megagenome.identity.model import SKEW_S, Code, Policy, TokenId
from megagenome.identity.tokens import Refused, check_header, check_signature, check_times, read
from megagenome.identity.trust import Issuer, Trust, within
from megagenome.kernel.errors import Corrupt
from megagenome.kernel.jwt import Token
from megagenome.kernel.signatures import quoted
from megagenome.standards.passport import (
    MAX_VISA_BYTES,
    REGISTERED_ACCESS,
    VISA_CLAIM,
    VISA_TYP,
    Visa,
    VisaType,
    read_visa_claims,
)

_TYPES = frozenset({"", "jwt", VISA_TYP})
"""`typ` of a visa may be absent. That of an access token is none of these: visas of that kind are not taken."""


class Opened(NamedTuple):
    """A visa that could be read, unverified. `type` and `value` are empty where it does not say."""

    place: int
    token: Token
    type: str
    value: str


def open_visa(place: int, text: str) -> Opened:
    """Take a visa apart, believing nothing. Raises `Refused`."""
    token = read(text, MAX_VISA_BYTES)
    stated = token.claims.get(VISA_CLAIM)
    stated = stated if isinstance(stated, dict) else {}
    type_, value = stated.get("type"), stated.get("value")
    return Opened(place, token, type_ if isinstance(type_, str) else "", value if isinstance(value, str) else "")


def types_in_conditions(opened: Iterable[Opened]) -> frozenset[str]:
    """Types that some visa makes a condition of, whether or not it will be believed: so others of them are needed."""
    return frozenset(_strings_of_type(opened))


def is_needed(visa: Opened, policy: Policy, in_conditions: frozenset[str]) -> bool:
    """Whether a decision can depend on this visa. A visa that does not say what it is gets refused instead."""
    match visa.type:
        case VisaType.LINKED_IDENTITIES | "":
            return True
        case VisaType.CONTROLLED_ACCESS_GRANTS if policy.dataset in (None, visa.value):
            return True
        case VisaType.ACCEPTED_TERMS_AND_POLICIES | VisaType.RESEARCHER_STATUS if visa.value == REGISTERED_ACCESS:
            return True
        case type_:
            return type_ in in_conditions


def check_visa(opened: Opened, trust: Trust, policy: Policy, now: int) -> Standing:
    """Ask of one visa all that concerns it alone. Raises `Refused` at the first rule that it fails.

    Its issuer is looked up by what the visa says, and its signature then asked of that issuer's keys; nothing that the
    visa says chooses a key or an address.
    """
    token = opened.token
    check_header(token, _TYPES)
    issuer = _issuer(token, trust)
    check_signature(token, issuer.keys)
    try:
        claims = read_visa_claims(token.claims)
    except Corrupt as error:
        raise Refused(Code.BAD_CLAIMS, f"It is signed, but {error}.") from None
    check_times(max(claims.iat, claims.visa.asserted), claims.nbf, claims.exp, now)
    if "openid" in claims.scope.split():
        raise Refused(Code.OPENID_SCOPE, "Its scope has openid: it is an access token, and no visa.")
    _check_scope(claims.visa, issuer)
    _check_by(claims.visa, policy)
    until = min(claims.exp, claims.visa.asserted + policy.max_authz_ttl_s)
    if now + policy.requested_ttl_s >= until + SKEW_S:
        raise Refused(Code.TOO_OLD, f"It counts for {max(until - now, 0)} s more, shorter than is wanted.")
    if claims.jti and TokenId(claims.iss, claims.jti) in policy.revoked_tokens:
        raise Refused(Code.REVOKED, "It was revoked.")
    return Standing(opened.place, claims.identity, claims.visa, until)


def _issuer(token: Token, trust: Trust) -> Issuer:
    iss, jku = token.claims.get("iss"), token.header.jku
    if not isinstance(iss, str) or not trust.names_issuer(iss):
        raise Refused(Code.UNTRUSTED_ISSUER, f"Its issuer {quoted(iss)} is not among those that are trusted.")
    issuer = trust.issuer(iss, jku)
    if issuer is None:
        says = f"It names {quoted(jku)} for its key, where {quoted(iss)} has none." if jku else "It names no jku."
        raise Refused(Code.UNTRUSTED_JKU, says)
    return issuer


def _check_scope(visa: Visa, issuer: Issuer) -> None:
    """That the issuer is believed in this type, may speak for this source, and this source about this value."""
    if visa.type not in issuer.types:
        raise Refused(Code.UNTRUSTED_TYPE, f"Its issuer is not believed in {quoted(visa.type)}.")
    sources = [each for each in issuer.sources if within(visa.source, each.source)]
    if not sources:
        raise Refused(Code.UNTRUSTED_SOURCE, f"Its issuer may not speak for the source {quoted(visa.source)}.")
    if visa.type == VisaType.LINKED_IDENTITIES:
        return
    if not any(_covers(scope, visa) for each in sources for scope in each.values):
        raise Refused(
            Code.UNTRUSTED_VALUE, f"The source {quoted(visa.source)} may not speak about {quoted(visa.value)}."
        )


def _covers(scope: str, visa: Visa) -> bool:
    if visa.type == VisaType.AFFILIATION_AND_ROLE:
        return "@" + visa.value.partition("@")[2] == scope
    return not scope.startswith("@") and within(visa.value, scope)


def _check_by(visa: Visa, policy: Policy) -> None:
    match visa.type:
        case VisaType.CONTROLLED_ACCESS_GRANTS:
            wanted = policy.grant_by
        case VisaType.ACCEPTED_TERMS_AND_POLICIES:
            wanted = policy.terms_by
        case VisaType.RESEARCHER_STATUS:
            wanted = policy.researcher_by
        case _:
            return
    if visa.by not in wanted:
        stated = "nobody known" if visa.by is None else quoted(visa.by)
        raise Refused(Code.UNTRUSTED_BY, f"It is asserted by {stated}, not by {' or '.join(sorted(wanted))}.")


def _strings_of_type(opened: Iterable[Opened]) -> Iterable[str]:
    for each in opened:
        stated = each.token.claims.get(VISA_CLAIM)
        alternatives = stated.get("conditions") if isinstance(stated, dict) else None
        for clauses in alternatives if isinstance(alternatives, list) else ():
            for clause in clauses if isinstance(clauses, list) else ():
                type_ = clause.get("type") if isinstance(clause, dict) else None
                if isinstance(type_, str):
                    yield type_
