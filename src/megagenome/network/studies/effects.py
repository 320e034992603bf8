# SPDX-License-Identifier: Apache-2.0
"""Effects of alleles on a yes-or-no trait: maximum likelihood, by Newton's method for all alleles at once; where that
has no maximum, because allele and covariates tell cases from controls, Firth's penalised likelihood (1993; Heinze and
Schemper 2002), whose maximum always exists."""

from collections.abc import Generator

import numpy as np
import numpy.typing as npt

from megagenome.network.studies.alleles import Chosen
from megagenome.network.studies.model import Ask, Quantity, Sums
from megagenome.network.studies.null_model import NEAR, Floats, NullModel, Rows

FIRTH = "Firth's effect: there is no maximum of the likelihood"
NONE = "no effect was found"

_MOST_STEPS = 25
_MOST_FIRTH_STEPS = 100
_CONVERGED = 1e-9
_LARGEST = 15.0
"""A coefficient on the way beyond this is on its way to infinity."""
_LARGEST_STEP = 2.0


def find_effects(chosen: Chosen, rows: Rows, null: NullModel) -> Generator[Ask, Sums, tuple[Floats, Floats, list[str]]]:
    """Effect and standard error of the alleles at `rows`, and a flag for each ("" mostly)."""
    effect, variance = yield from _climb(chosen, rows, null, penalised=False)
    flags = [""] * len(rows)
    without = np.flatnonzero(np.isnan(effect))
    if without.size:
        effect[without], variance[without] = yield from _climb(chosen, rows[without], null, penalised=True)
        for k in without.tolist():
            flags[k] = NONE if np.isnan(effect[k]) else FIRTH
    return effect, np.sqrt(variance), flags


def _climb(
    chosen: Chosen, rows: Rows, null: NullModel, *, penalised: bool
) -> Generator[Ask, Sums, tuple[Floats, Floats]]:
    """The allele's coefficient and its variance, NaN where no maximum was found. Alleles that are done are asked no
    more."""
    at = np.tile(np.append(0.0, null.coefficients), (len(rows), 1))
    effect, variance = np.full((2, len(rows)), np.nan)
    left = np.arange(len(rows))
    for _ in range(_MOST_FIRTH_STEPS if penalised else _MOST_STEPS):
        if not left.size:
            break
        inverse, score = yield from _slopes(chosen, rows[left], null, at[left], penalised=penalised)
        step = np.einsum("mij,mj->mi", inverse, score)
        longest = np.abs(step).max(axis=1)
        done = (longest < _CONVERGED) | (np.einsum("mk,mk->m", score, step) < NEAR**2)
        effect[left[done]], variance[left[done]] = at[left[done], 0], inverse[done, 0, 0]
        if penalised:  # far from the maximum Newton's steps are too long
            step *= np.minimum(1, _LARGEST_STEP / np.maximum(longest, _LARGEST_STEP))[:, None]
        at[left] += step
        lost = np.isnan(longest)
        if not penalised:
            lost |= np.abs(at[left]).max(axis=1) > _LARGEST
        left = left[~done & ~lost]
    return effect, variance


def _slopes(
    chosen: Chosen, rows: Rows, null: NullModel, at: Floats, *, penalised: bool
) -> Generator[Ask, Sums, tuple[Floats, Floats]]:
    """Inverse information (NaN where there is none) and the slope of the likelihood, penalised or not."""
    m, k = at.shape
    wanted = Quantity("score", (m, k), null.bits(16))
    asked = null.parameters(chosen, rows, effects=at)
    sums = yield Ask("effects", asked, (Quantity("information", (m, k * (k + 1) // 2), null.bits(16)), wanted))
    inverse = _inverse(sums["information"], k)
    if not penalised:
        return inverse, sums["score"]
    usable = np.where(np.isnan(inverse), 0.0, inverse)
    sums = yield Ask("firth", {**asked, "inverse": usable}, (wanted,))
    return inverse, sums["score"]


def _inverse(upper: npt.NDArray[np.float64], k: int) -> Floats:
    rows, columns = np.triu_indices(k)
    full = np.empty((len(upper), k, k))
    full[:, rows, columns] = upper
    full[:, columns, rows] = upper
    smallest, largest = np.linalg.eigvalsh(full)[:, [0, -1]].T
    singular = ~(smallest > 1e-10 * largest)
    inverse = np.asarray(np.linalg.inv(np.where(singular[:, None, None], np.eye(k), full)), np.float64)
    inverse[singular] = np.nan
    return inverse
