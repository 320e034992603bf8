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
_SIDES = np.array([-1.0, 1.0])


def find_tails(
    chosen: Chosen, rows: Rows, null: NullModel, z: Floats, deviation: Floats, explained: Floats
) -> Generator[Ask, Sums, tuple[Floats, list[str]]]:
    """p of both tails of the alleles at `rows`, and a flag for each ("" mostly). `deviation` is the raw score's."""
    of_each = {"explained": explained, "deviation": deviation}
    asked = null.parameters(chosen, rows, **of_each)
    ends = (yield Ask("reach", asked, (Quantity("ends", (len(rows), 4), null.bits(64)),)))["ends"]
    # both tails begin equally far out: at -|z|, and at |z|
    reach, of_end, far = np.abs(ends[:, :2]), ends[:, 2:], np.abs(z)[:, None]
    at_end = np.abs(far - reach) <= _AT_END * reach
    wanted = (far < reach) & ~at_end
    bits = bits_for(2 * _FARTHEST * max(float(reach.max()), 1), null.sites)
    t, curve = yield from _find_roots(chosen, rows, null, of_each, np.where(wanted, far, np.nan), bits)
    found = ~np.isnan(t)
    asked = null.parameters(chosen, rows, **of_each, t=t * _SIDES)
    k = (yield Ask("cumulants", asked, (Quantity("K", t.shape, bits),)))["K"]
    p = np.where(at_end, np.exp(of_end), 0.0)
    p = np.where(wanted, np.where(found, _tail(t, t * far - k, curve), _upper(far)), p)
    observed = np.where(z > 0, 1, 0)[:, None] == np.arange(2)
    flags = np.where((at_end & observed).any(axis=1), AT_THE_END, "")
    flags = np.where((wanted & ~found).any(axis=1), NOT_FOUND, flags)
    return p.sum(axis=1), flags.tolist()


def _find_roots(
    chosen: Chosen, rows: Rows, null: NullModel, of_each: dict[str, Floats], s: Floats, bits: int
) -> Generator[Ask, Sums, tuple[Floats, Floats]]:
    """Of each allele and tail, float64 [alleles, 2]: how far out t is, and K'' there; NaN where none was found, and
    where s, how far out the tail begins, is NaN. Newton's method within a bracket, since K' grows. What is done is
    asked no more."""
    t, near, far = s.copy(), np.zeros_like(s), np.full_like(s, np.inf)
    found, curves, left = np.full_like(s, np.nan), np.full_like(s, np.nan), ~np.isnan(s)
    for _ in range(_MOST_STEPS):
        some = np.flatnonzero(left.any(axis=1))
        if not some.size:
            break
        open_t = np.where(left[some], t[some], np.nan)
        of_some = {name: each[some] for name, each in of_each.items()}
        asked = null.parameters(chosen, rows[some], **of_some, t=open_t * _SIDES)
        sums = yield Ask("slopes", asked, (Quantity("slopes", (len(some), 2, 2), bits),))
        slope, curve = np.zeros_like(t), np.ones_like(t)
        slope[some], curve[some] = sums["slopes"][:, :, 0] * _SIDES, sums["slopes"][:, :, 1]
        off = slope - s  # above 0: too far out
        far, near = np.where(left & (off > 0), t, far), np.where(left & (off <= 0), t, near)
        done = left & (np.abs(off) < _CONVERGED)
        found[done], curves[done] = t[done], curve[done]
        with np.errstate(divide="ignore", invalid="ignore"):
            stepped = t - off / curve
            middle = np.where(np.isinf(far), 2 * near, (near + far) / 2)
        within = (stepped > near) & (stepped < far) & (stepped < 2 * near + 2)
        t = np.where(within, stepped, middle)
        left &= ~done & (t < _FARTHEST)
    return found, curves


def _tail(t: Floats, legendre: Floats, curve: Floats) -> Floats:
    """`legendre` is ts - K(t)."""
    w, v = np.sqrt(2 * np.maximum(legendre, 0)), t * np.sqrt(np.maximum(curve, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _upper(w + np.log(v / w) / w)


def _upper(x: Floats) -> Floats:
    from scipy.special import ndtr  # only a study should wait for it

    p: Floats = ndtr(-x)
    return p
