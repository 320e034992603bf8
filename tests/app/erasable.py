# SPDX-License-Identifier: Apache-2.0
"""Folders of a hub and of a node at which Ada did all that somebody can do there, and all is over."""

import secrets
import shutil
from pathlib import Path

import sqlalchemy as sa

from megagenome.access import command_types as c
from megagenome.app.hub import init_hub
from megagenome.app.hub import open_hub as open_hub_folder
from megagenome.app.node import init_node, open_node
from megagenome.collection import tables
from megagenome.collection.citizens import link_citizen
from megagenome.identity.access_tokens import AccessTokens
from megagenome.identity.roles import Scope, grant_role, revoke_role
from megagenome.identity.sessions import Sessions
from megagenome.identity.settings import SignInSettings
from megagenome.identity.subjects import Profile
from megagenome.kernel.callers import Role
from megagenome.kernel.ids import IndividualId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.network.studies.tables import study_run, study_site
from megagenome.standards.permit import PermitState
from megagenome.standards.study_shown import RunState
from tests.access.desks import desk_at
from tests.access.hub import ADA, CHAIR, open_hub

SUBJECT = str(ADA.subject)
PROFILE = Profile(SUBJECT, "Ada Lovelace", "ada.lovelace@example.org", "tartu.example", ("faculty@tartu.example",))
WORDS = (SUBJECT.encode(), b"Lovelace", b"lovelace@", b"Seizures")
"""What shows her, and what she wrote."""


def make_hub(folder: Path) -> str:
    """The hub; the id of her application, which was revoked."""
    work = folder.parent / f"{folder.name}-work"
    work.mkdir()
    init_hub(folder, name="Hub", identity="org.example.hub", port=8600, assembly="GRCh38")
    with open_hub(work) as hub:
        application = hub.active()
        hub.do(CHAIR, application, c.Revoke("misused"))
        hub.create()  # a draft of hers
    shutil.copy(work / "hub.db", folder / "hub.sqlite")
    shutil.copytree(work / "attachments", folder / "attachments")
    shutil.rmtree(work)
    opened = open_hub_folder(folder)
    _sign_in(opened.engine)
    with opened.engine.begin() as connection:
        grant_role(connection, SUBJECT, Role.RESEARCHER, Scope(organisation="Tartu"), "root")
        grant_role(connection, SUBJECT, Role.AUDITOR, Scope(), "root")
        revoke_role(connection, SUBJECT, Role.AUDITOR, Scope(), "root")
    AccessTokens(opened.engine).make(SUBJECT, "Ada's notebook")
    for owner in (SUBJECT, "somebody else"):
        add_study(opened.engine, owner, RunState.FINISHED)
    ledger = Ledger(opened.engine, SigningKeys.open(folder / "keys"), "org.example.hub")
    ledger.append(Act(Kind.REVOCATION, SUBJECT, "Ada Lovelace", permit=application))
    opened.engine.dispose()
    return application


def add_study(engine: sa.Engine, owner: str, state: RunState) -> None:
    """A run that somebody began, of one node."""
    run = {
        "id": f"run-{secrets.token_hex(4)}",
        "owner": owner,
        "name": "Ada Lovelace" if owner == SUBJECT else "Somebody",
        "permit": "permit-1",
        "digest": "sha256:x",
        "document": b"{}",
        "state": state.value,
        "reason": "",
        "epoch": 1,
        "restarts": 0,
        "rounds": 1,
        "created": "2026-01-01T00:00:00Z",
        "ended": "2026-01-01T00:00:00Z",
    }
    site = {"run": run["id"], "node": "node.fi", "taking_part": True, "state": "answered", "reason": "", "terms": ""}
    with engine.begin() as connection:
        connection.execute(sa.insert(study_run).values(run))
        connection.execute(sa.insert(study_site).values({**site, "up_bytes": 1, "down_bytes": 1}))


def make_node(folder: Path) -> None:
    """The node, which granted a permit to her that is revoked; a genome in it is hers."""
    work = folder.parent / f"{folder.name}-work"
    work.mkdir()
    init_node(folder, country="FI", name="", identity="node.fi", port=8601)
    with desk_at(work) as node:
        node.propose()
        node.decide(FI_1="approved", FI_2="refused")
        node.tell("permit-1", PermitState.REVOKED, 9)
    shutil.copy(work / "node.db", folder / "node.sqlite")
    shutil.rmtree(folder / "keys")
    shutil.copytree(work / "keys", folder / "keys")
    shutil.rmtree(work)
    opened = open_node(folder)
    engine = opened.collection.engine
    _sign_in(engine)
    with engine.begin() as connection:
        individual = {"number": 0, "id": "P-1", "sex": "female", "country": "FI", "population": ""}
        connection.execute(sa.insert(tables.individual).values(individual))
        link_citizen(connection, SUBJECT, IndividualId("P-1"), "root")
        said = {
            "individual": 0,
            "act": "withdraw",
            "uses": "research",
            "by": SUBJECT,
            "at": "2026-11-01T00:00:00+00:00",
        }
        connection.execute(sa.insert(tables.consent_act).values(said))
        grant_role(connection, SUBJECT, Role.CITIZEN, Scope(), "root")
    Ledger(engine, SigningKeys.open(folder / "keys"), "node.fi").append(
        Act(Kind.WITHDRAWAL, SUBJECT, "Ada Lovelace", dataset="FI-1")
    )
    opened.collection.close()


def left_of_her(folder: Path) -> list[bytes]:
    """Which of the words are in any file, also in what databases would write over."""
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return [word for word in WORDS if word in content]


def _sign_in(engine: sa.Engine) -> None:
    sessions = Sessions(engine, SignInSettings(issuer="https://idp.example", client_id="x"))
    for browser in ("one", "two"):
        sessions.open(PROFILE, browser)
