# SPDX-License-Identifier: Apache-2.0
"""A node's test of itself before it takes part: each method over planted people in memory, as three sites under masks
and in fixed point, beside one site that has everybody, in float64. What differs between a node's arithmetic (its
processor, its libraries) and what it must be shows here and not in a study.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from megagenome.analytics.masking import RoundSecret
from megagenome.analytics.methods import METHODS as SITES
from megagenome.analytics.model import MethodSite, Table
from megagenome.analytics.needs import Counts, Floats, GenotypeCounts, Projection
from megagenome.kernel.errors import Corrupt
from megagenome.network.studies.methods import METHODS
from megagenome.network.studies.model import Ask, StudyResult, Sums
from megagenome.standards import ring
from megagenome.standards.study import (
    Components,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Method,
    Score,
    Sex,
    Survival,
    Variants,
    Weight,
)
from megagenome.standards.study_arrays import AlleleList, pack, unpack
from megagenome.standards.study_masks import Round

MOST_DEVIATION = 1e-6
"""Of any number of the two results, relative to the largest of its column."""
_PEOPLE, _ALLELES, _SITES = 120, 24, 3
_TEXT = b"A\tC"
_VARIANTS = Variants("GRCh38", ("1",), 1)
_EVERYONE, _WOMEN = '{"type":"everyone"}', '{"sex":"female","type":"sex"}'
_WEIGHTS = tuple(Weight("1", k * 100, "C", "A", 0.1 * (k + 1)) for k in range(_ALLELES))
_STUDIES: Mapping[type, Method] = {
    Frequencies: Frequencies(_VARIANTS),
    Linear: Linear(_VARIANTS, Measured("trait"), (Sex(),)),
    Logistic: Logistic(_VARIANTS, Group(_WOMEN, _EVERYONE), (Sex(),), 1.0),
    Components: Components(_VARIANTS, 2),
    Score: Score("GRCh38", "planted", _WEIGHTS),
    Survival: Survival(Measured("time"), "event"),
}


@cache
def largest_deviation(method: type) -> float:
    """Between the two results of a method, at most `MOST_DEVIATION`. Computed once in a process.

    Raises `Corrupt` where it is more, or a number is missing. Cost: tens of milliseconds."""
    study = _STUDIES[method]
    parts = np.array_split(np.arange(_PEOPLE), _SITES)
    together = _run(study, [_site(study, part) for part in parts], masks=True)
    alone = _run(study, [_site(study, np.arange(_PEOPLE))], masks=False)
    deviation = max(_deviations(together, alone), default=0.0)
    if not deviation <= MOST_DEVIATION:
        raise Corrupt(
            "this node computes otherwise than it must: the test of itself on planted people is off by "
            f"{deviation:.1e}; its operator looks at its processor and libraries"
        )
    return deviation


@dataclass(frozen=True, slots=True)
class _Genotypes:
    """`analytics.needs.Genotypes` and `Scan` over int8 [alleles, people], -1 where missing."""

    calls: npt.NDArray[np.int8]
    recorded: npt.NDArray[np.bool_]

    def list_alleles(self, assembly: str, _regions: Sequence[str], _least_count: int) -> AlleleList:
        places = np.arange(len(self.calls), dtype=np.int64)
        return AlleleList(assembly, ("1",), np.zeros(len(places), np.uint32), 100 * places, (_TEXT,) * len(places))

    def scan(self, alleles: AlleleList) -> "_Genotypes":
        return _Genotypes(self.calls[alleles.start // 100], np.array([text == _TEXT for text in alleles.text]))

    @property
    def people(self) -> int:
        return int(self.calls.shape[1])

    def _copies(self) -> Floats:
        return np.maximum(self.calls, 0).astype(np.float64)

    def _missing(self) -> Floats:
        return (self.calls < 0).astype(np.float64)

    def count(self) -> GenotypeCounts:
        het, hom, missing = ((self.calls == each).sum(axis=1, dtype=np.int64) for each in (1, 2, -1))
        return GenotypeCounts(het=het, hom=hom, hemi=0 * het, missing=missing, called=2 * (self.people - missing))

    def project(
        self, copies_of: Floats, missing_of: Floats | None = None, squares_of: Floats | None = None
    ) -> Projection:
        none = np.zeros((self.people, 0))
        missing_of, squares_of = (none if each is None else each for each in (missing_of, squares_of))
        copies = self._copies()
        return Projection(copies @ copies_of, self._missing() @ missing_of, copies**2 @ squares_of)

    def spread(self, weights: Floats, missing: Floats | None = None) -> Floats:
        spread: Floats = self._copies().T @ weights
        return spread if missing is None else spread + self._missing().T @ missing

    def dosages(self, alleles: Counts) -> Floats:
        return np.where(self.calls[alleles] < 0, np.nan, self.calls[alleles])


def _site(study: Method, people: npt.NDArray[np.int64]) -> MethodSite:
    random = np.random.default_rng(20)
    ancestry = random.normal(size=(2, _PEOPLE))
    frequency = 1 / (1 + np.exp(-random.normal(size=(_ALLELES, 2)) @ ancestry))
    calls = random.binomial(2, frequency).astype(np.int8)
    calls[random.random(calls.shape) < 0.02] = -1
    sex = random.integers(0, 2, _PEOPLE).astype(np.float64)
    trait = 0.3 * calls[0] + 0.5 * sex + random.normal(size=_PEOPLE)
    covariates = sex[:, None]
    match study:
        case Logistic():
            trait = (trait > np.median(trait)).astype(np.float64)
        case Survival():
            trait, covariates = np.floor(3 * np.abs(trait)), np.column_stack((sex, 0 * sex))
    table = Table(trait[people], covariates[people], ("sex",))
    return SITES[type(study)](study, table, _Genotypes(calls[:, people], np.ones(_ALLELES, np.bool_)), 0)


def _run(study: Method, sites: Sequence[MethodSite], *, masks: bool) -> StudyResult:
    combine, number = METHODS[type(study)](study, len(sites), 0), 0
    try:
        ask = next(combine)
        while True:
            ask, number = combine.send(_sums(ask, sites, number, masks)), number + 1
    except StopIteration as ended:
        result: StudyResult = ended.value
        return result


def _sums(ask: Ask, sites: Sequence[MethodSite], number: int, masks: bool) -> Sums:
    answers = [site.answer(ask.step, unpack(pack(ask.parameters))) for site in sites]
    found: Sums = {f"{name}/site{k}": each[name] for name in ask.opened for k, each in enumerate(answers)}
    for each in ask.sums:
        parts = [answer[each.name] for answer in answers]
        found[each.name] = _masked(parts, each.bits, number) if masks else np.sum(parts, axis=0)
    return found


def _masked(parts: Sequence[npt.NDArray[Any]], bits: int, number: int) -> npt.NDArray[Any]:
    names = tuple(f"site{k}" for k in range(len(parts)))
    turn, secrets = Round("sha256:planted", 0, number, names), [RoundSecret() for _ in names]
    publics = {name: secret.public for name, secret in zip(names, secrets, strict=True)}
    vectors = [
        secret.mask(ring.encode(part, bits, len(parts)).reshape(-1), turn, name, publics)
        for name, secret, part in zip(names, secrets, parts, strict=True)
    ]
    return ring.decode(ring.add(vectors), bits).reshape(parts[0].shape)


def _deviations(one: StudyResult, other: StudyResult) -> list[float]:
    """Of each column of numbers; components have no sign."""
    found = []
    for name, table in other.tables.items():
        for column, values in table.columns.items():
            mine = one.tables[name].columns[column]
            if isinstance(values, list) or values.dtype.kind not in "fiu" or isinstance(mine, list):
                continue
            if mine.shape != values.shape or not np.array_equal(np.isfinite(mine), np.isfinite(values)):
                return [float("inf")]
            finite = np.isfinite(values)
            a, b = mine[finite].astype(np.float64), values[finite].astype(np.float64)
            off = min(np.abs(a - b).max(initial=0.0), np.abs(a + b).max(initial=0.0) if name == "loadings" else np.inf)
            found.append(float(off / max(1.0, np.abs(b).max(initial=0.0))))
    return found
