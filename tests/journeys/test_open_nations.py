# SPDX-License-Identifier: Apache-2.0
"""Four nations declared their genomes open: every answer, of each node and of the hub, is the exact count."""

import json
from pathlib import Path

import pytest

from tests.journeys.conftest import Nations
from tests.journeys.nations import (
    CHR22_37,
    CHR22_38,
    CHRX,
    KINDS,
    SPARSE,
    Cells,
    added,
    beacon_cells,
    carried,
    hub_cells,
    text_of,
    told,
    variant_query,
)
from tests.journeys.network import Served, beacon_query
from tests.oracles import genotypes as oracle
from tests.oracles.real_genomes import COUNTRIES, FILES, plain_counts

pytestmark = [pytest.mark.shared, pytest.mark.bcftools]

SAMPLED = {CHR22_37: 100, CHR22_38: 50, SPARSE: 40, CHRX: 1000}
"""Of each file every so many-th record is asked for."""


@pytest.mark.parametrize("name", FILES)
def test_counts_by_country_and_sex_are_those_of_bcftools(shared: Path, open_nations: Nations, name: str) -> None:
    genome, people = FILES[name], open_nations.people[name]
    everybody = [one for mine in people.values() for one in mine]
    counted = plain_counts(shared / "data/genomes" / name, genome, everybody, SAMPLED[name])
    assert len(counted) > 10
    found = 0
    for key, cells in counted.items():
        expected = {country: told(genome, key, cells, country, 0) for country in COUNTRIES}
        found += any(map(carried, expected.values()))
        for country, node in open_nations.nodes.items():
            assert node_answer(node, f"{country}-{KINDS[name]}", genome, key) == expected[country], key
        assert hub_answer(open_nations, genome, key) == expected, key
    assert found > 10


def node_answer(node: Served, dataset: str, genome: str, key: oracle.Key) -> Cells:
    """What a node's Beacon tells of one dataset. No other may have the allele, and the sum is that dataset's; where
    nobody carries the allele there is the sum alone, which says in how many it was looked for."""
    answer = node.post("/beacon/v2/g_variants", beacon_query(**variant_query(genome, key)))
    sets = {each["id"]: each for each in answer["response"]["resultSets"]}
    records = {id_: each["results"] for id_, each in sets.items() if each["exists"]}
    assert records.keys() <= {dataset}
    assert answer["responseSummary"]["exists"] == bool(records)
    notes = answer["response"].get("info", {})
    combined = beacon_cells([notes["combined"]]) if "combined" in notes else {}
    if not records:
        assert not carried(combined)
        return combined
    [record] = records[dataset]
    cells = beacon_cells(record["frequencyInPopulations"])
    assert combined == {label: cell for label, cell in cells.items() if ":" not in label}
    return cells


def hub_answer(network: Nations, genome: str, key: oracle.Key) -> dict[str, Cells]:
    """What the hub says that each node told; its sums, in its API and its Beacon, are theirs."""
    answer = network.hub.get("/api/variant", q=text_of(key), assembly=genome)
    nodes = {node["country"]: hub_cells(node["frequencies"]) for node in answer["nodes"]}
    assert {node["status"] for node in answer["nodes"]} == {"answered"}
    assert hub_cells(answer["frequencies"]) == added(nodes.values())
    assert answer["exists"] == any(map(carried, nodes.values()))
    beacon = network.hub.post("/beacon/v2/g_variants", beacon_query(**variant_query(genome, key)))
    assert beacon["responseSummary"]["exists"] == answer["exists"]
    if answer["exists"]:
        assert beacon_cells([beacon["response"]["info"]["combined"]]) == added(nodes.values())
    return nodes


def test_facts_that_others_computed(shared: Path, open_nations: Nations) -> None:
    facts = json.loads((shared / "data/FACTS.json").read_text())["genomes"]
    compared = 0
    for name, genome in FILES.items():
        for site in facts[name]["sites"]:
            text = f"{site['chrom']}-{site['pos']}-{site['ref']}-{site['alt']}"
            answer = open_nations.hub.get("/api/variant", q=text, assembly=genome)
            for node in answer["nodes"]:
                country = f"country:{node['country']}"
                cells = hub_cells(node["frequencies"])
                ac, an = site["AC"].get(country, 0), site["AN"].get(country, 0)
                assert cells.get("Total", (0, 0))[:2] == (ac, an), site
                compared += bool(an)
    assert compared > 80


def test_region_has_each_allele_once_with_its_sums(open_nations: Nations, counted: oracle.Counted) -> None:
    start, end = 16_050_000, 16_060_000
    expected = {
        text_of(key): added(filter(carried, (told("GRCh37", key, cells, country, 0) for country in COUNTRIES)))
        for key, cells in counted.items()
        if key[1] < end and key[1] + len(key[2]) > start
    }
    expected = {text: cells for text, cells in expected.items() if cells}
    answer = open_nations.hub.get("/api/region", q=f"22:{start + 1}-{end}", assembly="GRCh37", limit=1000)
    assert len(expected) > 30
    assert {row["text"]: hub_cells(row["frequencies"]) for row in answer["rows"]} == expected
    assert (answer["total"], answer["complete"]) == (len(expected), True)
    assert [row["start"] for row in answer["rows"]] == sorted(row["start"] for row in answer["rows"])
