# SPDX-License-Identifier: Apache-2.0
"""Documents that are about one person: nothing of their results is told, on whatever terms but those of open data."""

from collections.abc import Callable

import numpy as np
import pytest

from megagenome.analytics.linear import LinearSite
from megagenome.analytics.logistic import LogisticSite
from megagenome.analytics.model import Table
from megagenome.analytics.score import ScoreSite
from megagenome.analytics.survival import SurvivalSite
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.linear import linear
from megagenome.network.studies.logistic import logistic
from megagenome.network.studies.model import StudyResult
from megagenome.network.studies.score import score
from megagenome.network.studies.settle import settle
from megagenome.network.studies.survival import survival
from megagenome.standards.study import Arm, Group, Linear, Logistic, Measured, Score, Survival, Variants, Weight
from megagenome.standards.study_exchange import NO_TERMS, Terms
from tests.oracles.federation import Traffic, run
from tests.oracles.study_people import Floats, People, draw

TERMS = Terms(100, 10, 10)
EVERYONE = '{"type":"everyone"}'
VARIANTS = Variants("GRCh38")
PEOPLE = draw(5, (90, 80, 130), 12, 1)
N = len(PEOPLE.trait)


def of(*numbers: int) -> Floats:
    """1 of these people, 0 of all others."""
    return np.isin(np.arange(N), numbers).astype(np.float64)


def _linear(people: People, least: int = 0, traffic: Traffic | None = None) -> StudyResult:
    method = Linear(VARIANTS, Measured("y"))
    sites = {f"n{k}": LinearSite(method, *people.site(k), 0) for k in range(3)}
    return run(linear(method, people.site(0)[0].names, 3, least), sites, traffic=traffic)


def _logistic(people: People, least: int = 0, traffic: Traffic | None = None) -> StudyResult:
    method = Logistic(VARIANTS, Group(EVERYONE, EVERYONE))
    sites = {f"n{k}": LogisticSite(method, *people.site(k), 0) for k in range(3)}
    return run(logistic(method, people.site(0)[0].names, 3, least), sites, traffic=traffic)


def _survival(sizes: tuple[int, ...], least: int, traffic: Traffic | None = None, longest: float = 40.0) -> StudyResult:
    """Groups of these sizes, and one who was seen longest."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    time = np.append(np.arange(len(group) - 1) % 30.0, longest)
    table = np.column_stack((np.arange(len(group)) % 2, group)).astype(np.float64)
    method = Survival(Measured("days"), "status", groups=tuple(Arm(f"g{k}", EVERYONE) for k in range(len(sizes))))
    parts = np.array_split(np.arange(len(group)), 3)
    sites = {f"n{k}": SurvivalSite(method, Table(time[p], table[p], ("event", "group"))) for k, p in enumerate(parts)}
    return run(survival(method, least), sites, traffic=traffic)


def _score(
    people: People, trait: Measured | Group | None = None, weights: Floats | None = None, least: int = 0
) -> StudyResult:
    effects = np.linspace(-1, 2, len(people.calls)) if weights is None else weights
    rows = tuple(Weight("22", 100 * k + 5, "G", "A", float(w)) for k, w in enumerate(effects))
    method = Score("GRCh38", "PGS1", rows, trait=trait)
    return run(score(method, 3, least), {f"n{k}": ScoreSite(method, *people.site(k)) for k in range(3)})


def with_private(carriers: int) -> People:
    """The last allele is of these many people only."""
    calls = PEOPLE.calls.copy()
    calls[-1] = 0
    calls[-1, 11 : 11 + carriers] = 1
    return PEOPLE._replace(calls=calls)


ONLY_LAST = np.append(np.full(11, 1e-9), 1.0)
HALF = (np.arange(N) % 2).astype(np.float64)

ABOUT_FEW: dict[str, Callable[[], StudyResult]] = {
    "a trait that only one person has": lambda: _linear(PEOPLE._replace(trait=of(7))),
    "a trait that nine people have": lambda: _linear(PEOPLE._replace(trait=of(*range(100, 109)))),
    "a trait that one person has a thousand times": lambda: _linear(PEOPLE._replace(trait=PEOPLE.trait + 1e5 * of(7))),
    "a covariate that is one person": lambda: _linear(PEOPLE._replace(covariates=of(7)[:, None])),
    "all but one": lambda: _linear(PEOPLE._replace(covariates=1 - of(7)[:, None])),
    "two groups that differ by one person": lambda: _linear(
        PEOPLE._replace(covariates=np.column_stack((of(*range(50, 90)), of(*range(50, 91)))))
    ),
    "one case": lambda: _logistic(PEOPLE._replace(trait=of(7), covariates=np.zeros((N, 0)))),
    "nine controls": lambda: _logistic(PEOPLE._replace(trait=1 - of(*range(9)), covariates=np.zeros((N, 0)))),
    "cases and a covariate of few": lambda: _logistic(PEOPLE._replace(trait=HALF, covariates=of(1, 2, 3, 4)[:, None])),
    "a score of one carrier": lambda: _score(with_private(1), weights=ONLY_LAST),
    "what a score explains of one carrier's trait": lambda: _score(with_private(1), Measured("y"), ONLY_LAST),
    "a score of seven carriers": lambda: _score(with_private(7), weights=ONLY_LAST),
    "a score of one person's trait": lambda: _score(PEOPLE._replace(trait=of(7)), Measured("y")),
    "a score of one case": lambda: _score(PEOPLE._replace(trait=of(7)), Group(EVERYONE, EVERYONE)),
}


FIVE, NOBODY = of(1, 2, 3, 4, 5), of()
HALVES = np.column_stack((HALF, HALF))
IS_THERE_ANYBODY: dict[str, tuple[Callable[[Traffic], object], ...]] = {
    "a covariate": tuple(
        lambda traffic, x=x: _linear(PEOPLE._replace(covariates=x[:, None]), 10, traffic) for x in (FIVE, of(7), NOBODY)
    ),
    "cases": tuple(
        lambda traffic, x=x: _logistic(PEOPLE._replace(trait=x, covariates=np.zeros((N, 0))), 10, traffic)
        for x in (FIVE, of(7), NOBODY)
    ),
    "what two groups differ by": tuple(
        lambda traffic, x=x: _linear(PEOPLE._replace(covariates=HALVES + np.outer(x, [0, 1])), 10, traffic)
        for x in (of(8), NOBODY)
    ),
    "a group of survival": tuple(lambda traffic, n=n: _survival((150, 150 - n, n), 10, traffic) for n in (0, 1, 9)),
}


@pytest.mark.parametrize("name", IS_THERE_ANYBODY)
def test_whether_there_is_anybody_is_not_told_either(name: str) -> None:
    """By no message, nor by the step at which a study ends: its progress is seen."""
    ends = set()
    for study in IS_THERE_ANYBODY[name]:
        traffic = Traffic()
        with pytest.raises(Invalid, match=r"fewer than 10 people differ|one follows from the others") as refused:
            study(traffic)
        ends.add((str(refused.value), traffic.rounds))
    assert len(ends) == 1


def test_a_score_does_not_tell_whether_somebody_has_a_rare_allele() -> None:
    said = set()
    for carriers in (0, 1, 9):
        with pytest.raises(Invalid) as refused:
            _score(with_private(carriers), weights=ONLY_LAST * (ONLY_LAST > 0.5), least=10)
        said.add(str(refused.value))
        summary = _score(with_private(carriers), least=10).summary
        assert (summary["weights"], summary["weights_used"]) == (12, 11)
    assert len(said) == 1
    assert _score(with_private(10), least=10).summary["weights_used"] == 12


def test_how_long_the_last_one_was_seen_is_not_told() -> None:
    """Neither by what is asked, whose shape receipts tell, nor by the answer to widths that are tried."""
    told = [_survival((150, 150), 10, longest=longest) for longest in (40.0, 1e4, 1e30)]
    at_risk = [np.asarray(each.tables["curves"].columns["at_risk"]).tolist() for each in told]
    assert at_risk[0] == at_risk[1] == at_risk[2]
    assert {each.notes for each in told} == {("Times from 32 on, which fewer than 10 people reach, count as that.",)}
    with pytest.raises(Invalid, match="make them wider"):
        _survival((150, 150), 0, longest=1e30)


@pytest.mark.parametrize("name", ABOUT_FEW)
def test_a_result_about_few_people_is_not_told(name: str) -> None:
    result = ABOUT_FEW[name]()
    with pytest.raises(Invalid, match="fewer than 10 people differ"):
        settle(result, TERMS)
    assert settle(result, NO_TERMS).result == result, "open data may be asked about anybody"


def test_a_result_about_many_is_told() -> None:
    for result in (
        _linear(PEOPLE),
        _linear(PEOPLE._replace(trait=of(*range(0, N, 15)))),
        _logistic(PEOPLE._replace(trait=HALF)),
        _score(PEOPLE, Measured("y")),
        _score(PEOPLE._replace(trait=HALF), Group(EVERYONE, EVERYONE)),
    ):
        assert settle(result, TERMS).waits_for == ""


def test_how_many_are_behind_is_that_of_the_pooled_columns() -> None:
    columns = np.column_stack((PEOPLE.covariates, PEOPLE.trait))
    around = columns - columns.mean(axis=0)
    behind = (around**2).sum(axis=0) ** 2 / (around**4).sum(axis=0)
    assert _linear(PEOPLE).behind == pytest.approx(behind.min(), rel=1e-9)
