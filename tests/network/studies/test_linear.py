# SPDX-License-Identifier: Apache-2.0
"""Linear association over sites, under masks, against least squares on the pooled people, one allele at a time."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from megagenome.analytics.linear import LinearSite
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.linear import linear
from megagenome.network.studies.model import StudyResult
from megagenome.standards.study import Linear, Measured, Variants
from tests.oracles.federation import run
from tests.oracles.study_people import People, draw


def _method(missing: str = "drop", least_count: int = 1) -> Linear:
    return Linear(Variants("GRCh38", least_count=least_count), Measured("LOINC:8308-9"), (), missing)


def _run(people: People, method: Linear, *, masks: bool = True) -> StudyResult:
    sites = {f"n{k}": LinearSite(method, *people.site(k), least_count=1) for k in range(len(people.sizes))}
    names = people.site(0)[0].names
    return run(linear(method, names, len(sites)), sites, masks=masks)


def _pooled(people: People, allele: int, missing: str) -> tuple[float, float, float, float]:
    """n, beta, se, p by numpy's least squares on everybody."""
    copies = people.calls[allele].astype(np.float64)
    called = copies >= 0
    if missing == "mean":
        copies, rows = np.where(called, copies, copies[called].mean()), np.ones(len(copies), bool)
    else:
        rows = called
    x = np.column_stack((copies[rows], np.ones(rows.sum()), people.covariates[rows]))
    y = people.trait[rows]
    # centred, so that the oracle is not the less exact of the two
    x[:, 2:] -= x[:, 2:].mean(axis=0)
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    df = len(y) - x.shape[1]
    residual = y - x @ beta
    se = math.sqrt(residual @ residual / df * np.linalg.inv(x.T @ x)[0, 0])
    return len(y), beta[0], se, 2 * stats.t.sf(abs(beta[0] / se), df)


@given(
    st.integers(0, 2**32),
    st.lists(st.integers(5, 60), min_size=3, max_size=6).map(tuple),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from(["drop", "mean"]),
)
@settings(max_examples=30)
def test_it_is_the_regression_of_the_pooled_people(
    seed: int, sizes: tuple[int, ...], covariates: int, missing: float, how: str
) -> None:
    people = draw(seed, sizes, 6, covariates, missing=missing)
    found = _columns(_run(people, _method(how)))
    assert found["pos1"].tolist() == [k * 100 + 6 for k in _varying(people)]
    for row, allele in enumerate(_varying(people)):
        if math.isnan(found["p"][row]):
            continue  # of which the oracle's products have no inverse
        n, beta, se, p = _pooled(people, allele, how)
        assert found["n"][row] == n
        assert abs(found["beta"][row] - beta) <= 1e-8 * se
        assert abs(found["se"][row] - se) <= 1e-8 * se
        assert found["p"][row] == pytest.approx(p, rel=1e-7)
    assert np.isnan(found["p"]).sum() <= 1


def _varying(people: People) -> list[int]:
    """Alleles of which there is more than one kind."""
    found = []
    for k, calls in enumerate(people.calls):
        copies, called = calls[calls >= 0].sum(), 2 * (calls >= 0).sum()
        if 0 < copies < called:
            found.append(k)
    return found


def _columns(result: StudyResult) -> dict[str, Any]:
    return {name: np.asarray(column) for name, column in result.tables["associations"].columns.items()}


def test_masks_and_fixed_point_change_nothing_that_is_seen() -> None:
    people = draw(7, (200, 300, 100), 50, 4, missing=0.02)
    plain, masked = (_columns(_run(people, _method(), masks=masks)) for masks in (False, True))
    assert np.abs((plain["beta"] - masked["beta"]) / plain["se"]).max() < 1e-9
    assert plain["se"] == pytest.approx(masked["se"], rel=1e-9)


def test_an_effect_that_is_there_is_found() -> None:
    people = draw(3, (400, 300, 500), 20, 2, effect=3.0)
    found = _columns(_run(people, _method()))
    assert found["p"].argmin() == 0
    assert found["p"][0] < 1e-8
    assert abs(found["beta"][0] - 3.0) < 4 * found["se"][0]


def test_a_trait_that_is_constant_at_one_site_is_no_matter() -> None:
    people = draw(5, (50, 60, 70), 4, 1)
    people.trait[:50] = 171.0
    found = _columns(_run(people, _method()))
    for row, allele in enumerate(_varying(people)):
        _, beta, se, _ = _pooled(people, allele, "drop")
        assert abs(found["beta"][row] - beta) <= 1e-8 * se


def test_a_site_with_one_person_takes_part() -> None:
    people = draw(6, (1, 40, 50), 4, 1)
    found = _columns(_run(people, _method()))
    assert set(found["n"]) == {91.0}


def test_covariates_that_follow_from_each_other_are_named() -> None:
    people = draw(8, (30, 30, 30), 3, 2)
    people.covariates[:, 1] = 2 * people.covariates[:, 0] - 7
    with pytest.raises(Invalid, match="covariate x1 follows from the others"):
        _run(people, _method())


@pytest.mark.parametrize(("column", "named"), [("covariates", "x0"), ("trait", "trait")])
def test_what_is_the_same_in_everybody_is_named(column: str, named: str) -> None:
    people = draw(8, (30, 30, 30), 3, 1)
    getattr(people, column)[:] = 4.0
    with pytest.raises(Invalid, match=f"{named}: the same"):
        _run(people, _method())


def test_a_trait_that_covariates_explain_wholly_has_no_effects() -> None:
    people = draw(1, (20, 20, 20), 5, 2)
    people = people._replace(trait=people.covariates @ [2.0, -1.0] + 3)
    with pytest.raises(Invalid, match="explain the trait wholly"):
        _run(people, _method())


def test_too_few_people_are_refused() -> None:
    with pytest.raises(Invalid, match="too few for 3 covariates"):
        _run(draw(1, (1, 2, 2), 3, 3), _method())


def test_an_allele_that_a_covariate_explains_has_no_effect() -> None:
    people = draw(9, (60, 60, 60), 3, 1)
    people.covariates[:, 0] = people.calls[1]
    result = _run(people, _method())
    found = _columns(result)
    assert np.isnan(found["p"]).tolist() == [False, True, False]
    assert np.isnan(found["beta"][1])
    assert any(
        note.startswith("Alleles of which no effect is stated") and note.endswith(": 1.") for note in result.notes
    )


def test_alleles_that_are_rare_are_left_out_and_counted() -> None:
    people = draw(10, (60, 60, 60), 5, 1)
    people.calls[2] = 0
    people.calls[2, :7] = 1
    result = _run(people, _method(least_count=8))
    assert result.summary["alleles"] == 4
    assert "Alleles left out because there are fewer than 8 copies of the rarer one: 1." in result.notes


def test_a_value_beyond_all_measure_is_refused_at_the_site() -> None:
    people = draw(10, (60, 60, 60), 5, 1)
    people.trait[3] = 1e7
    with pytest.raises(Invalid, match="larger units"):
        _run(people, _method())
