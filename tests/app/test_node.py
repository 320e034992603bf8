# SPDX-License-Identifier: Apache-2.0
"""A node's folder: made whole or not at all, and opened as it was made."""

from pathlib import Path

import pytest

from megagenome.app.node import init_node, open_node
from megagenome.kernel.errors import Conflict, Invalid


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


def test_a_node_is_made_once(tmp_path: Path) -> None:
    init_node(tmp_path, country="EE", name="", identity="", port=8601)
    before = (tmp_path / "node.toml").read_bytes()
    with pytest.raises(Conflict, match="is a node already"):
        init_node(tmp_path, country="FI", name="", identity="", port=8602)
    assert (tmp_path / "node.toml").read_bytes() == before
