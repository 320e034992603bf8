# SPDX-License-Identifier: Apache-2.0
"""Logistic association over sites, under masks, against the pooled people: each number computed another way."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from megagenome.analytics.logistic import LogisticSite
from megagenome.kernel.errors import Invalid, NotEntitled
from megagenome.network.studies import effects, saddlepoint
from megagenome.network.studies.logistic import logistic
from megagenome.network.studies.model import StudyResult
from megagenome.standards.study import Group, Logistic, Variants
from tests.oracles.federation import run
from tests.oracles.study_people import Floats, People, alleles, draw

EVERYONE = '{"type":"everyone"}'


def _cases(seed: int, sizes: tuple[int, ...], alleles: int, covariates: int, share: float, missing: float) -> People:
    people = draw(seed, sizes, alleles, covariates, missing=missing)
    rng = np.random.default_rng(seed + 1)
    chance = share * np.exp(0.4 * (people.calls[0] == 2))
    return people._replace(trait=(rng.random(sum(sizes)) < chance).astype(np.float64))


def _run(people: People, *, effects_below: float = 1.0, masks: bool = True, least_count: int = 1) -> StudyResult:
    method = Logistic(Variants("GRCh38", least_count=1), Group(EVERYONE, EVERYONE), (), effects_below)
    sites = {f"n{k}": LogisticSite(method, *people.site(k), least_count) for k in range(len(people.sizes))}
    return run(logistic(method, people.site(0)[0].names, len(sites)), sites, masks=masks)


def _columns(result: StudyResult) -> dict[str, Any]:
    return {name: np.asarray(column) for name, column in result.tables["associations"].columns.items()}


class Pooled:
    """The pooled people, with plain formulas and scipy's solvers."""

    def __init__(self, people: People) -> None:
        x = people.covariates
        x = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
        self.x = np.column_stack((np.ones(len(x)), x))
        self.d = people.trait
        copies = people.calls.astype(np.float64)
        copies[copies < 0] = np.nan
        self.g = np.where(np.isnan(copies), np.nanmean(copies, axis=1, keepdims=True), copies)
        self.p = _expit(self.x @ self.fit(self.x)[0])

    def fit(self, x: Floats, *, firth: bool = False) -> tuple[Floats, Floats]:
        """Coefficients and inverse information, by a solver of equations that knows no second derivatives."""

        def slope(b: Floats) -> Floats:
            p = _expit(x @ b)
            residual = self.d - p
            if firth:
                w = p * (1 - p)
                root = x * np.sqrt(w)[:, None]
                hat = np.einsum("ij,jk,ik->i", root, np.linalg.inv(root.T @ root), root)
                residual = residual + hat * (0.5 - p)
            return x.T @ residual

        def cost(b: Floats) -> float:
            w = _expit(x @ b) * _expit(-x @ b)
            return float(-(self.d * (x @ b) - np.logaddexp(0, x @ b)).sum() - np.linalg.slogdet((x.T * w) @ x)[1] / 2)

        # far from the penalised maximum its slope is 0 as well, as far as a solver of equations sees
        near = optimize.minimize(cost, np.zeros(x.shape[1]), method="Nelder-Mead").x if firth else np.zeros(x.shape[1])
        b = optimize.root(slope, near, method="hybr", options={"xtol": 1e-12}).x
        # that solver leaves a millionth of a standard error; some steps of Newton's take it away
        for _ in range(20):
            p = _expit(x @ b)
            b = b + np.linalg.solve((x.T * (p * (1 - p))) @ x, slope(b))
        p = _expit(x @ b)
        return b, np.linalg.inv((x.T * (p * (1 - p))) @ x)

    def adjusted(self, allele: int) -> tuple[float, Floats]:
        """z, and each person's part in the score, in its deviations."""
        g, w = self.g[allele], self.p * (1 - self.p)
        a = g - self.x @ np.linalg.solve((self.x.T * w) @ self.x, self.x.T @ (w * g))
        deviation = math.sqrt(a @ (w * a))
        return float(a @ (self.d - self.p)) / deviation, a / deviation

    def tail_p(self, allele: int) -> float:
        z, a = self.adjusted(allele)
        return self._beyond(a, abs(z)) + self._beyond(-a, abs(z))

    def _beyond(self, a: Floats, s: float) -> float:
        p = self.p
        most = np.maximum(a, 0).sum() - a @ p
        if s > most * (1 + 1e-7):
            return 0.0
        if s >= most * (1 - 1e-7):
            return float(np.prod(np.where(a > 0, p, 1 - p)))

        def slope(t: float) -> float:
            return float((a * (_expit(t * a + np.log(p / (1 - p))) - p)).sum() - s)

        t = optimize.brentq(slope, 0, 90, xtol=1e-13, rtol=1e-14)
        k = (np.log1p(p * np.expm1(t * a)) - t * a * p).sum()
        q = _expit(t * a + np.log(p / (1 - p)))
        w, v = math.sqrt(2 * (t * s - k)), t * math.sqrt((a**2 * q * (1 - q)).sum())
        return float(stats.norm.sf(w + math.log(v / w) / w))


def _expit(x: Floats) -> Floats:
    return np.asarray(np.where(x > 0, 1 / (1 + np.exp(-np.abs(x))), 1 - 1 / (1 + np.exp(-np.abs(x)))))


@given(
    st.integers(0, 2**32),
    st.lists(st.integers(40, 120), min_size=3, max_size=4).map(tuple),
    st.integers(0, 2),
    st.sampled_from([0.08, 0.4]),
    st.sampled_from([0.0, 0.05]),
)
@settings(max_examples=20)
def test_it_is_the_regression_of_the_pooled_people(
    seed: int, sizes: tuple[int, ...], covariates: int, share: float, missing: float
) -> None:
    people = _cases(seed, sizes, 5, covariates, share, missing)
    if people.trait.sum() < 5:
        return
    found, pooled = _columns(_run(people)), Pooled(people)
    for row, allele in enumerate((found["pos1"] - 6) // 100):
        z, _ = pooled.adjusted(allele)
        assert found["z"][row] == pytest.approx(z, abs=1e-7)
        if abs(z) > saddlepoint.BEYOND:
            assert found["p"][row] == pytest.approx(pooled.tail_p(allele), rel=1e-6)
        else:
            assert found["p"][row] == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-6)
        firth = effects.FIRTH in found["flags"][row]
        beta, inverse = pooled.fit(np.column_stack((pooled.g[allele], pooled.x)), firth=firth)
        se = math.sqrt(inverse[0, 0])
        assert abs(found["beta"][row] - beta[0]) <= 1e-8 * se
        assert found["se"][row] == pytest.approx(se, rel=1e-8)


def test_an_effect_that_is_there_is_found() -> None:
    people = draw(4, (500, 400, 600), 20, 1)
    chance = _expit(-1.5 + 0.8 * np.maximum(people.calls[0], 0))
    people = people._replace(trait=(np.random.default_rng(1).random(1500) < chance).astype(np.float64))
    found = _columns(_run(people, effects_below=1e-4))
    assert found["p"].argmin() == 0
    assert abs(found["beta"][0] - 0.8) < 4 * found["se"][0]
    assert np.isnan(found["beta"][found["p"] > 1e-4]).all()


def test_perfect_separation_gives_firth_s_effect_and_an_exact_p() -> None:
    people = draw(12, (60, 70, 80), 3, 0)
    people.calls[1] = 0
    people.calls[1, :12] = 1
    trait = np.zeros(210)
    trait[:12] = 1
    people = people._replace(trait=trait)
    found, pooled = _columns(_run(people)), Pooled(people)
    assert effects.FIRTH in found["flags"][1]
    assert saddlepoint.AT_THE_END in found["flags"][1]
    # all carriers are cases and nobody else is: one outcome, and none as extreme on the other side
    assert found["p"][1] == pytest.approx((12 / 210) ** 12 * (198 / 210) ** 198, rel=1e-6)
    beta, inverse = pooled.fit(np.column_stack((pooled.g[1], pooled.x)), firth=True)
    assert found["beta"][1] == pytest.approx(beta[0], rel=1e-6)
    assert found["se"][1] == pytest.approx(math.sqrt(inverse[0, 0]), rel=1e-6)


def test_with_few_cases_the_saddle_point_is_less_sure_than_the_normal() -> None:
    people = _cases(21, (900, 900, 900), 200, 1, 0.01, 0.0)
    found = _columns(_run(people, effects_below=1e-9))
    far = np.abs(found["z"]) > 2
    assert far.sum() > 3
    normal = 2 * stats.norm.sf(np.abs(found["z"][far]))
    assert np.median(found["p"][far] / normal) > 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_study_without_cases_or_without_controls_is_refused(value: float) -> None:
    people = draw(1, (30, 30, 30), 3, 1)
    with pytest.raises(Invalid, match="everybody is a control"):
        _run(people._replace(trait=np.full(90, value)))


def test_a_covariate_that_tells_cases_from_controls_is_refused() -> None:
    people = draw(1, (30, 30, 30), 3, 1)
    separated = (people.covariates[:, 0] > np.median(people.covariates[:, 0])).astype(np.float64)
    with pytest.raises(Invalid, match="tell cases from controls"):
        _run(people._replace(trait=separated), least_count=0)
    with pytest.raises(NotEntitled, match="tell cases from controls"):  # of people who are not open, the node stops it
        _run(people._replace(trait=separated))


def test_a_model_that_is_of_one_person_is_not_computed_with() -> None:
    """A hub that lies puts the model's edge at somebody: all sums of weights would be theirs."""
    people = draw(1, (60, 60, 60), 3, 1)
    method = Logistic(Variants("GRCh38", least_count=1), Group(EVERYONE, EVERYONE))
    table, genotypes = people.site(0)
    site = LogisticSite(method, table, genotypes, 1)
    x = table.covariates[:, 0]
    scale = {"means": np.array([x[7]]), "scales": np.array([1e-7])}
    listed = {**alleles(3).to_arrays(), "copies": np.ones(3)}
    for step, aimed in (
        ("null", {"null": np.array([0.0, 1.0])}),
        ("scores", {"null": np.array([0.0, 1.0])}),
        ("effects", {"null": np.zeros(2), "effects": np.tile([0.0, 0.0, 1.0], (3, 1))}),
    ):
        with pytest.raises(NotEntitled, match="fewer than 3"):
            site.answer(step, {**listed, **scale, **aimed})


def test_a_trait_that_is_constant_at_one_site_is_no_matter() -> None:
    people = _cases(5, (80, 90, 100), 4, 1, 0.3, 0.0)
    people.trait[:80] = 0
    found, pooled = _columns(_run(people)), Pooled(people)
    for row in range(4):
        assert found["z"][row] == pytest.approx(pooled.adjusted(row)[0], abs=1e-7)


def test_an_allele_that_a_covariate_explains_has_no_p() -> None:
    people = _cases(9, (60, 60, 60), 3, 1, 0.4, 0.0)
    people.covariates[:, 0] = people.calls[1]
    result = _run(people)
    found = _columns(result)
    assert np.isnan(found["p"]).tolist() == [False, True, False]
    assert any("the covariates explain it" in note for note in result.notes)
