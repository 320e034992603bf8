# SPDX-License-Identifier: Apache-2.0
"""Adding nodes to `hub.toml`: whole or not at all."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from megagenome.kernel.errors import Conflict, Invalid, Unavailable
from megagenome.kernel.settings import load_settings
from megagenome.network.add_node import add_node
from megagenome.network.settings import NetworkSettings, Node
from tests.network import stubs
from tests.network.documents import info
from tests.network.stubs import Behaviour, routes, running, says

BEGINNING = '# ours\n[hub]\nid = "hub"\n\n[network]\ndeadline_s = 3\n'


class Identity(msgspec.Struct, frozen=True):
    id: str


class Hub(msgspec.Struct, frozen=True):
    hub: Identity
    network: NetworkSettings
    nodes: tuple[Node, ...] = ()


def add(folder: Path, behave: Behaviour, path: str = "", **more: Any) -> Node:
    async def run() -> Node:
        async with running(behave) as stub:
            return await asyncio.to_thread(add_node, folder, stub.url + path, **more)

    return asyncio.run(run())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hub.toml").write_text(BEGINNING)
    return tmp_path


def test_nodes_are_appended_and_the_rest_of_the_file_stays(folder: Path) -> None:
    first = add(folder, routes({"/beacon/v2/info": info("node.fi", info={"country": "FI"})}))
    second = add(folder, routes({"/beacon/v2/info": info("node.es")}), "/", name='Spain "ES" ñ', country="ES")
    text = (folder / "hub.toml").read_text()
    assert text.startswith(BEGINNING)
    loaded = load_settings(Hub, folder / "hub.toml", {})
    assert loaded.nodes == (first, second)
    assert [(node.id, node.name, node.country, node.beacon_path) for node in loaded.nodes] == [
        ("node.fi", "Node node.fi", "FI", "/beacon/v2"),
        ("node.es", 'Spain "ES" ñ', "ES", "/beacon/v2"),
    ]
    assert not second.url.endswith("/")


def test_the_root_of_any_beacon_is_taken(folder: Path) -> None:
    node = add(folder, routes({"/aggregated/v2/info": info("other")}), "/aggregated/v2")
    assert node.beacon_url.endswith("/aggregated/v2")
    assert node.country == "ZZ"
    assert load_settings(Hub, folder / "hub.toml", {}).nodes == (node,)


def test_a_hub_is_no_node_of_itself(folder: Path) -> None:
    with pytest.raises(Conflict, match=r"hub at http.* is this hub itself"):
        add(folder, routes({"/beacon/v2/info": info("hub")}))
    assert (folder / "hub.toml").read_text() == BEGINNING


def test_a_node_that_is_there_already_is_refused(folder: Path) -> None:
    behave = routes({"/beacon/v2/info": info("node.fi")})
    add(folder, behave)
    before = (folder / "hub.toml").read_bytes()
    with pytest.raises(Conflict, match=r"node.fi at .* is in .* already"):
        add(folder, behave)
    assert (folder / "hub.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("behave", "message"),
    [
        (stubs.closes, "is unreachable"),
        (says({}, status=404), "is refused: HTTP 404; give the address of a node"),
        (says(b"<h1>", kind="text/html"), "is faulty: it answers text/html"),
        (says({"response": {"id": "x"}}), "not a Beacon's info"),
        (says(info("")), "says of itself what it must not"),
        (says(info("FI", info={"country": "Finland"})), "says of itself what it must not"),
    ],
    ids=["closes", "404", "HTML", "half", "no id", "no country"],
)
def test_what_is_no_node_changes_nothing(folder: Path, behave: Behaviour, message: str) -> None:
    with pytest.raises(Unavailable, match=message):
        add(folder, behave)
    assert (folder / "hub.toml").read_text() == BEGINNING


def test_wrong_words_change_nothing(folder: Path) -> None:
    for url in ("node.example.org", "http://user:secret@node.example.org", "ftp://node.example.org"):
        with pytest.raises(Invalid, match="url"):
            add_node(folder, url)
    with pytest.raises(Invalid, match="ISO 3166"):
        add_node(folder, "http://127.0.0.1:1", country="Finland")
    assert (folder / "hub.toml").read_text() == BEGINNING


def test_a_folder_or_file_that_is_no_hub(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="there is no hub here"):
        add_node(tmp_path, "http://127.0.0.1:1")
    (tmp_path / "hub.toml").write_text("nodes = [{id")
    with pytest.raises(Invalid, match=r"hub.toml: .*nothing was changed"):
        add_node(tmp_path, "http://127.0.0.1:1")


def test_a_list_written_in_one_line_is_not_mixed_with_tables(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text('nodes = [{id = "a", url = "http://127.0.0.1:1"}]\n')
    with pytest.raises(Invalid, match="nothing was changed"):
        add(tmp_path, routes({"/beacon/v2/info": info("node.fi")}))
    assert (tmp_path / "hub.toml").read_text() == 'nodes = [{id = "a", url = "http://127.0.0.1:1"}]\n'
