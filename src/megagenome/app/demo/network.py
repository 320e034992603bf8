# SPDX-License-Identifier: Apache-2.0
"""Runs the demo's network: folders filled, servers started, the hub introduced to its nodes, all ended together."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from megagenome.app.demo.fill import fill_nodes, node_folder, node_id
from megagenome.app.demo.model import Address, Running
from megagenome.app.demo.offers import Offers
from megagenome.app.demo.plan import PlannedNode
from megagenome.app.demo.say import Say, stage
from megagenome.app.demo.servers import Server, require_free, start, stop, wait_healthy
from megagenome.app.demo.signing_in import SigningIn, grant_roles, logins, prepare, settings_of, start_provider
from megagenome.app.hub import init_hub
from megagenome.identity.provider import Client
from megagenome.identity.routes import CALLBACK
from megagenome.kernel.output import progress
from megagenome.network.join import add_node

HUB = "hub"
"""The hub's client id at the provider; a node's is its Beacon id."""


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
            hub_port, *node_ports, provider_port = ports
            countries = [node.country for node in planned]
            signing = prepare(countries, provider_port)
            hub = folder / "hub"
            assembly = planned[0].datasets[0].assembly
            init_hub(
                hub,
                name="Demo network",
                identity="demo.hub",
                port=ports[0],
                assembly=assembly,
                examples=offers.examples,
            )
            grant_roles(folder, signing, countries)
            for country, port in zip(countries, node_ports, strict=True):
                settings = settings_of(signing, node_id(country))
                servers.append(start("node", node_folder(folder, country), port, settings))
            wait_healthy(servers)
            for server in servers:
                add_node(hub, server.url)
            servers.append(start("hub", hub, hub_port, settings_of(signing, HUB)))
            names = [*map(node_id, countries), HUB]
            clients = [Client(name, server.url + CALLBACK) for name, server in zip(names, servers, strict=True)]
            running = _addresses(folder, planned, servers, offers, signing)
            servers.append(start_provider(folder, signing, clients))
            wait_healthy(servers)
        yield running


def _addresses(
    folder: Path, planned: Sequence[PlannedNode], servers: Sequence[Server], offers: Offers, signing: SigningIn
) -> Running:
    *nodes, hub = servers
    return Running(
        str(folder),
        Address("demo.hub", "the hub: open it in a browser", hub.url),
        tuple(
            Address(node_id(node.country), node.name, server.url) for node, server in zip(planned, nodes, strict=True)
        ),
        tuple(offers.commands(hub.url)),
        logins(signing, hub.url, {node.country: server.url for node, server in zip(planned, nodes, strict=True)}),
    )
