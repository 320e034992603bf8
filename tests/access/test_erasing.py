# SPDX-License-Identifier: Apache-2.0
"""What was erased is in no table and no file, and every state is what it was."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.access import command_types as c
from megagenome.access import tables as t
from megagenome.access.erasing import erase_application, erase_person, sweep_attachments
from megagenome.access.store import Transaction
from megagenome.kernel.callers import Caller
from megagenome.kernel.database import begin_erasing
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.standards.application import ApplicationId, State
from megagenome.standards.permit import Verdict
from tests.access.hub import ADA, BEN, CHAIR, DORA, EEVA, FINN, SIGNE, Hub, open_hub


def everything(hub: Hub) -> str:
    """All rows of all tables of access, as text."""
    with hub.store.engine.connect() as connection:
        return "\n".join(str(row) for table in t.METADATA.sorted_tables for row in connection.execute(sa.select(table)))


def erase(hub: Hub, who: Caller) -> int | None:
    with begin_erasing(hub.store.engine) as connection:
        return erase_person(Transaction(connection), hub.world.attachments, str(who.subject), hub.now)


def erase_one(hub: Hub, application: ApplicationId) -> None:
    with begin_erasing(hub.store.engine) as connection:
        erase_application(Transaction(connection), hub.world.attachments, application)


def revoked(hub: Hub) -> ApplicationId:
    application = hub.active()
    hub.do(CHAIR, application, c.Revoke("misused"))
    return application


def test_a_person_is_erased(hub: Hub) -> None:
    application = revoked(hub)
    before = hub.view(application)
    assert len(hub.world.attachments.ids()) == 1
    assert erase(hub, ADA) == 1
    kept = everything(hub)
    assert [word for word in ("Ada", "ada@", "Seizures", "analyses", "plan.pdf") if word in kept] == []
    assert "misused" in kept
    assert hub.world.attachments.ids() == []
    assert hub.view(application) == before
    assert hub.show(DORA, application).answers == {}
    hub.store.rebuild()
    assert hub.process.fire_due() == 0
    assert erase(hub, ADA) is None
    with pytest.raises(NotFound):  # the same subject is another person from now on
        hub.show(ADA, application)


def test_what_is_erased_is_in_no_byte_of_the_database(tmp_path: Path) -> None:
    words = (b"Seizures", b"ada@", b"Ada", b"long" * 1000)
    with open_hub(tmp_path) as hub:
        application = revoked(hub)
        other = hub.create()
        hub.do(ADA, other, c.SaveDraft({"description": "long" * 1000}))
        hub.do(ADA, other, c.SaveDraft({"description": "short"}))
        hub.do(ADA, other, c.Withdraw())
    assert words[0] in (tmp_path / "hub.db").read_bytes()
    with open_hub(tmp_path) as hub:
        erase(hub, ADA)
        assert hub.view(application).state is State.REVOKED
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert [word for word in words if word in left] == []


def test_nobody_is_erased_from_what_runs(hub: Hub) -> None:
    application = hub.active()
    with pytest.raises(Conflict, match=application):
        erase(hub, ADA)
    with pytest.raises(Conflict, match="active"):
        erase_one(hub, application)
    assert hub.show(ADA, application).answers["title"]


@pytest.mark.parametrize("who", [SIGNE, DORA, CHAIR], ids=lambda who: who.name)
@pytest.mark.parametrize("step", ["recommended", "requested", "active"])
def test_an_official_is_erased_and_what_runs_goes_on(hub: Hub, who: Caller, step: str) -> None:
    application: ApplicationId = getattr(hub, step)()
    permit, before = hub.reader.permit(ADA, application), hub.view(application)
    assert erase(hub, who) == 0
    assert (hub.view(application), hub.reader.permit(ADA, application)) == (before, permit)
    assert str(who.subject) not in everything(hub)
    if step == "recommended":
        hub.do(CHAIR, application, c.RequestDecisions())
    assert [each.document for each in hub.proposals("node-fi")] == [permit]
    hub.decide(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    hub.do(CHAIR, application, c.Revoke("over"))
    erase(hub, ADA)
    assert "Ada" not in everything(hub)


def test_who_decided_for_a_country_is_erased_with_what_they_signed(hub: Hub) -> None:
    application = hub.active()
    before = hub.view(application)
    hub.decide(FINN, application, {"GDI-FI-1": Verdict.APPROVED})
    assert erase(hub, FINN) == 0
    assert str(FINN.subject) not in everything(hub)
    assert str(EEVA.subject) in everything(hub)
    assert (hub.view(application).state, hub.view(application).version) == (before.state, before.version + 1)
    hub.store.rebuild()
    hub.show(ADA, application)


def test_a_draft_is_withdrawn_when_its_applicant_is_erased(hub: Hub) -> None:
    application, joined = hub.create(), hub.create(BEN)
    hub.do(ADA, application, c.SaveDraft({"title": "First thoughts"}))
    assert erase(hub, ADA) == 1
    assert hub.view(application).state is State.WITHDRAWN
    assert hub.view(joined).state is State.DRAFT
    assert "First" not in everything(hub)
    hub.store.rebuild()
    with pytest.raises(Conflict, match="draft"):
        erase_one(hub, joined)


def test_an_application_is_erased(hub: Hub) -> None:
    application, other = revoked(hub), hub.submitted()
    before = hub.view(application)
    for _ in range(2):
        erase_one(hub, application)
    assert hub.view(application) == before
    assert hub.show(ADA, application).state is State.REVOKED
    assert hub.show(ADA, application).answers == {}
    with pytest.raises(NotFound):
        hub.reader.permit(ADA, application)
    assert hub.show(ADA, other).answers["title"] == "Seizures in Europe"
    assert "misused" not in everything(hub)
    with pytest.raises(NotFound):
        erase_one(hub, ApplicationId("0" * 24))


def test_a_draft_that_is_saved_over_is_gone(hub: Hub) -> None:
    application = hub.create()
    hub.do(ADA, application, c.SaveDraft({"title": "First thoughts"}))
    hub.do(ADA, application, c.SaveDraft({"title": "Second thoughts"}))
    assert "First" not in everything(hub)
    hub.do(ADA, application, c.InviteMember("Benjamin", "ben@example.org"))
    secret = hub.show(ADA, application).invitations[0].secret
    hub.do(BEN, application, c.Join(secret))
    assert [word for word in ("Benjamin", "ben@example", secret) if word in everything(hub)] == []


def test_what_was_submitted_is_kept_when_the_draft_goes_on(hub: Hub) -> None:
    application = hub.assessing()
    hub.do(CHAIR, application, c.Return("more"))
    hub.do(ADA, application, c.SaveDraft({"title": "Changed"}))
    assert hub.show(DORA, application).answers["title"] == "Seizures in Europe"


def test_documents_of_a_killed_process_are_swept(hub: Hub) -> None:
    application = hub.submitted()
    hub.world.attachments.put("0" * 24, b"nobody's")
    assert sweep_attachments(hub.store, hub.world.attachments) == 1
    assert sweep_attachments(hub.store, hub.world.attachments) == 0
    assert [each.id for each in hub.view(application).attachments] == hub.world.attachments.ids()
