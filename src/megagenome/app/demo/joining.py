# SPDX-License-Identifier: Apache-2.0
"""The demo's nodes join its hub as any node does: the hub invites, the node shows the invitation."""

from collections.abc import Callable, Sequence
from pathlib import Path

from megagenome.app.demo.answers import connect
from megagenome.app.demo.fill import node_folder
from megagenome.app.demo.patience import PATIENCE_S, until
from megagenome.app.demo.plan import PlannedNode
from megagenome.app.describe import describe_node, hub_url
from megagenome.app.hub import Hub, open_hub
from megagenome.app.ledger import open_keys
from megagenome.app.node import open_node
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.ids import parse_country
from megagenome.network.invitations import invite
from megagenome.network.join_hub import join_hub

_DAYS = 1


def join_all(folder: Path, planned: Sequence[PlannedNode], on_progress: Callable[[float], None]) -> None:
    """Let every node join the hub, which is served already; `on_progress` is told how many did."""
    hub = open_hub(folder / "hub")
    for number, node in enumerate(planned, 1):
        _join(hub, node_folder(folder, node.country), node.country)
        on_progress(number)
    hub.engine.dispose()
    _wait_known(hub_url(hub.settings), len(planned))


def _wait_known(url: str, nodes: int) -> None:
    """Return once the running hub asks them all."""
    with connect(url) as hub:
        waited = until(lambda: len(hub.get("/api/nodes").json()["nodes"]) == nodes)
    if waited > PATIENCE_S:
        raise Unavailable(f"the hub at {url} does not ask all {nodes} nodes that joined it")


def _join(hub: Hub, folder: Path, country: str) -> None:
    with begin_writing(hub.engine) as connection:
        invitation = invite(connection, hub_url(hub.settings), open_keys(hub.folder).kid, parse_country(country), _DAYS)
    node = open_node(folder)
    join_hub(node.collection.engine, invitation, describe_node(node.settings, open_keys(folder)))
    node.collection.close()
