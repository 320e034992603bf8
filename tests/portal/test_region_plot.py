# SPDX-License-Identifier: Apache-2.0
"""Variants of a region: each dot at its place and frequency."""

import pytest

from megagenome.portal.region_plot import Spot, region_plot
from tests.portal.document import parse_svg


def spots(text: str) -> list[tuple[float, float]]:
    circles = parse_svg(text).iter("circle")
    return [(float(c.get("cx", "").rstrip("%")), float(c.get("cy", "").rstrip("%"))) for c in circles]


def test_dots_are_at_place_and_frequency_counted_from_the_top() -> None:
    text = region_plot([Spot(100, 0.01), Spot(149, 0.02), Spot(199, 0.005)], 100, 200, "p", "Title", "Words")
    assert spots(text) == [(0.5, 50.0), (49.5, 0.0), (99.5, 75.0)]


def test_ends_are_labelled_from_one_for_people() -> None:
    root = parse_svg(region_plot([Spot(16049999, 0.01)], 16049999, 16060000, "p", "t", "w"))
    labels = [text.text for text in root.iter("text") if (text.get("class") or "").startswith("place")]
    assert labels == ["16,050,000", "16,055,000", "16,060,000"]


def test_a_deletion_that_begins_before_the_region_is_drawn_at_its_edge() -> None:
    assert spots(region_plot([Spot(50, 0.01)], 100, 200, "p", "t", "w"))[0][0] == 0


@pytest.mark.parametrize("values", [[], [0.0], [1.0], [1e-7, 1.0]])
def test_any_frequencies_can_be_drawn(values: list[float]) -> None:
    text = region_plot([Spot(100, value) for value in values], 100, 101, "p", "t", "w")
    assert all(0 <= y <= 100 for _, y in spots(text))
