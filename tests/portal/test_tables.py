# SPDX-License-Identifier: Apache-2.0
"""CSV read back by the standard library: exact numbers, and nothing that a spreadsheet would run."""

import csv
import io

from megagenome.portal import tables
from tests.portal import fake_hub


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_frequencies_are_the_networks_and_then_each_nodes() -> None:
    answer = fake_hub.ordinary()
    rows = read(tables.frequencies_csv(answer))
    told = list(answer.frequencies)
    assert [(row["population"], int(row["allele_count"]), float(row["low_95"])) for row in rows if not row["node"]] == [
        (cell.population, cell.allele_count, cell.low) for cell in told
    ]
    assert [row["node"] for row in rows[len(told) :]] == [
        "org.example.fi",
        "org.example.gb",
        "org.example.es",
        "org.example.it",
    ]
    finnish_women = next(row for row in rows if row["population"] == "FI_F")
    assert (finnish_women["country"], finnish_women["sex"], finnish_women["homozygous"]) == ("FI", "F", "")
    assert {row["assembly"] for row in rows} == {"GRCh37"}


def test_nodes_say_how_they_took_part() -> None:
    rows = read(tables.nodes_csv(fake_hub.counts()))
    assert [(row["country"], row["status"], row["count"], row["floor"]) for row in rows] == [
        ("FI", "answered", "1204", "10"),
        ("GB", "answered", "412", "10"),
        ("IT", "answered", "23", "10"),
        ("MT", "answered", "0", "0"),
        ("EE", "withheld", "", "10"),
        ("SE", "refused", "", "10"),
    ]
    assert {row["question"] for row in rows} == {fake_hub.counts().query}


def test_variants_of_a_region_are_counted_from_one() -> None:
    answer = fake_hub.many_rows(0, 30, 30)
    rows = read(tables.variants_csv(answer))
    assert [int(row["pos1"]) for row in rows] == [row.start + 1 for row in answer.rows]
    assert [row["allele_count"] == "" for row in rows] == [not row.frequencies for row in answer.rows]


def test_the_network_has_a_row_for_each_dataset_and_one_for_a_node_without() -> None:
    network = fake_hub.states(("FI", "GB"))
    bare = fake_hub.NodeList((*network.nodes, fake_hub.NodeState("x", "X", "EE", "u", fake_hub.NodeStatus.LATE, 5.0)))
    rows = read(tables.network_csv(bare))
    assert [row["dataset"] for row in rows] == [
        "GDI-FI-COHORT-001",
        "GDI-FI-RARE-001",
        "GDI-GB-COHORT-001",
        "GDI-GB-RARE-001",
        "",
    ]
    assert [row["open"] for row in rows] == ["False", "False", "True", "False", ""]
