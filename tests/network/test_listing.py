# SPDX-License-Identifier: Apache-2.0
"""What the network is made of: nodes, datasets, terms."""

import asyncio
from typing import Any

from megagenome.network.listing import unite
from megagenome.network.settings import NetworkSettings
from megagenome.standards.beacon import FilteringTerm, FilteringTerms, Resource
from tests.network import stubs
from tests.network.documents import info
from tests.network.hub import Serving, asking, node, serving
from tests.network.stubs import routes


def test_terms_are_found_by_name_and_id_and_asked_for_once() -> None:
    async def ask(hub: Serving) -> Any:
        found = [
            [t["id"] for t in (await hub.get("/api/terms", q=q))["terms"]] for q in ("seiz", "icd10:i8", "x y", "")
        ]
        return found, len(hub.nodes["FI"].asked)

    found, asked = asking(ask, FI=node("FI"))
    assert found == [["HP:0001250"], ["ICD10:I83"], [], ["HP:0001250", "ICD10:I83", "smokingFI"]]
    assert asked == 1


def test_a_node_that_hangs_holds_up_one_reader_of_terms_and_not_each() -> None:
    async def run() -> Any:
        async with serving(NetworkSettings(deadline_s=0.2), FI=node("FI"), ES=stubs.hangs) as hub:
            found = [(await hub.get("/api/terms", q="seiz"))["terms"] for _ in range(3)]
            return found, len(hub.nodes["ES"].asked)

    found, asked = asyncio.run(run())
    assert [len(terms) for terms in found] == [1, 1, 1]
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


def test_nodes_tell_their_version_and_datasets_and_the_worse_of_two_answers_counts() -> None:
    listless = routes({"/beacon/v2/info": info("ES")})
    told = asking(lambda hub: hub.get("/api/nodes"), FI=node("FI"), ES=listless, GB=stubs.closes)["nodes"]
    assert [(each["id"], each["status"], each["version"]) for each in told] == [
        ("FI", "answered", "0.1.0"),
        ("ES", "refused", "0.1.0"),
        ("GB", "unreachable", ""),
    ]
    assert told[0]["datasets"] == [{"id": "D-FI", "name": "Data", "description": "", "open": True, "people_tier": ""}]


def test_a_node_that_lists_a_dataset_twice_is_faulty() -> None:
    twice = {"response": {"collections": [{"id": "A", "name": "A"}] * 2}}
    behave = routes({"/beacon/v2/info": info("FI"), "/beacon/v2/datasets": twice})
    (told,) = asking(lambda hub: hub.get("/api/nodes"), FI=behave)["nodes"]
    assert (told["status"], told["datasets"]) == ("faulty", [])
    assert "lists a dataset twice" in told["message"]


def test_a_term_of_several_nodes_stands_once_with_the_first_label_and_all_scopes() -> None:
    hp, ncit = Resource("hp", "HPO"), Resource("ncit", "NCI Thesaurus")
    first = FilteringTerms((FilteringTerm("b", "custom", scopes=("individual",), values=("x",)),), (ncit,))
    second = FilteringTerms(
        (FilteringTerm("b", "custom", "B", ("individual", "run"), ("y", "x")), FilteringTerm("a", "custom", "A")),
        (hp, ncit),
    )
    assert unite([first, second]) == FilteringTerms(
        (FilteringTerm("a", "custom", "A"), FilteringTerm("b", "custom", "B", ("individual", "run"), ("x", "y"))),
        (hp, ncit),
    )
    assert unite([]) == FilteringTerms()
