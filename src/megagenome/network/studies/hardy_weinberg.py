# SPDX-License-Identifier: Apache-2.0
"""The exact test of Hardy-Weinberg equilibrium (Wigginton, Cutler, Abecasis, AJHG 2005), without mid-p, as plink2's."""

import math

import numpy as np
import numpy.typing as npt

_REACH = 40
"""Deviations around the mean beyond which a number of heterozygotes has a probability below any that is told apart."""
_SAME = 1 + 1e-10
"""Probabilities this near are the same: they come in equal pairs, computed in different ways."""


def exact_p(
    het: npt.NDArray[np.int64], hom: npt.NDArray[np.int64], diploids: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """p of so many heterozygotes, and people with two copies, among `diploids` people with a call. Cost: per allele, at
    most 80 deviations of the number of heterozygotes; some 10 ms at a million people."""
    most = int(diploids.max(initial=0))
    log_factorial = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, 2 * most + 1)))))
    found = [
        _exact_p(a, b, n, log_factorial) for a, b, n in zip(het.tolist(), hom.tolist(), diploids.tolist(), strict=True)
    ]
    return np.array(found, np.float64)


def _exact_p(het: int, hom: int, people: int, log_factorial: npt.NDArray[np.float64]) -> float:
    rare = min(het + 2 * hom, 2 * people - het - 2 * hom)
    if rare == 0:
        return 1.0
    share = rare / (2 * people)
    mean, deviation = 2 * people * share * (1 - share), 1 + math.sqrt(people) * share * (1 - share) * 2
    low = max(rare % 2, round(mean - _REACH * deviation))
    low += (low - rare) % 2
    heterozygous = np.arange(low, min(rare, round(mean + _REACH * deviation)) + 1, 2)
    homozygous_rare = (rare - heterozygous) // 2
    homozygous_other = people - heterozygous - homozygous_rare
    log_p = (
        heterozygous * math.log(2)
        - log_factorial[heterozygous]
        - log_factorial[homozygous_rare]
        - log_factorial[homozygous_other]
    )
    p = np.exp(log_p - log_p.max())
    at = (het - low) // 2
    if not 0 <= at < len(p):
        return 0.0
    return float(min(1.0, p[p <= p[at] * _SAME].sum() / p.sum()))
