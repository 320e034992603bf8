# SPDX-License-Identifier: Apache-2.0
"""Federated studies over real processes: from a permit to a result that is that of the pooled data, through whatever
can be killed, revoked or withdrawn on the way."""

import hashlib
import json
import time
from collections.abc import Iterator

import httpx
import pytest

from megagenome.kernel.callers import Role
from megagenome.kernel.errors import Corrupt
from megagenome.kernel.public_keys import read_public_keys
from megagenome.standards.study_receipt import read_receipt
from tests.journeys.network import megagenome
from tests.journeys.signed_in import Person, grant
from tests.journeys.studying import (
    COUNTRIES,
    Network,
    asleep,
    pooled,
    slopes,
    studying,
    table,
    until_answered,
)

PROMISE_S = 5.0
"""A permit that ends has reached a running study by then."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A hub and three nodes."""
    with studying(tmp_path_factory.mktemp("studies")) as network:
        yield network


@pytest.fixture
def network(running: Network) -> Network:
    """With a permit of this story's own."""
    running.get_permit()
    return running


def require_finished(network: Network, study: str) -> None:
    """With the counts of everybody."""
    shown = network.until(study, "finished", "stopped")
    assert (shown["state"], shown["reason"]) == ("finished", "")
    assert network.counts(study) == pooled()


def test_a_study_finds_what_the_pooled_data_say(network: Network) -> None:
    study = network.begin()
    require_finished(network, study)
    women = [row for country in COUNTRIES for row in table(country) if row["sex"] == "female"]
    assert network.show(study)["people"] == len(women)
    assert network.bob.call("GET", f"/studies/{study}").status_code == 404
    assert network.bob.get("/studies")["studies"] == []
    assert study in [each["id"] for each in network.ada.get("/studies")["studies"]]
    refused = network.bob.call("POST", "/studies", json=network.document())
    assert (refused.status_code, "no permit with this id" in refused.text) == (400, True)
    for country in COUNTRIES:
        export = megagenome("node", "ledger", network.nodes[country].folder, "export").stdout
        entries = [json.loads(line) for line in export.splitlines()[1:-1]]
        mine = [each for each in entries if each.get("detail", "").endswith(f":{study}")]
        details = [each["detail"].removesuffix(f":{study}") for each in mine]
        assert details == ["begun", "sent:0:0", "sent:1:0", "sent:2:0"]
        told = {(each["kind"], each["permit"], each["dataset"]) for each in mine}
        assert told == {("study", network.permit, f"{country}-COHORT")}
        assert "16050" not in export
        assert "all" in megagenome("node", "ledger", network.nodes[country].folder, "verify").stdout


def test_a_receipt_verifies_by_the_keys_that_the_hub_publishes(network: Network) -> None:
    grant(network.hub.folder, "Una", Role.AUDITOR)
    url, una = network.hub.served.url, Person(network.hub.served, "Una")
    with asleep(network, "SE"):
        study = network.begin()
        early = network.ada.call("GET", f"/studies/{study}/receipt")
        assert (early.status_code, "when it is over" in early.text) == (409, True)
    require_finished(network, study)
    answer = network.ada.call("GET", f"/studies/{study}/receipt")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwt")
    published = read_public_keys(httpx.get(f"{url}/.well-known/jwks.json", trust_env=False).content)
    receipt, result = read_receipt(answer.content, published), network.ada.call("GET", f"/studies/{study}/result")
    assert (receipt.run, receipt.permit, receipt.state) == (study, network.permit, "finished")
    assert receipt.release is not None
    assert receipt.release.result_sha256 == hashlib.sha256(result.content).hexdigest()
    assert read_receipt(una.call("GET", f"/studies/{study}/receipt").content, published) == receipt
    assert network.bob.call("GET", f"/studies/{study}/receipt").status_code == 404
    assert httpx.get(f"{url}/studies/{study}/receipt", trust_env=False).status_code == 401
    fetched = httpx.get(f"{network.nodes['EE'].served.url}/.well-known/jwks.json", trust_env=False).content
    with pytest.raises(Corrupt):
        read_receipt(answer.content, read_public_keys(fetched))


def test_a_regression_is_that_of_the_pooled_people(network: Network) -> None:
    method = {
        "type": "linear",
        "variants": {"assembly": "GRCh37", "regions": ["22:16050001-16060000"]},
        "trait": {"type": "measured", "term": "height"},
        "covariates": [{"type": "category", "of": "smokes", "levels": ["no", "yes"]}],
    }
    study = network.begin(network.document(method=method, title="Tall"))
    shown = network.until(study, "finished", "stopped")
    assert (shown["state"], shown["reason"]) == ("finished", "")
    found = network.ada.get(f"/studies/{study}/result")["tables"]["associations"]
    expected = slopes()
    assert found["pos1"] == sorted(expected)
    assert found["beta"] == pytest.approx(list(expected.values()), rel=6e-4), "told to four digits"


TALL = {
    "type": "linear",
    "variants": {"assembly": "GRCh37", "regions": ["22"]},
    "trait": {"type": "measured", "term": "height"},
}
SMOKES = {"type": "category", "of": "smokes", "levels": ["no", "yes"]}
BACKWARDS = {"type": "category", "of": "smokes", "levels": ["yes", "no"]}


def test_what_is_no_study_is_refused_and_says_why(network: Network) -> None:
    good = network.document()
    for changed, why in (
        ({"version": 2}, "version"),
        ({"method": {"type": "magic"}}, "method"),
        ({"sites": []}, "sites"),
        ({"cohort": '{"type":"wizard"}'}, "not a cohort's definition"),
        ({"method": {**TALL, "variants": {"assembly": "GRCh37", "regions": ["22:9-1"]}}}, "22:9-1"),
        ({"sites": good["sites"][::-1]}, "in the order of their names"),
        ({"sites": [{**good["sites"][0], "key": "another"}, *good["sites"][1:]]}, "signs with another key"),
        ({"sites": [{**good["sites"][0], "datasets": ["OTHER"]}, *good["sites"][1:]]}, "does not let dataset OTHER"),
        ({"cohort": '{"type":"wizard"}'}, "not a cohort's definition"),
        ({"method": {**TALL, "variants": {"assembly": "GRCh37", "regions": ["22:9-1"]}}}, "22:9-1"),
        ({"method": {**TALL, "covariate": []}}, "method has no field covariate"),
    ):
        refused = network.ada.call("POST", "/studies", json={**good, **changed})
        assert (refused.status_code, why in refused.json()["detail"]) == (400, True), refused.text
    for body in (b"", b"{", b"[" * 100_000, b"\xff"):
        headers = {"content-type": "application/json"}
        refused = network.ada.call("POST", "/studies", content=body, headers=headers)
        assert (refused.status_code, "not a study document" in refused.text) == (400, True), refused.text


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"method": {**TALL, "trait": {"type": "measured", "term": "shoes"}}}, "study: fewer have shoes recorded"),
        ({"method": {**TALL, "covariates": [{"type": "sex"}]}}, "sex: fewer than 10 people differ"),
        ({"method": {**TALL, "covariates": [SMOKES, BACKWARDS]}}, "one follows from the others"),
    ],
    ids=["trait that nobody has", "constant covariate", "singular covariates"],
)
def test_a_study_that_makes_no_sense_ends_with_the_reason(
    network: Network, changed: dict[str, object], why: str
) -> None:
    study = network.begin(network.document(**changed))
    shown = network.until(study, "finished", "stopped", "waiting")
    assert (shown["state"], why in shown["reason"]) == ("stopped", True), shown["reason"]


def test_a_hub_that_is_killed_again_and_again_goes_on(network: Network) -> None:
    study = network.begin()
    for moment_s in (0.0, 0.05, 0.15, 0.3):
        time.sleep(moment_s)
        network.hub.kill()
        network.hub.start()
    require_finished(network, study)


def test_a_node_that_is_killed_and_served_again_goes_on(network: Network) -> None:
    study = network.begin()
    time.sleep(0.1)
    network.nodes["EE"].kill()
    network.nodes["EE"].start()
    require_finished(network, study)


def test_a_node_that_is_gone_is_named(network: Network) -> None:
    network.nodes["EE"].kill()
    study = network.begin()
    shown = network.until(study, "finished", "stopped", patience_s=120)
    network.nodes["EE"].start()
    assert shown["state"] == "stopped"
    assert "node.ee is gone: it was not heard" in shown["reason"]


def test_two_nodes_that_did_not_agree_to_it_compute_nothing(network: Network) -> None:
    sites = [site for site in network.document()["sites"] if site["node"] != "node.ee"]
    study = network.begin(network.document(sites=sites, least_sites=2))
    shown = network.until(study, "finished", "stopped")
    assert "refuses: a study of two nodes shows each the other's sums" in shown["reason"]


@pytest.mark.promise
def test_a_country_that_takes_its_approval_back_stops_a_run(network: Network) -> None:
    with asleep(network, "SE"):
        study = network.begin()
        until_answered(network, study, "EE")
        network.decide("EE", "revoked", "consents changed")
        began = time.monotonic()
        shown = network.until(study, "finished", "stopped")
        assert time.monotonic() - began < PROMISE_S
    assert "node.ee refuses" in shown["reason"] or "the permit is revoked" in shown["reason"]


@pytest.mark.promise
def test_a_permit_that_the_hub_revokes_stops_a_run(network: Network) -> None:
    with asleep(network, "SE"):
        study = network.begin()
        until_answered(network, study, "EE")
        network.revoke()
        began = time.monotonic()
        shown = network.until(study, "finished", "stopped")
        assert time.monotonic() - began < PROMISE_S
    assert shown["state"] == "stopped"
    refused = network.ada.call("POST", "/studies", json=network.document())
    assert (refused.status_code, "is revoked" in refused.text) == (400, True)
