# SPDX-License-Identifier: Apache-2.0
"""What lists and desks are made of: rows that follow from an application's view, written with its events."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.form import read_form
from megagenome.access.model import Application
from megagenome.standards.application import ApplicationId, ClockKind, State


def first_row(application: ApplicationId) -> Mapping[str, Any]:
    """The row of an application before its first event."""
    return {
        "id": application,
        "version": 0,
        "state": State.DRAFT,
        "applicant": "",
        "organisation": "",
        "title": "",
        "created": "",
        "updated": "",
        "reached": 0,
        "overdue": False,
    }


def project(connection: sa.Connection, view: Application) -> None:
    """Write the rows of one application anew. Idempotent."""
    connection.execute(
        sa.update(t.application).where(t.application.c.id == view.id).values(application_row(connection, view))
    )
    for table in (t.participant, t.part):
        connection.execute(sa.delete(table).where(table.c.application == view.id))
    present = {view.applicant, *view.members}
    connection.execute(
        sa.insert(t.participant),
        [{"application": view.id, "person": p, "is_present": p in present} for p in sorted(view.took_part)],
    )
    connection.execute(sa.insert(t.part), part_rows(view))


def application_row(connection: sa.Connection, view: Application) -> Mapping[str, Any]:
    """What lists show of one application."""
    clock = view.next_clock()
    permit = view.recommendation.permit if view.recommendation else None
    return {
        "version": view.version,
        "state": view.state,
        "applicant": view.applicant,
        "organisation": view.organisation,
        "title": _title(connection, view),
        "created": stamp(view.created),
        "updated": stamp(view.updated),
        "reached": view.reached,
        "due": stamp(clock.due) if clock and clock.due else None,
        "clock": clock.kind if clock else None,
        "overdue": any(c.fired and c.kind is ClockKind.ASSESSMENT for c in view.clocks),
        "permit": permit.id if permit else None,
        "permit_digest": permit.digest if permit else None,
        "permit_state": view.permit_state(),
    }


def part_rows(view: Application) -> list[dict[str, Any]]:
    """Each dataset with its country's window."""
    windows = {c.country: stamp(c.due) for c in view.clocks if c.kind is ClockKind.WINDOW and c.due}
    return [
        {
            "application": view.id,
            "node": part.dataset.node,
            "dataset": part.dataset.dataset,
            "country": part.dataset.country,
            "state": part.state,
            "due": windows.get(part.dataset.country),
        }
        for part in view.parts
    ]


def _title(connection: sa.Connection, view: Application) -> str:
    """The answer that its form takes for the title, as submitted where it was; empty when unwritten or erased."""
    asked = sa.select(t.text.c.content).where(t.text.c.id == (view.submitted or view.answers))
    content = connection.execute(asked).scalar()
    field = read_form(view.form).field_that_means("title") if content else None
    answer = msgspec.json.decode(content).get(field.id) if content and field else None
    return answer if isinstance(answer, str) else ""


def stamp(moment: datetime) -> str:
    """A moment as text that sorts as time does."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
