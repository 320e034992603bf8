# SPDX-License-Identifier: Apache-2.0
"""p-values of a study against those that chance alone gives, and how far the bulk of them is off (lambda)."""

from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from megagenome.portal.axes import Floats, axis_up_to, band, dots, framed, line, number_axis

_MEDIAN_CHI_SQUARE = NormalDist().inv_cdf(0.75) ** 2
_ALL = 500
_POINTS = 1500
_DEEPEST = 1e-300


def lambda_gc(p: Floats) -> float:
    """Median of the chi-squares of one degree of freedom with these p-values, over the median expected under chance.

    (Devlin and Roeder, Biometrics 1999.) NaN without p-values.
    """
    n = len(p)
    if not n:
        return float("nan")
    middle = np.partition(p, [(n - 1) // 2, n // 2])[[(n - 1) // 2, n // 2]]
    chi_squares = [NormalDist().inv_cdf(min(max(float(each), _DEEPEST), 1.0) / 2) ** 2 for each in middle]
    return sum(chi_squares) / 2 / _MEDIAN_CHI_SQUARE


def quantile_plot(p: Floats, ident: str, title: str, description: str) -> Markup:
    """The plot as SVG, with the 95 % band of each quantile by itself if alleles were independent and without effect."""
    n = len(p)
    ranks = chosen_ranks(n)
    observed = -np.log10(np.clip(np.sort(p)[ranks - 1], _DEEPEST, 1.0))
    expected = -np.log10((ranks - 0.5) / n)
    low, high = quantile_band(ranks, n)
    across = axis_up_to(float(expected.max()))
    up = axis_up_to(max(float(observed.max()), float(high.max())))
    x = expected / across.high
    diagonal = min(across.high, up.high)
    marks = (
        band(x, low / up.high, high / up.high, "chance"),
        line(np.array([0.0, diagonal / across.high]), np.array([0.0, diagonal / up.high]), "limit"),
        dots(x, observed / up.high, "turn-0"),
    )
    names = number_axis("expected −log₁₀ p", across), number_axis("observed −log₁₀ p", up)
    return framed(ident, title, description, *names, Markup("").join(marks))


def chosen_ranks(n: int) -> npt.NDArray[np.int64]:
    """Ranks, from 1, that are drawn: the smallest p-values all, of the others ever fewer, evenly on the axis."""
    if n <= _ALL + _POINTS:
        return np.arange(1, n + 1)
    rest = np.rint(np.geomspace(_ALL + 1, n, _POINTS)).astype(np.int64)
    return np.unique(np.concatenate((np.arange(1, _ALL + 1), rest)))


def quantile_band(ranks: npt.NDArray[np.int64], n: int) -> tuple[Floats, Floats]:
    """-log10 of the 97.5th and the 2.5th percentile of the ranks-th smallest of n uniform numbers: a beta's."""
    from scipy.special import betaincinv  # only a study's page should wait for it

    a, b = ranks.astype(np.float64), (n + 1 - ranks).astype(np.float64)
    return -np.log10(betaincinv(a, b, 0.975)), -np.log10(betaincinv(a, b, 0.025))
