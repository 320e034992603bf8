# SPDX-License-Identifier: Apache-2.0
"""Logistic association over several sites: the score test of the pooled data under the model without the allele.

With p the fitted probabilities, W = p(1 - p) and C the constant and the covariates:
    U = g'(d - p),  V = g'Wg - g'WC (C'WC)^-1 C'Wg,  z = U / sqrt(V)
Beyond two deviations p is a saddle-point approximation (`saddlepoint.py`), because with few cases the normal is far too
sure. Effects are maximum likelihood's, Firth's where that has none (`effects.py`).
"""

from collections.abc import Generator, Sequence

import numpy as np
import numpy.typing as npt

from megagenome.network.studies.alleles import Chosen, choose_alleles
from megagenome.network.studies.associations import association_table
from megagenome.network.studies.columns import find_scale
from megagenome.network.studies.effects import find_effects
from megagenome.network.studies.model import Ask, Combine, Quantity, StudyResult, Sums
from megagenome.network.studies.null_model import NullModel, fit_null_model
from megagenome.network.studies.saddlepoint import BEYOND, find_tails
from megagenome.standards.study import Logistic

Floats = npt.NDArray[np.float64]

EXPLAINED = "the covariates explain it"


def logistic(method: Logistic, names: Sequence[str], sites: int, least: int = 0) -> Combine:
    """`names` are the columns of the covariates.

    In the table `z` and `p` are the score test's; `beta`, `se` and `p_wald` the effect's, NaN where none was asked for;
    `flags` say what was unusual, joined by commas.
    """
    chosen = yield from choose_alleles(method.variants, sites)
    scale = yield from find_scale(names, sites, least)
    null = yield from fit_null_model(scale, names, sites, least)
    u, v, explained = yield from _score(chosen, null)
    z = u / np.sqrt(v)
    p, flags = _two_sided(z), [EXPLAINED if unknown else "" for unknown in np.isnan(z)]
    far = np.flatnonzero(np.abs(z) > BEYOND)
    if far.size:
        p[far], said = yield from find_tails(chosen, far, null, z[far], np.sqrt(v[far]), explained[far])
        _add_flags(flags, far, said)
    wanted = np.flatnonzero(p <= method.effects_below)
    beta, se = np.full((2, len(z)), np.nan)
    if wanted.size:
        beta[wanted], se[wanted], said = yield from find_effects(chosen, wanted, null)
        _add_flags(flags, wanted, said)
    table = association_table(chosen, z=z, p=p, beta=beta, se=se, p_wald=_two_sided(beta / se))
    columns = {**table.columns, "flags": flags}
    summary = {"people": scale.people, "cases": null.cases, "controls": scale.people - null.cases, "alleles": len(z)}
    notes = (*chosen.notes(), *_notes(chosen, flags))
    behind = min(scale.behind, null.cases, scale.people - null.cases)
    return StudyResult({"associations": type(table)(columns)}, summary, notes, behind)


def _score(chosen: Chosen, null: NullModel) -> Generator[Ask, Sums, tuple[Floats, Floats, Floats]]:
    """U and V of each allele (V is NaN where nothing is left of it), and the coefficients with which the covariates
    explain its copies, float64 [alleles, k]."""
    m, k, bits = len(chosen.alleles), len(null.coefficients), null.bits(8)
    sums = yield Ask(
        "scores",
        null.parameters(chosen, np.arange(m)),
        (Quantity("U", (m,), bits), Quantity("gWX", (m, k), bits), Quantity("gWg", (m,), bits)),
    )
    explained: Floats = np.asarray(np.linalg.solve(null.information, sums["gWX"].T).T, np.float64)
    v = sums["gWg"] - np.einsum("mk,mk->m", sums["gWX"], explained)
    around_mean = sums["gWg"] - sums["gWX"][:, 0] ** 2 / null.information[0, 0]
    return sums["U"], np.where(v > 1e-9 * around_mean, v, np.nan), explained


def _two_sided(z: Floats) -> Floats:
    from scipy.special import ndtr  # only a study should wait for it

    p: Floats = 2 * ndtr(-np.abs(z))
    return p


def _add_flags(flags: list[str], rows: npt.NDArray[np.int64], said: Sequence[str]) -> None:
    for row, flag in zip(rows.tolist(), said, strict=True):
        flags[row] = ", ".join(filter(None, (flags[row], flag)))


def _notes(chosen: Chosen, flags: Sequence[str]) -> list[str]:
    notes = []
    if chosen.missing.any():
        notes.append(
            f"Alleles at which people without a call got the mean copies: {int((chosen.missing > 0).sum()):,}."
        )
    said = [flag for joined in flags for flag in joined.split(", ") if flag]
    return notes + [f'Alleles flagged "{flag}": {said.count(flag):,}.' for flag in sorted(set(said))]
