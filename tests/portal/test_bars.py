# SPDX-License-Identifier: Apache-2.0
"""Bars: as long as their counts, none where none was told."""

import pytest

from megagenome.portal.bars import Bar, bar_chart
from tests.portal.document import parse_svg
from tests.portal.fake_hub import EVIL

BARS = [Bar("Finland", 1204), Bar("Malta", 0), Bar("Estonia", None, "withheld"), Bar("Italy", 301)]


def test_bars_are_proportional_from_zero() -> None:
    root = parse_svg(bar_chart(BARS, "b", "Title", "Words"))
    widths = [float(rect.get("width", "").rstrip("%")) for rect in root.iter("rect")]
    assert widths == [pytest.approx(1204 / 15, abs=0.01), 0.0, pytest.approx(301 / 15, abs=0.01)]
    ticks = [text.text for text in root.iter("text") if text.get("class") == "tick"]
    assert ticks == ["0", "500", "1,000", "1,500"]


def test_what_is_withheld_has_words_in_place_of_a_bar_and_a_number() -> None:
    root = parse_svg(bar_chart(BARS, "b", "Title", "Words"))
    texts = [(text.get("class"), text.text) for text in root.iter("text")]
    assert ("note", "withheld") in texts
    assert [text for style, text in texts if style == "number"] == ["1,204", "0", "301"]


def test_people_are_not_halved() -> None:
    root = parse_svg(bar_chart([Bar("Malta", 1)], "b", "t", "w"))
    assert [text.text for text in root.iter("text") if text.get("class") == "tick"] == ["0", "1"]


def test_nothing_told_is_still_a_chart() -> None:
    root = parse_svg(bar_chart([Bar("Malta", None, "too late")], "b", "t", "w"))
    assert not list(root.iter("rect"))


def test_texts_are_escaped() -> None:
    assert "<script" not in bar_chart([Bar(EVIL, 3), Bar(EVIL, None, EVIL)], "b", EVIL, EVIL)
