# SPDX-License-Identifier: Apache-2.0
"""Sums and intervals, against plain fractions."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.network.combine import Cell, People, Z, add, add_with_totals, wilson, with_intervals
from megagenome.standards.federation import Frequency

LABELS = ["Total", "M", "F", "FI", "FI_M", "FI_F", "ES", "FI:FIN"]


people = st.builds(People, *[st.integers(0, 10**6)] * 3)


@st.composite
def cells(draw: st.DrawFn) -> Cell:
    number = draw(st.integers(0, 2 * 10**7))
    return Cell(draw(st.sampled_from(LABELS)), draw(st.integers(0, number)), number, draw(st.none() | people))


parts = st.lists(st.lists(cells(), unique_by=lambda cell: cell.population, max_size=len(LABELS)), max_size=6)


@settings(max_examples=40)
@given(parts)
def test_sums_equal_plain_sums(given_parts: list[list[Cell]]) -> None:
    summed = {cell.population: cell for cell in with_intervals(add(given_parts))}
    flat = [cell for part in given_parts for cell in part]
    assert set(summed) == {cell.population for cell in flat}
    for label, cell in summed.items():
        same = [c for c in flat if c.population == label]
        count, number = sum(c.allele_count for c in same), sum(c.allele_number for c in same)
        assert (cell.allele_count, cell.allele_number) == (count, number)
        assert cell.allele_frequency == pytest.approx(float(Fraction(count, number)) if number else 0.0)
        told = [c.people for c in same if c.people is not None]
        genotypes = (cell.homozygous, cell.heterozygous, cell.hemizygous)
        if len(told) < len(same):
            assert genotypes == (None, None, None)
        else:
            assert genotypes == tuple(sum(one[kind] for one in told) for kind in range(3))


@settings(max_examples=40)
@given(parts)
def test_the_order_of_nodes_does_not_matter(given_parts: list[list[Cell]]) -> None:
    assert add(given_parts) == add(reversed(given_parts))


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_the_interval_is_where_the_score_test_turns(count: int, number: int) -> None:
    """Its ends solve |p - count/number| = z sqrt(p (1-p) / number): Wilson's own definition, in exact fractions."""
    count %= number + 1
    low, high = wilson(count, number)
    share = Fraction(count, number)
    assert 0 <= low <= share <= high <= 1
    for end in (Fraction(low), Fraction(high)):
        distance, spread = (end - share) ** 2, Fraction(Z) ** 2 * end * (1 - end) / number
        assert float(distance) == pytest.approx(float(spread), rel=1e-6, abs=1e-15)


def test_the_interval_at_the_ends() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 100)[0] == 0.0
    assert wilson(100, 100)[1] == 1.0
    # 10 of 100, as in Newcombe's tables (Statistics in Medicine 17 (1998) 857-872): 0.0552 to 0.1744
    assert wilson(10, 100) == pytest.approx((0.0552, 0.1744), abs=5e-5)


def test_nothing_told_has_no_frequency() -> None:
    assert with_intervals([Cell("FI", 0, 0)]) == (Frequency("FI", 0, 0, 0.0, 0.0, 1.0),)


def test_totals_that_a_node_leaves_out_are_the_sums_of_its_countries() -> None:
    told = [
        Cell("FI_F", 4, 50),
        Cell("ES", 20, 300, People(1, 18, 0)),
        Cell("FI", 10, 100, People(0, 10, 0)),
        Cell("FI:FIN", 10, 100),
    ]
    assert add_with_totals([told]) == (
        Cell("Total", 30, 400, People(1, 28, 0)),
        Cell("F", 4, 50),
        Cell("ES", 20, 300, People(1, 18, 0)),
        Cell("FI", 10, 100, People(0, 10, 0)),
        Cell("FI:FIN", 10, 100),
        Cell("FI_F", 4, 50),
    )


def test_a_total_that_a_node_tells_stands() -> None:
    told = (Cell("Total", 12, 120), Cell("FI", 10, 100))
    assert add_with_totals([told]) == told


def test_labels_have_an_order() -> None:
    shown = ["Total", "M", "F", "ES", "FI", "FI:FIN", "FI_F", "FI_M"]
    assert [cell.population for cell in add([[Cell(label, 0, 0) for label in sorted(shown)]])] == shown
