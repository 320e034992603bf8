# SPDX-License-Identifier: Apache-2.0
"""Two deciders of one country at once, over HTTP and real processes; and one whose role is taken while signed in."""

import itertools
import threading
from pathlib import Path

from megagenome.kernel.callers import Role
from tests.journeys.network import megagenome
from tests.journeys.signed_in import subject
from tests.journeys.test_joining import as_json, eventually
from tests.journeys.way import Reader, Way, way


def decide_at_once(network: Way, permit: str) -> dict[str, list[int]]:
    """What the node answers each of two who send their word four times each, all at the same moment."""
    words = {"approved": network.finn, "refused": network.fred}
    came: dict[str, list[int]] = {verdict: [] for verdict in words}
    start = threading.Barrier(8)

    def send(verdict: str) -> None:
        body = {"decisions": [{"dataset": "FI-SMALL", "verdict": verdict, "reasons": "because"}]}
        start.wait(30)
        answer = words[verdict].call("POST", f"/access/desk/{permit}/decision", json=body)
        came[verdict].append(answer.status_code)

    threads = [threading.Thread(target=send, args=(v,)) for v, _ in itertools.product(words, range(4))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


def test_of_two_at_once_one_decides_and_who_lost_the_role_decides_nothing(tmp_path: Path) -> None:
    with way(tmp_path) as network:
        reader = Reader(network.node.folder)
        permit = network.request()
        eventually(lambda: permit in network.waiting(), "the proposal does not reach the node")
        came = decide_at_once(network, permit)
        won, lost = sorted(came, key=lambda verdict: came[verdict].count(409))
        assert set(came[won]) <= {200, 201}
        assert came[lost] == [409] * 4
        assert (reader.why_not(permit) == "") is (won == "approved")
        ends = {"approved": "active", "refused": "decided"}
        eventually(lambda: network.show()["state"] == ends[won], "the decision does not reach the hub")
        timeline = [each["event"] for each in network.show()["timeline"]]
        assert timeline.count("application.event/decided") == 1
        reader.close()

        loser = network.fred if won == "approved" else network.finn
        assert loser.get("/access/desk")["total"] == 1
        role = [subject(loser.name), Role.COUNTRY_DECIDER.value, "--country", "FI"]
        megagenome("node", "role", "revoke", network.node.folder, *role)
        body = {"decisions": [{"dataset": "FI-SMALL", "verdict": "revoked", "reasons": "because"}]}
        assert loser.call("GET", "/access/desk").status_code == 403
        assert loser.call("POST", f"/access/desk/{permit}/decision", json=body).status_code == 403
        assert as_json("node", "ledger", network.node.folder, "verify")["wrong"] is None
