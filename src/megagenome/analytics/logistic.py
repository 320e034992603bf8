# SPDX-License-Identifier: Apache-2.0
"""A site's side of logistic association: scores and informations, which add up over sites."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from megagenome.analytics import alleles, columns
from megagenome.analytics.alleles import AllelesSite
from megagenome.analytics.columns import ColumnsSite
from megagenome.analytics.model import Table
from megagenome.analytics.needs import Floats, Genotypes
from megagenome.kernel.errors import Invalid, NotEntitled
from megagenome.standards.study import Logistic
from megagenome.standards.study_arrays import AlleleList, Arrays, read_alleles

_AT_ONCE = 1 << 21
"""People times alleles that are computed at a time: 16 MB an array."""

FEWEST = 3
"""People, by their weights (the square of the sum by the sum of squares): with coefficients that nobody fits, sums are
of whom the hub likes."""


class Null(NamedTuple):
    """Everybody under the model without any allele: covariates X [people, k] with the constant first, probability of
    being a case, its variance, and what is left of the trait."""

    x: Floats
    p: Floats
    w: Floats
    residual: Floats


class LogisticSite:
    """Answers the steps of `network.studies.logistic`, as they are described there."""

    def __init__(self, method: Logistic, table: Table, genotypes: Genotypes, least_count: int) -> None:
        self._method, self._genotypes, self._cases = method, genotypes, table.trait
        self._alleles = AllelesSite(method.variants, genotypes, least_count)
        self._columns = ColumnsSite(table.covariates)
        self._is_closed = least_count > 0
        self._steps = {
            "null": self._null_model,
            "scores": self._scores,
            "reach": self._reach,
            "slopes": self._tail_slopes,
            "cumulants": self._cumulants,
            "effects": self._effects,
            "firth": self._firth,
        }

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        """One step's sums over this site's people."""
        if step in alleles.STEPS:
            return self._alleles.answer(step, parameters)
        if step in columns.STEPS:
            return self._columns.answer(step, parameters)
        if step not in self._steps:
            raise Invalid(f"a logistic study has no step {step!r}")
        return self._steps[step](parameters)

    def _null(self, parameters: Arrays) -> Null:
        scaled = self._columns.scaled(parameters)
        x = np.hstack((np.ones((len(scaled), 1)), scaled))
        p = _expit(x @ parameters["null"])
        w = p * (1 - p)
        self._require_spread(w)
        return Null(x, p, w, self._cases - p)

    def _require_spread(self, weights: Floats) -> None:
        """Raise `NotEntitled` where any of some weights, float64 [..., people], are of too few people."""
        enough = weights.sum(axis=-1) ** 2 > FEWEST * (weights**2).sum(axis=-1)
        if self._is_closed and not np.all(enough):
            raise NotEntitled(
                "covariates tell cases from controls (almost) perfectly: the model gives all weight to fewer than "
                f"{FEWEST} of this node's people"
            )

    def _null_model(self, parameters: Arrays) -> Arrays:
        null = self._null(parameters)
        return {
            "information": (null.x.T * null.w) @ null.x,
            "score": null.x.T @ null.residual,
            "loglik": np.array(_loglik(null.x @ parameters["null"], self._cases).sum()),
        }

    def _scores(self, parameters: Arrays) -> Arrays:
        null, scan = self._null(parameters), self._genotypes.scan(self._listed(parameters))
        of = np.column_stack((null.residual, null.w[:, None] * null.x))
        copies, missing, squares = scan.project(of, of, null.w[:, None])
        mean = parameters["copies"][:, None]
        found = copies + mean * missing
        # the covariates' first column is the constant, so the second of `of` is w itself
        return {"U": found[:, 0], "gWX": found[:, 1:], "gWg": squares[:, 0] + mean[:, 0] ** 2 * missing[:, 1]}

    def _adjusted(self, parameters: Arrays) -> Iterator[tuple[slice, Floats, Null]]:
        """Blocks of alleles, as slices, and each person's copies beyond what the covariates explain, in standard
        deviations of the score."""
        null = self._null(parameters)
        for at, g in self._dosages(parameters, len(null.p)):
            yield at, (g - parameters["explained"][at] @ null.x.T) / parameters["deviation"][at, None], null

    def _reach(self, parameters: Arrays) -> Arrays:
        ends = np.zeros((len(parameters["copies"]), 4))
        for at, g, null in self._adjusted(parameters):
            mean = g @ null.p
            log_p, log_q = np.log(null.p), np.log1p(-null.p)
            ends[at, 0] = np.minimum(g, 0).sum(axis=1) - mean
            ends[at, 1] = np.maximum(g, 0).sum(axis=1) - mean
            ends[at, 2] = np.where(g < 0, log_p, log_q).sum(axis=1)
            ends[at, 3] = np.where(g > 0, log_p, log_q).sum(axis=1)
        return {"ends": ends}

    def _tail_slopes(self, parameters: Arrays) -> Arrays:
        t = parameters["t"]
        slopes = np.zeros((*t.shape, 2))
        for at, g, null in self._adjusted(parameters):
            logit = np.log(null.p) - np.log1p(-null.p)
            for side in range(t.shape[1]):
                asked = np.flatnonzero(~np.isnan(t[at, side]))
                a = g[asked]
                tilted = _expit(t[at, side][asked, None] * a + logit)
                slopes[at.start + asked, side, 0] = np.einsum("mn,mn->m", a, tilted) - a @ null.p
                tilted *= (1 - tilted) * a
                slopes[at.start + asked, side, 1] = np.einsum("mn,mn->m", a, tilted)
        return {"slopes": slopes}

    def _cumulants(self, parameters: Arrays) -> Arrays:
        t = parameters["t"]
        k = np.zeros_like(t)
        for at, g, null in self._adjusted(parameters):
            log_p, log_q = np.log(null.p), np.log1p(-null.p)
            for side in range(t.shape[1]):
                asked = np.flatnonzero(~np.isnan(t[at, side]))
                tg = t[at, side][asked, None] * g[asked]
                # log(1 - p + p exp(tg)) without overflow on either side
                k[at.start + asked, side] = np.logaddexp(log_q, log_p + tg).sum(axis=1) - tg @ null.p
        return {"K": k}

    def _effects(self, parameters: Arrays) -> Arrays:
        x, pairs = self._designs(parameters)
        effects = parameters["effects"]
        k = effects.shape[1]
        information, score = np.zeros((len(effects), k * (k + 1) // 2)), np.zeros_like(effects)
        for at, g in self._dosages(parameters, len(x)):
            p = self._fitted(effects[at], g, x)
            information[at] = _information(g, p * (1 - p), x, pairs)
            score[at] = _slopes(g, self._cases - p, x)
        return {"information": information, "score": score}

    def _firth(self, parameters: Arrays) -> Arrays:
        """As `_effects`; the score is that of the likelihood penalised by the information's determinant."""
        x, pairs = self._designs(parameters)
        effects, inverse = parameters["effects"], parameters["inverse"]
        score = np.zeros_like(effects)
        for at, g in self._dosages(parameters, len(x)):
            p = self._fitted(effects[at], g, x)
            upper = np.triu_indices(x.shape[1])
            twice = np.where(upper[0] == upper[1], 1.0, 2.0)
            of_x = (inverse[at, 1:, 1:][:, upper[0], upper[1]] * twice) @ pairs.T
            hat = p * (1 - p) * (inverse[at, 0, :1] * g**2 + 2 * g * (inverse[at, 0, 1:] @ x.T) + of_x)
            score[at] = _slopes(g, self._cases - p + hat * (0.5 - p), x)
        return {"score": score}

    def _fitted(self, effects: Floats, g: Floats, x: Floats) -> Floats:
        """Probabilities of being a case, float64 [alleles, people]. Without the allele's part weights must be of enough
        people: with it they may be of its carriers."""
        of_x = effects[:, 1:] @ x.T
        p = _expit(of_x)
        self._require_spread(p * (1 - p))
        return _expit(effects[:, :1] * g + of_x)

    def _designs(self, parameters: Arrays) -> tuple[Floats, Floats]:
        """Covariates, and the products of every two of them (upper triangle by rows)."""
        x = self._null(parameters).x
        upper = np.triu_indices(x.shape[1])
        return x, x[:, upper[0]] * x[:, upper[1]]

    def _dosages(self, parameters: Arrays, people: int) -> Iterator[tuple[slice, Floats]]:
        scan = self._genotypes.scan(self._listed(parameters))
        mean = parameters["copies"]
        step = max(1, _AT_ONCE // max(people, 1))
        for begin in range(0, len(mean), step):
            at = slice(begin, min(begin + step, len(mean)))
            g = scan.dosages(np.arange(at.start, at.stop))
            yield at, np.where(np.isnan(g), mean[at, None], g)

    def _listed(self, parameters: Arrays) -> AlleleList:
        return read_alleles(self._method.variants.assembly, parameters)


def _expit(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), which never overflows."""
    found: Floats = 0.5 * (1 + np.tanh(0.5 * x))
    return found


def _loglik(linear: Floats, cases: Floats) -> Floats:
    found: Floats = cases * linear - np.logaddexp(0, linear)
    return found


def _information(g: Floats, w: Floats, x: Floats, pairs: Floats) -> Floats:
    """Upper triangle by rows, [alleles, (k + 1)(k + 2) / 2], of the design (g, x)."""
    wg = w * g
    return np.hstack(((wg * g).sum(axis=1, keepdims=True), wg @ x, w @ pairs))


def _slopes(g: Floats, residual: Floats, x: Floats) -> Floats:
    return np.hstack(((g * residual).sum(axis=1, keepdims=True), residual @ x))
