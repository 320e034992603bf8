# SPDX-License-Identifier: Apache-2.0
"""When what a study tells is what all data say."""

import pytest

from megagenome.app.demo.walk.study import RIGHT, compare

POOLED = {"22-5-A-G": {"beta": 1.23449, "het": 12}}


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"beta": 1.234, "het": 12}, RIGHT),
        ({"beta": 1.234, "het": None}, RIGHT),
        ({"beta": 1.236, "het": 12}, "22-5-A-G beta: 1.236 where all data have 1.23449"),
        ({"beta": None, "het": 12}, "22-5-A-G beta: None where all data have 1.23449"),
        ({"het": 12}, "22-5-A-G beta: None where all data have 1.23449"),
        ({"beta": 1.234, "het": 13}, "22-5-A-G het: 13 where all data have 12"),
    ],
)
def test_numbers_agree_to_four_digits_and_counts_exactly(told: dict[str, float | None], says: str) -> None:
    assert compare({"22-5-A-G": told}, POOLED) == says


def test_the_alleles_are_the_same() -> None:
    assert compare({}, POOLED) == "of 1 alleles not the same: 22-5-A-G"
    assert compare({"22-5-A-G": POOLED["22-5-A-G"], "22-9-C-T": {}}, POOLED).endswith("22-9-C-T")
