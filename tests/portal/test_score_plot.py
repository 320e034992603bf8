# SPDX-License-Identifier: Apache-2.0
"""Histograms in which areas are people, whatever the widths of bins."""

import re

import numpy as np
import pytest

from megagenome.portal.axes import ACROSS, UP
from megagenome.portal.score_plot import Histogram, score_plot
from tests.portal.document import parse_svg


def area(text: str) -> float:
    """Of the first band, as a share of the field, by the shoelace formula."""
    drawn = next(each.get("d", "") for each in parse_svg(text).iter("path") if "band" in each.get("class", ""))
    points = [(int(x), int(y)) for x, y in re.findall(r"(\d+) (\d+)", drawn)]
    turned = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1], strict=True))
    return abs(turned) / 2 / (ACROSS * UP)


@pytest.mark.parametrize("edges", [[0, 1, 2, 3, 4], [0, 0.5, 1, 3, 4]])
def test_the_area_is_one_whatever_the_bins(edges: list[float]) -> None:
    low, high = np.array(edges[:-1], np.float64), np.array(edges[1:], np.float64)
    people = (high - low) * 25  # as many for each unit: a flat line at 0.25
    text = score_plot(low, high, [Histogram("people", people)], "s", "t", "d")
    assert area(text) == pytest.approx(0.25 / 0.25, abs=0.01), "four units wide, and the axis ends at 0.25"


def test_a_withheld_bin_is_left_open() -> None:
    low = np.arange(4.0)
    people = np.array([10.0, np.nan, 10.0, 10.0])
    text = score_plot(low, low + 1, [Histogram("people", people)], "s", "t", "d")
    assert text.count('class="band') == 2


def test_empty_ends_are_not_drawn() -> None:
    low = np.arange(-10.0, 10.0)
    people = np.where(np.abs(low) < 2, 5.0, 0.0)
    text = score_plot(low, low + 1, [Histogram("cases", people), Histogram("controls", people)], "s", "t", "d")
    ticks = [each.text for each in parse_svg(text).iter("text") if each.get("class") == "tick"]
    assert ticks[0] in ("−1", "−2")
    assert ticks[-1] == "2"
