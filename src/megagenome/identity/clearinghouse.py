# SPDX-License-Identifier: Apache-2.0
"""The passport clearinghouse: what follows from a passport, and why.

GA4GH AAI OpenID Connect Profile 1.2, "Conformance for Passport Clearinghouses", and GA4GH Passport 1.2.1. One pure
function: no clock, no web, no state. The keys are in `trust` already (`jwks.KeySets` fetches them, by addresses that
the trust store has), so nothing in a token can lead anywhere.
"""

from collections.abc import Iterator

from megagenome.identity.linked_identities import Standing, same_person, usable_until
from megagenome.identity.model import Code, Decision, Entitlement, Grant, Policy, Reason, TokenId
from megagenome.identity.tokens import Refused, check_header, check_signature, check_times, read
from megagenome.identity.trust import Broker, Trust
from megagenome.identity.visas import Opened, check_visa, is_needed, open_visa, types_in_conditions
from megagenome.kernel.errors import Corrupt
from megagenome.kernel.signatures import quoted, short_ascii
from megagenome.standards.passport import (
    MAX_PASSPORT_BYTES,
    PASSPORT_TYP,
    REGISTERED_ACCESS,
    PassportClaims,
    VisaIdentity,
    VisaType,
    read_passport_claims,
)

Known = dict[VisaIdentity, int]
"""Identities of the passport's person, each with the time until which that is known."""


def decide(passport: str, trust: Trust, policy: Policy, now: int) -> Decision:
    """What the person of `passport` (compact signed text) may do, under `policy`, at `now` (seconds since 1970, UTC).

    Never raises: whatever the text is, it is refused with a reason. In this order, each token up to its first fault:

    1. the passport: one readable token within limits; ES256 or RS256; a trusted broker; the one key of its `kid`; its
       signature; its claims; its times; its audience; not shown or revoked before
    2. each visa that can matter: likewise, its issuer looked up by `iss` and `jku` together; no access token
    3. its type, source and value are within what its issuer may assert; `by` is as wanted
    4. it lasts long enough, by `exp` and by `asserted`; it was not revoked
    5. it is of the passport's person, or of an identity joined to theirs by trusted LinkedIdentities visas
    6. the person's entitlement was not revoked; its conditions are met by visas that came as far as this

    Rules that concern one visa come before those that join several, so that no visa that would be refused can link a
    person or meet a condition. What a decision says ends (`expires`) when the first of all that it rests on does.
    Cost: one signature for each visa that can matter, at most `MAX_VISAS`; none before the passport's own holds.
    """
    try:
        claims = _open_passport(passport, trust, policy, now)
    except Refused as refused:
        return Decision(accepted=False, reasons=(Reason(refused.code, refused.says),))
    reasons: dict[int, Reason] = {}
    standing = _check_visas(claims, trust, policy, now, reasons)
    known, usable = _usable(claims, standing, policy, reasons)
    grants = tuple(_grants(usable))
    first = Reason(Code.ACCEPTED, f"The passport of {quoted(claims.iss)} counts.")
    last = _dataset_reason(policy, grants)
    return Decision(
        accepted=last is None or last.code is Code.GRANTED,
        reasons=(first, *(reasons[place] for place in sorted(reasons)), *([last] if last else [])),
        identity=claims.identity,
        linked=tuple(identity for identity in known if identity != claims.identity),
        registered_until=_registered_until(usable),
        grants=grants,
        expires=claims.exp,
        token=_token_id(claims),
    )


def _open_passport(passport: str, trust: Trust, policy: Policy, now: int) -> PassportClaims:
    token = read(passport, MAX_PASSPORT_BYTES)
    check_header(token, {PASSPORT_TYP})
    iss, jku = token.claims.get("iss"), token.header.jku
    broker = trust.broker(iss) if isinstance(iss, str) else None
    if broker is None:
        raise Refused(Code.UNTRUSTED_ISSUER, f"Its broker {quoted(iss)} is not among those that are trusted.")
    # where keys were brought by hand nobody knows their address, and nothing depends on it
    if jku and broker.jwks_url and jku != broker.jwks_url:
        raise Refused(Code.UNTRUSTED_JKU, f"It names {quoted(jku)} for its key, where its broker has none.")
    check_signature(token, broker.keys)
    try:
        claims = read_passport_claims(token.claims)
    except Corrupt as error:
        raise Refused(Code.BAD_CLAIMS, f"It is signed, but {error}.") from None
    check_times(claims.iat, claims.nbf, claims.exp, now)
    _check_audience(claims, broker, policy)
    _check_replay(claims, policy)
    return claims


def _check_audience(claims: PassportClaims, broker: Broker, policy: Policy) -> None:
    if not claims.aud:
        if broker.needs_audience:
            raise Refused(Code.NO_AUDIENCE, "It does not say whom it is for (aud).")
    elif policy.audiences.isdisjoint(claims.aud):
        raise Refused(Code.WRONG_AUDIENCE, "It is for another service than this one (aud).")


def _check_replay(claims: PassportClaims, policy: Policy) -> None:
    token = _token_id(claims)
    if policy.spent is not None:
        if token is None:
            raise Refused(Code.NO_JTI, "It has no id (jti), so nobody could tell whether it is shown twice.")
        if token in policy.spent:
            raise Refused(Code.REPLAYED, "It was shown before, and counts once.")
    if token is not None and token in policy.revoked_tokens:
        raise Refused(Code.REVOKED, "It was revoked.")


def _check_visas(
    claims: PassportClaims, trust: Trust, policy: Policy, now: int, reasons: dict[int, Reason]
) -> list[Standing]:
    """Those that pass every rule that concerns them alone; `reasons` gets why the others do not."""
    opened: list[Opened] = []
    for place, text in enumerate(claims.visas):
        try:
            opened.append(open_visa(place, text))
        except Refused as refused:
            reasons[place] = Reason(refused.code, refused.says, place)
    in_conditions = types_in_conditions(opened)
    standing: list[Standing] = []
    for each in opened:
        type_ = short_ascii(each.type)
        if not is_needed(each, policy, in_conditions):
            reasons[each.place] = Reason(Code.NOT_NEEDED, "Nothing that is decided here needs it.", each.place, type_)
            continue
        try:
            standing.append(check_visa(each, trust, policy, now))
        except Refused as refused:
            reasons[each.place] = Reason(refused.code, refused.says, each.place, type_)
    return standing


def _usable(
    claims: PassportClaims, standing: list[Standing], policy: Policy, reasons: dict[int, Reason]
) -> tuple[Known, list[Standing]]:
    """Who the person is, and the visas that count for them, each with its final end."""

    def note(each: Standing, code: Code, says: str) -> None:
        reasons[each.place] = Reason(code, says, each.place, each.visa.type)

    known = same_person(claims.identity, claims.exp, standing)
    while revoked := [each for each in standing if _is_revoked(each, known, policy)]:
        for each in revoked:
            note(each, Code.ENTITLEMENT_REVOKED, "This person's access to this dataset was revoked.")
        # what was revoked can meet no condition either, also none by which somebody was linked
        standing = [each for each in standing if each not in revoked]
        known = same_person(claims.identity, claims.exp, standing)
    usable: list[Standing] = []
    for each in standing:
        met = usable_until(each, known, standing)
        if each.identity not in known:
            note(each, Code.OTHER_PERSON, "It is of another identity, which no trusted visa joins to the passport's.")
        elif met is None:
            note(each, Code.CONDITIONS_UNMET, "No other visa that counts meets its conditions.")
        else:
            note(each, Code.USED, f"It counts: {quoted(each.visa.type)} by {quoted(each.visa.source)}.")
            usable.append(each._replace(until=min(each.until, known[each.identity], met)))
    return known, usable


def _is_revoked(each: Standing, known: Known, policy: Policy) -> bool:
    if each.visa.type != VisaType.CONTROLLED_ACCESS_GRANTS or each.identity not in known:
        return False
    return any(Entitlement(identity.subject, each.visa.value) in policy.revoked_grants for identity in known)


def _grants(usable: list[Standing]) -> Iterator[Grant]:
    for each in usable:
        if each.visa.type == VisaType.CONTROLLED_ACCESS_GRANTS:
            yield Grant(each.visa.value, each.visa.source, each.visa.by or "", each.until, each.place)


def _registered_until(usable: list[Standing]) -> int | None:
    """The earlier end of both visas of registered access; of each the one that lasts longest."""
    ends: dict[str, int] = {}
    for each in usable:
        if each.visa.value == REGISTERED_ACCESS:
            ends[each.visa.type] = max(each.until, ends.get(each.visa.type, 0))
    terms, status = (ends.get(type_) for type_ in (VisaType.ACCEPTED_TERMS_AND_POLICIES, VisaType.RESEARCHER_STATUS))
    return None if terms is None or status is None else min(terms, status)


def _dataset_reason(policy: Policy, grants: tuple[Grant, ...]) -> Reason | None:
    if policy.dataset is None:
        return None
    if any(each.dataset == policy.dataset for each in grants):
        return Reason(Code.GRANTED, f"A visa that counts grants {quoted(policy.dataset)}.")
    return Reason(Code.NOT_GRANTED, f"No visa that counts grants {quoted(policy.dataset)}.")


def _token_id(claims: PassportClaims) -> TokenId | None:
    return TokenId(claims.iss, claims.jti) if claims.jti else None
