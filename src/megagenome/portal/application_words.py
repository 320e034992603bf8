# SPDX-License-Identifier: Apache-2.0
"""The application process in plain words: states, who has it now, events, clocks, criteria."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from megagenome.portal.countries import country_name
from megagenome.portal.moments import day
from megagenome.portal.numbers import plural
from megagenome.standards.application import (
    ApplicationShown,
    ClockKind,
    ClockShown,
    Criterion,
    PartState,
    ProcessRole,
    State,
    TimelineEntry,
)

STATES = {
    State.DRAFT: "Draft",
    State.SUBMITTED: "Waits for the signing official",
    State.SCREENING: "Waits for the committee",
    State.RETURNED: "Returned to the applicant",
    State.ASSESSING: "Being assessed",
    State.RECOMMENDED: "Recommended",
    State.NATIONAL_WINDOW: "Countries decide",
    State.DECIDED: "Granted by no country",
    State.ACTIVE: "Permit active",
    State.SUSPENDED: "Permit suspended",
    State.EXPIRED: "Permit expired",
    State.REVOKED: "Permit revoked",
    State.REJECTED: "Rejected",
    State.WITHDRAWN: "Withdrawn",
    State.CLOSED: "Closed",
}
"""The state of an application, in a few words."""

TONES = {
    State.DRAFT: "open",
    State.RETURNED: "act",
    State.ACTIVE: "good",
    State.SUSPENDED: "act",
    State.EXPIRED: "over",
    State.REVOKED: "bad",
    State.REJECTED: "bad",
    State.WITHDRAWN: "over",
    State.CLOSED: "over",
    State.DECIDED: "bad",
}
"""How a state's badge looks; the rest are `open`. The words say it, colour only repeats it."""

PARTS = {
    PartState.NAMED: "not asked yet",
    PartState.REQUESTED: "decides now",
    PartState.APPROVED: "granted",
    PartState.REFUSED: "refused",
    PartState.LAPSED: "no answer in time: not granted",
    PartState.REVOKED: "granted, then taken back",
}
PART_TONES = {PartState.APPROVED: "good", PartState.REFUSED: "bad", PartState.LAPSED: "bad", PartState.REVOKED: "bad"}

USES = {
    "research": "Scientific research",
    "policy": "Policy making",
    "quality": "Quality management",
    "healthcare": "Reuse in health care",
}
"""Kinds of use, as the form asks for them."""

DECIDED = {
    frozenset({"approved"}): "{country} granted it",
    frozenset({"refused"}): "{country} refused it",
    frozenset({"revoked"}): "{country} took its grant back",
}
"""A country's decision where it is one for all of its datasets."""

VERDICTS = {"approved": "granted", "refused": "refused", "revoked": "taken back"}

ROLES = {
    ProcessRole.APPLICANT: "applicant",
    ProcessRole.MEMBER: "member",
    ProcessRole.INVITED: "invited",
    ProcessRole.SIGNING_OFFICIAL: "signing official",
    ProcessRole.DAC_CHAIR: "chair of the data access committee",
    ProcessRole.DAC_MEMBER: "member of the data access committee",
    ProcessRole.COUNTRY_DECIDER: "decides for a country",
    ProcessRole.DATA_STEWARD: "data steward",
    ProcessRole.AUDITOR: "auditor",
    ProcessRole.NODE: "the country's own node",
    ProcessRole.CLOCK: "time",
}

CRITERIA = {
    Criterion.SIGN_OFF: ("Institutional sign-off", "The organisation stands behind the project and its people."),
    Criterion.ANALYSIS_PLAN: ("Analysis plan", "It is sound, and it answers the question that is asked."),
    Criterion.MINIMISATION: ("Data minimisation", "No fewer people and no less data would be enough."),
    Criterion.ALGORITHMS: ("Algorithms", "Those that will run are named, suited to the aim, and can be understood."),
    Criterion.ETHICS: ("Ethics", "A competent body assessed the project, and its conditions are kept."),
    Criterion.FUNDING: ("Funding", "It is stated, and it leaves the researchers free."),
    Criterion.DESCRIPTION: (
        "Project description",
        "It says what is to be found out and what for.",
    ),
    Criterion.PEER_REVIEW: ("Peer review", "Others in the field looked at the project."),
}
"""The eight checks of 1+MG SOP0003 (8.1): name, and what it asks."""

VOTES = {"met": "met", "not_met": "not met", "not_applicable": "does not apply"}

_EVENTS = {
    "application.event/created": "The application was begun",
    "application.event/draft-saved": "The draft was saved",
    "application.event/member-invited": "Somebody was invited",
    "application.event/member-uninvited": "An invitation was taken back",
    "application.event/member-joined": "A member joined",
    "application.event/member-removed": "A member left or was removed",
    "application.event/attached": "A document was attached",
    "application.event/detached": "A document was taken out",
    "application.event/submitted": "The application was submitted",
    "application.event/endorsed": "The organisation endorsed it",
    "application.event/declined": "The organisation declined to endorse it",
    "application.event/returned": "The committee returned it",
    "application.event/assessment-begun": "The committee found it complete and began to assess it",
    "application.event/interest-declared": "A member of the committee declared their interests",
    "application.event/voted": "A member of the committee voted",
    "application.event/recommended": "The committee made its recommendation",
    "application.event/decision-requested": "{country} was asked to decide",
    "application.event/decided": "{country} decided",
    "decision.lapsed": "No answer of {country} came in time, so nothing is granted there",
    "application.event/rejected": "The application was rejected",
    "application.event/withdrawn": "The applicant withdrew it",
    "application.event/closed": "It was closed",
    "application.event/revoked": "The permit was revoked",
    "permit.suspended": "The permit was suspended",
    "permit.resumed": "The permit was resumed",
    "permit.expired": "The permit expired",
    "clock.started": "A clock began",
    "clock.paused": "A clock was stopped",
    "clock.fired": "A clock ended",
}

_QUIET = ("application.event/draft-saved", "clock.started", "clock.paused", "clock.fired")
"""Events that a timeline for people leaves out: clocks stand on their own, and drafts are saved every few seconds."""


class Moment(NamedTuple):
    """A line of the timeline; `times` where somebody did the same several times in a row."""

    at: datetime
    what: str
    who: str
    says: str
    datasets: tuple[str, ...]
    times: int = 1


def timeline(entries: Sequence[TimelineEntry]) -> list[Moment]:
    """What happened, newest first, without what only the machine needs."""
    found: list[Moment] = []
    for entry in reversed([entry for entry in entries if entry.event not in _QUIET]):
        one = Moment(entry.at, _sentence(entry), _who(entry), entry.says, _datasets(entry) if entry.country else ())
        last = found[-1] if found else None
        if last and not one.says and (last.what, last.who, last.says) == (one.what, one.who, "") and not entry.country:
            found[-1] = last._replace(times=last.times + 1)
        else:
            found.append(one)
    return found


def _sentence(entry: TimelineEntry) -> str:
    name = entry.event.removeprefix("application.event/").replace("-", " ").replace(".", " ")
    says = DECIDED.get(frozenset(entry.verdicts)) or _EVENTS.get(entry.event, name)
    return says.format(country=country_name(entry.country) if entry.country else "A country")


def _datasets(entry: TimelineEntry) -> tuple[str, ...]:
    """With what was decided on each, where that differs."""
    if len(set(entry.verdicts)) < 2:
        return entry.datasets
    pairs = zip(entry.datasets, entry.verdicts, strict=True)
    return tuple(f"{dataset} {VERDICTS.get(verdict, verdict)}" for dataset, verdict in pairs)


def _who(entry: TimelineEntry) -> str:
    role = role_words(entry.role)
    named = ", ".join(part for part in (entry.by, role if entry.role != ProcessRole.CLOCK else "") if part)
    return f"{named} ({entry.of})" if entry.of and entry.role == ProcessRole.SIGNING_OFFICIAL else named


def use_words(use: str) -> str:
    """A kind of use for people; one that is newer than this page as it is."""
    return USES.get(use, use)


def role_words(role: str) -> str:
    """A role in the process for people; one that is newer than this page as it is."""
    return ROLES[ProcessRole(role)] if role in list(ProcessRole) else role.replace("_", " ")


def holder(shown: ApplicationShown, *, is_own: bool) -> str:
    """Who has the application now, and what they do with it: one sentence."""
    applicant = "You have it" if is_own else "The applicant has it"
    deciding = sorted({country_name(part.dataset.country) for part in shown.parts if part.state is PartState.REQUESTED})
    match shown.state:
        case State.DRAFT:
            return f"{applicant}: nobody else sees it before it is submitted."
        case State.RETURNED:
            return f"{applicant}: something has to be changed, then it can be submitted again."
        case State.SUBMITTED:
            return f"The signing official of {shown.organisation} has it: the organisation must endorse it first."
        case State.SCREENING:
            return "The data access committee has it: its chair looks whether it is complete."
        case State.ASSESSING:
            return "The data access committee has it: its members vote on eight criteria."
        case State.RECOMMENDED:
            return "The committee's chair has it: the recommendation is ready to be sent on."
        case State.NATIONAL_WINDOW | State.ACTIVE if deciding:
            return (
                f"{_and(deciding)} {'have' if len(deciding) > 1 else 'has'} it: each country decides on its own data."
            )
        case State.ACTIVE:
            return "The permit works in each country that granted it."
        case State.SUSPENDED:
            return "The committee stopped the permit for now: it works nowhere until it is resumed."
        case State.DECIDED:
            return "Every country has answered or let its time pass, and none granted access."
        case _:
            return "It is over: nothing more will happen with it."


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


class Running(NamedTuple):
    """A clock for people. `left` is in words; `due` is None where the clock stands."""

    what: str
    due: datetime | None
    left: str
    reason: str
    is_over: bool


def running(clocks: Sequence[ClockShown], now: datetime) -> list[Running]:
    """The clocks that run or stand, soonest first; one that ended is shown where it is the committee's, as overdue."""
    shown = [clock for clock in clocks if not clock.fired or clock.kind is ClockKind.ASSESSMENT]
    ordered = sorted(shown, key=lambda clock: (clock.due is None, clock.due or now))
    return [_running(clock, now) for clock in ordered if clock.kind is not ClockKind.REMINDER]


def _running(clock: ClockShown, now: datetime) -> Running:
    what = {
        ClockKind.ASSESSMENT: "The committee assesses",
        ClockKind.WINDOW: f"{country_name(clock.country)} decides",
        ClockKind.PERMIT: "The permit's last day",
    }.get(clock.kind, "A country is reminded")
    is_over = clock.fired or (clock.due is not None and clock.due <= now)
    return Running(what, clock.due, time_left(clock, now), clock.reason, is_over)


def time_left(clock: ClockShown, now: datetime) -> str:
    """How long a clock still runs, in the working days of its country: `4 working days left`."""
    if clock.due is None:
        return f"stands; {plural(clock.days, 'working day')} left when it goes on"
    if clock.fired or clock.due <= now:
        return "overdue" if clock.kind is ClockKind.ASSESSMENT else "over"
    if clock.kind is ClockKind.PERMIT:
        return f"{plural((clock.due - now).days, 'day')} left"
    if not clock.left:
        return "ends today"
    return f"{plural(clock.left, 'working day')} left"


def until(due: str | datetime | None) -> str:
    """The end of a clock in a list: `until 4 Mar 2026`; empty where none runs."""
    if due is None:
        return ""
    time = datetime.fromisoformat(due) if isinstance(due, str) else due
    return f"until {day(time)}"
