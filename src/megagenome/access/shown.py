# SPDX-License-Identifier: Apache-2.0
"""An application as one caller may see it: what the table lets them read, with names and texts joined in.

The applicant's side reads the draft, and not who voted how; names of the committee and of deciders stay from it. Desks
read what was submitted; a signing official, who is of the applicant's organisation, not who voted how either. Auditors
and data stewards see states, times, decisions and who of the officials acted, and nothing that the applicant's side
wrote, nor its names.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from megagenome.access import events as e
from megagenome.access.drafting import around
from megagenome.access.form import read_form
from megagenome.access.model import Application, Attachment, Clock, Decision, TextId
from megagenome.access.permit import days_asked_for
from megagenome.access.rules import TABLE, may
from megagenome.access.store import Known, Transaction
from megagenome.access.working_days import working_days_between
from megagenome.kernel import clock
from megagenome.standards.application import (
    ApplicationShown,
    AttachmentShown,
    ClockKind,
    ClockShown,
    DatasetRef,
    FieldFinding,
    InvitationShown,
    PartShown,
    PartState,
    PersonKey,
    PersonShown,
    ProcessRole,
    RecommendationShown,
    State,
    TimelineEntry,
    Verb,
    VoteShown,
)
from megagenome.standards.application_form import check_complete

_OWN = frozenset({ProcessRole.APPLICANT, ProcessRole.MEMBER})
_DAC = frozenset({ProcessRole.DAC_CHAIR, ProcessRole.DAC_MEMBER})
_IN_CONFIDENCE = _DAC | {ProcessRole.COUNTRY_DECIDER}
"""Who reads votes and interests; who reads nothing else either may see that there were some."""


class _Lens:
    """Texts and names that one caller may read."""

    def __init__(self, transaction: Transaction, roles: frozenset[ProcessRole], view: Application) -> None:
        self.transaction = transaction
        self.is_own = bool(roles & _OWN)
        self.reads = any(may(Verb.READ, role, view.state) for role in roles)
        self.is_in_confidence = bool(roles & _IN_CONFIDENCE) or not self.reads
        self.own_people = view.took_part
        self.texts: Mapping[TextId, str] = {}
        self.people: Mapping[PersonKey, Known] = {}

    def load(self, people: Iterable[PersonKey], texts: Iterable[TextId | None]) -> None:
        """Read what is needed at once."""
        self.people = self.transaction.people(people)
        self.texts = self.transaction.texts(texts) if self.reads else {}

    def text(self, text: TextId | None) -> str:
        """A text; empty where it may not be read or was erased."""
        return self.texts.get(text, "") if text else ""

    def name(self, person: PersonKey) -> str:
        """A name; the applicant's side reads its own people's, auditors those of officials."""
        is_readable = person in self.own_people if self.is_own else self.reads or person not in self.own_people
        return self.people[person].name if is_readable and person in self.people else ""


def show(
    transaction: Transaction,
    view: Application,
    events: Iterable[e.Event],
    person: PersonKey | None,
    roles: frozenset[ProcessRole],
    longest_permit_days: int,
) -> ApplicationShown:
    """The application as somebody with these roles sees it. `longest_permit_days` bounds the days that are proposed."""
    lens = _Lens(transaction, roles, view)
    visible = [event for event in events if lens.is_in_confidence or not e.is_in_confidence(event.body)]
    actors = {event.actor.person for event in visible if event.actor}
    answers = view.answers if lens.is_own else view.submitted
    attachments = view.attachments if lens.is_own else view.submitted_attachments
    reasons = [_reasons(event.body) for event in visible]
    recommended = view.recommendation
    lens.load(
        {*view.took_part, *view.members, *actors, *(cast.by for cast in view.votes)},
        [
            *reasons,
            *(decision.reasons for decision in view.decisions),
            answers,
            view.told,
            *(each.name for each in attachments),
            *(each.text for each in view.invitations),
            *(cast.note for cast in view.votes),
            recommended.reasons if recommended else None,
        ],
    )
    given, commands = _answers(lens, answers), commands_of(view, person, roles)
    return ApplicationShown(
        view.id,
        view.version,
        view.state,
        tuple(sorted(roles)),
        commands,
        view.form,
        view.cohort,
        view.organisation,
        view.created,
        view.updated,
        _parts(view, lens),
        tuple(map(_clock, view.clocks)),
        tuple(_entry(lens, event) for event in visible),
        told=lens.text(view.told),
        people=_people(view, lens) if lens.reads else (),
        invitations=_invitations(view, lens) if ProcessRole.APPLICANT in roles else (),
        answers=given,
        findings=_findings(view, given) if lens.is_own else (),
        attachments=_attachments(attachments, lens) if lens.reads else (),
        recommendation=_recommendation(view, lens),
        votes=_votes(view, lens, person) if lens.is_in_confidence and lens.reads else (),
        conflict=view.conflicts.get(person) if person and roles & _DAC else None,
        days=days_asked_for(read_form(view.form), given, longest_permit_days, clock.now().date())
        if Verb.RECOMMEND in commands
        else None,
    )


def commands_of(view: Application, person: PersonKey | None, roles: frozenset[ProcessRole]) -> tuple[Verb, ...]:
    """The commands that the table lets somebody send now; who has a conflict of interest can only declare anew, or
    stop a permit."""
    found = [
        verb
        for verb in TABLE
        if verb not in (Verb.LOOK, Verb.READ) and any(may(verb, role, view.state) for role in roles)
    ]
    if person and view.conflicts.get(person):
        found = [verb for verb in found if verb in (Verb.DECLARE, Verb.SUSPEND, Verb.REVOKE)]
    return tuple(found)


def _reasons(body: e.Body) -> TextId | None:
    match body:
        case (
            e.Declined(reasons=text)
            | e.Returned(reasons=text)
            | e.Recommended(reasons=text)
            | e.Closed(reasons=text)
            | e.Revoked(reasons=text)
            | e.PermitSuspended(reasons=text)
            | e.PermitResumed(reasons=text)
        ):
            return text
        case e.InterestDeclared(note=note) | e.Voted(note=note):
            return note
        case _:
            return None


def _entry(lens: _Lens, event: e.Event) -> TimelineEntry:
    body, actor = event.body, event.actor
    datasets: tuple[DatasetRef, ...] = ()
    verdicts: tuple[str, ...] = ()
    match body:
        case e.DecisionRequested() | e.DecisionLapsed() | e.Created():
            datasets = body.datasets
        case e.Decided():
            datasets = tuple(outcome.dataset for outcome in body.outcomes)
            verdicts = tuple(outcome.verdict for outcome in body.outcomes)
        case _:
            pass
    says = lens.text(_reasons(body)) or str(getattr(body, "reason", ""))
    return TimelineEntry(
        event.sequence,
        event.at,
        e.name_of(body),
        lens.name(actor.person) if actor else "",
        actor.role if actor else ProcessRole.CLOCK,
        actor.of if actor else "",
        says,
        str(getattr(body, "country", "")),
        tuple(each.dataset for each in datasets),
        getattr(body, "due", None),
        verdicts,
    )


def _answers(lens: _Lens, text: TextId | None) -> dict[str, Any]:
    content = lens.text(text)
    return msgspec.json.decode(content, type=dict[str, Any]) if content else {}


def _findings(view: Application, answers: dict[str, Any]) -> tuple[FieldFinding, ...]:
    if view.state not in (State.DRAFT, State.RETURNED):
        return ()
    return check_complete(read_form(view.form), answers, around(view))


def _parts(view: Application, lens: _Lens) -> tuple[PartShown, ...]:
    windows = {c.country: c.due for c in view.clocks if c.kind is ClockKind.WINDOW}
    decided: dict[DatasetRef, Decision] = {each.dataset: each for each in view.decisions}
    return tuple(
        PartShown(
            part.dataset,
            part.state,
            windows.get(part.dataset.country) if part.state is PartState.REQUESTED else None,
            decided[part.dataset].at if part.dataset in decided else None,
            lens.text(decided[part.dataset].reasons) if part.dataset in decided else "",
        )
        for part in view.parts
    )


def _clock(found: Clock) -> ClockShown:
    left = None
    if found.due and not found.fired:
        left = working_days_between(found.country, clock.now(), found.due)
    return ClockShown(found.kind, found.country, found.days, found.due, found.fired, found.reason, left)


def _people(view: Application, lens: _Lens) -> tuple[PersonShown, ...]:
    named = [(view.applicant, ProcessRole.APPLICANT), *((member, ProcessRole.MEMBER) for member in view.members)]
    return tuple(PersonShown(key, lens.name(key), role) for key, role in named)


def _invitations(view: Application, lens: _Lens) -> tuple[InvitationShown, ...]:
    return tuple(
        InvitationShown(each.id, **msgspec.json.decode(content))
        for each in view.invitations
        if (content := lens.text(each.text))
    )


def _attachments(attachments: tuple[Attachment, ...], lens: _Lens) -> tuple[AttachmentShown, ...]:
    return tuple(AttachmentShown(a.id, lens.text(a.name), a.kind, a.size_bytes) for a in attachments)


def _votes(view: Application, lens: _Lens, person: PersonKey | None) -> tuple[VoteShown, ...]:
    return tuple(VoteShown(lens.name(c.by), c.criterion, c.vote, lens.text(c.note), c.by == person) for c in view.votes)


def _recommendation(view: Application, lens: _Lens) -> RecommendationShown | None:
    found = view.recommendation
    if found is None:
        return None
    permit = found.permit
    return RecommendationShown(
        found.advice,
        lens.text(found.reasons),
        permit.id if permit else "",
        permit.digest if permit else "",
        permit.starts if permit else "",
        permit.ends if permit else "",
    )
