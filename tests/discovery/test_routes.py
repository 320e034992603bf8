# SPDX-License-Identifier: Apache-2.0
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.testing import TestClient

from megagenome.discovery.routes import LARGEST_BODY_BYTES, LONG_BODY_BYTES, discovery_router
from megagenome.standards.beacon import decode_answer, decode_error_message
from tests.discovery.fake import beacon_of
from tests.discovery.world import COMMON, MANY_HAVE, world

Client = TestClient[Litestar]
EXACT = {"referenceName": "22", "start": COMMON.start, "referenceBases": "A", "alternateBases": "G"}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with TestClient(Litestar([discovery_router(beacon_of(world()))], openapi_config=None)) as client:
        yield client


def body_of(parameters: Any, **query: Any) -> dict[str, Any]:
    return {"meta": {"apiVersion": "2.0"}, "query": {"requestParameters": parameters, **query}}


DIALECTS: list[Any] = [
    EXACT,
    {"g_variant": EXACT},
    [EXACT],
    [{"g_variant": EXACT}],
    {**EXACT, "start": [COMMON.start]},
    {**EXACT, "start": str(COMMON.start)},
    {**EXACT, "referenceName": "chr22", "assemblyId": "hg19"},
    {**EXACT, "referenceName": "NC_000022.10"},
    {**EXACT, "end": [COMMON.end], "geneId": "", "variantType": None},
]


@pytest.mark.parametrize("parameters", DIALECTS, ids=str)
def test_every_dialect_gets_the_same_answer_by_post_and_get(client: Client, parameters: Any) -> None:
    expected = decode_answer(client.post("/beacon/v2/g_variants", json=body_of(EXACT)).content).response
    assert len(expected.result_sets) == 3
    posted = client.post("/beacon/v2/g_variants", json=body_of(parameters))
    assert posted.status_code == 200, posted.text
    assert decode_answer(posted.content).response == expected
    flat = parameters[0] if isinstance(parameters, list) else parameters
    flat = {k: v[0] if isinstance(v, list) else v for k, v in flat.get("g_variant", flat).items() if v is not None}
    got = client.get("/beacon/v2/g_variants", params=flat)
    assert got.status_code == 200, got.text
    assert decode_answer(got.content).response == expected


def test_the_event_loop_answers_what_is_at_hand_and_threads_the_rest() -> None:
    beacon = beacon_of(world())
    answered, at_hand = beacon.variants, beacon.at_hand
    loop, ran = set[int](), list[int]()
    beacon.variants = lambda *asked: ran.append(threading.get_ident()) or answered(*asked)
    beacon.at_hand = lambda *asked: loop.add(threading.get_ident()) or at_hand(*asked)
    region = {"referenceName": "22", "start": COMMON.start, "end": COMMON.end}
    with TestClient(Litestar([discovery_router(beacon)], openapi_config=None)) as client:
        client.get("/beacon/v2/g_variants", params=region)
        client.get("/beacon/v2/g_variants", params=EXACT)
        client.post("/beacon/v2/g_variants", json=body_of(EXACT))
    assert [thread in loop for thread in ran] == [False, True, True]


def test_a_long_body_is_read_as_a_short_one(client: Client) -> None:
    short = json.dumps(body_of(EXACT)).encode()
    answers = [client.post("/beacon/v2/g_variants", content=body) for body in (short, short + b" " * LONG_BODY_BYTES)]
    assert answers[0].content == answers[1].content


def test_filters_by_get_and_post(client: Client) -> None:
    posted = client.post(
        "/beacon/v2/individuals",
        json=body_of(None, filters=[{"id": MANY_HAVE}, {"id": "age", "operator": ">=", "value": "P30Y"}]),
    )
    got = client.get("/beacon/v2/individuals", params={"filters": f"{MANY_HAVE},age>=P30Y"})
    assert decode_answer(got.content).response == decode_answer(posted.content).response
    assert decode_answer(got.content).response_summary.exists


@pytest.mark.parametrize("path", ["", "/", "/info", "/service-info", "/configuration", "/map", "/entry_types"])
def test_the_beacon_describes_itself(client: Client, path: str) -> None:
    answer = client.get(f"/beacon/v2{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert b"org.example.node" in answer.content


def test_what_the_map_lists_is_served_and_nothing_else(client: Client) -> None:
    listed = client.get("/beacon/v2/map").json()["response"]["endpointSets"]
    for entry in listed.values():
        path = entry["rootUrl"].removeprefix("https://node.example.org")
        assert client.post(path, json=body_of(EXACT if "variant" in path else None)).status_code == 200
        if "singleEntryUrl" in entry:
            one = entry["singleEntryUrl"].removeprefix("https://node.example.org")
            name = f"GRCh37-22-{COMMON.start + 1}-A-G"
            assert client.get(one.format(id=name)).status_code == (200 if "variant" in one else 403)
            for related in entry.get("endpoints", {}).values():
                url = related["url"].removeprefix("https://node.example.org")
                assert client.get(url.format(id=name)).status_code == 200
    for path in ("biosamples", "runs", "analyses", "cohorts", "datasets/OPEN", "individuals/1/g_variants"):
        refused = client.get(f"/beacon/v2/{path}")
        assert refused.status_code == 404
        assert "/map lists what is" in decode_error_message(refused.content)


def test_lists_take_pages(client: Client) -> None:
    assert len(client.get("/beacon/v2/datasets?limit=0").json()["response"]["collections"]) == 4
    assert len(client.get("/beacon/v2/datasets?skip=1&limit=2").json()["response"]["collections"]) == 2
    assert len(client.get("/beacon/v2/filtering_terms?limit=1").json()["response"]["filteringTerms"]) == 1
    assert len(client.get("/beacon/v2/filtering_terms").json()["response"]["filteringTerms"]) == 11


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/g_variants?colour=red", 400, "unknown request parameter"),
        ("GET", "/g_variants?referenceName=22&referenceName=21", 400, "given twice"),
        ("GET", "/g_variants?" + "&".join(f"p{n}=1" for n in range(200)), 400, "more than 100 parameters"),
        ("GET", "/filtering_terms?skip=-1", 400, "skip -1"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_errors_are_in_the_beacons_envelope(client: Client, method: str, path: str, status: int, message: str) -> None:
    answer = client.request(method, f"/beacon/v2{path}")
    assert answer.status_code == answer.json()["error"]["errorCode"] == status
    assert message in decode_error_message(answer.content)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"null", b'{"query": 5}', b"\xff\xfe", b"[" * 100_000, b'{"query":{"filters":[5]}}']
)
def test_what_is_not_a_request_is_refused(client: Client, body: bytes) -> None:
    answer = client.post("/beacon/v2/g_variants", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["errorCode"] == 400
    assert "not a Beacon request" in decode_error_message(answer.content)


def test_a_body_of_10_mb_is_too_large(client: Client) -> None:
    answer = client.post("/beacon/v2/g_variants", content=b" " * 10_000_000)
    assert answer.status_code == 413
    assert answer.json()["error"]["errorCode"] == 413
    assert client.post("/beacon/v2/individuals", content=b" " * LARGEST_BODY_BYTES).status_code == 200


def test_a_fault_of_ours_shows_nothing_of_itself(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    broken = beacon_of(world())
    broken._open = None
    with TestClient(Litestar([discovery_router(broken)], openapi_config=None), raise_server_exceptions=False) as other:
        with caplog.at_level(logging.CRITICAL):
            answer = other.post("/beacon/v2/g_variants", json=body_of(EXACT))
        assert answer.status_code == 500
        assert "NoneType" not in answer.text
        assert answer.json()["error"]["errorCode"] == 500
        assert other.get("/resolve?q=BRCA2").status_code == 500


def test_resolve(client: Client) -> None:
    found = client.get("/resolve", params={"q": "chr22:16050075-16050100"}).json()
    assert (found["kind"], found["contig"], found["start"], found["end"]) == ("region", "22", 16050074, 16050100)
    for params in ({"q": "nonsense here"}, {"q": " "}, {}):
        refused = client.get("/resolve", params=params)
        assert refused.status_code == 400
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.json()["title"] == "Invalid request"


# -- nonsense ----------------------------------------------------------------------------------------------------------

texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["22", "chrX", "GRCh37", "A", "G", "<DEL>", "BRCA2", "HP:0001250", "sex", "age", "=", ">", "P30Y"]),
)
numbers = st.one_of(st.integers(), st.sampled_from([0, -1, 16050074, 10**12, 10**30]), st.floats())
names = st.sampled_from(
    [
        "assemblyId",
        "referenceName",
        "start",
        "end",
        "referenceBases",
        "alternateBases",
        "geneId",
        "variantType",
        "datasets",
        "datasetIds",
        "g_variant",
        "filters",
        "pagination",
        "skip",
        "limit",
        "requestedGranularity",
        "includeResultsetResponses",
        "testMode",
        "id",
        "operator",
        "value",
        "scope",
        "similarity",
        "includeDescendantTerms",
        "requestParameters",
        "query",
        "meta",
        "apiVersion",
        "requestedSchemas",
        "permit",
        "use",
    ]
)
leaves = st.one_of(texts, numbers, st.booleans(), st.none())
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(names, texts), inner, max_size=6)),
    max_leaves=12,
)
likely = st.fixed_dictionaries(
    {},
    optional={
        "requestParameters": st.dictionaries(names, st.one_of(leaves, st.lists(leaves, max_size=3)), max_size=6),
        "filters": st.lists(st.one_of(texts, st.dictionaries(names, leaves, max_size=4)), max_size=3),
        "pagination": st.dictionaries(names, leaves, max_size=2),
        "requestedGranularity": texts,
    },
)


@given(st.sampled_from(["g_variants", "individuals", "datasets"]), st.one_of(anything, likely))
@settings(max_examples=150)
def test_nonsense_is_answered_or_refused_and_never_a_fault(client: Client, path: str, query: Any) -> None:
    for body in ({"meta": {}, "query": query}, query):
        answer = client.post(f"/beacon/v2/{path}", content=_encoded(body))
        assert answer.status_code in (200, 400, 401), answer.text  # 401: it names a permit, and nobody asks


@given(
    st.sampled_from(["g_variants", "individuals", "datasets", "filtering_terms", "map"]),
    st.dictionaries(st.one_of(names, texts), st.one_of(texts, numbers.map(str)), max_size=6),
)
@settings(max_examples=100)
def test_nonsense_by_get(client: Client, path: str, params: dict[str, str]) -> None:
    assert client.get(f"/beacon/v2/{path}", params=params).status_code in (200, 400, 401)


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_nonsense_to_resolve(client: Client, text: str) -> None:
    assert client.get("/resolve", params={"q": text}).status_code in (200, 400)


def _encoded(body: Any) -> bytes:
    # surrogates and numbers beyond 64 bits are what json, not msgspec, can write
    return json.dumps(body).encode()
