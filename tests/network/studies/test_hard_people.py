# SPDX-License-Identifier: Apache-2.0
"""Methods on data that are hard to add up: sites of one person, without a call or without the allele, scales from
tiny to huge, columns that nearly follow from each other. All against plain sums over the pooled people."""

import numpy as np
import pytest

from megagenome.analytics.alleles import AllelesSite
from megagenome.analytics.components import ComponentsSite
from megagenome.analytics.linear import LinearSite
from megagenome.analytics.logistic import LogisticSite
from megagenome.analytics.score import ScoreSite
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.components import components
from megagenome.network.studies.frequencies import frequencies
from megagenome.network.studies.linear import linear
from megagenome.network.studies.logistic import logistic
from megagenome.network.studies.score import score
from megagenome.standards.study import (
    Components,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Score,
    Variants,
    Weight,
)
from tests.oracles.dense_scan import MISSING
from tests.oracles.federation import run
from tests.oracles.study_people import Floats, People, draw

VARIANTS = Variants("GRCh38", least_count=1)
EVERYONE = '{"type":"everyone"}'
SITES = range(4)


@pytest.fixture(scope="module")
def people() -> People:
    """Allele 1 has no call at site 0, allele 2 nobody's at site 1, allele 3 everybody's there; site 2 is one person.
    Columns are near 10^5 with deviation 10^-2, near 0 with 10^-3, and nearly the sum of both."""
    made = draw(17, (60, 70, 1, 80), 8, 3, missing=0.03)
    calls, x = made.calls.copy(), made.covariates.copy()
    calls[1, :60] = MISSING
    calls[2, 60:130], calls[3, 60:130] = 0, 2
    rng = np.random.default_rng(2)
    x[:, 0] = 1e5 + 1e-2 * rng.normal(size=len(x))
    x[:, 1] = 1e-3 * rng.normal(size=len(x))
    x[:, 2] = (x[:, 0] - 1e5) + 10 * x[:, 1] + 3e-4 * rng.normal(size=len(x))
    return People(calls, x, 1e-3 * made.trait, made.sizes)


def _copies(people: People) -> Floats:
    return np.where(people.calls == MISSING, np.nan, people.calls.astype(np.float64))


def _standard(people: People) -> Floats:
    x = people.covariates - people.covariates.mean(axis=0)
    return np.column_stack((np.ones(len(x)), x / x.std(axis=0)))


@pytest.mark.parametrize("missing", ["drop", "mean"])
def test_linear(people: People, missing: str) -> None:
    method = Linear(VARIANTS, Measured("y"), (), missing)
    sites = {f"n{k}": LinearSite(method, *people.site(k), 0) for k in SITES}
    found = run(linear(method, ("a", "b", "c"), 4), sites).tables["associations"].columns
    g, x = _copies(people), _standard(people)
    assert len(found["beta"]) == 8
    for row in range(8):
        each = g[row] if missing == "drop" else np.where(np.isnan(g[row]), np.nanmean(g[row]), g[row])
        known = ~np.isnan(each)
        design = np.column_stack((each, x))[known]
        beta, rss, *_ = np.linalg.lstsq(design, people.trait[known], rcond=None)
        df = known.sum() - design.shape[1]
        se = np.sqrt(rss[0] / df * np.linalg.inv(design.T @ design)[0, 0])
        assert abs(found["beta"][row] - beta[0]) <= 1e-7 * se
        assert abs(found["se"][row] - se) <= 1e-7 * se
        assert found["n"][row] == known.sum()


def test_a_column_too_small_to_be_added_up_is_named(people: People) -> None:
    x = people.covariates.copy()
    x[:, 1] *= 1e-3
    method = Linear(VARIANTS, Measured("y"))
    sites = {f"n{k}": LinearSite(method, *people._replace(covariates=x).site(k), 0) for k in SITES}
    with pytest.raises(Invalid, match=r"^b: .* smaller units"):
        run(linear(method, ("a", "b", "c"), 4), sites)


def test_logistic_scores(people: People) -> None:
    cases = people._replace(trait=(people.trait > np.quantile(people.trait, 0.7)).astype(np.float64))
    method = Logistic(VARIANTS, Group(EVERYONE, EVERYONE), (), 1e-300)
    sites = {f"n{k}": LogisticSite(method, *cases.site(k), 0) for k in SITES}
    found = run(logistic(method, ("a", "b", "c"), 4), sites).tables["associations"].columns
    x, d, at = _standard(cases), cases.trait, np.zeros(4)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ at))
        w = p * (1 - p)
        at = at + np.linalg.solve((x.T * w) @ x, x.T @ (d - p))
    g = _copies(cases)
    g = np.where(np.isnan(g), np.nanmean(g, axis=1, keepdims=True), g)
    for row in range(8):
        rest = g[row] - x @ np.linalg.solve((x.T * w) @ x, x.T @ (w * g[row]))
        assert found["z"][row] == pytest.approx(rest @ (d - p) / np.sqrt(rest @ (w * rest)), abs=1e-6)


def test_components(people: People) -> None:
    sites = {f"n{k}": ComponentsSite(Components(VARIANTS, 2), people.site(k)[1], 0) for k in SITES}
    found = run(components(Components(VARIANTS, 2), 4), sites).tables
    g = _copies(people)
    mean = np.nanmean(g, axis=1, keepdims=True)
    z = np.where(np.isnan(g), 0.0, (g - mean) / np.sqrt(mean * (1 - mean / 2)))
    values = np.linalg.eigvalsh(z @ z.T)[::-1]
    told = len(found["components"].columns["eigenvalue"])
    assert told
    assert found["components"].columns["eigenvalue"] * 8 == pytest.approx(values[:told], rel=1e-9)


def test_score(people: People) -> None:
    effects = np.array([1e-6, 1e4, -3.0, 2e-3, 5e3, 1.0, -1e4, 0.0])
    method = Score("GRCh38", "P", tuple(Weight("22", 100 * k + 5, "G", "A", float(w)) for k, w in enumerate(effects)))
    sites = {f"n{k}": ScoreSite(method, *people.site(k)) for k in SITES}
    found = run(score(method, 4), sites).summary
    g = _copies(people)
    plain = effects @ np.where(np.isnan(g), np.nanmean(g, axis=1, keepdims=True), g)
    assert found["mean"] == pytest.approx(plain.mean(), rel=1e-9)
    assert found["deviation"] == pytest.approx(plain.std(), rel=1e-9)


def test_frequencies(people: People) -> None:
    sites = {f"n{k}": AllelesSite(VARIANTS, people.site(k)[1], 0) for k in SITES}
    found = run(frequencies(Frequencies(VARIANTS), 4), sites).tables["frequencies"].columns
    g = _copies(people)
    assert list(found["ac"]) == list(np.nansum(g, axis=1))
    assert list(found["missing"]) == list(np.isnan(g).sum(axis=1))
