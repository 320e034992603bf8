# SPDX-License-Identifier: Apache-2.0
"""Quality plots: every sample is where its numbers put it, and the table says the same numbers."""

import re
from collections.abc import Sequence

import pytest

from megagenome.portal.quality_plots import SEX_STYLES, QualityPlot, quality_plots
from megagenome.standards.validation_report import QualityControl, SampleQuality
from tests.portal.document import parse_svg
from tests.portal.fake_hub import EVIL

ANN = SampleQuality(
    "Ann", 90, 10, het=40, hom_alt=20, transitions=40, transversions=20, x_het=50, x_hom_alt=50, x_called=200,
    y_called=0, y_sites=40, stated_sex="female", observed_sex="female",
)  # fmt: skip
BOB = SampleQuality(
    "Bob", 99, 1, het=30, hom_alt=30, transitions=30, transversions=30, x_called=100, x_haploid=100, y_called=40,
    y_sites=40, stated_sex="female", observed_sex="male",
)  # fmt: skip
QUIET = SampleQuality("Quiet")


def plots(*samples: SampleQuality) -> Sequence[QualityPlot]:
    return quality_plots(QualityControl(100, 2, 1, samples))


def marks(drawing: str) -> dict[str, list[tuple[int, int]]]:
    """Dots by class, in units of the field: 2000 across, 1000 from the top."""
    found = {}
    for path in parse_svg(drawing).iter("path"):
        style = (path.get("class") or "").removeprefix("dots ")
        found[style] = [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h0", path.get("d") or "")]
    return found


def test_call_rates() -> None:
    plot = plots(BOB, ANN)[0]
    # from 0.9 up to 1: 0.9 is at the bottom, 0.99 a tenth below the top; two samples share the width
    assert marks(plot.drawing)["turn-0"] == [(500, 1000), (1500, 100)]
    assert plot.rows == (("Ann", "90.00%", "10"), ("Bob", "99.00%", "1"))
    assert "the lowest call rate is 90.00%, of Ann" in plot.said


def test_ratios() -> None:
    plot = plots(ANN, BOB)[1]
    # het/hom 2 and 1, Ti/Tv 2 and 1: both axes from 1 to 2
    assert sorted(marks(plot.drawing)["turn-0"]) == [(0, 1000), (2000, 0)]
    assert set(plot.rows) == {("Ann", "40", "20", "2.00", "2.00"), ("Bob", "30", "30", "1.00", "1.00")}
    assert "median het/hom 1.50, median Ti/Tv 1.50" in plot.said


def test_sexes_are_coloured_by_what_is_stated_and_contradictions_come_first() -> None:
    plot = plots(ANN, BOB)[2]
    assert marks(plot.drawing) == {SEX_STYLES["female"]: [(0, 0), (1000, 1000)]}
    assert [row[:3] for row in plot.rows] == [("Bob", "female", "male"), ("Ann", "female", "female")]
    assert plot.rows[0][3:] == ("–", "1.00", "1.00")
    assert "X and Y of 1 tell another sex than the people tables: Bob." in plot.said


def test_nothing_is_drawn_of_nothing() -> None:
    assert plots(QUIET) == ()
    assert len(plots()) == 0
    assert len(plots(SampleQuality("A", called=5))) == 1


def test_thousands_are_drawn_and_fifty_are_named() -> None:
    many = [SampleQuality(f"S{k}", called=900 + k % 100, missing=100 - k % 100) for k in range(3000)]
    plot = plots(*many)[0]
    assert (len(plot.rows), plot.left_out) == (50, 2950)
    assert len(marks(plot.drawing)["turn-0"]) > 1900
    assert len(plot.drawing) < 100_000


def test_a_rate_below_one_is_never_called_one() -> None:
    assert plots(SampleQuality("A", called=10**9, missing=1))[0].rows[0][1] == "99.99%"


@pytest.mark.parametrize("number", [0, 1, 2])
def test_names_of_samples_are_escaped(number: int) -> None:
    evil = SampleQuality(EVIL, *[getattr(ANN, name) for name in SampleQuality.__struct_fields__[1:]])
    assert "<script" not in plots(evil, BOB)[number].drawing
    parse_svg(plots(evil)[number].drawing)
