# SPDX-License-Identifier: Apache-2.0
"""The view of an application is a fold over its events: pure, and the only place that says what an event means."""

from collections.abc import Iterable
from functools import reduce

from msgspec.structs import replace

from megagenome.access import events as e
from megagenome.access.model import ENDED, Application, Cast, Clock, Decision, Desk, Part, Reach, Recommendation
from megagenome.kernel.errors import Corrupt
from megagenome.standards.application import ApplicationId, ClockKind, DatasetRef, PartState, PersonKey, State
from megagenome.standards.permit import Verdict

_PART_STATES = {
    Verdict.APPROVED: PartState.APPROVED,
    Verdict.REFUSED: PartState.REFUSED,
    Verdict.REVOKED: PartState.REVOKED,
}


def fold(application: ApplicationId, events: Iterable[e.Event]) -> Application:
    """The application after its events, which begin with `created`. Raises `Corrupt` where they do not."""
    rest = iter(events)
    first = next(rest, None)
    if first is None or first.actor is None or not isinstance(first.body, e.Created):
        raise Corrupt(f"application {application}: its events do not begin with `created`; restore a backup")
    start = Application(
        application,
        1,
        State.DRAFT,
        first.body.form,
        first.body.cohort,
        tuple(map(Part, first.body.datasets)),
        first.actor.person,
        first.body.organisation,
        first.at,
        first.at,
        took_part=frozenset({first.actor.person}),
    )
    return reduce(apply, rest, start)


def apply(view: Application, event: e.Event) -> Application:
    """The application after one more event. Raises `Corrupt` where an event is missing before it."""
    if event.sequence != view.version + 1:
        raise Corrupt(f"application {view.id}: event {view.version + 1} is missing; restore a backup")
    changed = _happened(view, event)
    if changed.state in ENDED and changed.clocks:
        changed = replace(changed, clocks=())
    return replace(changed, version=event.sequence, updated=event.at)


def _happened(view: Application, event: e.Event) -> Application:
    match event.body:
        case e.ClockStarted() | e.ClockPaused() | e.ClockFired() as body:
            return _clock(view, event, body)
        case e.DecisionRequested() | e.Decided() | e.DecisionLapsed():
            return _national(view, event)
        case e.Endorsed() | e.InterestDeclared() | e.Voted() | e.Recommended() | e.AssessmentBegun():
            return _assessment(view, event)
        case e.Declined(reasons=reasons):
            return replace(_held(view, event, Desk.ENDORSING), state=State.RETURNED, told=reasons)
        case e.Returned(reasons=reasons):
            held = _held(view, event, Desk.ASSESSING)
            return replace(held, state=State.RETURNED, told=reasons, votes=(), recommendation=None)
        case e.Submitted(answers=answers):
            return replace(
                view,
                state=State.SUBMITTED,
                submitted=answers,
                submitted_attachments=view.attachments,
                told=None,
                reached=max(view.reached, Reach.SUBMITTED),
            )
        case e.Rejected():
            told = view.recommendation.reasons if view.recommendation else None
            return replace(_held(view, event, Desk.ASSESSING), state=State.REJECTED, told=told)
        case e.Withdrawn():
            return replace(view, state=State.WITHDRAWN)
        case e.Closed(reasons=reasons):
            return replace(view, state=State.CLOSED, told=reasons)
        case e.Revoked(reasons=reasons):
            return replace(_held(view, event, Desk.ASSESSING), state=State.REVOKED, told=reasons)
        case e.PermitSuspended(reasons=reasons):
            return replace(_held(view, event, Desk.ASSESSING), state=State.SUSPENDED, suspended=True, told=reasons)
        case e.PermitResumed(reasons=reasons):
            return replace(_held(view, event, Desk.ASSESSING), state=State.ACTIVE, suspended=False, told=reasons)
        case e.PermitExpired():
            return replace(view, state=State.EXPIRED)
        case _:
            return _drafting(view, event)


def _drafting(view: Application, event: e.Event) -> Application:
    match event.body:
        case e.DraftSaved(answers=answers):
            return replace(view, answers=answers)
        case e.MemberInvited(invitation=invitation):
            return replace(view, invitations=(*view.invitations, invitation))
        case e.MemberUninvited(invitation=gone):
            return replace(view, invitations=tuple(each for each in view.invitations if each.id != gone))
        case e.MemberJoined(invitation=used, person=person):
            return replace(
                view,
                invitations=tuple(each for each in view.invitations if each.id != used),
                members=(*view.members, person),
                took_part=view.took_part | {person},
            )
        case e.MemberRemoved(person=person):
            return replace(view, members=tuple(each for each in view.members if each != person))
        case e.Attached(attachment=attachment):
            return replace(view, attachments=(*view.attachments, attachment))
        case e.Detached(attachment=gone):
            return replace(view, attachments=tuple(each for each in view.attachments if each.id != gone))
        case _:
            raise Corrupt(f"application {view.id}: event {event.sequence} is a second `created`; restore a backup")


def _assessment(view: Application, event: e.Event) -> Application:
    match event.body:
        case e.Endorsed():
            return replace(
                _held(view, event, Desk.ENDORSING), state=State.SCREENING, reached=max(view.reached, Reach.ENDORSED)
            )
        case e.AssessmentBegun():
            return replace(_held(view, event, Desk.ASSESSING), state=State.ASSESSING)
        case e.InterestDeclared(conflict=conflict) if event.actor:
            held = _held(view, event, Desk.ASSESSING)
            # their votes go with a conflict that they find out about
            votes = tuple(each for each in view.votes if not (conflict and each.by == event.actor.person))
            return replace(held, conflicts={**view.conflicts, event.actor.person: conflict}, votes=votes)
        case e.Voted(criterion=criterion, vote=vote, note=note) if event.actor:
            by = event.actor.person
            others = tuple(each for each in view.votes if (each.by, each.criterion) != (by, criterion))
            return replace(_held(view, event, Desk.ASSESSING), votes=(*others, Cast(by, criterion, vote, note)))
        case e.Recommended(advice=advice, reasons=reasons, permit=permit):
            return replace(
                _without(_held(view, event, Desk.ASSESSING), ClockKind.ASSESSMENT),
                state=State.RECOMMENDED,
                recommendation=Recommendation(advice, reasons, permit),
            )
        case _:
            raise Corrupt(f"application {view.id}: event {event.sequence} names nobody; restore a backup")


def _national(view: Application, event: e.Event) -> Application:
    match event.body:
        case e.DecisionRequested(datasets=datasets):
            asked = tuple(
                Part(p.dataset, PartState.REQUESTED, event.at) if p.dataset in datasets else p for p in view.parts
            )
            asking = replace(view, parts=asked, reached=Reach.REQUESTED)
            return replace(asking, state=_state_of(asking))
        case e.DecisionLapsed(country=country, datasets=datasets):
            lapsed = _with_parts(view, dict.fromkeys(datasets, PartState.LAPSED))
            return _settled(lapsed, country)
        case e.Decided() as decided:
            told = {outcome.dataset: _PART_STATES[outcome.verdict] for outcome in decided.outcomes}
            decisions = tuple(
                Decision(o.dataset, o.verdict, o.reasons, decided.token, event.at) for o in decided.outcomes
            )
            kept = replace(view, decisions=(*view.decisions, *decisions))
            held = _held_by(_held(kept, event, Desk.DECIDING), decided.decided_by, Desk.DECIDING)
            return _settled(_with_parts(held, told), decided.country)
        case _:
            return view


def _settled(view: Application, country: str) -> Application:
    """Stop the country's clocks when nothing of it waits, and the state that follows from all parts."""
    waits = any(p.dataset.country == country and p.state is PartState.REQUESTED for p in view.parts)
    if not waits:
        view = _without(_without(view, ClockKind.WINDOW, country), ClockKind.REMINDER, country)
    return replace(view, state=_state_of(view))


def _state_of(view: Application) -> State:
    states = {part.state for part in view.parts}
    if PartState.APPROVED in states:
        return State.SUSPENDED if view.suspended else State.ACTIVE
    if PartState.REQUESTED in states:
        return State.NATIONAL_WINDOW
    return State.REVOKED if PartState.REVOKED in states else State.DECIDED


def _with_parts(view: Application, states: dict[DatasetRef, PartState]) -> Application:
    return replace(view, parts=tuple(replace(p, state=states.get(p.dataset, p.state)) for p in view.parts))


def _clock(view: Application, event: e.Event, body: e.ClockStarted | e.ClockPaused | e.ClockFired) -> Application:
    others = [c for c in view.clocks if (c.kind, c.country) != (body.clock, body.country)]
    match body:
        case e.ClockStarted():
            clock = Clock(body.clock, body.country, body.days, event.at, body.due, body.reason)
            view = _answered_by(view, clock)
        case e.ClockPaused():
            clock = replace(_running(view, body), days=body.days, due=None)
        case _:
            clock = replace(_running(view, body), fired=True)
    return replace(view, clocks=(*others, clock))


def _answered_by(view: Application, clock: Clock) -> Application:
    """With the end of a country's window at the datasets that it was asked about."""
    if clock.kind is not ClockKind.WINDOW:
        return view
    asked = tuple(
        replace(p, decide_by=clock.due) if p.dataset.country == clock.country and p.state is PartState.REQUESTED else p
        for p in view.parts
    )
    return replace(view, parts=asked)


def _running(view: Application, body: e.ClockPaused | e.ClockFired) -> Clock:
    for clock in view.clocks:
        if (clock.kind, clock.country) == (body.clock, body.country):
            return clock
    raise Corrupt(f"application {view.id}: the {body.clock} clock was never started; restore a backup")


def _without(view: Application, kind: ClockKind, country: str | None = None) -> Application:
    kept = [c for c in view.clocks if not (c.kind is kind and country in (None, c.country))]
    return replace(view, clocks=tuple(kept))


def _held(view: Application, event: e.Event, desk: Desk) -> Application:
    return _held_by(view, event.actor.person, desk) if event.actor else view


def _held_by(view: Application, person: PersonKey, desk: Desk) -> Application:
    return view if person in view.desks else replace(view, desks={**view.desks, person: desk})
