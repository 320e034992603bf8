# SPDX-License-Identifier: Apache-2.0
"""p-values along the genome: each in its place, all that matter drawn, and a million of them still a small drawing."""

import re

import numpy as np
import pytest

from megagenome.portal.axes import ACROSS, UP
from megagenome.portal.manhattan_plot import ALL_BELOW, Alleles, keep, manhattan_plot, place_alleles
from tests.portal.document import parse_svg


def alleles(contig: list[str], pos1: list[int], p: list[float]) -> Alleles:
    return Alleles(np.array(contig), np.array(pos1), np.array(p))


def points(text: str) -> list[tuple[int, int]]:
    paths = [path.get("d", "") for path in parse_svg(text).iter("path") if "dots" in path.get("class", "")]
    return [(int(x), int(y)) for path in paths for x, y in re.findall(r"M(\d+) (\d+)h0", path)]


def labels(text: str) -> list[str]:
    return [each.text or "" for each in parse_svg(text).iter("text") if each.get("class") == "tick"]


def test_dots_are_at_place_and_height() -> None:
    # the axis goes to 8: 1e-4 is half way up; 101 bases, of which the first, the middle and the last
    text = manhattan_plot(alleles(["1"] * 3, [100, 150, 200], [1.0, 1e-4, 1e-8]), "m", "t", "d")
    assert points(text) == [(round(0.5 / 101 * ACROSS), UP), (ACROSS // 2, UP // 2), (round(100.5 / 101 * ACROSS), 0)]


def test_chromosomes_stand_in_their_order_and_not_in_that_of_letters() -> None:
    names = ["2", "10", "X", "1", "MT", "Y", "22"]
    place = place_alleles(alleles(names, [5] * 7, [0.5] * 7))
    assert [name for name, _, _ in place.contigs] == ["1", "2", "10", "22", "X", "Y", "MT"]
    ends = [end for _, _, end in place.contigs]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(1)


def test_all_small_p_values_are_drawn_and_others_once_for_each_cell() -> None:
    random = np.random.default_rng(1)
    p = random.uniform(size=1_000_000)
    x = np.linspace(0, 1, len(p))
    kept = keep(x, p, -np.log10(p) / 8)
    assert kept[p < ALL_BELOW].all()
    assert kept.sum() < 15_000
    cells = {(int(a * 400), int(b)) for a, b in zip(x[kept], -np.log10(p[kept]) * 10, strict=True)}
    everywhere = {(int(a * 400), int(b)) for a, b in zip(x, -np.log10(p) * 10, strict=True)}
    assert len(everywhere - cells) <= 0.02 * len(everywhere), "parts of the solid band are missing"


def test_what_is_below_any_number_is_at_the_top_and_not_left_out() -> None:
    text = manhattan_plot(alleles(["1", "1"], [1, 2], [0.0, 0.5]), "m", "t", "d")
    assert (round(0.25 * ACROSS), 0) in points(text)


def test_names_of_chromosomes_do_not_run_together_on_a_telephone() -> None:
    text = manhattan_plot(alleles([str(n) for n in range(1, 23)], [5] * 22, [0.5] * 22), "m", "t", "d")
    drawn = labels(text)
    assert drawn[:9] == [str(n) for n in range(1, 10)]
    assert "10" in drawn
    assert "11" not in drawn


@pytest.mark.parametrize("p", [1.0, 5e-324, 0.0])
def test_one_allele_can_be_drawn(p: float) -> None:
    assert len(points(manhattan_plot(alleles(["X"], [7], [p]), "m", "t", "d"))) == 1
