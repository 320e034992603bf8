# SPDX-License-Identifier: Apache-2.0
"""A federated study over real processes: from a permit to a result that is that of the pooled data, through whatever
can be killed, revoked or withdrawn on the way."""

import json
import signal
import time
from pathlib import Path

from tests.journeys.network import megagenome
from tests.journeys.studying import COUNTRIES, Network, node_id, pooled, studying, table

PROMISE_S = 5.0
"""A permit that ends and a person who withdraws have reached a running study by then."""


def test_a_study_finds_what_the_pooled_data_say(tmp_path: Path) -> None:
    with studying(tmp_path) as network:
        study = network.begin()
        shown = network.until(study, "finished", "stopped")
        assert shown["state"] == "finished", shown
        assert network.counts(study) == pooled()
        women = sum(row["sex"] == "female" for country in COUNTRIES for row in table(country))
        assert shown["people"] == women
        assert network.bob.call("GET", f"/studies/{study}").status_code == 404
        assert network.bob.get("/studies")["studies"] == []
        refused = network.bob.call("POST", "/studies", json=network.document())
        assert (refused.status_code, "no permit with this id" in refused.text) == (400, True)
        _ledgers_say(network, study)
        _withdrawal(network)
        _hub_killed(network)
        _node_killed(network)
        _two_nodes(network)
        _taken_back(network)
        _revoked(network)


def _ledgers_say(network: Network, study: str) -> None:
    for country in COUNTRIES:
        export = megagenome("node", "ledger", network.nodes[country].folder, "export").stdout
        entries = [json.loads(line) for line in export.splitlines()[1:-1]]
        mine = [each for each in entries if each.get("kind") == "study"]
        assert [each["detail"].removesuffix(f":{study}") for each in mine] == [
            "begun",
            "sent:0:0",
            "sent:1:0",
            "sent:2:0",
        ]
        assert {(each["permit"], each["dataset"]) for each in mine} == {(network.permit, f"{country}-COHORT")}
        assert "16050" not in export
        assert "all" in megagenome("node", "ledger", network.nodes[country].folder, "verify").stdout


def _asleep(network: Network, country: str) -> None:
    """The node's process stands still, so that a run waits for it."""
    network.nodes[country].served.process.send_signal(signal.SIGSTOP)


def _awake(network: Network, country: str) -> None:
    network.nodes[country].served.process.send_signal(signal.SIGCONT)


def _withdrawal(network: Network) -> None:
    """Somebody withdraws while the run waits for another node: it begins again without them."""
    gone = next(row["individual_id"] for row in table("FI") if row["sex"] == "female")
    _asleep(network, "SE")
    study = network.begin()
    _answered(network, study, "FI")
    network.withdraw(gone)
    began = time.monotonic()
    version = ""
    while (shown := network.ada.get(f"/studies/{study}?after={version}"))["epoch"] == 0:
        version = shown["version"]
    assert time.monotonic() - began < PROMISE_S
    _awake(network, "SE")
    assert network.until(study, "finished", "stopped")["state"] == "finished"
    assert network.counts(study) == pooled((gone,))
    network.gone = (gone,)  # type: ignore[attr-defined]


def _answered(network: Network, study: str, country: str) -> None:
    """Until a node did what it is asked."""
    began = time.monotonic()
    while True:
        states = {site["node"]: site["state"] for site in network.show(study)["sites"]}
        if states[node_id(country)] == "answered":
            return
        assert time.monotonic() - began < 20, states
        time.sleep(0.02)


def _hub_killed(network: Network) -> None:
    """Killed again and again, at other moments of the run."""
    study = network.begin()
    for moment_s in (0.0, 0.05, 0.15, 0.3):
        time.sleep(moment_s)
        network.hub.kill()
        network.hub.start()
    shown = network.until(study, "finished", "stopped", patience_s=90)
    assert shown["state"] == "finished", shown
    assert network.counts(study) == pooled(network.gone)  # type: ignore[attr-defined]


def _node_killed(network: Network) -> None:
    """Killed on the way and served again: the run goes on. Killed for good: it is named."""
    study = network.begin()
    time.sleep(0.1)
    network.nodes["EE"].kill()
    network.nodes["EE"].start()
    shown = network.until(study, "finished", "stopped")
    assert shown["state"] == "finished", shown
    assert network.counts(study) == pooled(network.gone)  # type: ignore[attr-defined]

    network.nodes["EE"].kill()
    study = network.begin()
    shown = network.until(study, "finished", "stopped")
    assert shown["state"] == "stopped"
    assert "node.ee is gone: it was not heard" in shown["reason"]
    network.nodes["EE"].start()


def _two_nodes(network: Network) -> None:
    """Of two nodes each would learn the other's numbers: neither agreed to that."""
    sites = [site for site in network.document()["sites"] if site["node"] != "node.ee"]
    study = network.begin(network.document(sites=sites, least_sites=2))
    shown = network.until(study, "finished", "stopped")
    assert "refuses: a study of two nodes shows each the other's sums" in shown["reason"]


def _taken_back(network: Network) -> None:
    """One country takes its approval back at its node, during a run."""
    _asleep(network, "SE")
    study = network.begin()
    _answered(network, study, "EE")
    began = time.monotonic()
    network.decide("EE", "revoked", "consents changed")
    shown = network.until(study, "stopped")
    assert time.monotonic() - began < PROMISE_S
    assert "node.ee refuses" in shown["reason"] or "permit is revoked" in shown["reason"]
    _awake(network, "SE")


def _revoked(network: Network) -> None:
    """Nobody runs a study by a permit that ended."""
    refused = network.ada.call("POST", "/studies", json=network.document())
    assert refused.status_code == 400
    assert "node.ee: permit" in refused.text or "is revoked" in refused.text
