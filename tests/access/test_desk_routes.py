# SPDX-License-Identifier: Apache-2.0
"""The desk over HTTP, and the door at which the hub knocks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from litestar.types import ASGIApp, Receive, Scope, Send

from megagenome.access.desk_routes import desk_router
from megagenome.kernel.callers import PUBLIC, Caller
from tests.access.desks import ADA, FINN, STEW, Node, desk_at

PEOPLE = {"Finn": FINN, "Ada": ADA, "Stew": STEW}


def as_named(app: ASGIApp) -> ASGIApp:
    """Whoever `x-caller` names."""

    async def with_caller(scope: Scope, receive: Receive, send: Send) -> None:
        named = dict(scope["headers"]).get(b"x-caller", b"").decode()
        caller: Caller = PEOPLE.get(named, PUBLIC)
        scope["caller"] = caller
        await app(scope, receive, send)

    return with_caller


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with desk_at(tmp_path) as opened:
        opened.propose()
        yield opened


@pytest.fixture
def client(node: Node) -> Iterator[TestClient[Litestar]]:
    app = Litestar([desk_router(node.desk, node.wake)], middleware=[as_named], openapi_config=None)
    with TestClient(app) as opened:
        yield opened


def decide(client: TestClient[Litestar], who: str, body: Any, permit: str = "permit-1", **more: Any) -> Any:
    return client.post(f"/access/desk/{permit}/decision", json=body, headers={"x-caller": who}, **more)


APPROVED = {"decisions": [{"dataset": "FI-1", "verdict": "approved"}]}


def test_seeing_and_deciding(client: TestClient[Litestar], node: Node) -> None:
    headers = {"x-caller": "Finn"}
    page = client.get("/access/desk", headers=headers)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert [item["permit"] for item in page.json()["items"]] == ["permit-1"]
    assert decide(client, "Finn", APPROVED).json()["parts"][0]["state"] == "approved"
    shown = client.get("/access/desk/permit-1", headers=headers).json()
    assert shown["decisions"][0]["decided_by"] == FINN.subject
    assert node.readable() == ["FI-1"]


@pytest.mark.parametrize(("who", "status"), [("", 401), ("Stew", 403), ("Ada", 403), ("Finn", 200)])
def test_who_may(client: TestClient[Litestar], who: str, status: int) -> None:
    assert decide(client, who, APPROVED).status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decisions": []},
        {"decisions": [{"dataset": "FI-1", "verdict": "maybe"}]},
        {"decisions": [{"dataset": "FI-1", "verdict": "refused"}]},
        {"decisions": [{"dataset": "FI-9", "verdict": "approved"}]},
        {**APPROVED, "more": 1},
    ],
)
def test_what_is_no_decision(client: TestClient[Litestar], node: Node, body: Any) -> None:
    answer = decide(client, "Finn", body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert node.sent() == []


def test_what_is_not_there(client: TestClient[Litestar]) -> None:
    assert decide(client, "Finn", APPROVED, "permit-9").status_code == 404
    assert client.get("/access/desk?limit=9999", headers={"x-caller": "Finn"}).status_code == 400


def test_anybody_may_knock_and_says_nothing_by_it(client: TestClient[Litestar], node: Node) -> None:
    for _ in range(3):
        knocked = client.post("/access/knock")
        assert (knocked.status_code, knocked.content) == (204, b"")
    assert node.woken == 3
    assert client.post("/access/knock", content=b"x" * 1000).status_code in (204, 413)
    assert client.get("/access/knock").status_code == 405
