# SPDX-License-Identifier: Apache-2.0
"""Adding a node to a hub's list, in `hub.toml`."""

import asyncio
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Conflict, Invalid, Unavailable
from megagenome.kernel.ids import UNKNOWN_COUNTRY, parse_country
from megagenome.kernel.settings import toml_table
from megagenome.network.fanout import Network, Outcome, Question, one_line
from megagenome.network.settings import NetworkSettings, Node, check_nodes, check_url
from megagenome.standards import beacon
from megagenome.standards.federation import NodeStatus

HUB_FILE = "hub.toml"
PATIENT = NetworkSettings(deadline_s=15.0, connect_timeout_s=5.0)
"""A node is introduced once, by a person who waits."""


def add_node(folder: Path, url: str, *, name: str = "", country: str = "", joined: Sequence[Node] = ()) -> Node:
    """Ask the node at `url` who it is and append it to the `hub.toml` in `folder`, durably; a running hub asks it from
    its next start. `url` is the node's address or the root of any Beacon v2.

    `name` and `country` stand in place of what the node says of itself; `joined` are the nodes that are in the network
    by invitation. Raises `Invalid` for what cannot be a node's
    address or a file that is not ours, `Conflict` when the node is there already or is the hub itself,
    `Unavailable` when it does not answer as a Beacon; then nothing has changed.
    """
    path = folder / HUB_FILE
    text, nodes = _read(path)
    url = url.rstrip("/")
    try:
        check_url(url)
        if country:
            parse_country(country)
    except ValueError as error:
        raise Invalid(str(error)) from None
    node = asyncio.run(_introduce(url, name, country))
    if node.id == tomllib.loads(text).get("hub", {}).get("id"):
        raise Conflict(f"{node.id} at {url} is this hub itself, or has its id; nothing was changed")
    try:
        check_nodes([*nodes, *joined, node])
    except Invalid:
        raise Conflict(f"{node.id} at {url} is in the network already, by {path} or by invitation") from None
    table = toml_table("[[nodes]]", msgspec.structs.asdict(node))
    longer = f"{text.rstrip()}\n\n{table}" if text.strip() else table
    if _parse(longer, path) != [*nodes, node]:
        raise Invalid(f"{path}: write each node as a table [[nodes]] of its own, then add again; nothing was changed")
    with write_durably(path) as file:
        file.write(longer.encode())
    return node


def _read(path: Path) -> tuple[str, list[Node]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Invalid(f"{path}: there is no hub here; make one with `megagenome hub init`") from None
    return text, _parse(text, path)


def _parse(text: str, path: Path) -> list[Node]:
    try:
        content: dict[str, Any] = tomllib.loads(text)
        return msgspec.convert(content.get("nodes", []), list[Node])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"{path}: {error}; nothing was changed") from None


async def _introduce(url: str, name: str, country: str) -> Node:
    """The node at `url`, its Beacon at `/beacon/v2` or at `url` itself."""
    stranger = Node(id="unknown", url=url)
    async with Network([stranger], PATIENT) as network:
        outcome = await network.ask_one(stranger, Question("/info"), _read_info)
        if outcome.status is NodeStatus.REFUSED:
            stranger = msgspec.structs.replace(stranger, beacon_path="")
            outcome = await network.ask_one(stranger, Question("/info"), _read_info)
    info = _require(outcome)
    try:
        return msgspec.structs.replace(
            stranger,
            id=info.id,
            name=name or one_line(info.name),
            country=country or info.info.country or UNKNOWN_COUNTRY,
        )
    except ValueError as error:
        raise Unavailable(f"the Beacon at {url} says of itself what it must not: {error}") from None


def _read_info(_node: Node, body: bytes) -> beacon.BeaconInfo:
    return beacon.decode_info(body)


def _require(outcome: Outcome[beacon.BeaconInfo]) -> beacon.BeaconInfo:
    if outcome.answer is None:
        raise Unavailable(
            f"{outcome.node.url} is {outcome.status}: {outcome.message}; give the address of a node, or of a Beacon v2 "
            "up to before /info; nothing was changed"
        )
    return outcome.answer
