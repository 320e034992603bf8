# SPDX-License-Identifier: Apache-2.0
"""p of a score by the saddle-point approximation (Barndorff-Nielsen's r*; Dey, Schmidt, Abecasis, Lee 2017).

A score is S = sum of a_i (d_i - p_i), a_i a person's copies beyond what the covariates explain, over its deviation, so
that its variance is 1. With its cumulants' function K, and t where K'(t) = s:
    w = sign(t) sqrt(2 (ts - K(t))),  v = t sqrt(K''(t)),  P(S >= s) = 1 - Phi(w + log(v / w) / w)
There is no such t where s is at or beyond an end of what S can be. Beyond it the probability is 0; at it, it is that
of the one outcome, which is exact. So that is looked at first.
"""

from collections.abc import Generator

import numpy as np

from megagenome.network.studies.alleles import Chosen
from megagenome.network.studies.model import Ask, Quantity, Sums
from megagenome.network.studies.null_model import Floats, NullModel, Rows
from megagenome.standards.ring import bits_for

BEYOND = 2.0
"""Deviations from which on the normal is not trusted."""
AT_THE_END = "the score is the most extreme that there can be"
NOT_FOUND = "no saddle point was found: the p is the normal's"

_MOST_STEPS = 50
_FARTHEST = 100.0
"""Of t. Where it would be further out, p is below anything that is told apart."""
_CONVERGED = 1e-9
_AT_END = 1e-7


def find_tails(
    chosen: Chosen, rows: Rows, null: NullModel, z: Floats, deviation: Floats, explained: Floats
) -> Generator[Ask, Sums, tuple[Floats, list[str]]]:
    """p of both tails of the alleles at `rows`, and a flag for each ("" mostly). `deviation` is the raw score's."""
    parameters = null.parameters(chosen, rows, explained=explained, deviation=deviation)
    ends = (yield Ask("reach", parameters, (Quantity("ends", (len(rows), 4), null.bits(64)),)))["ends"]
    p, flags = np.zeros(len(rows)), [""] * len(rows)
    for side in (-1.0, 1.0):
        reach, of_end = (side * ends[:, 1], ends[:, 3]) if side > 0 else (side * ends[:, 0], ends[:, 2])
        s = np.abs(z)
        at_end = np.abs(s - reach) <= _AT_END * reach
        p[at_end] += np.exp(of_end[at_end])
        inside = np.flatnonzero((s < reach) & ~at_end)
        tails, found = yield from _find_roots(
            chosen, rows[inside], null, explained[inside], deviation[inside], side * s[inside], np.abs(ends).max()
        )
        p[inside] += tails
        for k in np.flatnonzero(at_end & (np.sign(z) == side)):
            flags[k] = AT_THE_END
        for k in inside[~found]:
            flags[k] = NOT_FOUND
    return p, flags


def _find_roots(
    chosen: Chosen, rows: Rows, null: NullModel, explained: Floats, deviation: Floats, s: Floats, reach: float
) -> Generator[Ask, Sums, tuple[Floats, "np.ndarray"]]:
    """The tail's p beyond each s, and whether a saddle point was found. Newton's method within a bracket: K' grows, and
    the root is on the side of s. Alleles that are done are asked no more."""
    size, side = len(s), np.sign(s)
    t, near, far = s.copy(), np.zeros(size), np.full(size, np.inf)
    p, found = _upper(np.abs(s)), np.zeros(size, bool)
    bits = bits_for(2 * _FARTHEST * max(reach, 1), null.sites)
    left = np.arange(size)
    for _ in range(_MOST_STEPS):
        if not left.size:
            break
        asked = null.parameters(chosen, rows[left], explained=explained[left], deviation=deviation[left], t=t[left])
        k, slope, curve = (yield Ask("tails", asked, (Quantity("K", (len(left), 3), bits),)))["K"].T
        off = side[left] * (slope - s[left])  # above 0: too far out
        far[left] = np.where(off > 0, np.abs(t[left]), far[left])
        near[left] = np.where(off > 0, near[left], np.abs(t[left]))
        done = np.abs(off) < _CONVERGED
        p[left[done]] = _tail(np.abs(t[left]), np.abs(t[left] * s[left]) - k, curve)[done]
        found[left[done]] = True
        with np.errstate(divide="ignore", invalid="ignore"):
            next_t = np.abs(t[left]) - off / curve
        middle = np.where(np.isinf(far[left]), 2 * near[left], (near[left] + far[left]) / 2)
        within = (next_t > near[left]) & (next_t < far[left]) & (next_t < 2 * near[left] + 2)
        t[left] = side[left] * np.where(within, next_t, middle)
        left = left[~done & (np.abs(t[left]) < _FARTHEST)]
    return p, found


def _tail(t: Floats, legendre: Floats, curve: Floats) -> Floats:
    """`legendre` is ts - K(t)."""
    w, v = np.sqrt(2 * np.maximum(legendre, 0)), t * np.sqrt(np.maximum(curve, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _upper(w + np.log(v / w) / w)


def _upper(x: Floats) -> Floats:
    from scipy.special import ndtr  # only a study should wait for it

    p: Floats = ndtr(-x)
    return p
