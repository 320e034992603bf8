# SPDX-License-Identifier: Apache-2.0
"""From `hub init` to a permit that a country countersigned and that a revocation stops within seconds: real processes,
by their JSON APIs only."""

import sys
import time
from pathlib import Path

import pytest

from tests.journeys.network import free_ports
from tests.journeys.test_joining import as_json, eventually
from tests.journeys.way import Reader, Way, way

pytestmark = pytest.mark.promise

PROMISE_S = 5.0
"""A revocation at the hub stops reads at a node within this."""


def state_at_hub(network: Way) -> str:
    return str(network.show()["state"])


def granted(network: Way, reader: Reader) -> str:
    """A permit that Finland granted and the hub knows."""
    permit = network.request()
    eventually(lambda: permit in network.waiting(), "the proposal does not reach the node")
    network.decide(permit)
    assert reader.why_not(permit) == ""
    eventually(lambda: state_at_hub(network) == "active", "the decision does not reach the hub")
    return permit


def stopped_within(reader: Reader, permit: str) -> float:
    """How long from now on reading by the permit goes on."""
    return eventually(lambda: bool(reader.why_not(permit)), "reading goes on")


def test_from_a_question_to_a_countersigned_permit_and_its_end(tmp_path: Path) -> None:
    with way(tmp_path) as network:
        reader = Reader(network.node.folder)
        permit = network.request()
        eventually(lambda: permit in network.waiting(), "the proposal does not reach the node")
        shown = network.finn.get(f"/access/desk/{permit}")
        assert (shown["document"]["id"], shown["document"]["hub"]) == (permit, "org.example.hub")
        assert shown["item"]["people"] == ["Ada"]
        assert "no permit with this id" in reader.why_not(permit)

        assert network.ada.call("GET", "/access/desk").status_code == 404  # the hub has no desk
        item = network.decide(permit, reasons="of use to Finland")
        assert [part["state"] for part in item["parts"]] == ["approved"]
        assert reader.why_not(permit) == ""
        again = network.decide(permit, reasons="of use to Finland")
        assert again["parts"] == item["parts"]
        eventually(lambda: state_at_hub(network) == "active", "the decision does not reach the hub")
        eventually(lambda: network.finn.get("/access/desk")["items"][0]["undelivered"] == 0, "no receipt")
        [decided] = [each for each in network.show()["timeline"] if each["event"].endswith("/decided")]
        assert decided

        refused = network.fred.call(
            "POST",
            f"/access/desk/{permit}/decision",
            json={"decisions": [{"dataset": "FI-SMALL", "verdict": "refused", "reasons": "too late"}]},
        )
        assert refused.status_code == 409

        network.command(network.chair, "suspend", reasons="a complaint")
        assert stopped_within(reader, permit) < PROMISE_S
        assert "suspended" in reader.why_not(permit)
        network.command(network.chair, "resume", reasons="settled")
        eventually(lambda: reader.why_not(permit) == "", "the permit does not work again")

        network.decide(permit, "revoked", network.fred, "consents changed")
        assert reader.why_not(permit)  # at once, before the hub knows
        eventually(lambda: state_at_hub(network) == "revoked", "the hub does not hear of it")
        assert as_json("node", "ledger", network.node.folder, "verify")["wrong"] is None
        reader.close()


SLOW = "\n[exchange]\ninterval_s = 60\nlongest_interval_s = 60\nlongest_silence_s = 300\n"


@pytest.mark.parametrize("push", [True, False], ids=["by a knock", "by asking only"])
def test_a_revocation_at_the_hub_stops_reading_within_five_seconds(tmp_path: Path, push: bool) -> None:
    """By a knock although the node asks once a minute only; by asking although no knock finds the node."""
    nowhere = "" if push else f"http://127.0.0.1:{free_ports(1)}"
    with way(tmp_path, SLOW if push else "", nowhere) as network:
        reader = Reader(network.node.folder)
        permit = granted(network, reader)
        time.sleep(1)  # the node is at rest
        network.command(network.chair, "revoke", reasons="misuse")
        took = stopped_within(reader, permit)
        assert took < PROMISE_S
        sys.stderr.write(f"a revocation stopped reading after {took:.2f} s, {'by a knock' if push else 'by asking'}\n")
        assert "revoked" in reader.why_not(permit)
        assert network.waiting() == []
        reader.close()
