# SPDX-License-Identifier: Apache-2.0
"""Quantiles of p-values, lambda and the band of chance, against scipy's own."""

import numpy as np
import pytest
from scipy import stats

from megagenome.portal.quantile_plot import chosen_ranks, lambda_gc, quantile_band, quantile_plot
from tests.portal.document import parse_svg


@pytest.mark.parametrize("n", [1, 2, 7, 1000, 1001])
def test_lambda_is_the_median_of_chi_squares_over_the_expected(n: int) -> None:
    p = np.random.default_rng(n).uniform(size=n)
    expected = np.median(stats.chi2.isf(p, 1)) / stats.chi2.median(1)
    assert lambda_gc(p) == pytest.approx(expected, rel=1e-9)


def test_lambda_of_nothing_is_no_number() -> None:
    assert np.isnan(lambda_gc(np.zeros(0)))


def test_the_band_holds_the_middle_95_percent_of_each_order_statistic() -> None:
    ranks = np.array([1, 5, 50])
    low, high = quantile_band(ranks, 100)
    for k, rank in enumerate(ranks.tolist()):
        beta = stats.beta(rank, 101 - rank)
        assert (low[k], high[k]) == pytest.approx((-np.log10(beta.ppf(0.975)), -np.log10(beta.ppf(0.025))))


@pytest.mark.parametrize("n", [1, 2000, 2001, 1_000_000])
def test_the_smallest_are_all_drawn_and_of_a_million_some_thousand(n: int) -> None:
    ranks = chosen_ranks(n)
    assert ranks[:500].tolist() == list(range(1, min(n, 500) + 1))
    assert (ranks[0], ranks[-1]) == (1, n)
    assert (np.diff(ranks) > 0).all()
    assert len(ranks) <= 2000


@pytest.mark.parametrize("p", [[0.5], [0.0, 1.0], [1e-320] * 3])
def test_any_p_values_can_be_drawn(p: list[float]) -> None:
    parse_svg(quantile_plot(np.array(p), "q", "t", "d"))
