# SPDX-License-Identifier: Apache-2.0
"""What the process enters in the hub's ledger: every decision and end of a permit, and nothing of a draft."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.access import command_types as c
from megagenome.access.process import Process
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Act, Ledger
from megagenome.kernel.ledger_chain import Entry
from megagenome.standards.application import ApplicationId, State
from megagenome.standards.permit import Verdict
from tests.access.hub import ADA, CHAIR, EEVA, SIGNE, Hub, recommendation


def keep_ledger(hub: Hub, folder: Path) -> Ledger:
    ledger = Ledger(hub.store.engine, SigningKeys.open(folder / "keys"), "org.example.hub")
    world = dataclasses.replace(hub.world, enter=lambda connection, acts: ledger.write(connection, *acts))
    hub.process = Process(hub.store, world)
    return ledger


def told(ledger: Ledger) -> list[tuple[str, str, str]]:
    return [(each.kind, each.dataset, each.detail) for each in ledger.items() if isinstance(each, Entry)]


def test_a_draft_and_votes_are_no_decisions(hub: Hub, tmp_path: Path) -> None:
    ledger = keep_ledger(hub, tmp_path)
    application = hub.create()
    hub.fill(application)
    hub.do(ADA, application, c.Submit())
    assert told(ledger) == []
    hub.do(SIGNE, application, c.Endorse())
    hub.do(CHAIR, application, c.BeginAssessment())
    hub.vote(application)
    assert told(ledger) == [("decision", "", "endorsed")]
    [entry] = [each for each in ledger.items() if isinstance(each, Entry)]
    assert entry.permit == application  # there is no permit yet
    person = ledger.person(entry.actor)
    assert person
    assert person.subject == SIGNE.subject


def test_decisions_and_ends_are_entered_by_dataset(hub: Hub, tmp_path: Path) -> None:
    application = hub.voted()
    ledger = keep_ledger(hub, tmp_path)
    hub.do(CHAIR, application, recommendation())
    hub.do(CHAIR, application, c.RequestDecisions())
    hub.decide(EEVA, application, {"GDI-EE-1": Verdict.APPROVED, "GDI-EE-2": Verdict.REFUSED})
    hub.do(CHAIR, application, c.Suspend("why"))
    hub.do(CHAIR, application, c.Resume("why"))
    hub.decide(EEVA, application, {"GDI-EE-1": Verdict.REVOKED})
    assert told(ledger) == [
        ("decision", "", "recommended:approve"),
        ("grant", "GDI-EE-1", "approved"),
        ("decision", "GDI-EE-2", "refused"),
        ("revocation", "", "suspended"),
        ("revocation", "", "resumed"),
        ("revocation", "GDI-EE-1", "revoked"),
    ]
    permit = permit_of(hub, application)
    assert {each.permit for each in ledger.items() if isinstance(each, Entry)} == {permit}
    assert ledger.verify().fine


def test_what_time_ends_nobody_did(hub: Hub, tmp_path: Path) -> None:
    application = hub.active()
    ledger = keep_ledger(hub, tmp_path)
    hub.pass_time(days=60)
    assert told(ledger) == [("decision", part, "lapsed") for part in datasets_of(hub, application, "FI")]
    hub.pass_time(days=600)
    last = [each for each in ledger.items() if isinstance(each, Entry)][-1]
    assert (last.kind, last.detail, last.actor) == ("revocation", "expired", "")


def test_what_cannot_be_entered_is_not_done(hub: Hub) -> None:
    def refuse(_connection: sa.Connection, acts: Sequence[Act]) -> None:
        if acts:
            raise Unavailable("the disk is full")

    application = hub.submitted()
    hub.process = Process(hub.store, dataclasses.replace(hub.world, enter=refuse))
    with pytest.raises(Unavailable):
        hub.do(SIGNE, application, c.Endorse())
    assert hub.view(application).state is State.SUBMITTED


def permit_of(hub: Hub, application: ApplicationId) -> str:
    found = hub.view(application).recommendation
    assert found
    assert found.permit
    return found.permit.id


def datasets_of(hub: Hub, application: ApplicationId, country: str) -> list[str]:
    return [part.dataset.dataset for part in hub.view(application).parts if part.dataset.country == country]
