# SPDX-License-Identifier: Apache-2.0
"""The network's Beacon answers: all nodes' in one, and honest about what is missing."""

from typing import Any

import pytest

from tests.network import stubs
from tests.network.documents import answer, error, record, result_set, withheld
from tests.network.hub import ALLELE, ASK_ALLELE, CELLS, Serving, ask_variants, asking, node
from tests.network.stubs import Behaviour, says


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


def test_those_in_whom_nothing_was_found_are_in_the_sum() -> None:
    none = {"Total": (0, 50, 0, 0, 0), "EE": (0, 50, 0, 0, 0)}
    empty = says(answer("EE", [result_set("D-EE", [])], none))
    both = asking(lambda hub: ask_variants(hub, requestParameters=ASK_ALLELE), FI=node("FI"), EE=empty)
    alone = asking(lambda hub: ask_variants(hub, requestParameters=ASK_ALLELE), EE=empty)
    for told, total in ((both, (30, 250)), (alone, (0, 50))):
        sums = {f["population"]: f for f in told["response"]["info"]["combined"]["frequencies"]}
        assert (sums["Total"]["alleleCount"], sums["Total"]["alleleNumber"]) == total
        assert sums["EE"]["alleleCount"] == 0
    assert alone["responseSummary"] == {"exists": False, "numTotalResults": 0, "countPrecision": "exact"}


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


def test_lists_take_no_questions() -> None:
    told = asking(lambda hub: hub.get("/beacon/v2/datasets", filters="HP:0001250"), FI=node("FI"))
    assert told["HTTP"] == 400
    assert "skip and limit only" in told["error"]["errorMessage"]
