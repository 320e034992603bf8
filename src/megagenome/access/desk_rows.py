# SPDX-License-Identifier: Apache-2.0
"""What a country's desk shows, from its rows: proposals with the state of each dataset, and decisions on them."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from megagenome.access import tables as t
from megagenome.access.projection import stamp
from megagenome.access.working_days import working_days_between
from megagenome.kernel.jwt import read_token
from megagenome.standards.application import PartState
from megagenome.standards.desk import DeskItem, DeskPage, DeskPart
from megagenome.standards.exchange import LARGEST_PROPOSAL_BYTES
from megagenome.standards.permit import CountryDecision, PermitState, Proposal

T = TypeVar("T")


class Held(NamedTuple):
    """A proposal as it is kept. `undelivered` and `refusal` are of its decisions."""

    row: Any
    proposal: Proposal
    parts: Mapping[str, DeskPart]
    told: PermitState
    undelivered: int
    refusal: str


def find_held(connection: sa.Connection, permit: str) -> Held | None:
    """One proposal; None where it was not made."""
    row = connection.execute(sa.select(t.proposal).where(t.proposal.c.permit == permit)).one_or_none()
    return None if row is None else _all_held(connection, [row])[0]


def list_held(connection: sa.Connection, now: datetime, skip: int, limit: int) -> DeskPage:
    """A page of all proposals: what waits first, by how soon its time is over; then the rest, latest first."""
    row, told = t.proposal.c, t.permit_told.c
    asked = sa.exists().where(t.proposal_part.c.permit == row.permit, t.proposal_part.c.state == PartState.REQUESTED)
    ended = sa.exists().where(told.permit == row.permit, told.state == PermitState.REVOKED)
    waits = asked & ~ended & (row.decide_by > stamp(now))
    soonest = sa.case((waits, row.decide_by), else_=None)
    ordered = sa.select(t.proposal).order_by(~waits, soonest, row.received.desc(), row.permit)
    rows = connection.execute(ordered.offset(skip).limit(limit)).all()
    total = connection.execute(sa.select(sa.func.count()).select_from(t.proposal)).scalar_one()
    return DeskPage(total, skip, tuple(show_item(held, now) for held in _all_held(connection, rows)))


def show_item(held: Held, now: datetime) -> DeskItem:
    """One proposal as people read it. What nobody decided in time lapsed."""
    is_over = now >= held.proposal.decide_by
    parts = tuple(
        replace(part, state=PartState.LAPSED, changed=held.proposal.decide_by)
        if is_over and part.state is PartState.REQUESTED
        else part
        for part in held.parts.values()
    )
    document = held.proposal.document
    return DeskItem(
        document.id,
        held.row.hub,
        document.application,
        held.proposal.country,
        document.uses,
        tuple(person.name for person in document.people),
        held.proposal.requested_at,
        held.proposal.decide_by,
        working_days_between(held.proposal.country, now, held.proposal.decide_by),
        held.told is not PermitState.REVOKED and any(part.state is PartState.REQUESTED for part in parts),
        held.told,
        parts,
        held.undelivered,
        held.refusal,
    )


def decisions_of(connection: sa.Connection, permit: str) -> tuple[CountryDecision, ...]:
    """All decisions on a permit, oldest first."""
    row = t.decision.c
    tokens = connection.scalars(sa.select(row.token).where(row.permit == permit).order_by(row.number))
    return tuple(claims_of(token, CountryDecision) for token in tokens)


def set_part(connection: sa.Connection, permit: str, dataset: str, state: PartState, now: datetime) -> None:
    """Where one dataset stands from now on."""
    row = t.proposal_part.c
    which = (row.permit == permit) & (row.dataset == dataset)
    values = {"state": state, "changed": stamp(now)}
    if not connection.execute(sa.update(t.proposal_part).where(which).values(values)).rowcount:
        connection.execute(sa.insert(t.proposal_part).values(**values, permit=permit, dataset=dataset))


def claims_of(token: str, kind: type[T]) -> T:
    """What a token says that this node verified or signed before it was kept."""
    return msgspec.convert(read_token(token, LARGEST_PROPOSAL_BYTES).claims, kind)


def without_person(connection: sa.Connection, held: Held, subject: str) -> None:
    """Keep a proposal without one of its people: as what it says, which the hub's signature is no longer under."""
    document = held.proposal.document
    others = tuple(person for person in document.people if person.subject != subject)
    said = replace(held.proposal, document=replace(document, people=others))
    parts = (msgspec.json.encode(part) for part in ({"alg": "none"}, said))
    token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."
    connection.execute(sa.update(t.proposal).where(t.proposal.c.permit == document.id).values(token=token))


def _all_held(connection: sa.Connection, rows: Sequence[Any]) -> list[Held]:
    """Proposals with what belongs to them, by three queries, however many they are."""
    permits = [row.permit for row in rows]
    part, told, decision = t.proposal_part.c, t.permit_told.c, t.decision.c
    parts: dict[str, dict[str, DeskPart]] = {permit: {} for permit in permits}
    asked = sa.select(t.proposal_part).where(part.permit.in_(permits)).order_by(part.dataset)
    for each in connection.execute(asked):
        changed = datetime.fromisoformat(each.changed).astimezone(UTC)
        parts[each.permit][each.dataset] = DeskPart(each.dataset, PartState(each.state), changed)
    states = {
        each.permit: PermitState(each.state)
        for each in connection.execute(sa.select(told.permit, told.state).where(told.permit.in_(permits)))
    }
    decided: dict[str, list[Any]] = {permit: [] for permit in permits}
    listed = sa.select(decision.permit, decision.acknowledged, decision.refusal).where(decision.permit.in_(permits))
    for each in connection.execute(listed.order_by(decision.number)):
        decided[each.permit].append(each)
    return [
        Held(
            row,
            claims_of(row.token, Proposal),
            parts[row.permit],
            states.get(row.permit, PermitState.ACTIVE),
            sum(each.acknowledged is None for each in decided[row.permit]),
            decided[row.permit][-1].refusal if decided[row.permit] else "",
        )
        for row in rows
    ]
