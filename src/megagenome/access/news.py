# SPDX-License-Identifier: Apache-2.0
"""News for nodes: what each permit's state becomes, and which country is asked. Written with the events that they
follow from, numbered upward, and read from where a node last was, so that nothing is lost and little is told twice.

A node hears only of applications that name one of its datasets.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.events import Body, DecisionRequested
from megagenome.access.model import Application
from megagenome.access.projection import stamp
from megagenome.standards.permit import PermitState, Revocation

MOST_AT_ONCE = 200


class Asked(NamedTuple):
    """A country was asked about an application's permit."""

    sequence: int
    application: str
    country: str


class News(NamedTuple):
    """What is new after a sequence, oldest first: what a permit's state became, or that a country was asked.

    sequence  of the newest that was looked at; the next reading goes on from there
    complete  False where there is more
    """

    items: tuple[Revocation | Asked, ...]
    sequence: int
    complete: bool


def note_news(
    connection: sa.Connection, before: Application, after: Application, bodies: Iterable[Body], now: datetime
) -> set[str]:
    """Write what follows for nodes from these events of one application; the nodes that it concerns."""
    permit = after.recommendation.permit if after.recommendation else None
    if permit is None:
        return set()
    rows: list[dict[str, str | None]] = []
    if after.permit_state() is not before.permit_state():
        rows.append({"state": after.permit_state(), "country": None})
    rows += [{"state": None, "country": body.country} for body in bodies if isinstance(body, DecisionRequested)]
    if not rows:
        return set()
    first = _next_sequence(connection, now)
    fixed = {"application": after.id, "permit": permit.id, "at": stamp(now)}
    connection.execute(
        sa.insert(t.news), [{**fixed, **row, "sequence": sequence} for sequence, row in enumerate(rows, first)]
    )
    return {part.dataset.node for part in after.parts}


def read_news(connection: sa.Connection, node: str, since: int) -> News:
    """What is new for a node. The connection must read one moment (`begin_snapshot`)."""
    newest = connection.execute(sa.select(sa.func.max(t.news.c.sequence))).scalar() or 0
    of_node = sa.select(t.part.c.application).where(t.part.c.node == node)
    asked = sa.select(t.news).where(t.news.c.sequence > since, t.news.c.application.in_(of_node))
    rows = connection.execute(asked.order_by(t.news.c.sequence).limit(MOST_AT_ONCE + 1)).all()
    complete = len(rows) <= MOST_AT_ONCE
    items = tuple(map(_item, rows[:MOST_AT_ONCE]))
    return News(items, max(newest, since) if complete else items[-1].sequence, complete)


def _item(row: sa.Row[Any]) -> Revocation | Asked:
    if row.state is None:
        return Asked(row.sequence, row.application, row.country)
    return Revocation(row.sequence, row.permit, PermitState(row.state), datetime.fromisoformat(row.at))


def _next_sequence(connection: sa.Connection, now: datetime) -> int:
    """Above all before, and above what a database that was lost since its last backup can have told."""
    if connection.dialect.name == "postgresql":
        # numbers must become visible in their order; SQLite has one writer anyway
        connection.exec_driver_sql("LOCK TABLE access_news IN EXCLUSIVE MODE")
    newest = connection.execute(sa.select(sa.func.max(t.news.c.sequence))).scalar() or 0
    return max(int(newest) + 1, int(now.timestamp() * 1000))
