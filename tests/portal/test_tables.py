# SPDX-License-Identifier: Apache-2.0
"""CSV read back by the standard library: exact numbers, and nothing that a spreadsheet would run."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.portal import tables
from tests.portal import fake_hub


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "  =1"])
def test_a_text_like_a_formula_is_marked_as_text(cell: str) -> None:
    assert (
        next(csv.reader(io.StringIO(tables.to_csv(["a"], [[cell]]).splitlines(keepends=True)[1], newline="")))[0][0]
        == "'"
    )


def test_numbers_stay_exact_and_unmarked() -> None:
    assert tables.to_csv(["a", "b", "c"], [[-1.5, 1e-17, None]]) == "a,b,c\r\n-1.5,1e-17,\r\n"


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), min_size=1, max_size=3
    )
)
def test_every_text_comes_back(cells: list[str]) -> None:
    text = tables.to_csv([str(i) for i in range(len(cells))], [cells])
    back = list(csv.reader(io.StringIO(text, newline="")))[1]
    assert [cell.removeprefix("'") for cell in back] == [cell.removeprefix("'") for cell in cells]


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
