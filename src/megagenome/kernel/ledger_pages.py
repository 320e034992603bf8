# SPDX-License-Identifier: Apache-2.0
"""Reading the ledger for pages: entries by permit, dataset, actor and time, newest first; counts by month."""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.ledger import Kind
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.ledger_tables import ledger_entry

LARGEST_PAGE = 1_000


class Chosen(msgspec.Struct, frozen=True):
    """Which entries. What is None or empty chooses all; the parts hold together.

    datasets  any of these: a citizen's are those that hold their genome
    since     entries written at that time or later
    until     entries written before that time
    """

    datasets: tuple[str, ...] = ()
    permit: str | None = None
    actor: str | None = None
    kinds: tuple[Kind, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


class Page(msgspec.Struct, frozen=True):
    """Entries, newest first; `before` asks for the next page, None where there is none."""

    entries: tuple[Entry, ...]
    before: int | None


class MonthCount(msgspec.Struct, frozen=True):
    """Of one month (`2026-11`, UTC) and kind: how many entries, and the sum of what they count."""

    month: str
    kind: str
    entries: int
    count: int


def page(connection: sa.Connection, chosen: Chosen, *, before: int | None = None, limit: int = 100) -> Page:
    """Up to `limit` chosen entries (at most `LARGEST_PAGE`), newest first, older than `before`. Cost: one index."""
    limit = max(1, min(limit, LARGEST_PAGE))
    query = sa.select(ledger_entry).where(*_conditions(chosen))
    if before is not None:
        query = query.where(ledger_entry.c.seq < before)
    rows = connection.execute(query.order_by(ledger_entry.c.seq.desc()).limit(limit + 1)).all()
    entries = tuple(Entry(*row) for row in rows[:limit])
    return Page(entries, entries[-1].seq if len(rows) > limit else None)


def months(connection: sa.Connection, chosen: Chosen) -> tuple[MonthCount, ...]:
    """Counts of the chosen entries by month and kind, newest month first. Cost: reads every chosen entry."""
    month = sa.func.substr(ledger_entry.c.time, 1, 7)
    kind = ledger_entry.c.kind
    query = (
        sa.select(month, kind, sa.func.count(), sa.cast(sa.func.sum(ledger_entry.c.count), sa.BigInteger))
        .where(*_conditions(chosen))
        .group_by(month, kind)
        .order_by(month.desc(), kind)
    )
    return tuple(MonthCount(*row) for row in connection.execute(query))


def _conditions(chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    column = ledger_entry.c
    found: list[sa.ColumnElement[bool]] = []
    if chosen.datasets:
        found.append(column.dataset.in_(chosen.datasets))
    if chosen.permit is not None:
        found.append(column.permit == chosen.permit)
    if chosen.actor is not None:
        found.append(column.actor == chosen.actor)
    if chosen.kinds:
        found.append(column.kind.in_([str(kind) for kind in chosen.kinds]))
    if chosen.since is not None:
        found.append(column.time >= clock.stamp(chosen.since))
    if chosen.until is not None:
        found.append(column.time < clock.stamp(chosen.until))
    return found
