# SPDX-License-Identifier: Apache-2.0
"""Components over sites, under masks, against a full decomposition of the pooled people's matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.analytics.components import BINS, REACH, ComponentsSite
from megagenome.kernel.errors import Invalid
from megagenome.network.studies import components as hub
from megagenome.network.studies.components import components
from megagenome.network.studies.model import StudyResult
from megagenome.standards.study import Components, Variants
from tests.oracles.federation import run
from tests.oracles.study_people import DenseGenotypes, Floats, People, draw


def _structured(seed: int, sizes: tuple[int, ...], alleles: int, missing: float = 0.0) -> People:
    """Sites with frequencies of their own, and a finer structure within."""
    people = draw(seed, sizes, alleles, 0)
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 4, sum(sizes))
    frequency = np.clip(rng.uniform(0.2, 0.8, (alleles, 1)) + rng.normal(0, 0.12, (alleles, 4)), 0.05, 0.95)
    people.calls[:] = rng.binomial(2, frequency[:, kind])
    people.calls[rng.random(people.calls.shape) < missing] = -1
    return people


def _standardised(calls: np.ndarray) -> Floats:
    g = np.where(calls >= 0, calls, np.nan).astype(np.float64)
    mean = np.nanmean(g, axis=1, keepdims=True)
    z = (g - mean) / np.sqrt(mean * (1 - mean / 2))
    return np.where(np.isnan(z), 0.0, z)


def _run(people: People, wanted: int, *, masks: bool = True) -> tuple[StudyResult, dict[str, ComponentsSite]]:
    method = Components(Variants("GRCh38", least_count=1), wanted)
    sites = {f"n{k}": ComponentsSite(method, people.site(k)[1], 1) for k in range(len(people.sizes))}
    return run(components(method, len(sites)), sites, masks=masks), sites


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.05]))
@settings(max_examples=6)
def test_they_are_those_of_the_pooled_people(seed: int, missing: float) -> None:
    people = _structured(seed, (40, 50, 60), 300, missing)
    result, _ = _run(people, 3)
    _, s, vt = np.linalg.svd(_standardised(people.calls).T, full_matrices=False)
    values = np.asarray(result.tables["components"].columns["eigenvalue"])
    told = len(values)
    assert told == 3  # four kinds of people
    assert values == pytest.approx(s[:told] ** 2 / 300, rel=1e-8)
    assert np.asarray(result.tables["components"].columns["share"]) == pytest.approx(
        s[:told] ** 2 / (s**2).sum(), rel=1e-6
    )
    for k in range(told):
        loading = np.asarray(result.tables["loadings"].columns[f"pc{k + 1}"])
        assert abs(loading @ vt[k]) > 1 - 1e-7


def test_the_map_counts_everybody_where_they_are() -> None:
    people = _structured(5, (60, 70, 80), 400)
    result, _ = _run(people, 2)
    cells = result.tables["map"].columns
    assert int(np.sum(np.asarray(cells["people"]))) == 210
    u, _, vt = np.linalg.svd(_standardised(people.calls).T, full_matrices=False)
    signs = [np.sign(v @ np.asarray(result.tables["loadings"].columns[f"pc{k + 1}"])) for k, v in enumerate(vt[:2])]
    places = u[:, :2] * signs * np.sqrt(210)
    expected = np.histogramdd(places, [np.linspace(-REACH, REACH, BINS + 1)] * 2)[0]
    counts = {
        (round(float(x), 3), round(float(y), 3)): int(n)
        for x, y, n in zip(cells["pc1"], cells["pc2"], cells["people"], strict=True)
    }
    edges = np.linspace(-REACH, REACH, BINS + 1)
    for i, j in zip(*np.nonzero(expected), strict=True):
        assert counts[round(float(edges[i]), 3), round(float(edges[j]), 3)] == expected[i, j]


def test_components_that_do_not_stand_apart_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_MOST_COLUMNS", 120)
    people = _structured(6, (150, 150, 150), 500)
    result, _ = _run(people, 10)
    told = result.summary["components"]
    assert told in (3, 4, 5)
    assert any(f"Only {told} of 10 components" in note for note in result.notes)


def test_other_chromosomes_are_refused() -> None:
    people = _structured(6, (50, 50, 50), 20)
    method = Components(Variants("GRCh38", least_count=1), 2)
    sites = {}
    for k in range(3):
        genotypes = people.site(k)[1]
        on_x = DenseGenotypes(type(genotypes.alleles)("GRCh38", ("X",), *_rest(genotypes)), genotypes.calls)
        sites[f"n{k}"] = ComponentsSite(method, on_x, 1)
    with pytest.raises(Invalid, match="autosomes"):
        run(components(method, 3), sites)


def _rest(genotypes: DenseGenotypes) -> tuple[np.ndarray, np.ndarray, tuple[bytes, ...]]:
    return genotypes.alleles.contig, genotypes.alleles.start, genotypes.alleles.text
