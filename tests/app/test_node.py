# SPDX-License-Identifier: Apache-2.0
"""A node's folder: made whole or not at all, and opened as it was made."""

import os
import shutil
from pathlib import Path

import pytest
from litestar.testing import TestClient

from megagenome.app.node import init_node, open_node, trust_of, upgrade_node
from megagenome.app.node_app import node_app
from megagenome.identity.trust_settings import TrustSettings
from megagenome.kernel.errors import Conflict, Invalid
from tests.journeys.nations import reference_folder


def test_a_node_is_opened_as_it_was_made(tmp_path: Path) -> None:
    name = 'Eesti "genoomid" \\ Tartu\nõ\x7f'
    init_node(tmp_path / "node", country="EE", name=name, identity="", port=8642)
    node = open_node(tmp_path / "node")
    try:
        made = node.settings
        assert (made.node.id, made.node.name, made.node.country) == ("node.ee", name, "EE")
        assert made.server.port == 8642
        assert node.collection.version == 0
    finally:
        node.collection.close()


@pytest.mark.parametrize(("country", "identity"), [("EE", "no blanks"), ("EE", "-x"), ("E", ""), ("ee", "")])
def test_what_could_not_be_opened_is_not_made(tmp_path: Path, country: str, identity: str) -> None:
    with pytest.raises(Invalid):
        init_node(tmp_path / "node", country=country, name="", identity=identity, port=8601)
    assert not (tmp_path / "node").exists()


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    """A folder that is no node yet, but has packed ontologies: packing them takes longer than all the rest."""
    shutil.copytree(reference_folder(), tmp_path / "prepared/reference")
    return tmp_path / "prepared"


def test_whom_to_trust_is_nobody_until_it_is_written_and_not_needed(prepared: Path) -> None:
    init_node(prepared, country="EE", name="", identity="", port=8601)
    assert trust_of(prepared).settings == TrustSettings()
    path = prepared / "trust.toml"
    path.write_text(path.read_text().replace("# [", "[").replace("\n# ", "\n").replace("# Whose", "## Whose", 1))
    lines = path.read_text().splitlines()
    examples = "\n".join(line for line in lines[3:])
    path.write_text(examples)
    settings = trust_of(prepared).settings
    assert (len(settings.brokers), len(settings.issuers)) == (1, 1), "the examples are good as they are"
    path.unlink()
    assert trust_of(prepared).settings == TrustSettings()


def test_a_node_is_made_once(prepared: Path) -> None:
    init_node(prepared, country="EE", name="", identity="", port=8601)
    before = (prepared / "node.toml").read_bytes()
    with pytest.raises(Conflict, match="is a node already"):
        init_node(prepared, country="FI", name="", identity="", port=8602)
    assert (prepared / "node.toml").read_bytes() == before


def made(folder: Path, name: str = "") -> None:
    init_node(folder, country="EE", name=name, identity="", port=8601)


def test_only_its_owner_can_enter_a_nodes_folder(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        made(tmp_path / "old")
        made(tmp_path / "new")
    finally:
        os.umask(before)
    assert [oct((tmp_path / name).stat().st_mode)[-3:] for name in ("old", "new")] == ["700", "700"]


@pytest.mark.parametrize("name", ['The "Best" node', "back\\slash", 'x"\n\n[discovery]\nfloor = 99\n#', "Eesti 🧬\x7f"])
def test_a_name_is_a_name_whatever_is_in_it(prepared: Path, name: str) -> None:
    made(prepared, name)
    node = open_node(prepared)
    assert (node.settings.node.name, node.settings.discovery.floor) == (name, 10)
    node.collection.close()


@pytest.mark.parametrize(
    "path",
    ["individuals", "individuals?filters=age>=40", "g_variants?assemblyId=GRCh37&referenceName=22&start=1&end=9"],
)
def test_a_node_with_nothing_in_it_answers(prepared: Path, path: str) -> None:
    made(prepared)
    with TestClient(node_app(open_node(prepared))) as client:
        answer = client.get(f"/beacon/v2/{path}")
    assert (answer.status_code, answer.json()["responseSummary"]["exists"]) == (200, False)


def test_a_node_that_was_not_finished_can_be_made_again(folder: Path) -> None:
    (folder / "node.toml").unlink()  # settings are written last
    made(folder, "Again")
    assert open_node(folder).settings.node.name == "Again"


def test_environment_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEGAGENOME_NODE_NAME", "Eesti")
    monkeypatch.setenv("MEGAGENOME_SERVER_PORT", "7")
    settings = open_node(folder).settings
    assert (settings.node.name, settings.server.port) == ("Eesti", 7)


def test_folder_without_a_node_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="megagenome node init"):
        open_node(tmp_path)


def test_upgrade_changes_nothing_that_is_up_to_date(folder: Path) -> None:
    upgrade_node(folder)
    upgrade_node(folder)
    assert open_node(folder).settings.node.id == "node.ee"
