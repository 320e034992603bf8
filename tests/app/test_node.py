# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.app import node as node_module
from megagenome.app.node import init_node, open_node, upgrade_node
from megagenome.kernel.errors import Conflict, Invalid


def test_new_node_has_the_defaults_of_its_country(folder: Path) -> None:
    node = open_node(folder)
    me = node.settings.node
    assert (me.id, me.name, me.country, node.settings.server.port) == ("node.ee", "EE national node", "EE", 8601)
    assert node.reference.ontology_for("HP:0001250") is not None
    assert node.collection.snapshot().datasets == ()
    node.collection.close()


def test_node_is_never_made_over_another(folder: Path) -> None:
    before = (folder / "node.toml").read_bytes()
    with pytest.raises(Conflict, match="is a node already"):
        init_node(folder, country="FI", name="", identity="", port=1)
    assert (folder / "node.toml").read_bytes() == before


def test_country_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="country 'Estonia'"):
        init_node(tmp_path / "node", country="Estonia", name="", identity="", port=1)
    assert not (tmp_path / "node").exists()


@pytest.mark.parametrize("identity", ["a b", ".ee", "x" * 101])
def test_id_must_survive_the_wire(tmp_path: Path, identity: str) -> None:
    with pytest.raises(Invalid, match=r"^id: use up to 100"):
        init_node(tmp_path / "node", country="EE", name="", identity=identity, port=1)
    assert not (tmp_path / "node").exists()


def test_node_that_was_not_finished_can_be_made_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "node.toml").unlink()  # settings are written last
    monkeypatch.setattr(node_module.reference, "build", lambda _folder: None)
    init_node(folder, country="EE", name="Again", identity="", port=1)
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


@pytest.mark.parametrize("name", ['Say "hello"', "back\\slash"])
def test_names_may_have_any_sign(tmp_path: Path, name: str) -> None:
    init_node(tmp_path / "node", country="EE", name=name, identity="", port=1)
    assert open_node(tmp_path / "node").settings.node.name == name
