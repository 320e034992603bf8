# SPDX-License-Identifier: Apache-2.0
"""The route by which nodes join: what it answers, and what it does not let anybody do."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from megagenome.network.join_routes import join_router
from megagenome.standards.joining import JoinAnswer, decode_answer
from tests.network.joining import Server, invited, request, server


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path, "hub") as opened:
        yield opened


@pytest.fixture
def client(hub: Server) -> Iterator[TestClient[Litestar]]:
    app = Litestar([join_router(hub.engine, hub.id, (), most_a_minute=8)], openapi_config=None)
    with TestClient(app) as opened:
        yield opened


def test_a_node_is_let_in_and_again(hub: Server, client: TestClient[Litestar], tmp_path: Path) -> None:
    with server(tmp_path, "node.fi", "FI") as node:
        body = msgspec.json.encode(request(invited(hub), node.described()))
    for _ in range(2):
        answer = client.post("/api/join", content=body)
        assert (answer.status_code, decode_answer(answer.content)) == (200, JoinAnswer("hub", "node.fi", "FI"))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b"\xff", b'{"secret":"x","descriptor":""}', b"[" * 50_000, b'{"secret":1}']
)
def test_what_is_not_understood_is_400_without_a_trace(client: TestClient[Litestar], body: bytes) -> None:
    answer = client.post("/api/join", content=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "invitation" in answer.json()["detail"]


def test_bodies_and_attempts_are_bounded(client: TestClient[Litestar]) -> None:
    assert client.post("/api/join", content=b"x" * 200_000).status_code == 413
    guesses = [client.post("/api/join", json={"secret": "x" * 43, "descriptor": "y"}).status_code for _ in range(12)]
    assert set(guesses[-4:]) == {429}
    assert set(guesses) == {400, 429}
