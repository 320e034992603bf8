# SPDX-License-Identifier: Apache-2.0
"""Checks of nodes and hubs as they answer, by address or by a hub's list."""

from pathlib import Path

import httpx

from megagenome.app.hub import Hub, joined_of, open_hub
from megagenome.kernel.errors import Corrupt, MegagenomeError
from megagenome.kernel.findings import Finding
from megagenome.network.add_node import HUB_FILE
from megagenome.network.check import check_hub, check_network
from megagenome.network.settings import NetworkSettings, Node, check_url
from megagenome.standards.beacon import decode_info


def check_node_address(url: str) -> list[Finding]:
    """What the node at `url` answers, part by part, as a hub sees it. Never raises."""
    url = url.rstrip("/")
    try:
        check_url(url)
    except ValueError as error:
        return [Finding("address", fine=False, says=str(error), do="write an address such as http://127.0.0.1:8601")]
    node = Node(id=_beacon_id(url), url=url)
    return check_network([node], NetworkSettings())


def _beacon_id(url: str) -> str:
    """The id that the node says, so that all its answers can be held against it; "node" where it says none."""
    try:
        return decode_info(httpx.get(f"{url}/beacon/v2/info", trust_env=False, timeout=5).content).id
    except (httpx.HTTPError, Corrupt):
        return "node"  # the check itself finds out why


def check_hub_folder(folder: Path) -> list[Finding]:
    """What a hub's folder says, and each of its nodes as seen from here. Never raises."""
    try:
        opened = open_hub(folder)
    except MegagenomeError as error:
        return [Finding("settings", fine=False, says=str(error), do=f"see {folder / HUB_FILE}")]
    from megagenome.network.joined_nodes import with_joined  # cryptography takes 0.1 s to import

    settings, nodes = opened.settings, with_joined(opened.settings.nodes, joined_of(opened))
    says = f"{settings.hub.id}, {len(nodes)} {'node' if len(nodes) == 1 else 'nodes'}"
    return [Finding("settings", fine=True, says=says), _applications(opened), *check_network(nodes, settings.network)]


def _applications(hub: Hub) -> Finding:
    from megagenome.access.store import Store  # cryptography takes 0.1 s to import

    try:
        says = f"{Store(hub.engine).verify():,}, each event as it was written"
    except MegagenomeError as error:
        return Finding("applications", fine=False, says=str(error), do="restore hub.sqlite from the backup")
    return Finding("applications", fine=True, says=says)


def check_hub_address(url: str) -> list[Finding]:
    """The hub at `url`, and each of its nodes as that hub sees it. Never raises."""
    return check_hub(url)
