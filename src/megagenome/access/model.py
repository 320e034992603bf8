# SPDX-License-Identifier: Apache-2.0
"""What an application is at one moment: the view that `fold` makes of its events. All frozen.

People are `PersonKey`s and what people wrote are `TextId`s; names and texts stand in tables of their own that can be
erased (`store`), so that no view and no event holds personal data.
"""

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NewType

import msgspec

from megagenome.standards.application import (
    Advice,
    ApplicationId,
    ClockKind,
    CohortRef,
    Criterion,
    DatasetRef,
    FormRef,
    PartState,
    PersonKey,
    State,
    Vote,
)
from megagenome.standards.permit import PermitState, Verdict

TextId = NewType("TextId", str)
"""`sha256:` and the digest of a random salt and the text; when both are erased it says nothing."""


ENDED = frozenset({State.EXPIRED, State.REVOKED, State.REJECTED, State.WITHDRAWN, State.CLOSED})
"""States in which no clock runs."""


class Desk(StrEnum):
    """The hand in which somebody held an application; nobody holds it in two."""

    APPLYING = "applying"
    ENDORSING = "endorsing"
    ASSESSING = "assessing"
    DECIDING = "deciding"


class Reach(IntEnum):
    """How far an application ever came; each desk sees it from then on."""

    DRAFT = 0
    SUBMITTED = 1
    ENDORSED = 2
    REQUESTED = 3


class Part(msgspec.Struct, frozen=True):
    """One dataset of an application, and where it stands."""

    dataset: DatasetRef
    state: PartState = PartState.NAMED
    requested: datetime | None = None  # when its country was asked last
    decide_by: datetime | None = None  # until when it could answer that


class Attachment(msgspec.Struct, frozen=True):
    """A stored document. `name` is what its sender called it, shown and never used as a path."""

    id: str
    name: TextId
    kind: str  # pdf, text
    size_bytes: int
    sha256: str
    by: PersonKey


class Invitation(msgspec.Struct, frozen=True):
    """Somebody who may join. Whom it is for and its secret are in the text; here is only the secret's digest."""

    id: str
    secret_sha256: str
    text: TextId


class Cast(msgspec.Struct, frozen=True):
    """One vote as cast; a later one of the same person on the same criterion replaces it."""

    by: PersonKey
    criterion: Criterion
    vote: Vote
    note: TextId | None


class PermitRef(msgspec.Struct, frozen=True):
    """The permit that was proposed: its document is a text (it names people), its digest is what countries sign."""

    id: str
    digest: str
    text: TextId
    starts: str  # ISO dates, both included
    ends: str


class Recommendation(msgspec.Struct, frozen=True):
    """What the committee recommends; a permit where it is to approve."""

    advice: Advice
    reasons: TextId
    permit: PermitRef | None


class Decision(msgspec.Struct, frozen=True):
    """What one country decided on one dataset, and why; `token` is the signed decision."""

    dataset: DatasetRef
    verdict: Verdict
    reasons: TextId | None
    token: TextId
    at: datetime


class Clock(msgspec.Struct, frozen=True):
    """A running, paused or fired clock. Paused while `due` is None; `days` is what is left of it then."""

    kind: ClockKind
    country: str  # whose days they are; of windows and reminders the deciding country
    days: int
    started: datetime
    due: datetime | None
    reason: str
    fired: bool = False


class Application(msgspec.Struct, frozen=True):
    """An application as its events make it.

    version           number of its last event; what a command must expect
    answers           the draft; `submitted` is what all but its people read, None before the first submission
    suspended         by the hub, also while no country's grant is left to show it
    took_part         applicant and everybody who is or was a member
    desks             in which hand others held it
    conflicts         who of the committee declared, and whether they have a conflict of interest
    told              the reasons last given to the applicant
    """

    id: ApplicationId
    version: int
    state: State
    form: FormRef
    cohort: CohortRef
    parts: tuple[Part, ...]
    applicant: PersonKey
    organisation: str
    created: datetime
    updated: datetime
    members: tuple[PersonKey, ...] = ()
    invitations: tuple[Invitation, ...] = ()
    answers: TextId | None = None
    attachments: tuple[Attachment, ...] = ()
    submitted: TextId | None = None
    submitted_attachments: tuple[Attachment, ...] = ()
    reached: Reach = Reach.DRAFT
    suspended: bool = False
    took_part: frozenset[PersonKey] = frozenset()
    desks: dict[PersonKey, Desk] = {}
    conflicts: dict[PersonKey, bool] = {}
    votes: tuple[Cast, ...] = ()
    recommendation: Recommendation | None = None
    decisions: tuple[Decision, ...] = ()
    clocks: tuple[Clock, ...] = ()
    told: TextId | None = None

    def countries(self) -> frozenset[str]:
        """The countries whose datasets it names."""
        return frozenset(part.dataset.country for part in self.parts)

    def permit_state(self) -> PermitState | None:
        """What the hub says of the permit; None before a country was asked.

        All that is over is `revoked`, also what was withdrawn before any country answered: a node must not read by it,
        nor countersign it any more. `active` grants nothing: that takes each country's signature.
        """
        if self.reached < Reach.REQUESTED:
            return None
        if self.state in ENDED:
            return PermitState.REVOKED
        return PermitState.SUSPENDED if self.suspended else PermitState.ACTIVE

    def next_clock(self) -> Clock | None:
        """The running clock that is due first; None where none runs."""
        running = [clock for clock in self.clocks if clock.due is not None and not clock.fired]
        return min(running, key=lambda clock: (clock.due, clock.kind, clock.country), default=None)
