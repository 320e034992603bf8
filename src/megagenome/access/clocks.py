# SPDX-License-Identifier: Apache-2.0
"""Clocks: which start, stand and fire, and what comes of it. Pure: a clock is what its events say, the hour is given.

Nothing is ever granted by time. A window that ends without an answer is a no (`decision.lapsed`): the 1+MG SOPs read
silence as consent, but a permit works only with each country's own signature, and nobody signs by silence.

What fired has fired: a wall clock that jumps back gives nobody anything, and a clock that stood meanwhile has at most
what it began with. That one which jumps ahead ends nothing is the process's care (`heard_clocks.py`).
"""

from datetime import date, datetime

from megagenome.access.events import Body, ClockFired, ClockPaused, ClockStarted, DecisionLapsed, PermitExpired
from megagenome.access.model import Application, Clock
from megagenome.access.rules import may
from megagenome.access.settings import AccessSettings
from megagenome.access.working_days import calendar_deadline, end_of_day, working_days_between, working_deadline
from megagenome.standards.application import ClockKind, PartState, ProcessRole, Verb


def start_assessment(view: Application, settings: AccessSettings, now: datetime) -> ClockStarted:
    """The committee's clock: with what it had left where it stands, else anew."""
    standing = clock_of(view, ClockKind.ASSESSMENT)
    days = standing.days if standing and standing.due is None else settings.assessment_days
    due = working_deadline(settings.calendar, now, days)
    return ClockStarted(ClockKind.ASSESSMENT, settings.calendar, days, due, settings.assessment_reason)


def pause_assessment(view: Application, now: datetime) -> list[Body]:
    """Let the committee's clock stand while the applicant has the application; an overdue one is not made good.

    Working days wholly over are used up; the day of the return is not.
    """
    clock = clock_of(view, ClockKind.ASSESSMENT)
    if clock is None or clock.fired or clock.due is None:
        return []
    left = clock.days - working_days_between(clock.country, clock.started, now)
    return [ClockPaused(clock.kind, clock.country, max(left, 1))]


def start_window(country: str, settings: AccessSettings, now: datetime) -> list[Body]:
    """The clocks of one country that is asked to decide."""
    window = settings.window(country)
    due = working_deadline(country, now, window.working_days)
    reminder = calendar_deadline(country, now, settings.reminder_days)
    return [
        ClockStarted(ClockKind.WINDOW, country, window.working_days, due, window.reason),
        ClockStarted(ClockKind.REMINDER, country, settings.reminder_days, reminder, settings.reminder_reason),
    ]


def start_permit(starts: date, ends: date, settings: AccessSettings) -> ClockStarted:
    """The clock that lets a permit expire when its last day is over."""
    due = end_of_day(settings.calendar, ends)
    return ClockStarted(ClockKind.PERMIT, settings.calendar, (ends - starts).days + 1, due, "the permit's last day")


def due_bodies(view: Application, now: datetime) -> list[Body]:
    """What time does to the application by `now`, the earliest first; empty when nothing is due. Never twice."""
    due = [(c.due, c) for c in view.clocks if c.due is not None and not c.fired and c.due <= now]
    happens: list[Body] = []
    for _, clock in sorted(due, key=lambda pair: (pair[0], pair[1].kind, pair[1].country)):
        happens += [ClockFired(clock.kind, clock.country), *_comes_of(view, clock)]
        if isinstance(happens[-1], PermitExpired):
            break  # an ended application has no clocks
    return happens


def clock_of(view: Application, kind: ClockKind) -> Clock | None:
    """The clock of a kind of which there is one."""
    return next((clock for clock in view.clocks if clock.kind is kind), None)


def _comes_of(view: Application, clock: Clock) -> list[Body]:
    if clock.kind is ClockKind.WINDOW and may(Verb.LAPSE, ProcessRole.CLOCK, view.state):
        silent = [
            part.dataset
            for part in view.parts
            if part.dataset.country == clock.country and part.state is PartState.REQUESTED
        ]
        return [DecisionLapsed(clock.country, tuple(silent), clock.reason)]
    if clock.kind is ClockKind.PERMIT and may(Verb.EXPIRE, ProcessRole.CLOCK, view.state):
        return [PermitExpired()]
    return []
