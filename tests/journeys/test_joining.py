# SPDX-License-Identifier: Apache-2.0
"""A node joins a running hub by invitation, is asked by it, changes its key, and is removed: over real processes."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from megagenome.app.hub import init_hub
from megagenome.app.node import init_node
from tests.journeys.nations import reference_folder
from tests.journeys.network import Served, free_ports, megagenome, serving

PATIENCE_S = 20.0


def make_hub(folder: Path, settings: str = "") -> Path:
    """A hub that listens where its settings say."""
    init_hub(folder, name="Test network", identity="org.example.hub", port=free_ports(1), assembly="GRCh38")
    with (folder / "hub.toml").open("a") as file:
        file.write(settings)
    return folder


def make_node(folder: Path, country: str, settings: str = "") -> Path:
    """An empty node likewise."""
    shutil.copytree(reference_folder(), folder / "reference")
    init_node(folder, country=country, name="", identity="", port=free_ports(1))
    with (folder / "node.toml").open("a") as file:
        file.write(settings)
    return folder


def port_of(folder: Path) -> int:
    """Where the settings of a folder say that it listens."""
    text = next(folder.glob("*.toml")).read_text()
    return int(text.split("port = ")[1].split()[0])


def as_json(*arguments: str | Path) -> Any:
    """What a command answers to programs."""
    return json.loads(megagenome(*arguments, "--json").stdout)


def invitation(hub: Path, country: str) -> str:
    """A new one."""
    return str(as_json("hub", "invite", hub, "--country", country)["invitation"])


def eventually(holds: Callable[[], bool], what: str) -> float:
    """How long it took until it holds; fails after `PATIENCE_S`."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_S, what
        time.sleep(0.05)
    return time.monotonic() - began


def asked(hub: Served) -> set[str]:
    """Whom the hub asks now."""
    return {node["id"] for node in hub.get("/api/nodes")["nodes"]}


def test_a_node_joins_a_running_hub_and_is_removed(tmp_path: Path) -> None:
    hub_folder, node = make_hub(tmp_path / "hub"), make_node(tmp_path / "fi", "FI")
    with serving("hub", [hub_folder], own_ports=True) as [hub]:
        assert asked(hub) == set()
        line = invitation(hub_folder, "FI")
        wrong = megagenome("node", "join", node, line[:-1] + ("A" if line[-1] != "A" else "B"), check=False)
        assert (wrong.returncode, "does not have the key" in wrong.stderr) == (3, True)
        for _ in range(2):
            assert as_json("node", "join", node, line)["done"].startswith("joined the network of org.example.hub")
        eventually(lambda: asked(hub) == {"node.fi"}, "the hub does not ask the node that joined")
        [listed] = as_json("hub", "nodes", hub_folder)
        assert (listed["id"], listed["country"], listed["by"]) == ("node.fi", "FI", "invitation")
        [used] = as_json("hub", "invitations", hub_folder)
        assert (used["state"], used["node"]) == ("used", "node.fi")

        other = make_node(tmp_path / "other", "FI")
        refused = megagenome("node", "join", other, line, check=False)
        assert (refused.returncode, "used, cancelled or expired" in refused.stderr) == (3, True)

        megagenome("hub", "remove", hub_folder, "node.fi")
        eventually(lambda: asked(hub) == set(), "the hub still asks the node that was removed")
        assert megagenome("hub", "remove", hub_folder, "node.fi", check=False).returncode == 3
        megagenome("node", "leave", node)
        assert megagenome("node", "leave", node, check=False).returncode == 3


def test_a_node_that_was_cut_off_between_both_sides_finishes_with_the_same_line(tmp_path: Path) -> None:
    hub_folder, node = make_hub(tmp_path / "hub"), make_node(tmp_path / "fi", "FI")
    with serving("hub", [hub_folder], own_ports=True) as [hub]:
        line = invitation(hub_folder, "FI")
        with serving("node", [node], own_ports=True) as [served]:
            descriptor = served.client.get("/.well-known/megagenome").text
        # the hub let it in; the node never read that
        secret = line.partition("#")[2].partition(".")[0]
        taken = httpx.post(f"{hub.url}/api/join", json={"secret": secret, "descriptor": descriptor}, trust_env=False)
        assert taken.status_code == 200
        assert as_json("node", "join", node, line)["done"].startswith("joined")
        second = make_hub(tmp_path / "second")
        with serving("hub", [second], own_ports=True):
            elsewhere = megagenome("node", "join", node, invitation(second, "FI"), check=False)
            assert (elsewhere.returncode, "megagenome node leave" in elsewhere.stderr) == (3, True)


@pytest.mark.parametrize("arguments", [["--country", "FIN"], ["--country", "FI", "--days", "0"]])
def test_invitations_that_cannot_be(tmp_path: Path, arguments: list[str]) -> None:
    hub = make_hub(tmp_path / "hub")
    assert megagenome("hub", "invite", hub, *arguments, check=False).returncode == 2


def test_a_cancelled_invitation_lets_nobody_in(tmp_path: Path) -> None:
    hub_folder, node = make_hub(tmp_path / "hub"), make_node(tmp_path / "fi", "FI")
    line = invitation(hub_folder, "FI")
    nobody = megagenome("node", "join", node, line, check=False)
    assert (nobody.returncode, "does not answer" in nobody.stderr, "hub.url" in nobody.stderr) == (1, True, True)
    [made] = as_json("hub", "invitations", hub_folder)
    [cancelled] = as_json("hub", "invitations", hub_folder, "--cancel", made["id"])
    assert cancelled["state"] == "cancelled"
    with serving("hub", [hub_folder], own_ports=True):
        assert megagenome("node", "join", node, line, check=False).returncode == 3
