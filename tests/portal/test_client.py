# SPDX-License-Identifier: Apache-2.0
"""Calls of the API in process: as the same caller, ended when the reader leaves, and readable errors."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from litestar import Litestar, Request, get
from litestar.testing import TestClient

from megagenome.kernel.errors import Invalid, NotFound, RateLimited, Unavailable
from megagenome.portal import client
from megagenome.portal.client import Glance, Hub, Reader, Reply, ask_own_app, reader_of
from megagenome.standards.federation import NodeList
from tests.portal.fake_hub import states


def hub_that_replies(*replies: Reply) -> tuple[Hub, list[tuple[str, Mapping[str, str]]]]:
    """A hub with these replies in turn, and what it is asked."""
    asked: list[tuple[str, Mapping[str, str]]] = []
    left = list(replies)

    async def ask(_reader: Reader, path: str, query: Mapping[str, str]) -> Reply:
        asked.append((path, query))
        await asyncio.sleep(0)
        return left.pop(0)

    nobody: Any = None
    return Hub(ask, Reader(nobody, nobody, ((b"cookie", b"x"),))), asked


@pytest.mark.parametrize(
    ("status", "condition"),
    [(400, Invalid), (404, NotFound), (429, RateLimited), (405, Unavailable), (500, Unavailable), (503, Unavailable)],
)
def test_the_apis_condition_and_reason_are_raised(status: int, condition: type[Exception]) -> None:
    hub, _ = hub_that_replies(Reply(status, b'{"detail": "no contig 99"}'))
    with pytest.raises(condition, match=r"^no contig 99$"):
        asyncio.run(hub.nodes())


def test_an_error_without_a_reason_still_says_what_happened() -> None:
    hub, _ = hub_that_replies(Reply(502, b"<html>"))
    with pytest.raises(Unavailable, match="HTTP 502"):
        asyncio.run(hub.nodes())


@pytest.mark.parametrize("body", [b"", b"[]", b'{"nodes": 3}', b"\xff", b'{"nodes": [{"id": "x"}]}'])
def test_an_answer_of_another_shape_is_refused(body: bytes) -> None:
    hub, _ = hub_that_replies(Reply(200, body))
    with pytest.raises(Unavailable, match="differ in version"):
        asyncio.run(hub.nodes())


def test_empty_parameters_are_left_to_the_api() -> None:
    hub, asked = hub_that_replies(Reply(400, b"{}"), Reply(400, b"{}"))
    for assembly in ("", "GRCh37"):
        with pytest.raises(Invalid):
            asyncio.run(hub.region("BRCA2", assembly, 100))
    assert asked == [
        ("/api/region", {"q": "BRCA2", "skip": "100"}),
        ("/api/region", {"q": "BRCA2", "assembly": "GRCh37", "skip": "100"}),
    ]


def test_the_api_sees_the_question_and_the_caller_and_nothing_else() -> None:
    seen: dict[str, Any] = {}

    @get("/api/nodes")
    async def nodes(request: Request[Any, Any, Any]) -> dict[str, str]:
        seen.update(headers=dict(request.headers), query=dict(request.query_params), root=str(request.base_url))
        return {"as": request.method}

    @get("/page")
    async def page(request: Request[Any, Any, Any]) -> str:
        reply = await ask_own_app(reader_of(request), "/api/nodes", {"q": "ä&b=c +"})
        return f"{reply.status} {reply.body.decode()}"

    with TestClient(Litestar([nodes, page], openapi_config=None)) as browser:
        headers = {"cookie": "session=s", "authorization": "Bearer t", "accept": "text/html", "x-other": "1"}
        assert browser.get("/page", headers=headers).text == '200 {"as":"GET"}'
    assert seen["query"] == {"q": "ä&b=c +"}
    assert seen["headers"] == {"host": "testserver.local", "cookie": "session=s", "authorization": "Bearer t"}


def test_the_api_hears_that_the_reader_left() -> None:
    heard = asyncio.Event()

    @get("/api/nodes")
    async def nodes(request: Request[Any, Any, Any]) -> dict[str, str]:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        heard.set()
        return {}

    @get("/page")
    async def page(request: Request[Any, Any, Any]) -> str:
        return str((await ask_own_app(reader_of(request), "/api/nodes", {})).status)

    async def read_and_leave() -> None:
        messages = iter([{"type": "http.request", "body": b"", "more_body": False}, {"type": "http.disconnect"}])

        async def receive() -> Any:
            return next(messages)

        async def send(_message: Any) -> None:
            pass

        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/page",
            "raw_path": b"/page",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"hub")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        await asyncio.wait_for(Litestar([nodes, page], openapi_config=None)(scope, receive, send), 5)
        assert heard.is_set()

    asyncio.run(read_and_leave())


def test_a_glance_is_asked_once_for_many_readers_and_as_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FRESH_S", 60.0)
    callers = []

    async def ask(reader: Reader, _path: str, _query: Mapping[str, str]) -> Reply:
        callers.append(reader.headers)
        await asyncio.sleep(0)
        return Reply(200, msgspec.json.encode(states()))

    async def look() -> list[NodeList | None]:
        glance = Glance()
        nobody: Any = None
        hub = Hub(ask, Reader(nobody, nobody, ((b"cookie", b"mine"),)))
        return [*(await asyncio.gather(*(glance.look(hub) for _ in range(5)))), await glance.look(hub)]

    assert asyncio.run(look()) == [states()] * 6
    assert callers == [()]


def test_a_glance_never_waits_for_a_slow_network_and_shows_what_it_saw_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FRESH_S", 0.0)
    monkeypatch.setattr(client, "PATIENCE_S", 0.01)

    async def look() -> list[NodeList | None]:
        gate = asyncio.Event()

        async def ask(_reader: Reader, _path: str, _query: Mapping[str, str]) -> Reply:
            await gate.wait()
            return Reply(200, msgspec.json.encode(states()))

        glance = Glance()
        nobody: Any = None
        hub = Hub(ask, Reader(nobody, nobody, ()))
        seen = [await glance.look(hub)]
        gate.set()
        seen.append(await glance.look(hub))
        gate.clear()
        seen.append(await glance.look(hub))
        gate.set()
        await glance.look(hub)
        return seen

    assert asyncio.run(look()) == [None, states(), states()]


def test_a_glance_at_a_network_that_cannot_be_asked_is_none() -> None:
    hub, _ = hub_that_replies(Reply(503, b"{}"))
    assert asyncio.run(Glance().look(hub)) is None


def test_a_network_without_nodes_is_looked_at_again_since_they_may_be_joining(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FRESH_S", 60.0)
    told = [NodeList(()), states(), NodeList(())]

    async def ask(_reader: Reader, _path: str, _query: Mapping[str, str]) -> Reply:
        return Reply(200, msgspec.json.encode(told.pop(0)))

    async def look() -> list[NodeList | None]:
        glance = Glance()
        nobody: Any = None
        hub = Hub(ask, Reader(nobody, nobody, ()))
        return [await glance.look(hub) for _ in range(3)]

    assert asyncio.run(look()) == [NodeList(()), states(), states()]
