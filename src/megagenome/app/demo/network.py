# SPDX-License-Identifier: Apache-2.0
"""Runs the demo's network: folders filled, servers started, nodes joined to the hub, all ended together."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from megagenome.app.demo.citizen import link_first_woman
from megagenome.app.demo.fill import fill_nodes, node_folder, node_id
from megagenome.app.demo.joining import join_all
from megagenome.app.demo.model import Address, Running
from megagenome.app.demo.offers import Offers
from megagenome.app.demo.plan import PlannedNode
from megagenome.app.demo.say import Say, stage
from megagenome.app.demo.servers import Server, require_free, start, stop, wait_healthy
from megagenome.app.demo.signing_in import SigningIn, grant_roles, logins, prepare, settings_of, start_provider
from megagenome.app.hub import init_hub
from megagenome.identity.provider import Client
from megagenome.identity.routes import CALLBACK
from megagenome.kernel.callers import Role
from megagenome.kernel.output import progress

HUB = "hub"
"""The hub's folder, and its client id at the provider; a node's is its Beacon id."""

SIMULATED = "This is a demo: all people and genomes in it are simulated, and so is everybody who signs in."
GIVEN = "This is a demo over given files: everybody who signs in is made up."
"""What stands on each page."""


def ports_from(port: int, nodes: int) -> list[int]:
    """The demo's ports: the hub's, then the nodes', then the provider's. Raises `Conflict` for one that is taken."""
    ports = list(range(port, port + nodes + 2))
    require_free(ports)
    return ports


@contextlib.contextmanager
def run(
    folder: Path, planned: Sequence[PlannedNode], offers: Offers, ports: Sequence[int], say: Say
) -> Iterator[Running]:
    """Make all folders in `folder`, serve them, and end all servers on leaving."""
    people = "people of " + ", ".join(node.country for node in planned)
    with stage(say, f"loaded the {people}"), progress(f"Loading {people}", len(planned)) as advance:
        fill_nodes(folder, planned, ports[1], advance)
    servers: list[Server] = []
    with contextlib.ExitStack() as ending:
        ending.callback(stop, servers)
        with stage(say, f"started {len(planned)} nodes and the hub"), progress("Starting servers", None):
            signing = prepare([node.country for node in planned], ports[-1])
            _make_hub(folder / HUB, planned, offers, ports[0])
            grant_roles(folder, signing, [node.country for node in planned])
            link_first_woman(folder, planned[0], signing.subject(Role.CITIZEN))
            servers += _start(folder, planned, ports, signing)
            clients = [Client(_client(server), server.url + CALLBACK) for server in servers]
            servers.append(start_provider(folder, signing, clients))
            wait_healthy(servers)
        with stage(say, "the nodes joined the hub by invitation"), progress("Joining", len(planned)) as advance:
            join_all(folder, planned, advance)
        yield _addresses(folder, planned, servers, offers, signing)


def _make_hub(hub: Path, planned: Sequence[PlannedNode], offers: Offers, port: int) -> None:
    assembly = planned[0].datasets[0].assembly
    init_hub(hub, name="Demo network", identity="demo.hub", port=port, assembly=assembly, examples=offers.examples)


def _start(folder: Path, planned: Sequence[PlannedNode], ports: Sequence[int], signing: SigningIn) -> list[Server]:
    """The hub, then the nodes."""
    notice = SIMULATED if all(node.is_simulated for node in planned) else GIVEN
    servers = [start("hub", folder / HUB, ports[0], settings_of(signing, HUB, notice))]
    for node, port in zip(planned, ports[1:-1], strict=True):
        settings = settings_of(signing, node_id(node.country), notice)
        servers.append(start("node", node_folder(folder, node.country), port, settings))
    return servers


def _client(server: Server) -> str:
    return HUB if server.role == "hub" else node_id(server.folder.name)


def _addresses(
    folder: Path, planned: Sequence[PlannedNode], servers: Sequence[Server], offers: Offers, signing: SigningIn
) -> Running:
    hub, *nodes, _provider = servers
    return Running(
        str(folder),
        Address("demo.hub", "the hub: open it in a browser", hub.url),
        tuple(
            Address(node_id(node.country), node.name, server.url) for node, server in zip(planned, nodes, strict=True)
        ),
        tuple(offers.commands(hub.url)),
        logins(signing, hub.url, {node.country: server.url for node, server in zip(planned, nodes, strict=True)}),
    )
