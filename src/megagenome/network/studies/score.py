# SPDX-License-Identifier: Apache-2.0
"""The distribution of a polygenic score over several sites.

A weight is used where every site has a record of its place with these two alleles, in either order, and enough people
have the rarer one. Moments are exact;
deciles and the area under the curve come from bins of 0.05 standard deviations.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.columns import find_scale
from megagenome.network.studies.model import Ask, Combine, Quantity, StudyResult, Sums, Table
from megagenome.standards.ring import bits_for
from megagenome.standards.study import Group, Measured, Score, Weight
from megagenome.standards.study_arrays import AlleleList, list_alleles

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

BINS, REACH = 200, 5.0
"""As in `analytics.score`."""
_POWERS = 4


@dataclass(frozen=True, slots=True)
class Matched:
    """The weights that are used, float64 [alleles], as weights of copies of the alternates, and what follows from them.

    missing   what a missing call adds to the score
    constant  what everybody's score begins with, because alternates are not always the effect alleles
    middle, deviation  of the scores, were the alleles independent: a scale to compute on
    """

    alleles: AlleleList
    weights: Floats
    missing: Floats
    constant: float
    middle: float
    deviation: float
    people: int

    def parameters(self, middle: float, scale: float) -> dict[str, npt.NDArray[Any]]:
        """For the sites' steps; with it scores are (score - middle) / scale."""
        numbers = {"constant": self.constant, "middle": middle, "scale": scale}
        arrays = {name: np.array(number) for name, number in numbers.items()}
        return {**self.alleles.to_arrays(), "weights": self.weights, "missing": self.missing, **arrays}


def score(method: Score, sites: int, least: int = 0) -> Combine:
    """`distribution`: how many people (cases and controls, if given) are in each bin. `deciles`: their upper ends."""
    matched = yield from _match(method, sites, least)
    middle, deviation, skewness, kurtosis = yield from _moments(matched, sites)
    asked, wanted = matched.parameters(middle, deviation), [Quantity("bins", (BINS, _kinds(method)), 0)]
    trait = None
    # of a score in which one person differs from everybody else, the kurtosis is that of all people
    behind = matched.people / (kurtosis + 3)
    if isinstance(method.trait, Measured):
        trait = yield from find_scale(("trait",), sites, least, fitted=0)
        asked |= {"trait_middle": np.array(trait.means[0]), "trait_scale": np.array(trait.scales[0])}
        wanted.append(Quantity("trait", (3,), bits_for(64.0 * matched.people, sites)))
    sums = yield Ask("bins", asked, tuple(wanted))
    summary: dict[str, float | int | str] = {
        "people": matched.people,
        "mean": middle,
        "deviation": deviation,
        "skewness": skewness,
        "excess_kurtosis": kurtosis,
        "weights": len(method.weights),
        "weights_used": len(matched.alleles),
    }
    if trait is not None:
        behind = min(behind, trait.behind)
        summary["r_squared"] = _r_squared(sums["trait"], matched.people)
    if isinstance(method.trait, Group):
        behind = min(behind, *sums["bins"].sum(axis=0).tolist())
        summary |= {"cases": int(sums["bins"][:, 1].sum()), "area_under_curve": _area(sums["bins"])}
    tables = {
        "distribution": _distribution(sums["bins"], middle, deviation),
        "deciles": _deciles(sums["bins"].sum(axis=1), middle, deviation),
    }
    return StudyResult(tables, summary, tuple(_notes(method, matched)), behind)


def _kinds(method: Score) -> int:
    return 2 if isinstance(method.trait, Group) else 1


def _match(method: Score, sites: int, least: int) -> Generator[Ask, Sums, Matched]:
    straight = {_key(method, each.contig, each.start, each.other, each.effect): each for each in method.weights}
    turned = {_key(method, each.contig, each.start, each.effect, each.other): each for each in method.weights}
    if len(straight) < len(method.weights):
        raise Invalid(f"score {method.score}: a place and its two alleles stand in it twice")
    alleles = list_alleles(method.assembly, straight.keys() | turned.keys())
    wanted = (Quantity("found", (len(alleles), 3), 0), Quantity("people", (), 0))
    sums = yield Ask("match", alleles.to_arrays(), wanted)
    recorded, copies, missing = sums["found"].T
    people = int(sums["people"])
    by_weight: dict[Weight, list[int]] = {}
    # alleles of few people are taken for not recorded, also in what is said
    rarer = np.minimum(copies, 2 * (people - missing) - copies)
    for k in np.flatnonzero((recorded == sites) & (missing < people) & (rarer >= least)).tolist():
        key = _key(method, *alleles.allele(k)[1:])
        by_weight.setdefault(straight.get(key) or turned[key], []).append(k)
    # where both orders are recorded, nobody knows which is meant
    rows = np.array(sorted(k for found in by_weight.values() if len(found) == 1 for k in found), np.int64)
    if not rows.size:
        raise Invalid(f"score {method.score}: no allele of it is recorded at every node, and of enough people")
    keys = [_key(method, *alleles.allele(k)[1:]) for k in rows.tolist()]
    is_turned = np.array([key not in straight for key in keys])
    effects = np.array([(straight.get(key) or turned[key]).weight for key in keys])
    weights = np.where(is_turned, -effects, effects)
    constant = float(2 * effects[is_turned].sum())
    mean = copies[rows] / (people - missing[rows])
    missing_adds = weights * mean if method.missing == "mean" else np.where(is_turned, 2 * weights, 0.0)
    deviation = float(np.sqrt((weights**2 * mean * (1 - mean / 2)).sum()))
    if not deviation > 0:
        raise Invalid(f"score {method.score}: everybody of the study has the same")
    middle = constant + float(weights @ mean)
    return Matched(alleles.take(rows), weights, missing_adds, constant, middle, deviation, people)


def _key(method: Score, contig: str, start: int, ref: str, alt: str) -> tuple[str, int, bytes, bytes]:
    allele = Allele(method.assembly, contig, start, ref, alt).parsimonious()
    return allele.contig, allele.start, allele.ref.encode(), allele.alt.encode()


def _moments(matched: Matched, sites: int) -> Generator[Ask, Sums, tuple[float, float, float, float]]:
    """Mean, deviation, skewness, excess kurtosis, over all people (no correction for their number)."""
    # fourth powers of the farthest of a million people are some thousand, but of a score of one rare allele more: no
    # square of a score is more than all squares together, which are about as many as people
    bits = bits_for(float(matched.people) * max(2**12, 4 * matched.people), sites)
    asked = matched.parameters(matched.middle, matched.deviation)
    powers = (yield Ask("moments", asked, (Quantity("powers", (_POWERS,), bits),)))["powers"]
    m1, m2, m3, m4 = powers / matched.people
    variance = m2 - m1**2
    if not variance > 1e-12:
        raise Invalid("everybody of the study has the same score")
    third = m3 - 3 * m1 * m2 + 2 * m1**3
    fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
    mean = matched.middle + matched.deviation * m1
    deviation = matched.deviation * np.sqrt(variance)
    return float(mean), float(deviation), float(third / variance**1.5), float(fourth / variance**2 - 3)


def _distribution(counts: Counts, middle: float, deviation: float) -> Table:
    low = middle + deviation * (np.arange(BINS) * 2 * REACH / BINS - REACH)
    names = ("people",) if counts.shape[1] == 1 else ("controls", "cases")
    columns = {name: counts[:, k] for k, name in enumerate(names)}
    return Table({"low": low, "high": low + deviation * 2 * REACH / BINS, **columns})


def _deciles(people: Counts, middle: float, deviation: float) -> Table:
    """By straight lines within bins."""
    upto = np.append(0, people.cumsum()) / people.sum()
    edges = middle + deviation * np.linspace(-REACH, REACH, BINS + 1)
    tenths = np.arange(1, 10) / 10
    return Table({"decile": np.arange(1, 10), "score": np.interp(tenths, upto, edges)})


def _area(counts: Counts) -> float:
    """That a case's score is above a control's, ties counting half; NaN without either."""
    controls, cases = counts.T.astype(np.float64)
    below = np.append(0, controls.cumsum()[:-1])
    pairs = controls.sum() * cases.sum()
    return float((cases * (below + controls / 2)).sum() / pairs) if pairs else float("nan")


def _r_squared(sums: Floats, people: int) -> float:
    """Of the trait and the score, which has mean 0 and deviation 1."""
    y, yy, ys = sums / people
    return float(ys**2 / (yy - y**2))


def _notes(method: Score, matched: Matched) -> list[str]:
    notes = []
    if len(matched.alleles) < len(method.weights):
        unused = len(method.weights) - len(matched.alleles)
        notes.append(
            f"{unused:,} of {len(method.weights):,} weights are not used: not every node has their alleles, or too few "
            "people have the rarer one."
        )
    how = "the mean of all people" if method.missing == "mean" else "no copy of the effect allele"
    notes.append(f"People without a call at a place got {how} there.")
    return notes
