# SPDX-License-Identifier: Apache-2.0
"""Studies of people about whom they have nothing to say, from the sites' sums under masks to what is released: a clear
answer, never a number that means nothing. Covariates that follow from each other, perfect separation and constant
traits are with each method (`test_linear`, `test_logistic`)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from megagenome.analytics.alleles import AllelesSite
from megagenome.analytics.components import ComponentsSite
from megagenome.analytics.linear import LinearSite
from megagenome.analytics.logistic import LogisticSite
from megagenome.analytics.model import Table
from megagenome.analytics.survival import SurvivalSite
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.components import components
from megagenome.network.studies.frequencies import frequencies
from megagenome.network.studies.linear import linear
from megagenome.network.studies.logistic import logistic
from megagenome.network.studies.model import StudyResult
from megagenome.network.studies.release import ReleaseRules, check_release
from megagenome.network.studies.survival import survival
from megagenome.standards.study import (
    Arm,
    Components,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Survival,
    Variants,
)
from tests.oracles.federation import run
from tests.oracles.study_people import People, draw

EVERYONE = '{"type":"everyone"}'
VARIANTS = Variants("GRCh38", least_count=1)
SIZES = (60, 70, 80)


def _linear(people: People) -> StudyResult:
    method = Linear(VARIANTS, Measured("x"))
    sites = {f"n{k}": LinearSite(method, *people.site(k), least_count=1) for k in range(3)}
    return run(linear(method, people.site(0)[0].names, 3), sites)


def _logistic(people: People) -> StudyResult:
    method = Logistic(VARIANTS, Group(EVERYONE, EVERYONE), effects_below=1.0)
    sites = {f"n{k}": LogisticSite(method, *people.site(k), least_count=1) for k in range(3)}
    return run(logistic(method, people.site(0)[0].names, 3), sites)


def _frequencies(people: People) -> StudyResult:
    sites = {f"n{k}": AllelesSite(VARIANTS, people.site(k)[1], least_count=1) for k in range(3)}
    return run(frequencies(Frequencies(VARIANTS), 3), sites)


def _components(people: People) -> StudyResult:
    method = Components(VARIANTS, 2)
    sites = {f"n{k}": ComponentsSite(method, people.site(k)[1], least_count=1) for k in range(3)}
    return run(components(method, 3), sites)


def _people(alleles: int = 12) -> People:
    people = draw(3, SIZES, alleles, 1)
    return people._replace(trait=(people.trait > np.median(people.trait)).astype(np.float64))


@pytest.mark.parametrize("study", [_linear, _logistic, _frequencies, _components], ids=lambda each: each.__name__[1:])
@pytest.mark.parametrize("copies", [0, 2])
def test_an_allele_that_nobody_or_everybody_has_is_in_no_table(
    study: Callable[[People], StudyResult], copies: int
) -> None:
    people = _people()
    people.calls[4] = copies
    people.calls[5, : SIZES[0]] = copies  # at one site only: what the others have counts
    result = study(people)
    table = result.tables["loadings" if study is _components else next(iter(result.tables))]
    assert set(range(6, 1200, 100)) - set(np.asarray(table.columns["pos1"]).tolist()) == {406}


@pytest.mark.parametrize("study", [_linear, _logistic, _frequencies, _components], ids=lambda each: each.__name__[1:])
def test_nothing_but_alleles_that_do_not_vary_is_a_study_of_nothing(study: Callable[[People], StudyResult]) -> None:
    people = _people()
    people.calls[:] = 2
    with pytest.raises(Invalid, match="no node has an allele"):
        study(people)


def test_the_only_case_is_not_told() -> None:
    """A case and her genotype could be read from the statistics."""
    people = _people()
    trait = np.zeros(sum(SIZES))
    trait[7] = 1
    result = _logistic(people._replace(trait=trait))
    with pytest.raises(Invalid, match="fewer than 10 people differ from all others"):
        check_release(result, ReleaseRules())


def _survival(groups: list[int]) -> Any:
    """210 people with these many in each group; all but the last of a group have the event."""
    group = np.repeat(np.arange(len(groups)), groups)
    event = np.append(np.diff(group) == 0, False)
    covariates = np.column_stack((event, group)).astype(np.float64)
    table = Table(np.arange(len(group)) % 40 + 1.0, covariates, ("event", "group"))
    method = Survival(Measured("days"), "dead", groups=tuple(Arm(f"g{k}", EVERYONE) for k in range(len(groups))))
    rows = np.array_split(np.random.default_rng(1).permutation(len(group)), 3)
    sites = {
        f"n{k}": SurvivalSite(method, Table(table.trait[at], table.covariates[at], table.names))
        for k, at in enumerate(rows)
    }
    return check_release(run(survival(method), sites), ReleaseRules()).result.tables


def test_a_group_of_one_person_has_no_curve() -> None:
    told = _survival([100, 109, 1])
    assert "g2" not in told["groups"].columns["group"]
    assert "g2" not in told["curves"].columns["group"]
    assert set(told["curves"].columns["group"]) == {"g0", "g1"}
