# SPDX-License-Identifier: Apache-2.0
"""The routes, as a program asks them and as an attacker does."""

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.middleware import DefineMiddleware
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from megagenome.access.routes import LARGEST_COMMAND_BYTES, access_router
from megagenome.kernel.callers import Caller
from tests.access.hub import ADA, AUDREY, BEN, CHAIR, DATASETS, DEFINITION, DORA, PDF, SIGNE, STRANGER, Hub, identify

PEOPLE = {str(who.subject): who for who in (ADA, BEN, SIGNE, CHAIR, DORA, AUDREY, STRANGER)}


class SignedIn:
    """What `app` does for real: the caller of a request, here by a header."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        subject = dict(scope.get("headers", [])).get(b"x-test-subject", b"").decode()
        if subject:
            scope["caller"] = PEOPLE[subject]
        await self.app(scope, receive, send)


class Client:
    """Requests as one of the people."""

    def __init__(self, client: TestClient[Litestar], who: Caller | None) -> None:
        self.client = client
        self.headers = {"x-test-subject": str(who.subject)} if who else {}

    def get(self, path: str) -> Any:
        return self.client.get("/access" + path, headers=self.headers)

    def post(self, path: str, content: Any = None, kind: str = "application/json") -> Any:
        body = content if isinstance(content, bytes) else msgspec.json.encode(content)
        return self.client.post("/access" + path, content=body, headers={**self.headers, "content-type": kind})

    def command(self, application: str, version: int, number: int, **command: Any) -> Any:
        order = {"id": f"http-{number:06}", "version": version, "command": command}
        return self.post(f"/applications/{application}/commands", order)


@pytest.fixture
def web(hub: Hub) -> Iterator[TestClient[Litestar]]:
    router = access_router(hub.process, hub.reader)
    app = Litestar([router], middleware=[DefineMiddleware(SignedIn)], openapi_config=None)
    with TestClient(app) as client:
        yield client


BEGIN = {
    "id": "begin-0001",
    "cohort": identify(DEFINITION),
    "definition": DEFINITION,
    "datasets": msgspec.to_builtins(DATASETS),
    "form": "data-access",
}


def test_a_draft_over_http(web: TestClient[Litestar]) -> None:
    ada = Client(web, ADA)
    begun = ada.post("/applications", BEGIN)
    assert begun.status_code == 201
    assert ada.post("/applications", BEGIN).json() == begun.json()
    application = begun.json()["application"]
    assert ada.command(application, 1, 1, type="save-draft", answers={"title": "T"}).json()["version"] == 2
    shown = ada.get(f"/applications/{application}")
    assert shown.json()["answers"] == {"title": "T"}
    assert "submit" in shown.json()["commands"]
    assert shown.headers["cache-control"] == "no-store"
    lines = ada.get("/applications?scope=mine").json()
    assert (lines["total"], lines["lines"][0]["title"]) == (1, "T")
    refused = ada.command(application, 2, 2, type="submit")
    assert refused.status_code == 400
    assert "people: this is needed" in refused.json()["detail"]
    assert ada.command(application, 1, 3, type="save-draft", answers={}).status_code == 409


def test_a_command_id_is_one_word(web: TestClient[Litestar]) -> None:
    for wrong in ("begin-0001\n", "begin 0001", "short", "x" * 101):
        assert Client(web, ADA).post("/applications", {**BEGIN, "id": wrong}).status_code == 400


def test_documents_go_up_and_come_down_as_downloads(web: TestClient[Litestar]) -> None:
    ada = Client(web, ADA)
    application = ada.post("/applications", BEGIN).json()["application"]
    name = "a%22b%0d%0aset-cookie%3A%20x%3D1%3B%C3%BC.pdf"
    sent = ada.post(f"/applications/{application}/attachments?id=attach-001&version=1&name={name}", PDF, "text/html")
    assert sent.status_code == 201
    document = ada.get(f"/applications/{application}/attachments/{sent.json()['told']['attachment']}")
    assert document.content == PDF
    assert document.headers["content-type"] == "application/pdf"
    assert document.headers["x-content-type-options"] == "nosniff"
    assert (
        document.headers["content-disposition"]
        == "attachment; filename*=UTF-8''a%22bset-cookie%3A%20x%3D1%3B%C3%BC.pdf"
    )
    assert "set-cookie" not in document.headers
    assert "sandbox" in document.headers["content-security-policy"]
    page = b"<html><script>alert(1)</script>"
    for called in ("x.pdf", "x.html", "x.txt"):
        path = f"/applications/{application}/attachments?id=attach-002&version=2&name={called}"
        assert ada.post(path, page, "application/pdf").status_code == 400
    by_command = {"type": "attach", "name": "x.pdf", "sha256": hashlib.sha256(PDF).hexdigest()}
    assert ada.command(application, 2, 1, **by_command).status_code == 400
    beyond = f"/applications/{application}/attachments?id=attach-003&version=2&name=x.txt"
    assert ada.post(beyond, b"x" * 10_000_001).status_code == 413
    assert ada.post(beyond, b"x" * 20_000_001).status_code == 413


def test_what_is_not_yours_looks_like_what_is_not_there(web: TestClient[Litestar], hub: Hub) -> None:
    application = hub.active()
    attachment = hub.view(application).attachments[0].id
    stranger, absent = Client(web, STRANGER), "0" * 24
    for path in ("", "/permit", f"/attachments/{attachment}"):
        theirs = stranger.get(f"/applications/{application}{path}")
        none = stranger.get(f"/applications/{absent}{path}")
        assert (theirs.status_code, none.status_code) == (404, 404)
        assert theirs.text.replace(application, absent) == none.text
        assert dict(theirs.headers) == {**none.headers, "content-length": theirs.headers["content-length"]}
    for type_, more in (("withdraw", {}), ("revoke", {"reasons": "x"}), ("join", {"secret": "x"})):
        theirs = stranger.command(application, 1, 1, type=type_, **more)
        none = stranger.command(absent, 1, 1, type=type_, **more)
        assert theirs.status_code == 404
        assert theirs.text.replace(application, absent) == none.text
    assert stranger.get("/applications?scope=all").json()["total"] == 0


def test_who_is_not_signed_in_reads_forms_and_nothing_else(web: TestClient[Litestar], hub: Hub) -> None:
    application, nobody = hub.create(), Client(web, None)
    [form] = nobody.get("/forms").json()
    assert nobody.get(f"/forms/{form['id']}/{form['version']}").json()["sections"]
    assert nobody.get("/forms/data-access/99").status_code == 404
    for path in ("/applications", f"/applications/{application}", f"/applications/{'0' * 24}"):
        assert nobody.get(path).status_code == 401
    assert nobody.post("/applications", BEGIN).status_code == 401
    assert nobody.command(application, 1, 1, type="submit").status_code == 401


def test_auditors_look_and_do_not_read(web: TestClient[Litestar], hub: Hub) -> None:
    application = hub.active()
    audrey = Client(web, AUDREY)
    shown = audrey.get(f"/applications/{application}")
    assert shown.status_code == 200
    assert [word for word in ("Ada", "Seizures", "because", "plan.pdf") if word in shown.text] == []
    assert "Chair" in shown.text
    assert audrey.get(f"/applications/{application}/permit").status_code == 403
    assert audrey.get("/applications?scope=all").json()["total"] == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[" * 50_000, "application/json"),
        (b'{"id": "\xff"}', "application/json"),
        (msgspec.json.encode({**BEGIN, "state": "active"}), "application/json"),
        (msgspec.json.encode({**BEGIN, "id": "../../x?"}), "application/json"),
        (msgspec.json.encode(BEGIN), "text/plain"),
        (msgspec.json.encode(BEGIN), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_not_understood(web: TestClient[Litestar], body: bytes, kind: str) -> None:
    answer = Client(web, ADA).post("/applications", body, kind)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("query", ["scope=theirs", "state=x", "skip=-1", "limit=201", "limit=1e9", "skip=²"])
def test_lists_take_only_what_they_know(web: TestClient[Litestar], query: str) -> None:
    assert Client(web, ADA).get(f"/applications?{query}").status_code == 400


def test_a_command_that_is_too_large_is_refused(web: TestClient[Litestar], hub: Hub) -> None:
    application = hub.create()
    answers = {"description": "x" * LARGEST_COMMAND_BYTES}
    assert Client(web, ADA).command(application, 1, 1, type="save-draft", answers=answers).status_code == 413


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.recursive(st.none() | st.integers() | st.text(max_size=9), st.lists, max_leaves=4))
def test_no_path_and_no_command_is_a_fault(web: TestClient[Litestar], path: str, value: Any) -> None:
    ada = Client(web, ADA)
    assert ada.get(f"/applications/{quote(path, safe='')}").status_code in (200, 404, 405)
    answer = ada.command(quote(path, safe="") or "x", 1, 1, type="save-draft", answers=value)
    assert answer.status_code in (400, 404, 405)


def test_ids_cannot_be_guessed(hub: Hub) -> None:
    made = {hub.create() for _ in range(20)}
    assert len(made) == 20
    assert {len(each) for each in made} == {24}
