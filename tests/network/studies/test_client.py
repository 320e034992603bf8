# SPDX-License-Identifier: Apache-2.0
"""A hub's studies from a notebook: documents however they are given, results as arrays, and every refusal in words."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import megagenome
from megagenome.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated, Unavailable
from megagenome.network.studies import client as module
from megagenome.network.studies.client import Network
from megagenome.standards.study import Frequencies, Site, StudyDocument, Variants, encode
from megagenome.standards.study_shown import RunState

DOCUMENT = StudyDocument(
    1, "A study", "P1", '{"type":"everyone"}', (Site("node.a", ("D1",), "k"),), Frequencies(Variants("GRCh38"))
)
SITE = {"node": "node.a", "state": "answered", "reason": "", "up_bytes": 1, "down_bytes": 2}


def shown(state: str, version: str) -> dict[str, Any]:
    words = {
        "title": "A study",
        "method": "frequencies",
        "permit": "P1",
        "document": "sha256:0",
        "reason": "",
        "step": "x",
    }
    numbers = {"epoch": 0, "round": 0, "rounds": 0, "people": None}
    return (
        {"id": "S1", "version": version, "state": state, "created": "", "ended": "", "sites": [SITE]} | words | numbers
    )


RESULT = {
    "id": "S1",
    "document": "sha256:0",
    "tables": {"t": {"p": [0.5, None], "n": [1, 2], "name": ["a", None]}},
    "summary": {"people": 7},
    "notes": ["a note"],
}
Answer = Callable[[httpx.Request], httpx.Response]


def network(monkeypatch: pytest.MonkeyPatch, answer: Answer, held: str = "mgt_x") -> Network:
    made = Network("https://hub.example/", held)
    made._client = httpx.Client(transport=httpx.MockTransport(answer), headers=made._client.headers)
    monkeypatch.setattr(module, "_TRIES_S", (0.0, 0.0))
    return made


def test_it_is_the_packages_own_name() -> None:
    assert megagenome.Network is Network
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = megagenome.Nothing


@pytest.mark.parametrize("how", ["document", "mapping", "text", "bytes", "path", "name"])
def test_a_document_is_sent_however_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str) -> None:
    content = encode(DOCUMENT)
    file = tmp_path / "study.json"
    file.write_bytes(content)
    given: Any = {
        "document": DOCUMENT,
        "mapping": json.loads(content),
        "text": content.decode(),
        "bytes": content,
        "path": file,
        "name": str(file),
    }[how]
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, json={"id": "S1", "document": "sha256:0"})

    assert network(monkeypatch, answer).run(given).id == "S1"
    [request] = asked
    assert json.loads(request.content) == json.loads(content)
    assert (request.url.path, request.headers["authorization"]) == ("/studies", "Bearer mgt_x")
    assert request.headers["content-type"] == "application/json"


def test_what_is_against_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"document": "sha256:0", "findings": ["no permit", "no node"]}
    assert network(monkeypatch, lambda _: httpx.Response(200, json=found)).check(DOCUMENT) == ("no permit", "no node")


def test_it_is_followed_until_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    told = iter([shown("checking", "v1"), shown("checking", "v1"), shown("running", "v2"), shown("finished", "v3")])

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params.get("after", ""))
        return httpx.Response(200, json=next(told))

    study = network(monkeypatch, answer).study("S1")
    assert [each.state for each in study.follow()] == [RunState.CHECKING, RunState.RUNNING, RunState.FINISHED]
    assert asked == ["", "v1", "v1", "v2"]


def test_waiting_ends_with_the_study_or_with_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([shown("running", "v1"), shown("stopped", "v2")])
    study = network(monkeypatch, lambda _: httpx.Response(200, json=next(told))).study("S1")
    assert study.wait().state is RunState.STOPPED
    running = network(monkeypatch, lambda _: httpx.Response(200, json=shown("running", "v1"))).study("S1")
    assert running.wait(timeout_s=0).state is RunState.RUNNING


def test_a_result_is_arrays_with_nan_where_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    result = network(monkeypatch, lambda _: httpx.Response(200, json=RESULT)).study("S1").result()
    table = result.tables["t"]
    assert np.array_equal(table["p"], np.array([0.5, np.nan]), equal_nan=True)
    assert (table["n"].dtype, table["n"].tolist(), table["name"].tolist()) == (np.int64, [1, 2], ["a", ""])
    assert (result.summary, result.notes) == ({"people": 7}, ("a note",))


def test_without_pandas_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    result = network(monkeypatch, lambda _: httpx.Response(200, json=RESULT)).study("S1").result()
    with pytest.raises(Unavailable, match="pip install pandas"):
        result.frame("t")


@pytest.mark.parametrize(
    ("status", "condition"),
    [(400, Invalid), (401, Unauthenticated), (404, NotFound), (409, Conflict), (502, Unavailable)],
)
def test_a_refusal_is_a_condition_in_the_hubs_words(
    monkeypatch: pytest.MonkeyPatch, status: int, condition: type[Exception]
) -> None:
    told = {"title": "x", "status": status, "detail": "because of this"}
    with pytest.raises(condition, match="because of this"):
        network(monkeypatch, lambda _: httpx.Response(status, json=told)).study("S1").result()


def test_who_has_no_token_is_told_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEGAGENOME_TOKEN", raising=False)
    made = network(monkeypatch, lambda _: httpx.Response(401, json={"detail": "sign in first"}), "")
    assert "authorization" not in made._client.headers
    with pytest.raises(Unauthenticated, match=r"make a token .* https://hub\.example/account .* MEGAGENOME_TOKEN"):
        made.studies()


def test_a_hub_that_is_restarted_is_asked_again_but_nothing_is_run_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        if len(asked) < 3:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=shown("running", "v1"))

    made = network(monkeypatch, answer)
    assert made.study("S1").status().state is RunState.RUNNING
    assert asked == ["GET"] * 3
    asked.clear()
    with pytest.raises(Unavailable, match="does not answer: refused"):
        made.run(DOCUMENT)
    assert asked == ["POST"]


@pytest.mark.parametrize("url", ["hub.example", "ftp://hub.example", "https://", "http://hub.example"])
def test_a_token_travels_over_no_open_address(url: str) -> None:
    with pytest.raises(Invalid):
        Network(url, "mgt_x")


def test_on_this_machine_no_encryption_is_needed_and_nobody_shows_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEGAGENOME_TOKEN", "mgt_secret\n")
    made = Network("http://127.0.0.1:8600")
    assert made._client.headers["authorization"] == "Bearer mgt_secret"
    assert "mgt_secret" not in repr(made)


def test_ids_cannot_lead_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return httpx.Response(404, json={})

    with pytest.raises(NotFound):
        network(monkeypatch, answer).study("../access?x#y").status()
    assert asked == [b"/studies/..%2Faccess%3Fx%23y"]
