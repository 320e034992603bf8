# SPDX-License-Identifier: Apache-2.0
"""Dots and intervals: each where plain arithmetic puts it."""

import itertools

import pytest

from megagenome.portal.dot_plot import Dot, dot_plot
from megagenome.portal.scale import linear_scale, log_scale
from tests.portal.document import parse_svg
from tests.portal.fake_hub import EVIL

DOTS = [Dot("All people", 0.01, 0.008, 0.012, strong=True), Dot("Finland", 0.015, 0.005, 0.05, gap=True)]


def marks(text: str) -> tuple[list[float], list[tuple[float, float]]]:
    """Places of dots, and the ends of intervals, in per cent of the field."""
    root = parse_svg(text)
    dots = [float(dot.get("cx", "").rstrip("%")) for dot in root.iter("circle")]
    lines = [line for line in root.iter("line") if line.get("class") == "interval"]
    return dots, [(float(line.get("x1", "").rstrip("%")), float(line.get("x2", "").rstrip("%"))) for line in lines]


def test_dots_are_proportional_on_a_linear_axis_and_long_intervals_are_cut_at_its_end() -> None:
    dots, intervals = marks(dot_plot(DOTS, linear_scale(0.02), "d", "Title", "Words"))
    assert dots == [50.0, 75.0]
    assert intervals == [(40.0, 60.0), (25.0, 100.0)]


def test_dots_are_proportional_to_the_logarithm_on_a_log_axis() -> None:
    dots, _ = marks(dot_plot([Dot("a", 0.001, 0, 1), Dot("b", 0.0, 0, 0.001)], log_scale(0.0001, 1), "d", "t", "w"))
    assert dots == [pytest.approx(25), 0.0]


def test_rows_say_label_and_number_and_a_sum_is_strong() -> None:
    root = parse_svg(dot_plot(DOTS, linear_scale(0.02), "d", "Title", "Words"))
    rows = [group for group in root.iter("g") if (group.get("class") or "").startswith("row")]
    assert [group.get("class") for group in rows] == ["row strong", "row"]
    assert ["".join(t.text or "" for t in group.iter("text")) for group in rows] == [
        "All people1.0\u202f%",
        "Finland1.5\u202f%",
    ]
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "d-title d-desc")
    assert [root.findtext("title"), root.findtext("desc")] == ["Title", "Words"]


def test_rows_do_not_overlap_and_the_drawing_holds_them() -> None:
    root = parse_svg(dot_plot([*DOTS, *DOTS], linear_scale(0.02), "d", "t", "w"))
    heights = [float(dot.get("cy", "")) for dot in root.iter("circle")]
    assert all(later - earlier >= 26 for earlier, later in itertools.pairwise(heights))
    assert heights[-1] + 26 < float(root.get("height", ""))


def test_texts_are_escaped() -> None:
    text = dot_plot([Dot(EVIL, 0.1, 0, 0.2)], linear_scale(0.2), "d", EVIL, EVIL)
    assert "<script" not in text
    parse_svg(text)
