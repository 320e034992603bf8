# SPDX-License-Identifier: Apache-2.0
"""Answers of the network over stub nodes: right sums, honest labels, and no node that spoils another's."""

import asyncio
import contextlib
import json
from typing import Any

import pytest

from megagenome.network.answers import allele_sum, ask_cohort, ask_region, ask_variant, merge_rows
from megagenome.network.combine import Cell, People, with_intervals
from megagenome.network.fanout import Network
from megagenome.network.question import CohortQuestion
from megagenome.network.settings import NetworkSettings, Node
from megagenome.network.told import Told, read_variants
from megagenome.standards import beacon
from megagenome.standards.federation import CohortAnswer, NodeStatus, RegionAnswer, Resolved, VariantAnswer
from tests.network import stubs
from tests.network.documents import answer, error, people, record, result_set, withheld
from tests.network.stubs import Behaviour, Stub, running, says

ALLELE = Resolved("allele", "22-100-A-G", "GRCh37", "22", 99, 100, "A", "G")
REGION = Resolved("region", "22:1-1000", "GRCh37", "22", 0, 1000)
SETTINGS = NetworkSettings(deadline_s=0.3)


@contextlib.asynccontextmanager
async def network_of(**behaviours: Behaviour) -> Any:
    async with contextlib.AsyncExitStack() as stack:
        found: dict[str, Stub] = {
            id_: await stack.enter_async_context(running(behave)) for id_, behave in behaviours.items()
        }
        nodes = [stub.node(id_, id_[:2]) for id_, stub in found.items()]
        yield await stack.enter_async_context(Network(nodes, SETTINGS)), found


def variant(**behaviours: Behaviour) -> VariantAnswer:
    async def run() -> VariantAnswer:
        async with network_of(**behaviours) as (network, _):
            return await ask_variant(network, ALLELE)

    return asyncio.run(run())


def region(skip: int = 0, limit: int = 100, **behaviours: Behaviour) -> RegionAnswer:
    async def run() -> RegionAnswer:
        async with network_of(**behaviours) as (network, _):
            return await ask_region(network, REGION, skip, limit)

    return asyncio.run(run())


def allele_answer(id_: str, **cells: Any) -> dict[str, Any]:
    return answer(id_, [result_set("A", [record(99, "A", "G", cells)])])


def test_an_allele_is_summed_over_nodes() -> None:
    told = variant(
        FI=says(allele_answer("FI", Total=(30, 200, 2, 26, 0), FI=(30, 200, 2, 26, 0))),
        ES=says(allele_answer("ES", Total=(12, 100, 0, 12, 0), ES=(12, 100, 0, 12, 0))),
    )
    assert told.exists
    assert told.frequencies == with_intervals(
        [
            Cell("Total", 42, 300, People(2, 38, 0)),
            Cell("ES", 12, 100, People(0, 12, 0)),
            Cell("FI", 30, 200, People(2, 26, 0)),
        ]
    )
    assert [(n.id, n.country, n.status, n.floor) for n in told.nodes] == [
        ("FI", "FI", NodeStatus.ANSWERED, None),
        ("ES", "ES", NodeStatus.ANSWERED, None),
    ]
    assert [(d.id, d.told, d.count) for d in told.nodes[0].datasets] == [("A", True, 1)]
    assert told.nodes[0].datasets[0].frequencies == told.nodes[0].frequencies


def test_people_in_two_datasets_of_a_node_count_once_when_it_says_so() -> None:
    sets = [result_set(id_, [record(99, "A", "G", {"FI": (30, 200)})]) for id_ in "AB"]
    told = variant(FI=says(answer("FI", sets, combined={"Total": (45, 300), "FI": (45, 300)})))
    assert told.frequencies == with_intervals([Cell("Total", 45, 300), Cell("FI", 45, 300)])
    told = variant(FI=says(answer("FI", sets)))
    assert told.frequencies == with_intervals([Cell("Total", 60, 400), Cell("FI", 60, 400)])


NEIGHBOURS: dict[str, tuple[Behaviour, NodeStatus]] = {
    "hangs": (stubs.hangs, NodeStatus.LATE),
    "dies": (stubs.dies, NodeStatus.UNREACHABLE),
    "500": (says(b"", status=500), NodeStatus.FAULTY),
    "counts too many": (says(allele_answer("GB", Total=(30, 20))), NodeStatus.FAULTY),
    "is another": (says(allele_answer("XX", Total=(3, 20))), NodeStatus.FAULTY),
    "an error as answer": (says(error(400, "no")), NodeStatus.FAULTY),
    "refuses": (says(error(400, "no"), status=400), NodeStatus.REFUSED),
    "withholds": (says(withheld("GB")), NodeStatus.WITHHELD),
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_what_one_node_does_leaves_the_others_numbers_as_they_are(name: str) -> None:
    behave, status = NEIGHBOURS[name]
    told = variant(FI=says(allele_answer("FI", Total=(30, 200))), GB=behave)
    assert told.exists
    assert told.frequencies == with_intervals([Cell("Total", 30, 200)])
    assert [node.status for node in told.nodes] == [NodeStatus.ANSWERED, status]
    assert told.nodes[1].frequencies == ()
    assert (told.nodes[1].message == "") == (status is NodeStatus.WITHHELD)
    assert told.nodes[1].floor == (10 if status is NodeStatus.WITHHELD else None)


def test_a_node_that_answers_about_another_allele_is_faulty() -> None:
    other = answer("FI", [result_set("A", [record(99, "A", "T", {"Total": (30, 200)})])])
    told = variant(FI=says(other))
    assert told.nodes[0].status is NodeStatus.FAULTY
    assert "asked for one allele" in told.nodes[0].message
    assert not told.exists


def test_each_node_is_asked_for_the_allele_in_the_schemas_form() -> None:
    async def run() -> Any:
        async with network_of(FI=says(withheld("FI"))) as (network, found):
            await ask_variant(network, ALLELE)
            return found["FI"].asked[0].json

    asked = asyncio.run(run())
    assert asked["meta"]["apiVersion"]
    assert asked["query"]["requestParameters"] == {
        "g_variant": {
            "assemblyId": "GRCh37",
            "referenceName": "22",
            "start": [99],
            "referenceBases": "A",
            "alternateBases": "G",
        }
    }
    assert asked["query"]["requestedGranularity"] == "record"


def test_people_of_two_datasets_count_once_in_a_region() -> None:
    def sets(*sizes: tuple[str, int, int]) -> list[dict[str, Any]]:
        return [result_set(name, [record(99, "A", "G", {"Total": (ac, an)})]) for name, ac, an in sizes]

    shares = answer("FI", sets(("A", 3, 12), ("B", 30, 200), ("C", 5, 40)))
    shares["response"]["info"] = {"shared": [["A", "B"]]}
    [row] = region(FI=says(shares)).rows
    assert row.frequencies == with_intervals([Cell("Total", 35, 240)])
    [row] = region(FI=says(answer("FI", sets(("A", 3, 12), ("B", 30, 200))))).rows
    assert row.frequencies == with_intervals([Cell("Total", 33, 212)])


def test_a_region_is_merged_by_position() -> None:
    told = region(
        FI=says(
            answer(
                "FI",
                [
                    result_set(
                        "A",
                        [record(99, "A", "G", {"Total": (30, 200)}), record(150, "CT", "C", {"Total": (12, 200)})],
                    )
                ],
            )
        ),
        ES=says(
            answer(
                "ES",
                [
                    result_set("B", [record(99, "A", "G", {"Total": (10, 100)})]),
                    result_set(
                        "C", [record(20, "T", "A", {"Total": (11, 50)}), record(99, "A", "G", {"Total": (1, 9)})]
                    ),
                ],
            )
        ),
        GB=stubs.hangs,
    )
    assert [(row.text, row.start, row.end, row.nodes, row.frequencies) for row in told.rows] == [
        ("22-21-T-A", 20, 21, 1, with_intervals([Cell("Total", 11, 50)])),
        ("22-100-A-G", 99, 100, 2, with_intervals([Cell("Total", 41, 309)])),
        ("22-151-CT-C", 150, 152, 1, with_intervals([Cell("Total", 12, 200)])),
    ]
    assert (told.total, told.complete) == (3, False)  # one node is not there
    assert [(node.status, node.count) for node in told.nodes] == [
        (NodeStatus.ANSWERED, 2),
        (NodeStatus.ANSWERED, 2),
        (NodeStatus.LATE, None),
    ]


def many(id_: str, starts: range, **more: Any) -> dict[str, Any]:
    return answer(id_, [result_set("A", [record(at, "A", "G", {"Total": (20, 200)}) for at in starts])], **more)


def test_rows_are_paged() -> None:
    told = region(skip=3, limit=2, FI=says(many("FI", range(0, 100, 10))))
    assert (told.total, told.skip, told.limit, told.complete) == (10, 3, 2, True)
    assert [row.start for row in told.rows] == [30, 40]


def test_a_region_that_a_node_cuts_is_never_summed_beyond_its_cut() -> None:
    told = region(FI=says(many("FI", range(0, 100, 10), numTotalResults=500)), ES=says(many("ES", range(0, 900, 10))))
    assert not told.complete
    assert [row.start for row in told.rows] == list(range(0, 90, 10))
    assert {row.nodes for row in told.rows} == {2}
    assert told.total == 9


def test_a_cut_page_without_order_is_not_summed_at_all() -> None:
    told = region(FI=says(many("FI", range(90, 0, -10), numTotalResults=500)), ES=says(many("ES", range(0, 50, 10))))
    assert (told.complete, told.total) == (False, 0)


def cohort(**behaviours: Behaviour) -> CohortAnswer:
    async def run() -> CohortAnswer:
        async with network_of(**behaviours) as (network, _):
            return await ask_cohort(network, CohortQuestion("sex=female", beacon.BeaconQuery()))

    return asyncio.run(run())


def test_people_are_summed_over_nodes() -> None:
    told = cohort(
        FI=says(people("FI", 54, {"A": 50, "B": 4})),
        ES=says(people("ES", 20)),
        IT=says(people("IT", 0)),
        GB=says(withheld("GB", floor=20)),
        FR=stubs.closes,
    )
    assert (told.query, told.exists, told.count) == ("sex=female", True, 74)
    assert [(node.id, node.status, node.count, node.floor) for node in told.nodes] == [
        ("FI", NodeStatus.ANSWERED, 54, None),
        ("ES", NodeStatus.ANSWERED, 20, None),
        ("IT", NodeStatus.ANSWERED, 0, None),
        ("GB", NodeStatus.WITHHELD, None, 20),
        ("FR", NodeStatus.UNREACHABLE, None, None),
    ]
    assert [(d.id, d.count) for d in told.nodes[0].datasets] == [("A", 50), ("B", 4)]


def test_nobody_told_is_not_nobody_there() -> None:
    told = cohort(GB=says(withheld("GB")))
    assert (told.exists, told.count, told.nodes[0].status) == (False, 0, NodeStatus.WITHHELD)


def told_of(**parts: Any) -> Told:
    """A node's answer about one allele, with these cells in datasets A, B ..., and its own combination of them."""
    combined = parts.pop("combined", None)
    sets = [result_set(id_, [record(99, "A", "G", cells)]) for id_, cells in parts.items()]
    return read_variants(Node(id="FI", url="http://fi"), json.dumps(answer("FI", sets, combined)).encode())


def test_a_population_that_the_combination_leaves_out_is_added_where_one_dataset_tells_it() -> None:
    combined = {"Total": (40, 300), "FI": (40, 300)}
    told = told_of(
        A={"FI": (30, 200), "FI:FIN": (30, 200), "FI:SAM": (5, 50)},
        B={"FI": (12, 110), "FI:SAM": (7, 60)},
        combined=combined,
    )
    assert allele_sum(told) == (Cell("Total", 40, 300), Cell("FI", 40, 300), Cell("FI:FIN", 30, 200))
    told = told_of(A={"FI": (30, 200), "ES": (9, 20)}, B={"FI": (12, 110)}, combined=combined)
    assert allele_sum(told) == (Cell("Total", 40, 300), Cell("FI", 40, 300))  # it left ES out knowingly


def cut_page(total: int, **sets: tuple[range, int]) -> Told:
    """A page of a node that counts `total` alleles; each dataset with the starts that it gives and its own count."""
    given = [
        result_set(id_, [record(at, "A", "G", {"Total": (20, 200)}) for at in starts], resultsCount=count)
        for id_, (starts, count) in sets.items()
    ]
    document = answer("FI", given, numTotalResults=total)
    return read_variants(Node(id="FI", url="http://fi"), json.dumps(document).encode())


def test_records_that_do_not_say_their_allele_make_a_region_incomplete() -> None:
    cells = {"Total": (20, 200)}
    bare = record(50, "A", "", cells) | {"variantInternalId": "1234"}
    records = [record(9, "A", "G", cells), bare, bare, record(70, "A", "G", cells)]
    told = region(FI=says(answer("FI", [result_set("A", records)], numTotalResults=4)))
    assert (told.total, told.complete, [row.start for row in told.rows]) == (2, False, [9, 70])


@pytest.mark.parametrize(
    ("told", "last"),
    [
        # our nodes: one page over all datasets, which ends where the last of them ends
        (cut_page(50, A=(range(0, 60, 20), 30), B=(range(0, 70, 10), 40)), 60),
        (cut_page(50, A=(range(0, 60, 20), 3), B=(range(0, 70, 10), 40)), 60),
        # a page for each dataset: the first to end decides
        (cut_page(50, A=(range(0, 50, 10), 30), B=(range(0, 250, 50), 40)), 40),
        # only the sum says that there is more
        (cut_page(50, A=(range(0, 50, 10), 5)), 40),
    ],
    ids=["one page", "one of two cut", "a page each", "by the sum"],
)
def test_rows_are_whole_up_to_where_a_cut_page_ends(told: Told, last: int) -> None:
    elsewhere = cut_page(30, C=(range(0, 300, 10), 30))
    merged = merge_rows([told, elsewhere])
    assert not merged.complete
    assert [place.start for place, _ in merged.rows] == list(range(0, last, 10))
