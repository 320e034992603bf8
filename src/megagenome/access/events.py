# SPDX-License-Identifier: Apache-2.0
"""What can happen to an application. Events are facts, appended and never changed; all that is known follows from them.

Names are those of REMS (`application.event/submitted`) where it has the event, so that its clients can map them; ours
are in the same style, and `clock.*`, `decision.*`, `permit.*` where nobody acts on the application itself.
An event holds no name and no word that a person wrote: keys and digests only (`model`).
"""

from datetime import datetime

import msgspec

from megagenome.access.model import Attachment, Invitation, PermitRef, TextId
from megagenome.standards.application import (
    Advice,
    ClockKind,
    CohortRef,
    Criterion,
    DatasetRef,
    FormRef,
    PersonKey,
    ProcessRole,
    Vote,
)
from megagenome.standards.permit import Verdict


class Created(msgspec.Struct, frozen=True, tag="application.event/created"):
    """A draft for a cohort over datasets, on behalf of an organisation of the applicant."""

    form: FormRef
    cohort: CohortRef
    datasets: tuple[DatasetRef, ...]
    organisation: str


class DraftSaved(msgspec.Struct, frozen=True, tag="application.event/draft-saved"):
    """The answers as they are now."""

    answers: TextId


class MemberInvited(msgspec.Struct, frozen=True, tag="application.event/member-invited"):
    """Whoever shows the invitation's secret may join."""

    invitation: Invitation


class MemberUninvited(msgspec.Struct, frozen=True, tag="application.event/member-uninvited"):
    """The invitation holds no longer."""

    invitation: str


class MemberJoined(msgspec.Struct, frozen=True, tag="application.event/member-joined"):
    """Somebody took up an invitation."""

    invitation: str
    person: PersonKey


class MemberRemoved(msgspec.Struct, frozen=True, tag="application.event/member-removed"):
    """A member left or was removed."""

    person: PersonKey


class Attached(msgspec.Struct, frozen=True, tag="application.event/attached"):
    """A document was stored."""

    attachment: Attachment


class Detached(msgspec.Struct, frozen=True, tag="application.event/detached"):
    """A document belongs to the draft no longer."""

    attachment: str


class Submitted(msgspec.Struct, frozen=True, tag="application.event/submitted"):
    """These answers, with the attachments of this moment, were submitted."""

    answers: TextId


class Endorsed(msgspec.Struct, frozen=True, tag="application.event/endorsed"):
    """The organisation stands behind it."""


class Declined(msgspec.Struct, frozen=True, tag="application.event/declined"):
    """The organisation does not; back to the applicant."""

    reasons: TextId


class AssessmentBegun(msgspec.Struct, frozen=True, tag="application.event/assessment-begun"):
    """It is complete enough to be assessed."""


class Returned(msgspec.Struct, frozen=True, tag="application.event/returned"):
    """The committee asks the applicant for something."""

    reasons: TextId


class InterestDeclared(msgspec.Struct, frozen=True, tag="application.event/interest-declared"):
    """Somebody of the committee said whether they have a conflict of interest."""

    conflict: bool
    note: TextId | None


class Voted(msgspec.Struct, frozen=True, tag="application.event/voted"):
    """One member's vote on one criterion."""

    criterion: Criterion
    vote: Vote
    note: TextId | None


class Recommended(msgspec.Struct, frozen=True, tag="application.event/recommended"):
    """What the committee recommends; with a permit where it is to approve."""

    advice: Advice
    reasons: TextId
    permit: PermitRef | None


class DecisionRequested(msgspec.Struct, frozen=True, tag="application.event/decision-requested"):
    """A country was asked to decide on its datasets."""

    country: str
    datasets: tuple[DatasetRef, ...]


class Outcome(msgspec.Struct, frozen=True):
    """A verdict on one dataset, with its reasons where any were given."""

    dataset: DatasetRef
    verdict: Verdict
    reasons: TextId | None


class Decided(msgspec.Struct, frozen=True, tag="application.event/decided"):
    """A country's signed decision."""

    country: str
    outcomes: tuple[Outcome, ...]
    token: TextId
    token_sha256: str
    decided_by: PersonKey


class DecisionLapsed(msgspec.Struct, frozen=True, tag="decision.lapsed"):
    """A country's time ran out without an answer: not granted."""

    country: str
    datasets: tuple[DatasetRef, ...]
    reason: str


class Rejected(msgspec.Struct, frozen=True, tag="application.event/rejected"):
    """The committee's recommendation to reject took effect."""


class Withdrawn(msgspec.Struct, frozen=True, tag="application.event/withdrawn"):
    """The applicant takes it back."""


class Closed(msgspec.Struct, frozen=True, tag="application.event/closed"):
    """Nothing more will happen with it."""

    reasons: TextId


class Revoked(msgspec.Struct, frozen=True, tag="application.event/revoked"):
    """The permit ended for ever, at the hub."""

    reasons: TextId


class PermitSuspended(msgspec.Struct, frozen=True, tag="permit.suspended"):
    """The permit does not work for now."""

    reasons: TextId


class PermitResumed(msgspec.Struct, frozen=True, tag="permit.resumed"):
    """The permit works again where countries granted it."""

    reasons: TextId


class PermitExpired(msgspec.Struct, frozen=True, tag="permit.expired"):
    """The permit's last day is over."""


class ClockStarted(msgspec.Struct, frozen=True, tag="clock.started"):
    """A clock runs until `due`, for this reason. Starting one that stands goes on with what was left."""

    clock: ClockKind
    country: str
    days: int
    due: datetime
    reason: str


class ClockPaused(msgspec.Struct, frozen=True, tag="clock.paused"):
    """A clock stands, with this many days left."""

    clock: ClockKind
    country: str
    days: int


class ClockFired(msgspec.Struct, frozen=True, tag="clock.fired"):
    """A clock's time is over; it never fires again."""

    clock: ClockKind
    country: str


Body = (
    Created
    | DraftSaved
    | MemberInvited
    | MemberUninvited
    | MemberJoined
    | MemberRemoved
    | Attached
    | Detached
    | Submitted
    | Endorsed
    | Declined
    | AssessmentBegun
    | Returned
    | InterestDeclared
    | Voted
    | Recommended
    | DecisionRequested
    | Decided
    | DecisionLapsed
    | Rejected
    | Withdrawn
    | Closed
    | Revoked
    | PermitSuspended
    | PermitResumed
    | PermitExpired
    | ClockStarted
    | ClockPaused
    | ClockFired
)


class Actor(msgspec.Struct, frozen=True):
    """Who did it, in which role, and for whom: an organisation or a country where the role has one."""

    person: PersonKey
    role: ProcessRole
    of: str = ""


class Event(msgspec.Struct, frozen=True):
    """One fact. `sequence` counts from 1 within the application and orders; `at` is what the wall clock said.

    actor    None where time acted, and of clocks
    command  the client's id of the command that it came of; empty where time acted
    """

    sequence: int
    at: datetime
    actor: Actor | None
    command: str
    body: Body


def name_of(body: Body) -> str:
    """The event's name, such as `application.event/submitted`."""
    return str(body.__struct_config__.tag)


def is_of_clock(body: Body) -> bool:
    """Whether it says what a clock did, which nobody does."""
    return isinstance(body, ClockStarted | ClockPaused | ClockFired)


_IN_CONFIDENCE = (InterestDeclared, Voted)


def is_in_confidence(body: Body) -> bool:
    """Whether the applicant's side does not see it: who voted how, and who has which interest."""
    return isinstance(body, _IN_CONFIDENCE)
