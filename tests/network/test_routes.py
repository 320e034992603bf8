# SPDX-License-Identifier: Apache-2.0
"""The hub over HTTP, with stub nodes behind it: what it takes, answers and refuses, and that it lets go of callers."""

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar import Litestar

from megagenome.kernel.errors import Invalid
from megagenome.network.routes import hub_routes
from megagenome.network.settings import NetworkSettings
from megagenome.reference import resolve
from tests.network import stubs
from tests.network.hub import HUB, SETTINGS, Serving, asking, node, serving
from tests.network.stubs import running


def test_the_api_answers_for_the_network() -> None:
    async def ask(hub: Serving) -> Any:
        return (
            await hub.get("/api/variant", q="22-16050075-A-G", assembly="hg19"),
            await hub.get("/api/region", q="22:16050000-16060000", assembly="GRCh37"),
            await hub.get("/api/cohort", q="sex=female carries=22-16050075-A-G@GRCh37"),
            await hub.get("/api/nodes"),
        )

    variant, region, cohort, nodes = asking(ask, FI=node("FI"), ES=node("ES", {"ES": (10, 100)}), GB=stubs.hangs)
    assert variant["query"]["text"] == "22-16050075-A-G"
    assert variant["query"]["assembly"] == "GRCh37"
    totals = {f["population"]: (f["allele_count"], f["allele_number"]) for f in variant["frequencies"]}
    assert totals == {"Total": (40, 300), "FI": (30, 200), "ES": (10, 100)}
    assert [n["status"] for n in variant["nodes"]] == ["answered", "answered", "late"]
    assert [(d["id"], d["told"]) for d in variant["nodes"][0]["datasets"]] == [("D-FI", True), ("E-FI", False)]
    assert (region["total"], region["rows"][0]["text"], region["rows"][0]["nodes"]) == (1, "22-16050075-A-G", 2)
    assert (region["skip"], region["limit"]) == (0, 100)
    assert (cohort["count"], cohort["query"]) == (20, "sex=female carries=22-16050075-A-G@GRCh37")
    assert [(n["status"], n["version"]) for n in nodes["nodes"]] == [
        ("answered", "0.1.0"),
        ("answered", "0.1.0"),
        ("late", ""),
    ]
    assert nodes["nodes"][0]["datasets"] == [
        {"id": "D-FI", "name": "Data", "description": "", "open": True, "people_tier": ""}
    ]


def test_the_assembly_is_the_texts_or_the_parameters_or_the_hubs() -> None:
    async def ask(hub: Serving) -> Any:
        return [
            (await hub.get("/resolve", **query))["assembly"]
            for query in (
                {"q": "22-16050075-A-G"},
                {"q": "22-16050075-A-G", "assembly": "GRCh37"},
                {"q": "NC_000022.10:g.16050075A>G"},
            )
        ]

    assert asking(ask) == ["GRCh38", "GRCh37", "GRCh37"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/api/variant", "say what to look up"),
        ("/api/variant?q=", "say what to look up"),
        ("/api/variant?q=22:1-100", "names a region, not one allele: ask for a region"),
        ("/api/variant?q=BRCA2", "names a gene"),
        ("/api/variant?q=22-16050075-A-G&assembly=GRCh19", "unknown assembly"),
        ("/api/variant?q=22-16050075-A-G&asembly=GRCh37", "unknown parameter 'asembly'; known are q, assembly"),
        ("/api/variant?q=1-1-A-G&q=1-1-A-T", "parameter 'q' is given twice"),
        ("/api/variant?q=no such thing", "'no such thing'"),
        ("/api/region?q=22-16050075-A-G", "names one allele, not a region"),
        ("/api/region?q=BRCA2&skip=-1", "skip '-1': give a whole number"),
        ("/api/region?q=BRCA2&limit=0", "limit '0': give a whole number from 1"),
        ("/api/region?q=BRCA2&limit=99999", "limit '99999': give"),
        ("/api/region?q=BRCA2&skip=10000000000000", "skip '10000000000000': give"),
        ("/api/cohort", "the question is empty"),
        ("/api/cohort?q=female", "'female' is not a clause"),
        ("/api/cohort/definition?q=female", "'female' is not a clause"),
        ("/api/nodes?q=1", "unknown parameter 'q'; known are none"),
        ("/resolve", "say what to look up"),
        ("/api/variant?" + "a=1&" * 200, "more than 100 parameters"),
    ],
)
def test_a_wrong_question_is_a_problem_in_one_line(path: str, message: str) -> None:
    async def ask(hub: Serving) -> Any:
        response = await hub.client.get(path)
        assert response.headers["content-type"] == "application/problem+json"
        return response.json()

    said = asking(ask)
    assert said["status"] == 400
    assert message in said["detail"]


@pytest.mark.parametrize("path", ["/api/nothing", "/api/variant/x"])
def test_another_path_is_not_found(path: str) -> None:
    said = asking(lambda hub: hub.get(path))
    assert (said["HTTP"], said["status"]) == (404, 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"query":{"requestParameters":{"start":"x"}}}', 400),
        (b'{"query":{"requestParameters":{"strat":[1]}}}', 400),
        (b'{"query":{"requestParameters":{"permit":"p-1"}}}', 400),
        (b"[" * 100_000, 400),
        (b" " * 1_000_001, 413),
    ],
    ids=["not JSON", "no number", "unknown parameter", "a permit", "deep", "large"],
)
def test_a_wrong_beacon_request_is_a_beacon_error(body: bytes, status: int) -> None:
    told = asking(lambda hub: hub.post("/beacon/v2/g_variants", body), FI=node("FI"))
    assert (told["HTTP"], told["error"]["errorCode"]) == (status, status)


async def leave(app: Litestar, method: str, path: str, query: bytes, body: bytes, left: asyncio.Event) -> list[Any]:
    """Send a request as a server does, and leave when `left` is set."""
    waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        if waiting:
            return waiting.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"hub.test"), (b"content-length", str(len(body)).encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "state": {},
    }
    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("GET", "/api/variant", b"q=22-16050075-A-G", b""),
        ("GET", "/api/cohort", b"q=sex=female", b""),
        ("GET", "/api/nodes", b"", b""),
        ("POST", "/beacon/v2/g_variants", b"", b"{}"),
    ],
)
def test_when_the_caller_leaves_no_node_is_asked_any_longer(method: str, path: str, query: bytes, body: bytes) -> None:
    async def run() -> None:
        async with serving(NetworkSettings(deadline_s=60), FI=stubs.hangs, ES=stubs.trickles) as hub:
            left = asyncio.Event()
            request = asyncio.ensure_future(leave(hub.app, method, path, query, body, left))
            for stub in hub.nodes.values():
                await asyncio.wait_for(stub.began.wait(), 5)
            assert not request.done()
            left.set()
            for stub in hub.nodes.values():
                await asyncio.wait_for(stub.left.wait(), 5)
            await asyncio.wait_for(request, 5)

    asyncio.run(run())


def test_a_fault_of_ours_shows_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("secret detail")

    async def run() -> Any:
        parts = hub_routes(HUB, SETTINGS, [], broken)
        app = Litestar([parts.router], openapi_config=None, logging_config=None)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            return await client.get("/resolve", params={"q": "x"})

    response = asyncio.run(run())
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "secret detail" in caplog.text


@settings(max_examples=15)
@given(st.text(max_size=60), st.sampled_from(["/api/variant", "/api/region", "/api/cohort", "/api/terms", "/resolve"]))
def test_no_question_breaks_the_hub(text: str, path: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert asking(lambda hub: hub.get(path, q=text))["HTTP"] in (200, 400)


def test_a_node_listed_twice_stops_the_start() -> None:
    async def run() -> None:
        async with running(stubs.closes) as stub:
            hub_routes(HUB, SETTINGS, [stub.node("FI"), stub.node("FI")], resolve)

    with pytest.raises(Invalid, match="stands twice"):
        asyncio.run(run())
