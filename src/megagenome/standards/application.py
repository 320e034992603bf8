# SPDX-License-Identifier: Apache-2.0
"""The application process as a hub's `/access` tells it, version 1; no outside standard.

    GET  /access/applications                             -> Page
    GET  /access/applications/{application}               -> ApplicationShown
    POST /access/applications, .../commands, .../attachments -> Outcome

What a caller may not read is left out; `access` says what that is. Permits are in `standards.permit`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

import msgspec

ApplicationId = NewType("ApplicationId", str)


PersonKey = NewType("PersonKey", str)
"""A random key; the person's subject and name stand beside it until they are erased."""


class State(StrEnum):
    """Where an application stands as a whole. Each dataset has its own `PartState` beside it."""

    DRAFT = "draft"
    SUBMITTED = "submitted"  # waits for the signing official
    SCREENING = "screening"  # endorsed; the committee looks whether it can be assessed
    RETURNED = "returned"  # the applicant has to change something
    ASSESSING = "assessing"
    RECOMMENDED = "recommended"
    NATIONAL_WINDOW = "national_window"  # at least one country still decides, none has granted
    DECIDED = "decided"  # every country answered or let its time lapse, none granted
    ACTIVE = "active"  # at least one country granted: there is a permit; others may still decide
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


class PartState(StrEnum):
    """Where one dataset stands with its country."""

    NAMED = "named"  # nobody was asked yet
    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    LAPSED = "lapsed"  # no answer in time, which is a no; the country may be asked again
    REVOKED = "revoked"


class ProcessRole(StrEnum):
    """What a caller is to one application. `node` is a node that speaks for itself, `clock` nobody: time itself."""

    APPLICANT = "applicant"
    MEMBER = "member"
    INVITED = "invited"
    SIGNING_OFFICIAL = "signing_official"
    DAC_CHAIR = "dac_chair"
    DAC_MEMBER = "dac_member"
    COUNTRY_DECIDER = "country_decider"
    DATA_STEWARD = "data_steward"
    AUDITOR = "auditor"
    NODE = "node"
    CLOCK = "clock"


class Criterion(StrEnum):
    """The eight checks of 1+MG SOP0003 (8.1)."""

    SIGN_OFF = "institutional_sign_off"
    ANALYSIS_PLAN = "analysis_plan"
    MINIMISATION = "data_minimisation"
    ALGORITHMS = "algorithms"
    ETHICS = "ethics"
    FUNDING = "funding"
    DESCRIPTION = "project_description"
    PEER_REVIEW = "peer_review"


class Vote(StrEnum):
    """What one member of the committee finds on one criterion."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_APPLICABLE = "not_applicable"


class Advice(StrEnum):
    """What the committee recommends to the countries."""

    APPROVE = "approve"
    REJECT = "reject"


class ClockKind(StrEnum):
    """What a clock is for."""

    ASSESSMENT = "assessment"
    REMINDER = "reminder"
    WINDOW = "window"
    PERMIT = "permit"


class FormRef(msgspec.Struct, frozen=True):
    """The form document that is answered: exactly this one, for ever."""

    id: str
    version: str
    digest: str


class CohortRef(msgspec.Struct, frozen=True):
    """The cohort that is asked for: its id and its canonical definition."""

    id: str
    definition: str


class DatasetRef(msgspec.Struct, frozen=True, order=True):
    """A dataset at a node; `country` decides on it."""

    node: str
    country: str
    dataset: str


class Verb(StrEnum):
    """What can be done: two ways of reading, and the commands by their names on the wire."""

    LOOK = "look"
    READ = "read"
    SAVE_DRAFT = "save-draft"
    INVITE = "invite-member"
    UNINVITE = "uninvite-member"
    JOIN = "join"
    REMOVE = "remove-member"
    LEAVE = "leave"
    ATTACH = "attach"
    DETACH = "detach"
    SUBMIT = "submit"
    ENDORSE = "endorse"
    DECLINE = "decline"
    BEGIN = "begin-assessment"
    RETURN = "return"
    DECLARE = "declare-interest"
    VOTE = "vote"
    RECOMMEND = "recommend"
    REQUEST = "request-decisions"
    REJECT = "reject"
    RECORD = "record-decision"
    RESUBMIT = "resubmit"
    WITHDRAW = "withdraw"
    CLOSE = "close"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    LAPSE = "lapse"
    EXPIRE = "expire"


class FieldFinding(msgspec.Struct, frozen=True):
    """What is wrong with the answer to one field, in words for its author."""

    field: str
    says: str


class PersonShown(msgspec.Struct, frozen=True):
    """Somebody who takes part."""

    key: PersonKey
    name: str
    role: ProcessRole


class InvitationShown(msgspec.Struct, frozen=True):
    """An open invitation; only the applicant reads it, who passes the secret on."""

    id: str
    name: str
    email: str
    secret: str


class AttachmentShown(msgspec.Struct, frozen=True):
    """A document, as it is called."""

    id: str
    name: str
    kind: str
    size_bytes: int


class PartShown(msgspec.Struct, frozen=True):
    """One dataset with its country: where it stands, until when the country decides, and what it said."""

    dataset: DatasetRef
    state: PartState
    due: datetime | None
    decided_at: datetime | None
    reasons: str


class ClockShown(msgspec.Struct, frozen=True):
    """A clock that runs, stands (`due` is None, `days` are left) or fired.

    left  working days of `country` between today and the end, today not counted; None where none runs
    """

    kind: ClockKind
    country: str
    days: int
    due: datetime | None
    fired: bool
    reason: str
    left: int | None = None


class VoteShown(msgspec.Struct, frozen=True):
    """One vote of the committee; `is_mine`: of who reads it."""

    by: str
    criterion: str
    vote: str
    note: str
    is_mine: bool = False


class RecommendationShown(msgspec.Struct, frozen=True):
    """What the committee recommends, and the permit that it proposes."""

    advice: str
    reasons: str
    permit: str
    permit_digest: str
    starts: str
    ends: str


class PermitDays(msgspec.Struct, frozen=True):
    """First and last day (ISO 8601) of a permit that begins and lasts as was asked for; a recommendation begins so."""

    starts: str
    ends: str


class TimelineEntry(msgspec.Struct, frozen=True):
    """One event, as people read it. `by` is empty where time acted or the name is not for the reader.

    verdicts  of a country's decision, one for each of `datasets`
    """

    sequence: int
    at: datetime
    event: str
    by: str
    role: str
    of: str
    says: str
    country: str
    datasets: tuple[str, ...]
    due: datetime | None
    verdicts: tuple[str, ...] = ()


class ApplicationShown(msgspec.Struct, frozen=True):
    """`GET /access/applications/{id}`. `commands` are those that the table lets this caller send now.

    `days` are for who may recommend.
    """

    id: ApplicationId
    version: int
    state: State
    roles: tuple[ProcessRole, ...]
    commands: tuple[Verb, ...]
    form: FormRef
    cohort: CohortRef
    organisation: str
    created: datetime
    updated: datetime
    parts: tuple[PartShown, ...]
    clocks: tuple[ClockShown, ...]
    timeline: tuple[TimelineEntry, ...]
    told: str = ""
    people: tuple[PersonShown, ...] = ()
    invitations: tuple[InvitationShown, ...] = ()
    answers: dict[str, Any] = {}
    findings: tuple[FieldFinding, ...] = ()
    attachments: tuple[AttachmentShown, ...] = ()
    recommendation: RecommendationShown | None = None
    votes: tuple[VoteShown, ...] = ()
    conflict: bool | None = None
    days: PermitDays | None = None


class Scope(StrEnum):
    """Which applications."""

    MINE = "mine"  # in which the caller takes part, latest change first
    DESK = "desk"  # that wait for the caller, most urgent first
    ALL = "all"  # that came to a desk of the caller at any time, latest change first


class Line(msgspec.Struct, frozen=True):
    """One application in a list. `due` is when the first clock ends; of a decider's desk, their country's window.

    `title` is empty for those who may look at the application and not read it: auditors and data stewards.
    """

    id: ApplicationId
    title: str
    state: State
    version: int
    organisation: str
    countries: tuple[str, ...]
    created: str
    updated: str
    due: str | None
    clock: str | None
    overdue: bool


class Page(msgspec.Struct, frozen=True):
    """Some lines of a list of `total`."""

    total: int
    skip: int
    lines: tuple[Line, ...]


class Outcome(msgspec.Struct, frozen=True):
    """What a command did: the application's state and version after it, and ids that were made (`told`)."""

    application: ApplicationId
    version: int
    state: State
    told: dict[str, str] = {}
