# SPDX-License-Identifier: Apache-2.0
"""Hub and node killed (SIGKILL) on a decision's way, or down while the other acts: the process goes on where it was,
and nothing is granted twice or lost."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.network import Served, megagenome, serving
from tests.journeys.test_joining import as_json, eventually
from tests.journeys.way import Reader, Way, folders


class Servers:
    """A hub and a node, each of which can be killed and started again."""

    def __init__(self, hub: Path, node: Path, ending: contextlib.ExitStack) -> None:
        self._folders = {"hub": hub, "node": node}
        self._running: dict[str, contextlib.ExitStack] = {}
        ending.callback(lambda: [self.kill(role) for role in list(self._running)])

    def start(self, role: str) -> Served:
        stack = self._running[role] = contextlib.ExitStack()
        [served] = stack.enter_context(serving(role, [self._folders[role]], own_ports=True))
        return served

    def kill(self, role: str) -> None:
        """With SIGKILL, as `serving` ends all."""
        self._running.pop(role).close()

    def restart(self, role: str) -> None:
        self.kill(role)
        self.start(role)


@contextlib.contextmanager
def started(top: Path) -> Iterator[tuple[Servers, Way]]:
    with folders(top) as (hub, node), contextlib.ExitStack() as ending:
        servers = Servers(hub, node, ending)
        yield servers, Way(servers.start("hub"), servers.start("node"))


def decided(network: Way) -> list[str]:
    return [each["event"] for each in network.show()["timeline"] if each["event"].endswith("/decided")]


@pytest.mark.promise
def test_a_decision_survives_whoever_is_killed(tmp_path: Path) -> None:
    with started(tmp_path) as (servers, network):
        reader = Reader(network.node.folder)
        permit = network.request()
        servers.restart("hub")
        servers.restart("node")
        eventually(lambda: permit in network.waiting(), "the proposal does not reach the node")

        servers.kill("hub")  # which is down while the country decides
        network.decide(permit)
        assert reader.why_not(permit) == ""
        servers.restart("node")  # before the hub ever heard of it
        assert reader.why_not(permit) == ""
        servers.start("hub")
        eventually(lambda: network.show()["state"] == "active", "the decision does not reach the hub")
        servers.restart("hub")
        servers.restart("node")
        eventually(lambda: network.finn.get("/access/desk")["items"][0]["undelivered"] == 0, "no receipt")
        assert len(decided(network)) == 1

        servers.kill("node")  # which is down while the hub revokes
        network.command(network.chair, "revoke", reasons="misuse")
        servers.restart("hub")
        servers.start("node")
        assert eventually(lambda: bool(reader.why_not(permit)), "reading goes on") < 5
        grants = [each for each in ledger_of(network.node.folder) if each["kind"] == "grant"]
        assert [(each["dataset"], each["permit"]) for each in grants] == [("FI-SMALL", permit)]
        assert as_json("node", "ledger", network.node.folder, "verify")["wrong"] is None
        reader.close()


def ledger_of(folder: Path) -> list[dict[str, str]]:
    lines = megagenome("node", "ledger", folder, "export").stdout.splitlines()
    return [entry for entry in map(json.loads, lines) if "kind" in entry]
