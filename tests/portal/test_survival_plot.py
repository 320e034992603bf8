# SPDX-License-Identifier: Apache-2.0
"""Curves that go down in steps, at the times of events, and who is at risk at round times."""

import numpy as np

from megagenome.portal.axes import ACROSS, UP
from megagenome.portal.survival_plot import Curve, at_risk, survival_plot
from tests.portal.document import parse_svg

CURVE = Curve("a", *(np.array(each) for each in ([2.0, 4.0], [10.0, 6.0], [0.8, 0.5], [0.6, 0.3], [0.9, 0.7])))


def path(text: str, style: str) -> str:
    return next(each.get("d", "") for each in parse_svg(text).iter("path") if each.get("class") == style)


def test_it_is_flat_from_1_and_steps_down_at_each_time() -> None:
    # the axis of time goes to 4
    drawn = path(survival_plot([CURVE], "s", "t", "d"), "line curve-0")
    half, fifth = ACROSS // 2, UP // 5
    assert drawn == f"M0 0L{half} 0L{half} {fifth}L{ACROSS} {fifth}L{ACROSS} {UP // 2}"


def test_the_band_lies_between_the_ends_of_the_interval() -> None:
    drawn = path(survival_plot([CURVE], "s", "t", "d"), "band curve-0")
    heights = {int(point.split()[1]) for point in drawn.strip("Mz").split("L")}
    assert heights == {0, 100, 300, 400, 700}


def test_a_withheld_step_is_left_out_and_not_drawn_as_nothing() -> None:
    curve = CURVE._replace(survival=np.array([np.nan, 0.5]), low=np.array([np.nan] * 2), high=np.array([np.nan] * 2))
    text = survival_plot([curve], "s", "t", "d")
    assert path(text, "line curve-0").count("L") == 2
    assert "band" not in text


def test_at_risk_is_of_the_next_event_and_of_none_after_the_last() -> None:
    assert at_risk(CURVE, [0, 2, 2.5, 4, 5]) == [10, 10, 6, 6, None]
    withheld = CURVE._replace(at_risk=np.array([np.nan, 6.0]))
    assert at_risk(withheld, [1, 3]) == [None, 6]


def test_each_of_ten_groups_has_a_line() -> None:
    text = survival_plot([CURVE._replace(label=str(k)) for k in range(10)], "s", "t", "d")
    assert sum(each.get("class", "").startswith("line") for each in parse_svg(text).iter("path")) == 10
