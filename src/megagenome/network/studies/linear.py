# SPDX-License-Identifier: Apache-2.0
"""Linear association over several sites: the least squares of the pooled data, from sums of products.

With X = (C, y), C the constant and the covariates, and g an allele's copies (Frisch-Waugh-Lovell):
    A = (C'C)^-1 C'y,  B = (C'C)^-1 C'g,  d = g'g - g'C B,  u = g'y - g'C A
    b = u / d,  RSS = y'y - y'C A - u^2 / d,  se = sqrt(RSS / (df d)),  df = n - columns of C - 1,  t = b / se
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.network.studies.alleles import choose_alleles
from megagenome.network.studies.associations import association_table
from megagenome.network.studies.columns import Scale, find_scale, require_independent
from megagenome.network.studies.model import Ask, Combine, Quantity, StudyResult
from megagenome.standards.ring import bits_for
from megagenome.standards.study import Linear

Floats = npt.NDArray[np.float64]

_EXPLAINED = 1e-9
"""Of an allele's variation this much must be left by the covariates, or its effect is none; and of the trait's."""


def linear(method: Linear, names: Sequence[str], sites: int, least: int = 0) -> Combine:
    """`names` are the columns of the covariates."""
    chosen = yield from choose_alleles(method.variants, sites)
    scale = yield from find_scale((*names, "trait"), sites, least, fitted=len(names))
    if scale.people <= len(names) + 2:
        raise Invalid(f"{scale.people} people are too few for {len(names)} covariates")
    k, m = len(names) + 2, len(chosen.alleles)
    copies = (chosen.het + 2 * chosen.hom + 2 * chosen.hemi) / np.maximum(scale.people - chosen.missing, 1)
    # sums of squares of scaled columns are people each, of copies at most four times that, products no more than either
    bits = bits_for(8.0 * scale.people, sites)
    pairs = k * (k + 1) // 2 if method.missing == "drop" else 0
    sums = yield Ask(
        "products",
        {**chosen.alleles.to_arrays(), **scale.parameters(), "copies": copies},
        (
            Quantity("XX", (k, k), bits),
            Quantity("gX", (m, k), bits),
            Quantity("gg", (m,), 0 if method.missing == "drop" else bits),
            Quantity("MXX", (m, pairs), bits),
        ),
    )
    require_independent(sums["XX"][:-1, :-1], names)
    _require_unexplained(sums["XX"])
    found = _fit(sums["XX"], sums["gX"], sums["gg"].astype(np.float64), sums["MXX"], scale)
    notes = (*chosen.notes(), *_notes(method, found, chosen.missing))
    return StudyResult(
        {"associations": association_table(chosen, **found)},
        {"people": scale.people, "alleles": m},
        notes,
        scale.behind,
    )


def _require_unexplained(xx: Floats) -> None:
    """Effects on what rounding leaves of a trait would be numbers that mean nothing."""
    rest = xx[-1, -1] - xx[-1, :-1] @ np.linalg.solve(xx[:-1, :-1], xx[:-1, -1])
    if rest <= _EXPLAINED * xx[-1, -1]:
        raise Invalid("the covariates explain the trait wholly: nothing is left that alleles could explain")


def _fit(xx: Floats, gx: Floats, gg: Floats, missing: Floats, scale: Scale) -> dict[str, Floats]:
    """n, beta, se, t and p of each allele; NaN where the covariates explain it, or too few people are left."""
    k = len(xx)
    of_allele = np.broadcast_to(xx, (len(gx), k, k))
    if missing.shape[1]:
        upper = np.triu_indices(k)
        some = np.flatnonzero(missing[:, 0] > 0)
        of_allele = of_allele.copy()
        for column, (i, j) in enumerate(zip(*upper, strict=True)):
            of_allele[some, i, j] -= missing[some, column]
            if i != j:
                of_allele[some, j, i] -= missing[some, column]
    inverse = _inverse(of_allele[:, :-1, :-1])
    cy, yy = of_allele[:, :-1, -1], of_allele[:, -1, -1]
    cg, gy = gx[:, :-1], gx[:, -1]
    a, b = (np.einsum("mij,mj->mi", inverse, each) for each in (cy, cg))
    n = np.rint(of_allele[:, 0, 0])
    d = gg - np.einsum("mi,mi->m", cg, b)
    u = gy - np.einsum("mi,mi->m", cg, a)
    df = n - k
    with np.errstate(divide="ignore", invalid="ignore"):
        usable = (d > _EXPLAINED * (gg - cg[:, 0] ** 2 / n)) & (df > 0)
        d = np.where(usable, d, np.nan)
        rss = yy - np.einsum("mi,mi->m", cy, a) - u**2 / d
        se = np.sqrt(np.maximum(rss, 0) / (df * d))
        t = np.where(se > 0, u / d / se, np.nan)
    beta = u / d * scale.scales[-1]
    return {"n": n, "beta": beta, "se": se * scale.scales[-1], "t": t, "p": _two_sided(t, df)}


def _inverse(products: Floats) -> Floats:
    """Of each matrix; NaN where it has none."""
    try:
        inverse = np.asarray(np.linalg.inv(products), np.float64)
    except np.linalg.LinAlgError:
        singular = np.linalg.matrix_rank(products, hermitian=True) < products.shape[-1]
        inverse = np.asarray(
            np.linalg.inv(np.where(singular[:, None, None], np.eye(products.shape[-1]), products)), np.float64
        )
        inverse[singular] = np.nan
    return inverse


def _two_sided(t: Floats, df: Floats) -> Floats:
    """p of Student's t, both tails."""
    from scipy.special import stdtr  # only a study should wait for it

    p: Floats = 2 * stdtr(df, -np.abs(t))
    return p


def _notes(method: Linear, found: dict[str, Floats], missing: npt.NDArray[np.int64]) -> list[str]:
    notes = []
    if missing.any():
        did = "were left out" if method.missing == "drop" else "got the mean copies"
        notes.append(f"Alleles at which people without a call {did}: {int((missing > 0).sum()):,}.")
    without = int(np.isnan(found["p"]).sum())
    if without:
        notes.append(
            "Alleles of which no effect is stated, because the covariates explain them or too few people remain: "
            f"{without:,}."
        )
    return notes
