# SPDX-License-Identifier: Apache-2.0
"""Planted people of a node's test of itself, and what each method must find in them: computed from everybody's numbers
in one place, person by person. It shares nothing with what studies compute.

Genotypes are int8 [alleles, people], -1 where the call is missing.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.standards.study import Components, Frequencies, Linear, Logistic, Score, Survival

Floats = npt.NDArray[np.float64]
Calls = npt.NDArray[np.int8]
Columns = dict[str, npt.NDArray[np.float64]]
Tables = dict[str, Columns]

PEOPLE, ALLELES, APART = 120, 24, 100
"""Alleles are at 0, APART, 2 APART, ..."""
WEIGHTS = tuple(0.1 * (k + 1) for k in range(ALLELES))
TWO_SIDED_95 = 1.959963984540054


class Planted(NamedTuple):
    """Everybody: genotypes; 1 for women; a trait that depends on sex and the first allele."""

    calls: Calls
    sex: Floats
    trait: Floats

    @property
    def is_case(self) -> Floats:
        """Who has more of the trait than half of the people."""
        return np.asarray(self.trait > np.median(self.trait), np.float64)

    @property
    def time(self) -> Floats:
        """Until an event, of women, or until they were last seen, of men."""
        return np.asarray(np.floor(3 * np.abs(self.trait)), np.float64)

    def filled(self, k: int) -> Floats:
        """Copies of an allele, of whom has no call the mean."""
        calls = self.calls[k]
        return np.asarray(np.where(calls < 0, calls[calls >= 0].mean(), calls), np.float64)


def plant() -> Planted:
    """The same people each time."""
    random = np.random.default_rng(20)
    ancestry = random.normal(size=(2, PEOPLE))
    frequency = 1 / (1 + np.exp(-random.normal(size=(ALLELES, 2)) @ ancestry))
    calls = random.binomial(2, frequency).astype(np.int8)
    calls[random.random(calls.shape) < 0.02] = -1
    sex = random.integers(0, 2, PEOPLE).astype(np.float64)
    return Planted(calls, sex, 0.3 * calls[0] + 0.5 * sex + random.normal(size=PEOPLE))


def find_frequencies(people: Planted) -> Tables:
    """Wilson's interval as the two frequencies that are as far as can be from what was seen; the test of equilibrium
    over all numbers of heterozygotes, in whole numbers."""
    rows = []
    for calls in people.calls:
        het, hom, missing = (int((calls == each).sum()) for each in (1, 2, -1))
        an = 2 * (PEOPLE - missing)
        seen, z = (het + 2 * hom) / an, TWO_SIDED_95**2 / an
        low, high = sorted(np.roots([1 + z, -2 * seen - z, seen**2]).real)
        rows.append((low, high, het, hom, 0, _equilibrium(het, het + 2 * hom, an // 2)))
    names = ("low", "high", "het", "hom", "hemi", "hardy_weinberg_p")
    return {"frequencies": _alleles(people) | dict(zip(names, np.array(rows, np.float64).T, strict=True))}


def find_linear(people: Planted) -> Tables:
    """Least squares of whom has a call."""
    from scipy.special import betainc  # only a study should wait for it

    rows = []
    for calls in people.calls:
        called = calls >= 0
        x = np.column_stack((np.ones(PEOPLE), people.sex, calls))[called]
        slopes, rss = np.linalg.lstsq(x, people.trait[called])[:2]
        df = len(x) - x.shape[1]
        se = math.sqrt(rss[0] / df * np.linalg.inv(x.T @ x)[-1, -1])
        t = slopes[-1] / se
        rows.append((len(x), slopes[-1], se, t, betainc(df / 2, 0.5, df / (df + t**2))))
    columns = zip(("n", "beta", "se", "t", "p"), np.array(rows).T, strict=True)
    return {"associations": _alleles(people) | dict(columns)}


def find_logistic(people: Planted) -> Tables:
    """The score of what the covariates leave of each allele, and the maximum of the likelihood."""
    from scipy.special import ndtr  # only a study should wait for it

    covariates, cases = np.column_stack((np.ones(PEOPLE), people.sex)), people.is_case
    chance = 1 / (1 + np.exp(-covariates @ _most_likely(covariates, cases)[0]))
    root = np.sqrt(chance * (1 - chance))
    rows = []
    for k in range(ALLELES):
        copies = people.filled(k)
        explained = np.linalg.lstsq(root[:, None] * covariates, root * copies)[0]
        left = copies - covariates @ explained
        left /= np.linalg.norm(root * left)
        z = float(left @ (cases - chance))
        p = 2 * ndtr(-abs(z)) if abs(z) <= 2 else sum(_tail(side * left, chance, abs(z)) for side in (-1, 1))
        slopes, variance = _most_likely(np.column_stack((covariates, copies)), cases)
        se = math.sqrt(variance[-1, -1])
        rows.append((z, p, slopes[-1], se, 2 * ndtr(-abs(slopes[-1] / se))))
    columns = zip(("z", "p", "beta", "se", "p_wald"), np.array(rows).T, strict=True)
    return {"associations": _alleles(people) | dict(columns)}


def find_components(people: Planted) -> Tables:
    """Two singular vectors of the whole matrix, and where everybody is on them, each time with the sign that makes the
    largest loading positive."""
    copies = np.array([people.filled(k) for k in range(ALLELES)])
    mean = copies.mean(axis=1, keepdims=True)
    left, size, right = np.linalg.svd(((copies - mean) / np.sqrt(mean * (1 - mean / 2))).T)
    signs = np.array([np.sign(row[np.abs(row).argmax()]) for row in right[:2]])
    edges = np.linspace(-4, 4, 41)
    places = np.clip(left[:, :2] * signs * math.sqrt(PEOPLE), -3.999, 3.999)
    cells = np.histogramdd(places, [edges] * 2)[0]
    x, y = np.nonzero(cells)
    shares = {"eigenvalue": size[:2] ** 2 / ALLELES, "share": size[:2] ** 2 / (size**2).sum()}
    return {
        "components": {"component": np.array([1.0, 2.0]), **shares},
        "loadings": _alleles(people) | {f"pc{k + 1}": right[k] * signs[k] for k in range(2)},
        "map": {"pc1": edges[x], "pc2": edges[y], "people": cells[x, y]},
    }


def find_score(people: Planted) -> Tables:
    """Everybody's score, counted in bins of a twentieth of their deviation."""
    scores = np.array(WEIGHTS) @ np.array([people.filled(k) for k in range(ALLELES)])
    edges = scores.mean() + scores.std() * np.linspace(-5, 5, 201)
    counts = np.histogram(scores, edges)[0]
    tenths, upto = np.arange(1, 10), np.append(0, counts.cumsum()) / PEOPLE
    return {
        "distribution": {"low": edges[:-1], "high": edges[1:], "people": counts.astype(np.float64)},
        "deciles": {"decile": tenths.astype(np.float64), "score": np.interp(tenths / 10, upto, edges)},
    }


def find_survival(people: Planted) -> Tables:
    """Kaplan and Meier's product, one time of an event after another, with Greenwood's interval."""
    alive, variance, rows = 1.0, 0.0, []
    for time in sorted(set(people.time[people.sex > 0].tolist())):
        at_risk = int((people.time >= time).sum())
        events = int(((people.time == time) & (people.sex > 0)).sum())
        alive *= (at_risk - events) / at_risk
        low = high = 0.0
        if alive:
            variance += events / (at_risk * (at_risk - events))
            spread = math.exp(TWO_SIDED_95 * math.sqrt(variance) / abs(math.log(alive)))
            low, high = alive**spread, alive ** (1 / spread)
        rows.append((time, at_risk, events, alive, low, high))
    names = ("time", "at_risk", "events", "survival", "low", "high")
    curves = dict(zip(names, np.array(rows).T, strict=True))
    half = next((row[0] for row in rows if row[3] <= 0.5), math.nan)
    of_all = {"people": PEOPLE, "events": people.sex.sum(), "median": half}
    return {"curves": curves, "groups": {name: np.array([float(each)]) for name, each in of_all.items()}}


FIND: Mapping[type, Callable[[Planted], Tables]] = {
    Frequencies: find_frequencies,
    Linear: find_linear,
    Logistic: find_logistic,
    Components: find_components,
    Score: find_score,
    Survival: find_survival,
}
"""By the kind of method: every number of the tables that its result has."""


def _alleles(people: Planted) -> Columns:
    """What the table of any of these methods says of the alleles."""
    copies = np.maximum(people.calls, 0).sum(axis=1).astype(np.float64)
    missing = (people.calls < 0).sum(axis=1).astype(np.float64)
    called = 2 * (PEOPLE - missing)
    place = {"pos1": 1.0 + APART * np.arange(ALLELES)}
    return place | {"ac": copies, "an": called, "missing": missing, "frequency": copies / called}


def _equilibrium(het: int, copies: int, people: int) -> float:
    """Of all ways to give so many copies to people, the share of those with a number of heterozygotes that no more of
    them have."""
    ways = {
        each: 2**each * math.comb(people, each) * math.comb(people - each, (copies - each) // 2)
        for each in range(copies % 2, min(copies, 2 * people - copies) + 1, 2)
    }
    return float(sum(each for each in ways.values() if each <= ways[het]) / sum(ways.values()))


def _most_likely(x: Floats, cases: Floats) -> tuple[Floats, Floats]:
    """A logistic model's coefficients, after more of Newton's steps than it takes, and their variance."""
    at: Floats = np.zeros(x.shape[1])
    inverse: Floats = np.eye(x.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-x @ at))
        inverse = np.asarray(np.linalg.inv(x.T * (chance * (1 - chance)) @ x), np.float64)
        at = at + inverse @ (x.T @ (cases - chance))
    return at, inverse


def _tail(left: Floats, chance: Floats, far: float) -> float:
    """That a score of variance 1 is `far` or more, by the saddle point (Lugannani and Rice in Barndorff-Nielsen's
    form), which is found by halving."""
    from scipy.special import ndtr  # only a study should wait for it

    def tilted(t: float) -> Floats:
        odds: Floats = chance * np.exp(t * left)
        return odds / (1 - chance + odds)

    t, beyond = 0.0, 100.0
    for _ in range(200):
        middle = (t + beyond) / 2
        t, beyond = (middle, beyond) if left @ (tilted(middle) - chance) < far else (t, middle)
    cumulant = np.log(1 - chance + chance * np.exp(t * left)).sum() - t * (left @ chance)
    w, v = math.sqrt(2 * (t * far - cumulant)), t * math.sqrt((left**2 * tilted(t) * (1 - tilted(t))).sum())
    return float(ndtr(-(w + math.log(v / w) / w)))
