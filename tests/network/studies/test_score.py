# SPDX-License-Identifier: Apache-2.0
"""A score over sites, under masks, against each person's score by plain sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from megagenome.analytics.model import Table
from megagenome.analytics.score import ScoreSite
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.model import StudyResult
from megagenome.network.studies.score import score
from megagenome.standards.study import Group, Measured, Score, Weight
from tests.oracles.federation import run
from tests.oracles.study_people import Floats, People, draw

EVERYONE = '{"type":"everyone"}'


def _weights(people: People, rng: np.random.Generator) -> tuple[tuple[Weight, ...], Floats, np.ndarray]:
    """Some of the effect alleles are references; two alleles are nobody's."""
    alleles = people.site(0)[1].alleles
    size, turned = len(alleles), rng.random(len(people.calls)) < 0.4
    effects = rng.normal(size=size)
    weights = tuple(
        Weight("22", int(s), *(("A", "G") if t else ("G", "A")), float(w))
        for s, t, w in zip(alleles.start, turned, effects, strict=True)
    )
    return (*weights, Weight("22", 1, "A", "C", 1.0), Weight("1", 5, "A", "G", 2.0)), effects, turned


def _plain(people: People, effects: Floats, turned: np.ndarray, missing: str) -> Floats:
    copies = people.calls.astype(np.float64)
    called = copies >= 0
    copies = np.where(turned[:, None], 2 - copies, copies)
    fill = 0.0 if missing == "zero" else np.nanmean(np.where(called, copies, np.nan), axis=1, keepdims=True)
    return effects @ np.where(called, copies, fill)


def _run(people: People, method: Score) -> StudyResult:
    sites = {}
    for k in range(len(people.sizes)):
        table, genotypes = people.site(k)
        trait = table.trait if method.trait else np.zeros(0)
        sites[f"n{k}"] = ScoreSite(method, Table(trait, np.zeros((people.sizes[k], 0)), ()), genotypes)
    return run(score(method, len(sites)), sites)


@given(st.integers(0, 2**32), st.sampled_from(["mean", "zero"]), st.sampled_from([0.0, 0.1]))
@settings(max_examples=20)
def test_it_is_the_distribution_of_the_pooled_people(seed: int, missing: str, share: float) -> None:
    people = draw(seed, (60, 70, 80), 25, 0, missing=share)
    weights, effects, turned = _weights(people, np.random.default_rng(seed))
    result = _run(people, Score("GRCh38", "PGS1", weights, missing))
    scores = _plain(people, effects, turned, missing)
    assert result.summary["people"] == 210
    assert result.summary["weights_used"] == 25
    assert result.summary["mean"] == pytest.approx(scores.mean(), rel=1e-9, abs=1e-9)
    assert result.summary["deviation"] == pytest.approx(scores.std(), rel=1e-9)
    assert result.summary["skewness"] == pytest.approx(stats.skew(scores), rel=1e-6, abs=1e-7)
    assert result.summary["excess_kurtosis"] == pytest.approx(stats.kurtosis(scores), rel=1e-6, abs=1e-6)
    columns = result.tables["distribution"].columns
    inside = (scores > scores.mean() - 5 * scores.std()) & (scores < scores.mean() + 5 * scores.std())
    assert int(np.sum(np.asarray(columns["people"]))) == 210
    for low, high, n in zip(columns["low"], columns["high"], columns["people"], strict=True):
        near = np.abs(np.concatenate((scores - low, scores - high))).min() < 1e-6
        if not near and inside.all():
            assert n == ((scores >= low) & (scores < high)).sum()
    deciles = np.asarray(result.tables["deciles"].columns["score"])
    for k, decile in enumerate(deciles, 1):
        assert abs((scores < decile).mean() - k / 10) < 0.05


def test_a_score_tells_cases_from_controls() -> None:
    people = draw(4, (300, 300, 300), 25, 0)
    weights, effects, turned = _weights(people, np.random.default_rng(4))
    scores = _plain(people, effects, turned, "mean")
    chance = 1 / (1 + np.exp(-2 * (scores - scores.mean()) / scores.std()))
    cases = (np.random.default_rng(5).random(900) < chance).astype(np.float64)
    method = Score("GRCh38", "PGS1", weights, trait=Group(EVERYONE, EVERYONE))
    result = _run(people._replace(trait=cases), method)
    area = stats.mannwhitneyu(scores[cases == 1], scores[cases == 0]).statistic / (cases.sum() * (900 - cases.sum()))
    assert result.summary["cases"] == cases.sum()
    assert result.summary["area_under_curve"] == pytest.approx(area, abs=0.005)


def test_a_score_explains_a_number() -> None:
    people = draw(4, (300, 300, 300), 25, 0)
    weights, effects, turned = _weights(people, np.random.default_rng(4))
    scores = _plain(people, effects, turned, "mean")
    trait = 170 + 3 * scores + np.random.default_rng(6).normal(0, 10, 900)
    method = Score("GRCh38", "PGS1", weights, trait=Measured("LOINC:8308-9"))
    result = _run(people._replace(trait=trait), method)
    assert result.summary["r_squared"] == pytest.approx(np.corrcoef(scores, trait)[0, 1] ** 2, rel=1e-9)


def test_a_score_that_cannot_be_computed_is_refused() -> None:
    people = draw(4, (30, 30, 30), 3, 0)
    with pytest.raises(Invalid, match="recorded at every node"):
        _run(people, Score("GRCh38", "PGS1", (Weight("1", 5, "A", "G", 2.0),)))
    start = int(people.site(0)[1].alleles.start[0])
    twice = Weight("22", start, "G", "A", 1.0)
    with pytest.raises(Invalid, match="twice"):
        _run(people, Score("GRCh38", "PGS1", (twice, twice)))
    people.calls[:] = 1
    with pytest.raises(Invalid, match="same score"):
        _run(people, Score("GRCh38", "PGS1", (twice,)))
