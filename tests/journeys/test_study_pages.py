# SPDX-License-Identifier: Apache-2.0
"""A permit holder runs studies over real nodes by the form of a page and from a notebook, and takes the result away."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from megagenome import Network as Hub
from megagenome.cli.main import main
from megagenome.kernel.errors import Invalid, Unauthenticated
from megagenome.standards.study_crate import open_crate
from megagenome.standards.study_shown import RunState
from tests.journeys.studying import COUNTRIES, Network, dataset, node_id, pooled, studying
from tests.portal.document import Document


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with studying(tmp_path_factory.mktemp("studies")) as network:
        network.get_permit()
        yield network


def form_of(network: Network, method: str, **typed: str) -> dict[str, Any]:
    """The fields of the page's form as a browser would send them, with what was typed."""
    page = network.ada.call("GET", f"/study/new?permit={network.application}&method={method}").text
    document = Document(page)
    document.check()
    fields: dict[str, Any] = {
        each["name"]: each.get("value", "")
        for each in document.all("input")
        if "name" in each and each.get("type") not in ("checkbox", "radio", "file")
    }
    for each in document.all("input"):
        if each.get("type") == "checkbox" and "checked" in each:
            fields.setdefault(each["name"], []).append(each["value"])
    return fields | typed


def reviewed(network: Network, fields: dict[str, Any]) -> str:
    """The document that the form made."""
    answer = network.ada.call("POST", "/study/new", data=fields)
    assert answer.status_code == 200, Document(answer.text).text
    Document(answer.text).check()
    assert "Nothing is against it" in answer.text
    [text] = re.findall(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
    return unescape(text)


def token(network: Network) -> str:
    answer = network.ada.call("POST", "/account/tokens", data={"label": "notebook", "days": "1"})
    assert answer.status_code == 200, answer.text
    [made] = re.findall(r'id="token-made">(mgt_[\w-]+)<', answer.text)
    return str(made)


def test_from_the_form_to_a_result_that_is_that_of_the_pooled_data(network: Network) -> None:
    begin = network.ada.call("GET", "/study/new").text
    assert f'value="{network.application}"' in begin
    fields = form_of(network, "frequencies", title="By the form", assembly="GRCh37", regions="22", least_people="20")
    assert sorted(fields["dataset"]) == sorted(f"{node_id(c)} {dataset(c)}" for c in COUNTRIES)
    document = reviewed(network, fields)
    answer = network.ada.call("POST", "/study", data={"document": document, "action": "run"})
    assert answer.status_code == 303, Document(answer.text).text
    study = answer.headers["location"].rsplit("/", 1)[1]
    shown = network.until(study, "finished", "stopped", "waiting")
    assert (shown["state"], shown["reason"]) == ("finished", "")
    assert network.counts(study) == pooled()
    page = network.ada.call("GET", f"/study/{study}").text
    Document(page).check()
    assert "Alleles and genotypes" in page
    [link] = [each["href"] for each in Document(page).all("a") if each.get("href", "").endswith("/receipt")]
    assert network.ada.call("GET", link).headers["content-type"] == "application/jwt"
    csv = network.ada.call("GET", f"/study/{study}/table/frequencies.csv").text
    assert csv.count("\r\n") == len(pooled()) + 1
    assert network.bob.call("GET", f"/study/{study}").status_code == 404
    assert network.bob.call("GET", f"/study/{study}/crate").status_code == 404


def test_a_form_that_is_no_study_comes_back_as_it_was_typed(network: Network) -> None:
    fields = form_of(network, "logistic", title="Seizures <b>", cases="this is no question", assembly="GRCh37")
    answer = network.ada.call("POST", "/study/new", data=fields)
    assert answer.status_code == 400
    Document(answer.text).check()
    assert "This is no study yet" in answer.text
    assert 'value="Seizures &lt;b&gt;"' in answer.text
    assert 'value="this is no question"' in answer.text


def test_cases_in_words_become_cohorts(network: Network) -> None:
    fields = form_of(network, "logistic", title="Women", cases="sex=female", assembly="GRCh37", least_people="20")
    assert '"cases":"{\\"type\\":\\"sex\\"' in reviewed(network, fields)


def test_a_notebook_runs_the_same_and_its_crate_is_the_hubs(
    network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = network.hub.served.url
    with Hub(url, token(network)) as hub:
        document = network.document(least_people=20)
        assert hub.check(document) == ()
        assert set(hub.sites()) == {node_id(country) for country in COUNTRIES}
        study = hub.run(document)
        assert study.wait(60).state is RunState.FINISHED
        table = study.result().tables["frequencies"]
        assert int(table["het"].sum()) == sum(het for het, _, _ in pooled().values())
        verified = open_crate(study.crate(), hub.keys())
        assert {site.node: site.version for site in verified.run.sites} == {node_id(c): "0.1.0" for c in COUNTRIES}
        assert len(verified.run.rounds) == study.status().rounds
        with pytest.raises(Invalid, match="no permit with this id"):
            hub.run({**document, "permit": "another"})
        path = tmp_path / "study.crate.zip"
        path.write_bytes(study.crate())
        assert main(["study", "verify", str(path), "--hub", url]) == 0
        assert "The crate is whole" in capsys.readouterr().out
        assert study.id in [each.id for each in hub.studies()]
        study.cancel()
        assert study.status().state is RunState.FINISHED, "what is over cannot be cancelled"


def test_without_a_token_nothing_is_told(network: Network) -> None:
    with Hub(network.hub.served.url) as hub, pytest.raises(Unauthenticated, match="make a token"):
        hub.studies()
