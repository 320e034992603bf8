# SPDX-License-Identifier: Apache-2.0
"""The same four nations, not declared open: exactly the cells that the rule tells, and nothing else."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.journeys.conftest import Nations
from tests.journeys.nations import (
    CHR22_37,
    CHRX,
    KINDS,
    Cells,
    added,
    beacon_cells,
    hub_cells,
    text_of,
    told,
    variant_query,
)
from tests.journeys.network import Served, beacon_query
from tests.oracles import genotypes as oracle
from tests.oracles.real_genomes import COUNTRIES, FILES, plain_counts

pytestmark = [pytest.mark.shared, pytest.mark.bcftools]

FLOOR = 10
REGION = (16_050_000, 16_650_000)
"""All of the file of chromosome 22."""
PAGE = 300


def expected_of(counted: oracle.Counted, country: str) -> dict[str, Cells]:
    """By allele what a country's node must tell; alleles of which it tells nothing are not in it."""
    cells = {text_of(key): told("GRCh37", key, mine, country, FLOOR) for key, mine in counted.items()}
    return {text: mine for text, mine in cells.items() if mine}


@pytest.mark.parametrize("country", COUNTRIES)
def test_node_tells_at_every_site_what_the_rule_lets_out(
    closed_nations: Nations, counted: oracle.Counted, country: str
) -> None:
    expected = expected_of(counted, country)
    assert len(expected) > 400
    assert dict(pages(closed_nations.nodes[country], f"{country}-{KINDS[CHR22_37]}")) == expected


def pages(node: Served, dataset: str) -> Iterator[tuple[str, Cells]]:
    """All that a node tells of the region, page by page, in order, each allele once."""
    start, end = REGION
    place = {"assemblyId": "GRCh37", "referenceName": "22", "start": [start], "end": [end]}
    last, total, seen = -1, None, 0
    while total is None or seen < total:
        page = {"skip": seen, "limit": PAGE}
        query = beacon_query(requestParameters={"g_variant": place}, pagination=page)
        answer = node.post("/beacon/v2/g_variants", query)
        total = answer["responseSummary"]["numTotalResults"]
        results = [
            record for each in answer["response"]["resultSets"] if each["id"] == dataset for record in each["results"]
        ]
        assert results, (seen, total)
        for record in results:
            variation = record["variation"]
            at = variation["location"]["interval"]["start"]["value"]
            assert at >= last
            last = at
            text = record["variantInternalId"].removeprefix("GRCh37-")
            # symbolic alternates are in the id only
            assert text.startswith(f"22-{at + 1}-{variation['referenceBases']}-{variation['alternateBases']}")
            yield text, beacon_cells(record["frequencyInPopulations"])
        seen += len(results)


def test_hub_sums_at_every_site_what_the_nodes_told(closed_nations: Nations, counted: oracle.Counted) -> None:
    by_country = [expected_of(counted, country) for country in COUNTRIES]
    expected = {text: added(mine[text] for mine in by_country if text in mine) for mine in by_country for text in mine}
    found: dict[str, Cells] = {}
    width = 100_000
    for start in range(*REGION, width):
        answer = closed_nations.hub.get(
            "/api/region", q=f"22:{start + 1}-{start + width}", assembly="GRCh37", limit=1000
        )
        assert answer["complete"]
        assert answer["total"] == len(answer["rows"])
        found |= {row["text"]: hub_cells(row["frequencies"]) for row in answer["rows"]}
    assert found == expected


def test_few_and_none_look_alike(closed_nations: Nations, counted: oracle.Counted) -> None:
    node = closed_nations.nodes["FI"]
    nobody = ("22", 16_060_000, "A", "T")
    assert nobody not in counted
    few = [key for key, cells in counted.items() if 0 < copies(cells, "FI") < FLOOR]
    answers = [node.post("/beacon/v2/g_variants", beacon_query(**variant_query("GRCh37", key))) for key in few[:20]]
    absent = node.post("/beacon/v2/g_variants", beacon_query(**variant_query("GRCh37", nobody)))
    for answer in answers:
        assert answer["responseSummary"] == absent["responseSummary"]
        assert answer["response"] == absent["response"]
    summary = absent["responseSummary"]
    assert (summary["exists"], summary["numTotalResults"]) == (False, 0)
    assert (summary["countPrecision"], summary["countAdjustedTo"]) == ("imprecise", [FLOOR - 1])


def copies(cells: Mapping[oracle.Cell, tuple[int, int, int, int]], country: str) -> int:
    return sum(het + 2 * hom + hemi for (nation, *_), (het, hom, hemi, _) in cells.items() if nation == country)


def test_men_have_one_copy_of_x(shared: Path, closed_nations: Nations) -> None:
    """25 people: a country's cell is told at the commonest sites only, and no sex ever has ten of each kind."""
    people = closed_nations.people[CHRX]["GB"]
    counted = plain_counts(shared / "data/genomes" / CHRX, FILES[CHRX], people, 400)
    expected = {text_of(key): told("GRCh37", key, cells, "GB", FLOOR) for key, cells in counted.items()}
    assert any(expected.values())
    for text, cells in expected.items():
        answer = closed_nations.hub.get("/api/variant", q=text, assembly="GRCh37")
        assert hub_cells(answer["frequencies"]) == cells, text
        assert {node["status"] for node in answer["nodes"] if node["country"] != "GB"} == {"withheld"}
