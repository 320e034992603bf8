# SPDX-License-Identifier: Apache-2.0
"""A decision rule by rule, for the person who was refused and for the operator whom they ask.

It is made from the decision alone: rules are asked in one order, so whatever failed one has passed those before.
"""

from enum import StrEnum

import msgspec

from megagenome.identity.model import Code, Decision, Grant, Reason, Rule

ASKS: dict[Rule, str] = {
    Rule.FORM: "One signed token within the size that is read, which can be read in one way only.",
    Rule.NEEDED: "What is decided here can depend on it.",
    Rule.HEADER: "Signed by ES256 or RS256, the right kind of token, with no key or rule of the sender's choice.",
    Rule.ISSUER: "Its issuer is trusted, and the address of its keys is the one that is known of that issuer.",
    Rule.KEY: "The key that it names is one key of that issuer.",
    Rule.SIGNATURE: "That key has signed it.",
    Rule.CLAIMS: "It says all that it must say, and nothing that it cannot say.",
    Rule.TIME: "It holds now.",
    Rule.AUDIENCE: "It is for this service.",
    Rule.REPLAY: "It was not shown before, where it counts once.",
    Rule.SCOPE: "It is a visa document, not an access token.",
    Rule.SOURCE: "Its issuer may assert this type, for this source, about this value.",
    Rule.BY: "It is asserted by somebody whom this service accepts for that.",
    Rule.AGE: "It lasts as long as access is wanted, and was asserted recently enough.",
    Rule.REVOCATION: "It was not revoked.",
    Rule.PERSON: "It is of the passport's person, or of an identity that a trusted issuer joins to theirs.",
    Rule.ENTITLEMENT: "This person's access to this dataset was not revoked.",
    Rule.CONDITIONS: "Its conditions are met by other visas that count.",
    Rule.DATASET: "A visa that counts grants the dataset that is asked for.",
}
"""What each rule asks, in one sentence."""

PASSPORT_RULES = (
    Rule.FORM,
    Rule.HEADER,
    Rule.ISSUER,
    Rule.KEY,
    Rule.SIGNATURE,
    Rule.CLAIMS,
    Rule.TIME,
    Rule.AUDIENCE,
    Rule.REPLAY,
    Rule.REVOCATION,
)
VISA_RULES = (
    Rule.FORM,
    Rule.NEEDED,
    Rule.HEADER,
    Rule.ISSUER,
    Rule.KEY,
    Rule.SIGNATURE,
    Rule.CLAIMS,
    Rule.TIME,
    Rule.SCOPE,
    Rule.SOURCE,
    Rule.BY,
    Rule.AGE,
    Rule.REVOCATION,
    Rule.PERSON,
    Rule.ENTITLEMENT,
    Rule.CONDITIONS,
)

RULE_OF: dict[Code, Rule] = {
    Code.TOO_LARGE: Rule.FORM,
    Code.MALFORMED: Rule.FORM,
    Code.NOT_NEEDED: Rule.NEEDED,
    Code.ALGORITHM: Rule.HEADER,
    Code.WRONG_TYP: Rule.HEADER,
    Code.FOREIGN_KEY: Rule.HEADER,
    Code.UNTRUSTED_ISSUER: Rule.ISSUER,
    Code.UNTRUSTED_JKU: Rule.ISSUER,
    Code.NO_KID: Rule.KEY,
    Code.NO_KEYS: Rule.KEY,
    Code.UNKNOWN_KID: Rule.KEY,
    Code.AMBIGUOUS_KID: Rule.KEY,
    Code.BAD_SIGNATURE: Rule.SIGNATURE,
    Code.BAD_CLAIMS: Rule.CLAIMS,
    Code.EXPIRED: Rule.TIME,
    Code.NOT_YET_VALID: Rule.TIME,
    Code.NO_AUDIENCE: Rule.AUDIENCE,
    Code.WRONG_AUDIENCE: Rule.AUDIENCE,
    Code.NO_JTI: Rule.REPLAY,
    Code.REPLAYED: Rule.REPLAY,
    Code.OPENID_SCOPE: Rule.SCOPE,
    Code.UNTRUSTED_TYPE: Rule.SOURCE,
    Code.UNTRUSTED_SOURCE: Rule.SOURCE,
    Code.UNTRUSTED_VALUE: Rule.SOURCE,
    Code.UNTRUSTED_BY: Rule.BY,
    Code.TOO_OLD: Rule.AGE,
    Code.REVOKED: Rule.REVOCATION,
    Code.OTHER_PERSON: Rule.PERSON,
    Code.ENTITLEMENT_REVOKED: Rule.ENTITLEMENT,
    Code.CONDITIONS_UNMET: Rule.CONDITIONS,
    Code.NOT_GRANTED: Rule.DATASET,
}
"""The rule that each refusal fails. What has no rule here passed all of them."""


class Result(StrEnum):
    """How a token stands to one rule."""

    MET = "met"
    SET_ASIDE = "set aside"  # not asked for, and no fault
    REFUSED = "refused"
    NOT_REACHED = "not reached"


class Step(msgspec.Struct, frozen=True):
    """One rule, and how it went."""

    rule: Rule
    asks: str
    result: Result


class Account(msgspec.Struct, frozen=True):
    """What became of the passport (`visa` is None) or of the visa at that place in it, from 0; and rule by rule."""

    visa: int | None
    type: str
    result: Result
    code: Code
    says: str
    steps: tuple[Step, ...]


class Explanation(msgspec.Struct, frozen=True):
    """All of a decision. It holds no token and no key; `subject` and `linked` are the passport holder's own names.

    accepted  what the decision says
    says      the sentence that settled it
    """

    accepted: bool
    code: Code
    says: str
    subject: str | None
    linked: tuple[str, ...]
    registered_until: int | None
    grants: tuple[Grant, ...]
    expires: int
    passport: Account
    visas: tuple[Account, ...]


def explain(decision: Decision) -> Explanation:
    """The decision rule by rule: first the passport, then each visa in its order."""
    of_passport, *others = decision.reasons
    of_dataset = next((reason for reason in others if reason.visa is None), None)
    settling = of_dataset or of_passport
    return Explanation(
        accepted=decision.accepted,
        code=settling.code,
        says=settling.says,
        subject=decision.subject,
        linked=tuple(identity.subject for identity in decision.linked),
        registered_until=decision.registered_until,
        grants=decision.grants,
        expires=decision.expires,
        passport=_account(of_passport, PASSPORT_RULES),
        visas=tuple(_account(reason, VISA_RULES) for reason in others if reason.visa is not None),
    )


def _account(reason: Reason, rules: tuple[Rule, ...]) -> Account:
    failed = RULE_OF.get(reason.code)
    ending = Result.SET_ASIDE if reason.code is Code.NOT_NEEDED else Result.REFUSED
    passed = rules.index(failed) if failed else len(rules)
    results = [Result.MET] * passed + [ending] + [Result.NOT_REACHED] * len(rules)
    steps = tuple(Step(rule, ASKS[rule], result) for rule, result in zip(rules, results, strict=False))
    return Account(reason.visa, reason.type, ending if failed else Result.MET, reason.code, reason.says, steps)
