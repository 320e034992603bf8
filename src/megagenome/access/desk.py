# SPDX-License-Identifier: Apache-2.0
"""A country's desk at its own node: what the hub proposes, and what the country's deciders decide on it.

A decision is signed by the node and stored with all that follows from it in one transaction: the permit that may be
read by from then on, the entry in the ledger, and the message to the hub, which is sent until the hub acknowledges it.
What nobody decides in time is not granted. Whoever a permit names decides nothing on it.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.desk_rows import (
    Held,
    claims_of,
    decisions_of,
    find_held,
    list_held,
    set_part,
    show_item,
)
from megagenome.access.national import CLOCK_SKEW
from megagenome.access.needs import Directory, NodePermits
from megagenome.access.projection import stamp
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, NotFound
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.standards.application import PartState
from megagenome.standards.desk import DeskItem, DeskPage, DeskPermit
from megagenome.standards.exchange import Receipt
from megagenome.standards.permit import (
    DECISION_TYPE,
    CountryDecision,
    DatasetDecision,
    PermitState,
    Proposal,
    Revocation,
    Verdict,
    check_decision,
)

_log = logging.getLogger(__name__)

LONGEST_REASONS = 10_000

_BECOMES = {
    Verdict.APPROVED: PartState.APPROVED,
    Verdict.REFUSED: PartState.REFUSED,
    Verdict.REVOKED: PartState.REVOKED,
}
_KINDS = {Verdict.APPROVED: Kind.GRANT, Verdict.REFUSED: Kind.DECISION, Verdict.REVOKED: Kind.REVOCATION}


@dataclass(frozen=True, slots=True)
class NodeWorld:
    """What is around a node's desk. `wake` makes the exchange with the hub run at once; it must return at once."""

    node: str
    country: str
    keys: SigningKeys
    directory: Directory
    permits: NodePermits
    ledger: Ledger
    wake: Callable[[], None]


class Desk:
    """The desk over a node's database. Safe for threads; nothing is kept in memory."""

    def __init__(self, engine: sa.Engine, world: NodeWorld) -> None:
        self._engine, self._world = engine, world

    # For deciders

    def page(self, caller: Caller, skip: int, limit: int) -> DeskPage:
        """What was proposed: what still waits first, by how soon its time is over; then the rest, latest first.

        Raises `Unauthenticated`, `NotEntitled`.
        """
        self._require_decider(caller)
        with self._engine.connect() as connection:
            return list_held(connection, clock.now(), skip, limit)

    def permit(self, caller: Caller, permit: str) -> DeskPermit:
        """One proposal with its document, and all decisions on it. Raises `NotFound`, and what `page` raises."""
        self._require_decider(caller)
        with self._engine.connect() as connection:
            held = _found(connection, permit)
            return DeskPermit(
                show_item(held, clock.now()),
                held.proposal.document,
                decisions_of(connection, held.row.permit),
                self._world.permits.environments(connection, permit),
            )

    def decide(self, caller: Caller, permit: str, decisions: Sequence[DatasetDecision]) -> DeskItem:
        """Decide on some or all datasets of a permit; how it stands then. Durable on return, and on its way to the hub.

        `approved` and `refused` answer the hub's request until its time is over; `revoked` takes an `approved` back, at
        any time, and ends reading here at once. The same from the same person again does nothing and says the same.

        Raises `Unauthenticated`; `NotEntitled` for who does not decide for this country or is named in the permit;
        `NotFound`; `Invalid` for a decision that contradicts itself; `Conflict` where this is not asked (any more).
        """
        subject = self._require_decider(caller)
        with begin_writing(self._engine) as connection:
            held, now = _found(connection, permit), clock.now()
            decision = self._decision(held, subject, decisions, now)
            if not _is_repeated(held, decisions_of(connection, permit), decision):
                self._require_open(held, decision, now)
                self._keep(connection, held, decision, caller)
            item = show_item(_found(connection, permit), now)
        self._world.wake()
        return item

    # For the exchange with the hub

    def undelivered(self, most: int) -> tuple[str, ...]:
        """Decisions that the hub has not acknowledged, oldest first."""
        row = t.decision.c
        asked = sa.select(row.token).where(row.acknowledged.is_(None)).order_by(row.number).limit(most)
        with self._engine.connect() as connection:
            return tuple(connection.scalars(asked))

    def acknowledge(self, connection: sa.Connection, receipts: Sequence[Receipt]) -> None:
        """The hub recorded these, or refused them for good; what it refused is undone here. Idempotent."""
        for receipt in receipts:
            row = t.decision.c
            open_ = (row.sha256 == receipt.decision) & row.acknowledged.is_(None)
            token = connection.execute(sa.select(row.token).where(open_)).scalar()
            if token is not None:
                noted = {"acknowledged": stamp(clock.now()), "refusal": receipt.refusal}
                connection.execute(sa.update(t.decision).where(open_).values(noted))
                if receipt.refusal:
                    self._undo(connection, claims_of(token, CountryDecision))

    def take_proposals(self, connection: sa.Connection, hub: str, proposals: Sequence[tuple[str, Proposal]]) -> None:
        """What the hub asks. A later request of the same permit takes the place of an earlier one. Idempotent."""
        for token, proposal in proposals:
            if self._is_ours(proposal):
                self._take(connection, hub, token, proposal)
            else:
                _log.error("permit %s is proposed for what is not here; it is left out", proposal.document.id[:40])

    def take_revocations(self, connection: sa.Connection, revocations: Sequence[Revocation]) -> None:
        """What the hub says of permits; what was revoked stays so. Idempotent."""
        for each in revocations:
            told = connection.execute(
                sa.select(t.permit_told).where(t.permit_told.c.permit == each.permit)
            ).one_or_none()
            if told is not None and (told.state == PermitState.REVOKED or told.sequence >= each.sequence):
                continue
            connection.execute(sa.delete(t.permit_told).where(t.permit_told.c.permit == each.permit))
            new = {"permit": each.permit, "state": each.state, "sequence": each.sequence, "at": stamp(each.at)}
            connection.execute(sa.insert(t.permit_told).values(new))
            self._world.permits.obey(connection, each)
            if told is not None or each.state is not PermitState.ACTIVE:
                act = Act(Kind.REVOCATION, permit=each.permit, detail=f"hub:{each.state}")
                self._world.ledger.write(connection, act)

    # Inside

    def _require_decider(self, caller: Caller) -> str:
        subject = caller.require_subject()
        countries = self._world.directory.countries(subject, Role.COUNTRY_DECIDER)
        if Role.COUNTRY_DECIDER not in caller.roles or self._world.country not in countries:
            raise NotEntitled(f"only who decides for {self._world.country} sees this desk")
        return subject

    def _decision(
        self, held: Held, subject: str, decisions: Sequence[DatasetDecision], now: datetime
    ) -> CountryDecision:
        document = held.proposal.document
        if subject in {person.subject for person in document.people}:
            raise NotEntitled("this permit names you: somebody else of your country decides on it")
        if any(len(each.reasons) > LONGEST_REASONS or "\0" in each.reasons for each in decisions):
            raise Invalid(f"reasons are texts of at most {LONGEST_REASONS:,} characters")
        decision = CountryDecision(
            document.id,
            held.proposal.digest,
            self._world.node,
            self._world.country,
            tuple(decisions),
            subject,
            now,
        )
        check_decision(decision)
        if unknown := [each.dataset for each in decisions if each.dataset not in held.parts]:
            raise Invalid(f"{unknown[0][:100]} is none of the datasets that {self._world.country} was asked for")
        return decision

    def _require_open(self, held: Held, decision: CountryDecision, now: datetime) -> None:
        if held.told is PermitState.REVOKED:
            raise Conflict("the hub ended this permit: there is nothing to decide on any more")
        for each in decision.decisions:
            state, revokes = held.parts[each.dataset].state, each.verdict is Verdict.REVOKED
            if state is not (PartState.APPROVED if revokes else PartState.REQUESTED):
                raise Conflict(f"{each.dataset} is {state} and cannot become {each.verdict}: read the permit again")
            if not revokes and now < held.proposal.requested_at - CLOCK_SKEW:
                raise Conflict(
                    f"this node's clock shows {now:%Y-%m-%d %H:%M} UTC, and the request is of "
                    f"{held.proposal.requested_at:%Y-%m-%d %H:%M} UTC: the hub would not take the decision; "
                    "the node's operator sets the clock by a time server"
                )
            if not revokes and now >= held.proposal.decide_by:
                raise Conflict(f"the time to decide on {each.dataset} is over, which is a no; the hub may ask again")

    def _keep(self, connection: sa.Connection, held: Held, decision: CountryDecision, caller: Caller) -> None:
        token = self._world.keys.sign(msgspec.to_builtins(decision), DECISION_TYPE)
        new = {
            "permit": decision.permit,
            "sha256": hashlib.sha256(token.encode()).hexdigest(),
            "token": token,
            "decided_at": stamp(decision.decided_at),
            "refusal": "",
        }
        connection.execute(sa.insert(t.decision).values(new))
        for each in decision.decisions:
            set_part(connection, decision.permit, each.dataset, _BECOMES[each.verdict], decision.decided_at)
        granted = tuple(each.dataset for each in decision.decisions if each.verdict is Verdict.APPROVED)
        if granted:
            self._world.permits.grant(connection, held.proposal.document, granted, token)
        for each in decision.decisions:
            if each.verdict is Verdict.REVOKED:
                self._world.permits.take_back(connection, decision.permit, (each.dataset,), each.reasons)
        self._world.ledger.write(connection, *(_act(decision, each, caller) for each in decision.decisions))

    def _undo(self, connection: sa.Connection, decision: CountryDecision) -> None:
        """The hub did not record it, so it does not hold: what is still asked waits again, the rest lapsed."""
        held, now = _found(connection, decision.permit), clock.now()
        is_asked = now < held.proposal.decide_by and decision.decided_at < held.proposal.requested_at
        for each in decision.decisions:
            is_latest = held.parts[each.dataset].state is _BECOMES[each.verdict]
            if each.verdict is Verdict.REVOKED or not is_latest:
                continue  # what was taken back stays so
            if each.verdict is Verdict.APPROVED:
                self._world.permits.undo(connection, decision.permit, (each.dataset,))
            asked = is_asked and each.dataset in held.proposal.datasets
            state = PartState.REQUESTED if asked else PartState.LAPSED
            set_part(connection, decision.permit, each.dataset, state, now)
            act = Act(Kind.REVOCATION, dataset=each.dataset, permit=decision.permit, detail="hub:not-recorded")
            self._world.ledger.write(connection, act)

    def _is_ours(self, proposal: Proposal) -> bool:
        here = {
            each.dataset
            for each in proposal.document.datasets
            if (each.node, each.country) == (self._world.node, self._world.country)
        }
        return proposal.country == self._world.country and bool(here) and set(proposal.datasets) <= here

    def _take(self, connection: sa.Connection, hub: str, token: str, proposal: Proposal) -> None:
        permit, now = proposal.document.id, clock.now()
        known = find_held(connection, permit)
        if known is not None and known.proposal.digest != proposal.digest:
            _log.error("permit %s was proposed with another document before; it is left out", permit[:40])
            return
        if known is not None and known.proposal.requested_at >= proposal.requested_at:
            return
        row = {
            "hub": hub,
            "country": proposal.country,
            "digest": proposal.digest,
            "token": token,
            "requested_at": stamp(proposal.requested_at),
            "decide_by": stamp(proposal.decide_by),
            "received": stamp(now),
        }
        if known is None:
            connection.execute(sa.insert(t.proposal).values(**row, permit=permit))
        else:
            connection.execute(sa.update(t.proposal).where(t.proposal.c.permit == permit).values(row))
        decided = (
            () if known is None else tuple(d for d, part in known.parts.items() if part.state in _BECOMES.values())
        )
        for dataset in proposal.datasets:
            if dataset not in decided:
                set_part(connection, permit, dataset, PartState.REQUESTED, now)


def _found(connection: sa.Connection, permit: str) -> Held:
    held = find_held(connection, permit)
    if held is None:
        raise NotFound(f"no permit {permit[:100]!r} was proposed to this node")
    return held


def _is_repeated(held: Held, before: Sequence[CountryDecision], decision: CountryDecision) -> bool:
    """Whether the newest decision says the same, by the same person, and holds: then only its answer was lost."""
    newest = before[-1] if before else None
    return (
        newest is not None
        and (newest.decisions, newest.decided_by) == (decision.decisions, decision.decided_by)
        and all(held.parts[each.dataset].state is _BECOMES[each.verdict] for each in decision.decisions)
    )


def _act(decision: CountryDecision, each: DatasetDecision, caller: Caller) -> Act:
    return Act(_KINDS[each.verdict], caller.subject, caller.name, each.dataset, decision.permit, each.verdict)
