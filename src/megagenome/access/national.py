# SPDX-License-Identifier: Apache-2.0
"""What countries do (1+MG SOP0002, SOP0003): each decides on its own datasets, at its own node, in its own time.

A decision is recorded for its signature: it must be that of the very node that brings it, of the country that it names,
over the digest of the permit that was proposed, made after the country was asked.

A country answers in time when it signs in time. An answer that reaches the hub late, because either of them or the way
between them was down, is no silence: it is recorded by its date, for `LATEST_DELIVERY` after the window, unless the
country was asked again meanwhile. Whose clock is wrong by more than `standards.exchange.SKEW` is not heard at all, and
a node that dates back its own signature only loosens the country's own no.
"""

import hashlib
from datetime import datetime, timedelta

from megagenome.access import command_types as c
from megagenome.access import events as e
from megagenome.access.case import Bodies, Case
from megagenome.access.clocks import clock_of, start_permit, start_window
from megagenome.access.model import Desk, Part, PermitRef
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled
from megagenome.standards.application import Advice, ClockKind, DatasetRef, PartState, PersonKey
from megagenome.standards.permit import CountryDecision, DatasetDecision, Verdict, check_decision, decode_permit

CLOCK_SKEW = timedelta(minutes=5)
"""How far a node's clock may be behind the hub's."""

LATEST_DELIVERY = timedelta(days=30)
"""For so long after its window an answer that is dated within it is recorded."""

_ANSWERS = frozenset({PartState.REQUESTED, PartState.LAPSED})
_NEEDED = {
    Verdict.APPROVED: _ANSWERS,
    Verdict.REFUSED: _ANSWERS,
    Verdict.REVOKED: frozenset({PartState.APPROVED}),
}


def request_decisions(case: Case, _: c.RequestDecisions) -> Bodies:
    """Ask every country, and start their clocks and that of the permit's end."""
    case.refuse_conflicted()
    permit = _permit(case)
    document = decode_permit(case.transaction.texts([permit.text])[permit.text])
    bodies: Bodies = [start_permit(document.starts, document.ends, case.world.settings)]
    for country in sorted(case.view.countries()):
        datasets = tuple(part.dataset for part in case.view.parts if part.dataset.country == country)
        bodies += request_country(case, country, datasets)
    return bodies


def request_country(case: Case, country: str, datasets: tuple[DatasetRef, ...]) -> Bodies:
    """Ask one country about these datasets."""
    return [e.DecisionRequested(country, datasets), *start_window(country, case.world.settings, case.now)]


def resubmit(case: Case, command: c.Resubmit) -> Bodies:
    """Ask a country again about what it let lapse; the permit that it is asked to sign is the same."""
    permit_clock = clock_of(case.view, ClockKind.PERMIT)
    if permit_clock is None:
        raise Conflict("the permit's last day is over: make a new application")
    lapsed = [p.dataset for p in _parts_of(case, command.country) if p.state is PartState.LAPSED]
    if not lapsed:
        raise Conflict(f"{command.country} let nothing lapse here that it could be asked again")
    return request_country(case, command.country, tuple(lapsed))


def record_decision(case: Case, command: c.RecordDecision) -> Bodies:
    """Record what a country decided on some or all of its datasets.

    Raises `NotEntitled` where the signature or who decided is wrong, `Conflict` where nothing of this is asked (any
    more), `Invalid` where the decision contradicts itself or what was proposed.
    """
    decision = case.world.verify_decision(command.token)
    check_decision(decision)
    permit = _permit(case)
    if (decision.permit, decision.permit_digest) != (permit.id, permit.digest):
        raise Conflict("the decision is on another permit than the one that was proposed last")
    if decision.node != case.caller.node:
        raise NotEntitled(f"a node brings its own decisions, not those of {decision.node[:100]}")
    outcomes = tuple(_outcome(case, decision, each) for each in decision.decisions)
    decider = _decider(case, decision)
    digest = hashlib.sha256(command.token.encode()).hexdigest()
    return [e.Decided(decision.country, outcomes, case.keep(command.token), digest, decider)]


def _outcome(case: Case, decision: CountryDecision, each: DatasetDecision) -> e.Outcome:
    dataset, verdict = each.dataset, each.verdict
    ref = DatasetRef(decision.node, decision.country, dataset)
    part = next((part for part in case.view.parts if part.dataset == ref), None)
    if part is None or part.requested is None:
        raise Invalid(f"{dataset} is none of what {decision.country} was asked for at {decision.node}")
    if part.state not in _NEEDED[verdict]:
        raise Conflict(f"{dataset} is {part.state} and cannot become {verdict}")
    if verdict is not Verdict.REVOKED:  # stopping is never barred, whatever the clock of who stops
        if decision.decided_at < part.requested - CLOCK_SKEW:
            raise Conflict(f"the decision on {dataset} is older than the request that it answers: decide again")
        if part.decide_by is not None:
            _require_in_time(case, dataset, decision.decided_at, part.decide_by)
    return e.Outcome(ref, verdict, case.keep_note(each.reasons))


def _require_in_time(case: Case, dataset: str, decided_at: datetime, decide_by: datetime) -> None:
    """Raise `Conflict` for an answer that was given, or came, too late."""
    asked_again = "it is not granted; once the applicant asks the country again, decide again"
    if case.now >= decide_by and decided_at >= decide_by:
        raise Conflict(
            f"the decision on {dataset} is of {decided_at:%Y-%m-%d %H:%M} UTC, and the time to decide was over at "
            f"{decide_by:%Y-%m-%d %H:%M} UTC: {asked_again}"
        )
    if case.now >= decide_by + LATEST_DELIVERY:
        raise Conflict(
            f"the decision on {dataset} came {LATEST_DELIVERY.days} days or more after the time to decide was over at "
            f"{decide_by:%Y-%m-%d %H:%M} UTC: {asked_again}"
        )


def _decider(case: Case, decision: CountryDecision) -> PersonKey:
    """Who decided at the node, who must have had no other part in the application."""
    person = case.transaction.person(decision.decided_by, "")
    if person in case.view.took_part or case.view.desks.get(person, Desk.DECIDING) is not Desk.DECIDING:
        raise NotEntitled("who decided takes part in the application or dealt with it at another desk")
    return person


def _parts_of(case: Case, country: str) -> list[Part]:
    return [part for part in case.view.parts if part.dataset.country == country]


def _permit(case: Case) -> PermitRef:
    recommendation = case.view.recommendation
    if recommendation is None or recommendation.advice is not Advice.APPROVE or recommendation.permit is None:
        raise Conflict("the recommendation is to reject: let it take effect, or return the application")
    return recommendation.permit
