# SPDX-License-Identifier: Apache-2.0
"""The permit as it goes between hub and nodes, and what countries say of it. No outside standard.

A hub proposes a `PermitDocument`. Each country's node decides on its own datasets and signs a `CountryDecision` over
the document's digest: that signature is the countersignature, without which the permit works nowhere. Both travel as
compact JWS (ES256), `typ` as below. Which permits the hub suspended, resumed or ended it tells as `Revocation`s in its
signed answers (`standards.exchange`).

Texts are JSON with sorted keys and without blanks (`encode`), so that a digest is one on every machine.
"""

import hashlib
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from megagenome.kernel.errors import Invalid

PERMIT_TYPE = "megagenome-permit+jwt"
DECISION_TYPE = "megagenome-decision+jwt"

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its offset: one without could not be compared with others."""


class PermitPerson(msgspec.Struct, frozen=True):
    """Somebody who may use the permit: the subject that the hub knows them by, and their name for people to read."""

    subject: str
    name: str


class PermitDataset(msgspec.Struct, frozen=True, order=True):
    """A dataset, the node that holds it and the country that decides on it (ISO 3166)."""

    node: str
    country: str
    dataset: str


class PermitDocument(msgspec.Struct, frozen=True):
    """What is permitted, to whom, for what, when. Unchanging: whatever changes is told beside it.

    id           unguessable
    hub          who proposes it
    cohort       id of the cohort, `sha256:` and the digest of its canonical definition
    definition   that definition, as canonical JSON text
    uses         kinds of use
    starts,ends  days on which it may be used, both included
    conditions   what its people must keep to, in words
    form_digest  of the form document that was answered
    """

    id: str
    hub: str
    application: str
    cohort: str
    definition: str
    datasets: tuple[PermitDataset, ...]
    uses: tuple[str, ...]
    people: tuple[PermitPerson, ...]
    starts: date
    ends: date
    conditions: tuple[str, ...]
    form_digest: str
    proposed_at: Moment


class Proposal(msgspec.Struct, frozen=True):
    """A permit on its way to one node: what its country is asked, and until when. Silence is a no.

    requested_at  a decision must not be older
    decide_by     from then on a decision comes too late
    """

    document: PermitDocument
    digest: str
    country: str
    datasets: tuple[str, ...]
    requested_at: Moment
    decide_by: Moment


class Verdict(StrEnum):
    """What a country says of one dataset. `revoked` takes an earlier `approved` back."""

    APPROVED = "approved"
    REFUSED = "refused"
    REVOKED = "revoked"


class DatasetDecision(msgspec.Struct, frozen=True):
    """One dataset's verdict, and why; a refusal or a revocation without a reason is none."""

    dataset: str
    verdict: Verdict
    reasons: str = ""


class CountryDecision(msgspec.Struct, frozen=True):
    """What one country decided at its own node on one permit, of which it has seen the document with this digest.

    decided_by  the subject of the person who decided
    """

    permit: str
    permit_digest: str
    node: str
    country: str
    decisions: tuple[DatasetDecision, ...]
    decided_by: str
    decided_at: Moment


class PermitState(StrEnum):
    """What the hub says of a permit. `active` still needs each country's own countersignature."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Revocation(msgspec.Struct, frozen=True):
    """One change of a permit's state at the hub; `revoked` is for ever."""

    sequence: int
    permit: str
    state: PermitState
    at: Moment


def encode(document: msgspec.Struct) -> bytes:
    """The canonical JSON text."""
    return msgspec.json.encode(document, order="sorted")


def digest(document: PermitDocument) -> str:
    """`sha256:` and the digest of the canonical text."""
    return "sha256:" + hashlib.sha256(encode(document)).hexdigest()


def decode_permit(text: bytes | str) -> PermitDocument:
    """Read a permit. Raises `Invalid`."""
    try:
        return msgspec.json.decode(text, type=PermitDocument)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not a permit document: {error}") from None


def decode_decision(text: bytes | str) -> CountryDecision:
    """Read a country's decision. Raises `Invalid`, also for a dataset named twice or a reason that is missing."""
    try:
        decision = msgspec.json.decode(text, type=CountryDecision)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not a country's decision: {error}") from None
    check_decision(decision)
    return decision


def check_decision(decision: CountryDecision) -> None:
    """Raise `Invalid` for a decision that names no dataset, one twice, or says no without a reason."""
    named = [each.dataset for each in decision.decisions]
    if not named:
        raise Invalid(f"the decision of {decision.country} names no dataset")
    if len(named) != len(set(named)):
        raise Invalid(f"the decision of {decision.country} names a dataset twice")
    for each in decision.decisions:
        if each.verdict is not Verdict.APPROVED and not each.reasons.strip():
            raise Invalid(f"dataset {each.dataset}: {each.verdict} needs a reason")
