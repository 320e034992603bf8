# SPDX-License-Identifier: Apache-2.0
"""The logistic model of a trait on the covariates alone, which the tests of all alleles share."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.network.studies.alleles import Chosen
from megagenome.network.studies.columns import Scale, require_independent
from megagenome.network.studies.model import Ask, Quantity, Sums, too_few
from megagenome.standards.ring import bits_for

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

_MOST_STEPS = 25
_CONVERGED = 1e-10
NEAR = 1e-9
"""Of its standard error, what is left of the way to the maximum, along any direction (Newton's decrement). Of columns
that nearly follow from each other the coefficients themselves cannot be known to as many digits."""
_SEPARATED = 20.0
"""A coefficient with which everybody of a kind has a probability of 1 - 2e-9."""


@dataclass(frozen=True, slots=True)
class NullModel:
    """Coefficients of the constant and the scaled covariates, and the information C'WC that they were found with."""

    scale: Scale
    sites: int
    coefficients: Floats
    information: Floats
    cases: int

    def parameters(self, chosen: Chosen, rows: Rows, **of_each: Floats) -> dict[str, npt.NDArray[Any]]:
        """What sites are asked with about the alleles at `rows`: these, the model, the mean copies, which people
        without a call get, and `of_each`, which belong to them."""
        copies = chosen.het + 2 * chosen.hom + 2 * chosen.hemi
        mean = copies / np.maximum(self.scale.people - chosen.missing, 1)
        listed = chosen.alleles.take(rows).to_arrays()
        return {**listed, **self.scale.parameters(), "null": self.coefficients, "copies": mean[rows], **of_each}

    def bits(self, factor: float) -> int:
        """Digits for sums of at most `factor` for each person."""
        return bits_for(factor * self.scale.people, self.sites)


def fit_null_model(scale: Scale, names: Sequence[str], sites: int, least: int = 0) -> Generator[Ask, Sums, NullModel]:
    """By Newton's method, whose step is halved where it would make the people less likely. Raises `Invalid` where
    there are no cases or no controls, or fewer than `least`, a covariate follows from the others, or they separate
    cases from controls."""
    k = len(names) + 1
    bits, wide = bits_for(8.0 * scale.people, sites), bits_for(64.0 * scale.people, sites)
    at, step, best, cases = np.zeros(k), np.zeros(k), -np.inf, 0
    for _ in range(_MOST_STEPS):
        sums = yield Ask(
            "null",
            {**scale.parameters(), "null": at + step},
            (Quantity("information", (k, k), bits), Quantity("score", (k,), bits), Quantity("loglik", (), wide)),
        )
        if float(sums["loglik"]) < best - 1e-6:
            step = step / 2
            continue
        at, best = at + step, float(sums["loglik"])
        if not at.any():  # at zero everybody has probability 1/2
            cases = _count_cases(float(sums["score"][0]), scale.people, least)
            require_independent(sums["information"], names)
        if np.abs(at).max() > _SEPARATED:
            break
        step = np.linalg.solve(sums["information"], sums["score"])
        if np.abs(step).max() < _CONVERGED or float(sums["score"] @ step) < NEAR**2:
            return NullModel(scale, sites, at, sums["information"], cases)
    raise Invalid(
        "the covariates alone tell cases from controls (almost) perfectly, or one nearly follows from the others: "
        "leave one out"
    )


def _count_cases(score: float, people: int, least: int) -> int:
    cases = round(score + people / 2)
    if min(cases, people - cases) < least:
        raise too_few(least, "cases or controls")
    if not 0 < cases < people:
        raise Invalid("everybody of the study is a case, or everybody is a control")
    return cases
