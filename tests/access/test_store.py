# SPDX-License-Identifier: Apache-2.0
"""Events are the truth: replayed they give the view, the lists, and away a change of the past."""

from typing import Any

import pytest
import sqlalchemy as sa

from megagenome.access import command_types as c
from megagenome.access import tables as t
from megagenome.access.events import Event
from megagenome.access.fold import fold
from megagenome.access.store import Transaction
from megagenome.kernel import database
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Corrupt, NotFound, Unavailable
from megagenome.standards.application import ApplicationId
from megagenome.standards.permit import Verdict
from tests.access.hub import ADA, FINN, Hub

pytestmark = pytest.mark.usefixtures("database")


def rows(hub: Hub) -> dict[str, list[Any]]:
    """All that lists are made of."""
    with hub.store.engine.connect() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(sa.select(table)))
            for table in (t.application, t.participant, t.part)
        }


def several(hub: Hub) -> list[ApplicationId]:
    """Applications at different places."""
    found = [hub.create(), hub.submitted(), hub.recommended(), hub.active()]
    hub.decide(FINN, found[-1], {"GDI-FI-1": Verdict.REFUSED})
    hub.pass_time(days=7)
    return found


def test_lists_can_be_made_again_from_events(hub: Hub) -> None:
    several(hub)
    kept = rows(hub)
    assert len(kept["access_part"]) == 12
    with hub.store.engine.begin() as connection:
        connection.execute(sa.delete(t.participant))
        connection.execute(sa.delete(t.part))
        blank = {"state": "?", "title": "", "due": None, "clock": None, "reached": 0, "permit": None, "version": 0}
        connection.execute(sa.update(t.application).values(**blank, permit_state=None, applicant=""))
    assert rows(hub) != kept
    hub.store.rebuild()
    assert rows(hub) == kept


def test_a_changed_past_shows(hub: Hub) -> None:
    application = hub.active()
    with hub.store.transaction() as transaction:
        transaction.verify(application)
    where = (t.event.c.application == application) & (t.event.c.sequence == 5)
    changes: list[Any] = [
        sa.update(t.event).where(where).values(body=sa.func.replace(t.event.c.body, "2026", "2025")),
        sa.delete(t.event).where(where),
        sa.update(t.event).where(where).values(sha256="0" * 64),
    ]
    for change in changes:
        with hub.store.engine.connect() as connection, connection.begin() as undone:
            connection.execute(change)
            with pytest.raises(Corrupt, match="event"):
                Transaction(connection).verify(application)
            undone.rollback()


def test_a_missing_event_is_no_view(hub: Hub) -> None:
    application = hub.submitted()
    with hub.store.transaction() as transaction:
        events = transaction.events(application)
    with pytest.raises(Corrupt, match="event 2 is missing"):
        fold(application, [events[0], *events[2:]])
    with pytest.raises(Corrupt, match="created"):
        fold(application, events[1:])
    with pytest.raises(Corrupt, match="created"):
        fold(application, list[Event]())


def test_a_text_that_was_changed_shows(hub: Hub) -> None:
    application = hub.submitted()
    with hub.store.engine.begin() as connection:
        connection.execute(sa.update(t.text).values(content="{}"))
    with pytest.raises(Corrupt, match="not as it was written"):
        hub.show(ADA, application)


def test_there_is_nothing_where_there_is_nothing(hub: Hub) -> None:
    with hub.store.transaction() as transaction, pytest.raises(NotFound):
        transaction.view(ApplicationId("0" * 24))


def test_no_event_holds_a_name_or_a_word_of_a_person(hub: Hub) -> None:
    several(hub)
    with hub.store.engine.connect() as connection:
        bodies = "\n".join(connection.scalars(sa.select(t.event.c.body)))
    for word in ("Ada", "ada@", "Dora", "Seizures", "because", "why", "analyses", "plan.pdf", "Eeva", "signed."):
        assert word not in bodies


def test_a_database_that_somebody_else_holds_is_unavailable(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    application = hub.create()
    monkeypatch.setattr(database, "_PATIENCE_MS", 20)
    hub.store.engine.dispose()
    with begin_writing(hub.store.engine), pytest.raises(Unavailable, match="lock"):
        hub.do(ADA, application, c.Submit())
    assert hub.view(application).version == 1
