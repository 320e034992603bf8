# SPDX-License-Identifier: Apache-2.0
"""The exact test against fractions over all genotypes that there can be."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.network.studies.hardy_weinberg import exact_p


def _p(het: int, hom: int, people: int) -> float:
    return float(exact_p(np.array([het]), np.array([hom]), np.array([people]))[0])


def _plain(het: int, hom: int, people: int) -> Fraction:
    copies = het + 2 * hom

    def ways(h: int) -> int:
        rest = (copies - h) // 2
        factorial = math.factorial
        return 2**h * factorial(people) // (factorial(h) * factorial(rest) * factorial(people - h - rest))

    possible = list(range(copies % 2, min(copies, 2 * people - copies) + 1, 2))
    all_ways = {h: ways(h) for h in possible}
    return Fraction(sum(w for w in all_ways.values() if w <= all_ways[het]), sum(all_ways.values()))


@given(
    st.integers(1, 60).flatmap(
        lambda n: st.integers(0, n).flatmap(lambda h: st.tuples(st.just(h), st.integers(0, n - h), st.just(n)))
    )
)
def test_it_is_the_share_of_what_is_no_likelier(counts: tuple[int, int, int]) -> None:
    assert _p(*counts) == pytest.approx(float(_plain(*counts)), rel=1e-9)


@pytest.mark.parametrize("counts", [(200, 0, 400), (0, 200, 400), (401, 37, 1200), (30, 0, 1900)])
def test_more_people(counts: tuple[int, int, int]) -> None:
    assert _p(*counts) == pytest.approx(float(_plain(*counts)), rel=1e-9)


def test_a_million_people() -> None:
    in_equilibrium = _p(420_000, 90_000, 1_000_000)
    assert in_equilibrium == pytest.approx(1, abs=0.01)
    # five deviations off; the normal's p is near
    off = _p(420_000 - 5 * 420, 90_000 + 5 * 210, 1_000_000)
    assert 1e-8 < off < 1e-5


def test_an_allele_that_all_or_none_have() -> None:
    assert _p(0, 0, 50) == _p(0, 50, 50) == 1
