# SPDX-License-Identifier: Apache-2.0
"""The hub over HTTP, with stub nodes behind it: what it takes, answers and refuses, and that it lets go of callers."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar import Litestar

from megagenome.kernel.errors import Invalid
from megagenome.network.routes import hub_routes
from megagenome.network.settings import HubIdentity, NetworkSettings
from megagenome.reference import resolve
from tests.network import stubs
from tests.network.documents import answer, error, info, people, record, result_set, withheld
from tests.network.stubs import Behaviour, Stub, routes, running, says

SETTINGS = NetworkSettings(deadline_s=0.3)
HUB = HubIdentity("org.example.hub", "The hub")
CELLS = {"Total": (30, 200, 2, 26, 0), "FI": (30, 200, 2, 26, 0)}
ALLELE = [record(16050074, "A", "G", CELLS)]
ASK_ALLELE = {"assemblyId": "GRCh37", "referenceName": "22", "start": [16050074], "referenceBases": "A"} | {
    "alternateBases": "G"
}


def node(id_: str, cells: dict[str, Any] = CELLS) -> Behaviour:
    """A node with one allele, one dataset, ten people and three terms."""
    terms = [
        {"id": "HP:0001250", "type": "ontology", "label": "Seizure", "scopes": ["individual"]},
        {"id": "ICD10:I83", "type": "ontology", "label": "", "scopes": ["individual"]},
        {"id": f"smoking{id_}", "type": "custom", "scopes": ["individual"]},
    ]
    datasets = {
        "meta": {"beaconId": id_},
        "responseSummary": {"exists": True},
        "response": {"collections": [{"id": f"D-{id_}", "name": "Data", "info": {"open": True, "floor": 0}}]},
    }
    return routes(
        {
            "/beacon/v2/info": info(id_),
            "/beacon/v2/datasets": datasets,
            "/beacon/v2/filtering_terms": {"meta": {"beaconId": id_}, "response": {"filteringTerms": terms}},
            "/beacon/v2/g_variants": answer(
                id_, [result_set(f"D-{id_}", [record(16050074, "A", "G", cells)]), result_set(f"E-{id_}", [])]
            ),
            "/beacon/v2/individuals": people(id_, 10, {f"D-{id_}": 10}),
        }
    )


class Serving:
    """A hub over running stubs, and a client of it."""

    def __init__(self, client: httpx.AsyncClient, app: Litestar, nodes: dict[str, Stub]) -> None:
        self.client, self.app, self.nodes = client, app, nodes

    async def get(self, path: str, **query: Any) -> Any:
        return self._read(await self.client.get(path, params=query))

    async def post(self, path: str, body: Any) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._read(await self.client.post(path, content=content))

    @staticmethod
    def _read(response: httpx.Response) -> Any:
        return response.json() | {"HTTP": response.status_code}


@contextlib.asynccontextmanager
async def serving(config: NetworkSettings = SETTINGS, **behaviours: Behaviour) -> AsyncIterator[Serving]:
    async with contextlib.AsyncExitStack() as stack:
        nodes = {id_: await stack.enter_async_context(running(behave)) for id_, behave in behaviours.items()}
        parts = hub_routes(HUB, config, [stub.node(id_, id_) for id_, stub in nodes.items()], resolve)
        app = Litestar([parts.router], lifespan=[parts.lifespan], openapi_config=None, logging_config=None)
        await stack.enter_async_context(parts.lifespan(app))
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://hub.test"))
        yield Serving(client, app, nodes)


def asking(ask: Callable[[Serving], Coroutine[Any, Any, Any]], **behaviours: Behaviour) -> Any:
    async def run() -> Any:
        async with serving(**behaviours) as hub:
            return await ask(hub)

    return asyncio.run(run())


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
    assert nodes["nodes"][0]["datasets"] == [{"id": "D-FI", "name": "Data", "description": "", "open": True}]


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
        ("/api/variant?q=22:1-100", "names a region, not one allele: ask /api/region"),
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


def ask_variants(hub: Serving, **query: Any) -> Coroutine[Any, Any, Any]:
    return hub.post("/beacon/v2/g_variants", {"meta": {"apiVersion": "v2.2.0"}, "query": query})


def test_the_networks_beacon_merges_variants() -> None:
    async def ask(hub: Serving) -> Any:
        nested = await ask_variants(hub, requestParameters={"g_variant": ASK_ALLELE})
        flat = await ask_variants(hub, requestParameters=ASK_ALLELE | {"start": "16050074"})
        by_get = await hub.get("/beacon/v2/g_variants", **(ASK_ALLELE | {"start": "16050074"}))
        return nested, flat, by_get, hub.nodes["FI"].asked[0].json

    nested, flat, by_get, passed_on = asking(ask, FI=node("FI"), ES=node("ES", {"ES": (10, 100)}))
    for told in (nested, flat, by_get):
        assert told["meta"]["beaconId"] == "org.example.hub"
        assert told["responseSummary"] == {"exists": True, "numTotalResults": 1, "countPrecision": "exact"}
        sets = told["response"]["resultSets"]
        assert [(s["beaconId"], s["id"], s["resultsCount"]) for s in sets] == [("FI", "D-FI", 1), ("ES", "D-ES", 1)]
        assert sets[0]["results"] == ALLELE
        combined = told["response"]["info"]["combined"]["frequencies"]
        assert {f["population"]: (f["alleleCount"], f["alleleNumber"]) for f in combined} == {
            "Total": (40, 300),
            "FI": (30, 200),
            "ES": (10, 100),
        }
        assert [(n["beaconId"], n["status"]) for n in told["info"]["nodes"]] == [("FI", "answered"), ("ES", "answered")]
    assert passed_on["query"]["requestParameters"] == {"g_variant": ASK_ALLELE}


@pytest.mark.parametrize(
    ("include", "sets"),
    [("ALL", ["D-FI", "E-FI"]), ("HIT", ["D-FI"]), ("MISS", ["E-FI"]), ("NONE", [])],
)
def test_only_the_wanted_result_sets_come(include: str, sets: list[str]) -> None:
    told = asking(
        lambda hub: ask_variants(hub, requestParameters=ASK_ALLELE, includeResultsetResponses=include), FI=node("FI")
    )
    assert [s["id"] for s in told["response"]["resultSets"]] == sets
    assert told["responseSummary"]["numTotalResults"] == 1


def test_less_is_told_where_less_is_asked() -> None:
    async def ask(hub: Serving) -> Any:
        return [
            await ask_variants(hub, requestParameters=ASK_ALLELE, requestedGranularity=granularity)
            for granularity in ("boolean", "count")
        ]

    boolean, count = asking(ask, FI=node("FI"))
    assert boolean["responseSummary"] == {"exists": True}
    assert count["responseSummary"] == {"exists": True, "numTotalResults": 1, "countPrecision": "exact"}
    assert "response" not in boolean
    assert "response" not in count
    assert (boolean["meta"]["returnedGranularity"], count["meta"]["returnedGranularity"]) == ("boolean", "count")


@pytest.mark.parametrize(
    ("other", "status"),
    [(stubs.hangs, "late"), (says(withheld("GB")), "withheld"), (says(error(400, "no"), status=400), "refused")],
    ids=["late", "withheld", "refused"],
)
def test_a_count_without_one_node_is_imprecise(other: Behaviour, status: str) -> None:
    told = asking(lambda hub: ask_variants(hub, requestParameters=ASK_ALLELE), FI=node("FI"), GB=other)
    assert told["responseSummary"] == {"exists": True, "numTotalResults": 1, "countPrecision": "imprecise"}
    assert told["info"]["nodes"][1]["status"] == status


def test_an_allele_of_two_nodes_counts_once_and_a_cut_page_is_a_lower_bound() -> None:
    def cut(id_: str, starts: range, total: int) -> Behaviour:
        records = [record(at, "A", "G", CELLS) for at in starts]
        return says(answer(id_, [result_set("A", records)], numTotalResults=total))

    parameters = {"assemblyId": "GRCh37", "referenceName": "22", "start": [0], "end": [100]}
    whole = asking(
        lambda hub: ask_variants(hub, requestParameters=parameters),
        FI=cut("FI", range(5), 5),
        ES=cut("ES", range(3, 9), 6),
    )
    assert whole["responseSummary"] == {"exists": True, "numTotalResults": 9, "countPrecision": "exact"}
    assert "info" not in whole["response"]  # sums of different alleles are no sum
    part = asking(
        lambda hub: ask_variants(hub, requestParameters=parameters),
        FI=cut("FI", range(5), 80),
        ES=cut("ES", range(9), 9),
    )
    assert part["responseSummary"] == {"exists": True, "numTotalResults": 80, "countPrecision": "imprecise"}


def test_the_networks_beacon_counts_people() -> None:
    async def ask(hub: Serving) -> Any:
        filters = [{"id": "NCIT:C16576"}, {"id": "age", "operator": ">=", "value": "40"}]
        told = await hub.post("/beacon/v2/individuals", {"meta": {}, "query": {"filters": filters}})
        return told, hub.nodes["FI"].asked[0].json["query"]["filters"]

    told, passed_on = asking(ask, FI=node("FI"), ES=node("ES"))
    assert told["responseSummary"] == {"exists": True, "numTotalResults": 20, "countPrecision": "exact"}
    assert [(s["beaconId"], s["resultsCount"], s["results"]) for s in told["response"]["resultSets"]] == [
        ("FI", 10, []),
        ("ES", 10, []),
    ]
    assert passed_on == [{"id": "NCIT:C16576"}, {"id": "age", "operator": ">=", "value": "40"}]


def test_the_networks_beacon_lists_datasets_and_terms() -> None:
    async def ask(hub: Serving) -> Any:
        return (
            await hub.get("/beacon/v2/datasets"),
            await hub.get("/beacon/v2/datasets", skip=1, limit=1),
            await hub.get("/beacon/v2/filtering_terms"),
            await hub.get("/beacon/v2/filtering_terms", limit=1),
        )

    datasets, page, terms, one_term = asking(ask, FI=node("FI"), ES=node("ES"), GB=stubs.closes)
    assert [(d["id"], d["info"]["beaconId"]) for d in datasets["response"]["collections"]] == [
        ("D-FI", "FI"),
        ("D-ES", "ES"),
    ]
    assert datasets["responseSummary"] == {"exists": True, "numTotalResults": 2, "countPrecision": "imprecise"}
    assert [d["id"] for d in page["response"]["collections"]] == ["D-ES"]
    ids = [term["id"] for term in terms["response"]["filteringTerms"]]
    assert ids == ["HP:0001250", "ICD10:I83", "smokingES", "smokingFI"]
    assert [term["id"] for term in one_term["response"]["filteringTerms"]] == ["HP:0001250"]


def test_terms_are_found_by_name_and_id_and_asked_for_once() -> None:
    async def ask(hub: Serving) -> Any:
        found = [
            [t["id"] for t in (await hub.get("/api/terms", q=q))["terms"]] for q in ("seiz", "icd10:i8", "x y", "")
        ]
        return found, len(hub.nodes["FI"].asked)

    found, asked = asking(ask, FI=node("FI"))
    assert found == [["HP:0001250"], ["ICD10:I83"], [], ["HP:0001250", "ICD10:I83", "smokingFI"]]
    assert asked == 1


def test_terms_of_a_node_stay_known_while_it_is_away() -> None:
    async def run() -> Any:
        async with serving(NetworkSettings(deadline_s=0.2, terms_ttl_s=0), FI=node("FI")) as hub:
            before = await hub.get("/api/terms", q="seiz")
            hub.nodes["FI"].behave = stubs.closes
            return before, await hub.get("/api/terms", q="seiz")

    before, after = asyncio.run(run())
    assert before == after
    assert [(t["id"], t["label"], t["kind"]) for t in after["terms"]] == [("HP:0001250", "Seizure", "phenotype")]


@pytest.mark.parametrize("path", ["/g_variants", "/individuals"])
def test_a_question_that_nodes_refuse_is_refused_with_their_reason(path: str) -> None:
    refuses = says(error(400, "unknown filter 'x': /filtering_terms lists those of this Beacon"), status=400)
    told = asking(lambda hub: hub.post(f"/beacon/v2{path}", {"meta": {}, "query": {}}), FI=refuses, ES=stubs.closes)
    assert (told["HTTP"], told["error"]["errorCode"]) == (400, 400)
    assert told["error"]["errorMessage"].startswith("Node FI refuses the question: unknown filter 'x'")
    assert told["meta"]["beaconId"] == "org.example.hub"


def test_nobody_answering_is_no_answer() -> None:
    told = asking(lambda hub: ask_variants(hub, requestParameters=ASK_ALLELE), FI=stubs.closes, ES=stubs.hangs)
    assert told["HTTP"] == told["error"]["errorCode"] == 503
    assert "Node FI is unreachable, Node ES is late" in told["error"]["errorMessage"]
    told = asking(lambda hub: ask_variants(hub, requestParameters=ASK_ALLELE))
    assert told["HTTP"] == 503
    assert "no node yet" in told["error"]["errorMessage"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"query":{"requestParameters":{"start":"x"}}}', 400),
        (b'{"query":{"requestParameters":{"strat":[1]}}}', 400),
        (b"[" * 100_000, 400),
        (b" " * 1_000_001, 413),
    ],
    ids=["not JSON", "no number", "unknown parameter", "deep", "large"],
)
def test_a_wrong_beacon_request_is_a_beacon_error(body: bytes, status: int) -> None:
    told = asking(lambda hub: hub.post("/beacon/v2/g_variants", body), FI=node("FI"))
    assert (told["HTTP"], told["error"]["errorCode"]) == (status, status)


def test_lists_take_no_questions() -> None:
    told = asking(lambda hub: hub.get("/beacon/v2/datasets", filters="HP:0001250"), FI=node("FI"))
    assert told["HTTP"] == 400
    assert "skip and limit only" in told["error"]["errorMessage"]


def test_the_beacon_describes_itself() -> None:
    async def ask(hub: Serving) -> Any:
        names = ("info", "service-info", "configuration", "map", "entry_types", "cohorts")
        return [await hub.get(f"/beacon/v2/{name}") for name in names]

    who, service, configuration, where, kinds, cohorts = asking(ask)
    assert who["response"]["id"] == service["id"] == "org.example.hub"
    assert who["response"]["organization"]["name"] == "The hub"
    served = {name: end["rootUrl"] for name, end in where["response"]["endpointSets"].items()}
    assert served == {
        "genomicVariant": "http://hub.test/beacon/v2/g_variants",
        "individual": "http://hub.test/beacon/v2/individuals",
        "dataset": "http://hub.test/beacon/v2/datasets",
    }
    assert set(served) == set(configuration["response"]["entryTypes"]) == set(kinds["response"]["entryTypes"])
    assert (cohorts["HTTP"], cohorts["error"]["errorCode"]) == (404, 404)


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
    await app(scope, receive, send)  # type: ignore[arg-type]
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
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            return await client.get("/resolve", params={"q": "x"})

    response = asyncio.run(run())
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "secret detail" in caplog.text


@settings(max_examples=40)
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
