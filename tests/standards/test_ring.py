# SPDX-License-Identifier: Apache-2.0
"""Sums in the ring against Python's integers and fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Invalid
from megagenome.standards import ring

_BOUND = 1e6


@given(
    st.integers(1, 30).flatmap(
        lambda sites: st.lists(
            st.lists(st.floats(-_BOUND, _BOUND), min_size=3, max_size=3), min_size=sites, max_size=sites
        )
    )
)
def test_a_sum_is_as_near_as_it_says(parts: list[list[float]]) -> None:
    sites = len(parts)
    bits = ring.bits_for(_BOUND, sites)
    total = ring.decode(ring.add(ring.encode(np.array(part), bits, sites) for part in parts), bits)
    for k in range(3):
        exact = sum((Fraction(part[k]) for part in parts), Fraction(0))
        # the sum's own 53 digits come on top
        allowed = Fraction(sites, 2 ** (bits + 1)) + abs(exact) / 2**53
        assert abs(Fraction(float(total[k])) - exact) <= allowed


@given(st.lists(st.lists(st.integers(-(2**55), 2**55), min_size=2, max_size=2), min_size=1, max_size=30))
def test_integers_are_exact(parts: list[list[int]]) -> None:
    total = ring.decode(ring.add(ring.encode(np.array(part, np.int64), 0, len(parts)) for part in parts), 0)
    assert total.tolist() == [sum(column) for column in zip(*parts, strict=True)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2.0**62, -(2.0**61), 1e300])
def test_what_cannot_be_summed_is_refused(value: float) -> None:
    with pytest.raises(Invalid, match="height") as refused:
        ring.encode(np.array([1.0, value]), 0, 2, "height")
    assert str(value) not in str(refused.value)
    with pytest.raises(Invalid):
        ring.encode(np.array([2**61]), 0, 2)


def test_the_largest_that_is_promised_can_be_summed() -> None:
    for sites in (1, 3, 30):
        for bound in (1.0, 7.5, 2e6, 1e12):
            bits = ring.bits_for(bound, sites)
            parts = [ring.encode(np.array([bound, -bound]), bits, sites) for _ in range(sites)]
            assert ring.decode(ring.add(parts), bits) == pytest.approx([bound * sites, -bound * sites], rel=1e-15)
