# SPDX-License-Identifier: Apache-2.0
"""Who is erased is in no byte of the folder, all else is as it was, and the ledger says that it was done."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.access.store import Store
from megagenome.app.erasing import Erasure, erase_application_at_hub, erase_person_at_hub, erase_person_at_node
from megagenome.app.hub import open_hub
from megagenome.app.ledger import open_ledger
from megagenome.app.node import open_node
from megagenome.collection.permits import read_permits
from megagenome.identity.people import list_people
from megagenome.identity.roles import all_grants
from megagenome.kernel.callers import ERASED
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.ledger_chain import Entry
from megagenome.network.studies.tables import study_run, study_site
from megagenome.standards.study_shown import RunState
from tests.access.hub import BEN
from tests.app.erasable import SUBJECT, WORDS, add_study, left_of_her, make_hub, make_node

AT_HUB = Erasure(account=True, sessions=2, roles=2, tokens=1, studies=1, applications=2, documents=1, ledger=True)
AT_NODE = Erasure(account=True, sessions=2, roles=1, proposals=1, permits=1, genome=True, acts=1, ledger=True)


def erase_at_hub(folder: Path, subject: str = SUBJECT, *, really: bool = True) -> Erasure:
    opened = open_hub(folder)
    try:
        ledger = open_ledger(folder, opened.engine, opened.settings.hub.id)
        return erase_person_at_hub(opened, ledger, subject, "root", really=really)
    finally:
        opened.engine.dispose()


def erase_at_node(folder: Path, *, really: bool = True) -> Erasure:
    opened = open_node(folder)
    try:
        ledger = open_ledger(folder, opened.collection.engine, opened.settings.node.id)
        return erase_person_at_node(opened, ledger, SUBJECT, "root", really=really)
    finally:
        opened.collection.close()


def entries(folder: Path, engine: sa.Engine, identity: str) -> list[Entry]:
    ledger = open_ledger(folder, engine, identity)
    assert ledger.verify().fine
    return [each for each in ledger.items() if isinstance(each, Entry)]


def test_a_person_is_erased_from_a_hub(tmp_path: Path) -> None:
    make_hub(folder := tmp_path / "hub")
    assert set(left_of_her(folder)) == set(WORDS)
    assert erase_at_hub(folder, really=False) == AT_HUB
    assert erase_at_hub(folder, really=False) == AT_HUB
    assert erase_at_hub(folder) == AT_HUB
    assert left_of_her(folder) == []
    opened = open_hub(folder)
    with opened.engine.connect() as connection:
        assert list_people(connection) == []
        assert all_grants(connection) == []
        history = all_grants(connection, history=True)
    assert [(each.subject, each.granted_by, each.revoked_by) for each in history] == [(ERASED, "root", "root")] * 2
    assert Store(opened.engine).verify() == 2
    *_, last = entries(folder, opened.engine, "org.example.hub")
    assert (last.kind, last.detail, last.permit, last.count) == ("erasure", "person", "", 1)
    opened.engine.dispose()
    with pytest.raises(NotFound, match="nothing is known here"):
        erase_at_hub(folder)


def test_somebody_who_only_signed_in_is_erased_and_others_stay(tmp_path: Path) -> None:
    make_hub(folder := tmp_path / "hub")
    with pytest.raises(NotFound):
        erase_at_hub(folder, "nobody@https://idp.example")
    with pytest.raises(NotFound):
        erase_at_hub(folder, SUBJECT[:-1])
    assert set(left_of_her(folder)) == set(WORDS)
    opened = open_hub(folder)
    with opened.engine.begin() as connection:
        assert Store(opened.engine).verify() == 2
        connection.exec_driver_sql("UPDATE access_person SET subject = NULL, name = ''")
    opened.engine.dispose()
    assert erase_at_hub(folder).applications == 0


def test_nothing_is_erased_of_whom_an_application_still_needs(tmp_path: Path) -> None:
    make_hub(folder := tmp_path / "hub")
    opened = open_hub(folder)
    with opened.engine.begin() as connection:  # as if the draft were Ben's, and she its member
        ben = "b" * 24
        connection.exec_driver_sql("INSERT INTO access_person VALUES (?, ?, 'Ben')", (ben, BEN.subject))
        row = connection.exec_driver_sql("SELECT id FROM access_application WHERE state = 'draft'").one()
        body = connection.exec_driver_sql("SELECT body FROM access_event WHERE application = ?", (row.id,)).scalar_one()
        ada = connection.exec_driver_sql("SELECT key FROM access_person WHERE name = 'Ada'").scalar_one()
        changed = body.replace(ada, ben)
        connection.exec_driver_sql("UPDATE access_event SET body = ? WHERE application = ?", (changed, row.id))
    opened.engine.dispose()
    with pytest.raises(Conflict, match=row.id):
        erase_at_hub(folder)
    assert set(left_of_her(folder)) == set(WORDS)


def test_nothing_is_erased_of_who_runs_a_study(tmp_path: Path) -> None:
    make_hub(folder := tmp_path / "hub")
    opened = open_hub(folder)
    add_study(opened.engine, SUBJECT, RunState.RUNNING)
    opened.engine.dispose()
    before = left_of_her(folder)
    with pytest.raises(Conflict, match=r"study run-.* has not ended"):
        erase_at_hub(folder)
    assert left_of_her(folder) == before


def test_others_studies_stay(tmp_path: Path) -> None:
    make_hub(folder := tmp_path / "hub")
    erase_at_hub(folder)
    opened = open_hub(folder)
    with opened.engine.connect() as connection:
        assert connection.scalars(sa.select(study_run.c.owner)).all() == ["somebody else"]
        assert len(connection.scalars(sa.select(study_site.c.run)).all()) == 1
    opened.engine.dispose()


def test_an_application_is_erased(tmp_path: Path) -> None:
    application = make_hub(folder := tmp_path / "hub")
    for really in (False, True, True):
        opened = open_hub(folder)
        ledger = open_ledger(folder, opened.engine, "org.example.hub")
        found = erase_application_at_hub(opened, ledger, application, "root", really=really)
        assert (found.applications, found.documents) == (1, 1)
        assert (len(list((folder / "attachments").iterdir())) == 0) is really
        last = entries(folder, opened.engine, "org.example.hub")[-1]
        assert (last.kind == "erasure") is really
        opened.engine.dispose()
    assert (last.detail, last.permit) == ("application", application)
    assert b"Seizures" not in b"".join(path.read_bytes() for path in folder.rglob("*.sqlite*"))


def test_a_person_is_erased_from_a_node(tmp_path: Path) -> None:
    make_node(folder := tmp_path / "node")
    assert erase_at_node(folder, really=False) == AT_NODE
    assert SUBJECT.encode() in left_of_her(folder)
    assert erase_at_node(folder) == AT_NODE
    assert left_of_her(folder) == []
    opened = open_node(folder)
    with opened.collection.engine.connect() as connection:
        [permit] = read_permits(connection)
        assert (permit.people, permit.datasets) == (frozenset(), ("FI-1",))
        assert connection.exec_driver_sql('SELECT "by" FROM consent_act').scalars().all() == [ERASED]
    *_, last = entries(folder, opened.collection.engine, "node.fi")
    assert (last.kind, last.detail) == ("erasure", "person")
    opened.collection.close()
    with pytest.raises(NotFound):
        erase_at_node(folder)


def test_nobody_is_erased_whose_permit_is_not_over(tmp_path: Path) -> None:
    make_node(folder := tmp_path / "node")
    opened = open_node(folder)
    with opened.collection.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM permit_state")
        connection.exec_driver_sql("UPDATE permit SET expires = '2999-01-01T00:00:00+00:00'")
    opened.collection.close()
    with pytest.raises(Conflict, match="permit-1 names them and is not over"):
        erase_at_node(folder)
    assert SUBJECT.encode() in left_of_her(folder)
