# SPDX-License-Identifier: Apache-2.0
"""`megagenome hub role` and `megagenome node role`."""

import getpass
import json
from pathlib import Path
from typing import Any

import pytest

from megagenome.app.hub import open_hub
from megagenome.app.node import open_node
from megagenome.cli.main import main
from megagenome.identity.people import remember
from megagenome.identity.roles import Scope, grants_of
from megagenome.identity.subjects import Profile
from megagenome.kernel.callers import Role
from tests.journeys.nations import run

JANE = "jane@https://login.example.org"


@pytest.fixture
def hub(tmp_path: Path) -> str:
    run("hub", "init", tmp_path / "hub")
    return str(tmp_path / "hub")


def printed(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_role_is_given_listed_and_taken(hub: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("hub", "role", "grant", hub, JANE, "signing-official", "--organisation", "Example.org")
    assert "nobody has signed in as that yet" in printed(capsys, *given)["done"]
    [grant] = printed(capsys, "hub", "role", "list", hub)["grants"]
    assert (grant["role"], grant["scope"]["organisation"]) == ("signing_official", "example.org")
    assert grant["granted_by"] == f"operator {getpass.getuser()}"
    assert main([*given]) == 3
    assert main(["hub", "role", "revoke", hub, JANE, "signing-official"]) == 3
    assert main(["hub", "role", "revoke", hub, JANE, "signing-official", "--organisation", "example.org"]) == 0
    assert printed(capsys, "hub", "role", "list", hub) == {"grants": []}
    [taken] = printed(capsys, "hub", "role", "list", hub, "--history")["grants"]
    assert taken["revoked_by"] == f"operator {getpass.getuser()}"


def test_the_operator_finds_people_who_signed_in(hub: str, capsys: pytest.CaptureFixture[str]) -> None:
    opened = open_hub(Path(hub))
    with opened.engine.begin() as connection:
        remember(connection, Profile(JANE, "Jane", "jane@example.org", "example.org"))
    opened.engine.dispose()
    [person] = printed(capsys, "hub", "role", "people", hub)["people"]
    assert (person["subject"], person["email"]) == (JANE, "jane@example.org")
    assert "nobody" not in printed(capsys, "hub", "role", "grant", hub, JANE, "auditor")["done"]
    assert main(["hub", "role", "people", hub]) == 0
    assert JANE in capsys.readouterr().out


def test_a_node_has_roles_of_its_own(folder: Path) -> None:
    assert main(["node", "role", "grant", str(folder), JANE, "country_decider", "--country", "EE"]) == 0
    opened = open_node(folder)
    with opened.collection.engine.connect() as connection:
        [grant] = grants_of(connection, JANE)
    opened.collection.close()
    assert (grant.role, grant.scope) == (Role.COUNTRY_DECIDER, Scope("EE"))


def test_no_other_country_decides_at_a_node(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for role in ("country_decider", "data_steward"):
        assert main(["node", "role", "grant", str(folder), JANE, role, "--country", "FI"]) == 2
        assert "this is a node of EE" in capsys.readouterr().err


def test_a_new_server_knows_nobody(hub: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "role", "people", hub]) == main(["hub", "role", "list", hub]) == 0
    assert capsys.readouterr().out == "nobody has signed in here yet\nnobody has a role here\n"


def test_roles_are_named_as_pages_and_documents_name_them(hub: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "role", "grant", hub, JANE, "king"]) == 2
    assert '"dac_chair"' in capsys.readouterr().err
    for spelled in ("dac_chair", "dac-member"):
        assert main(["hub", "role", "grant", hub, JANE, spelled]) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ("Jane Doe", "auditor"),
        (JANE, "king"),
        (JANE, "auditor", "--country", "UK"),
        (JANE, "auditor", "--dataset", "X"),
        (JANE, "auditor", "--country", "EE"),
        (JANE, "country_decider"),
        (JANE, "signing-official"),
        (JANE, "signing-official", "--country", "EE"),
    ],
)
def test_what_is_no_grant_is_refused(hub: str, wrong: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "role", "grant", hub, *wrong]) == 2
    assert capsys.readouterr().err.count("\n") == 1
