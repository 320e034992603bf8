# SPDX-License-Identifier: Apache-2.0
"""A node's test of itself before it takes part: each method over planted people in memory, as three sites under masks
and in fixed point, beside what plain formulas say of everybody's numbers in one place (`study_planted.py`). What
differs between a node's arithmetic (its processor, its libraries) and what it must be shows here and not in a study.
"""

import math
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
from megagenome.app.study_planted import ALLELES, APART, FIND, PEOPLE, WEIGHTS, Planted, Tables, plant
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
"""Of any number of the two results, relative to the largest of its column, or to 1 where that is larger."""
_SITES = 3
_TEXT = b"A\tC"
_VARIANTS = Variants("GRCh38", ("1",), 1)
_EVERYONE, _WOMEN = '{"type":"everyone"}', '{"sex":"female","type":"sex"}'
_WEIGHTS = tuple(Weight("1", k * APART, "C", "A", weight) for k, weight in enumerate(WEIGHTS))
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
    """Between a method's result and the plain one, at most `MOST_DEVIATION`. Computed once in a process.

    Raises `Corrupt` where it is more, or a number is missing. Cost: tens of milliseconds."""
    study, people = _STUDIES[method], plant()
    parts = np.array_split(np.arange(PEOPLE), _SITES)
    found = _run(study, [_site(study, people, part) for part in parts])
    deviation = max(_deviations(found, FIND[method](people)), default=math.inf)
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
        return AlleleList(assembly, ("1",), np.zeros(len(places), np.uint32), APART * places, (_TEXT,) * len(places))

    def scan(self, alleles: AlleleList) -> "_Genotypes":
        return _Genotypes(self.calls[alleles.start // APART], np.array([text == _TEXT for text in alleles.text]))

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


def _site(study: Method, people: Planted, at: npt.NDArray[np.int64]) -> MethodSite:
    """With these of the people."""
    trait, covariates = people.trait, people.sex[:, None]
    match study:
        case Logistic():
            trait = people.is_case
        case Survival():
            trait, covariates = people.time, np.column_stack((people.sex, 0 * people.sex))
    table = Table(trait[at], covariates[at], ("sex",))
    return SITES[type(study)](study, table, _Genotypes(people.calls[:, at], np.ones(ALLELES, np.bool_)), 0)


def _run(study: Method, sites: Sequence[MethodSite]) -> StudyResult:
    combine, number = METHODS[type(study)](study, len(sites), 0), 0
    try:
        ask = next(combine)
        while True:
            ask, number = combine.send(_sums(ask, sites, number)), number + 1
    except StopIteration as ended:
        result: StudyResult = ended.value
        return result


def _sums(ask: Ask, sites: Sequence[MethodSite], number: int) -> Sums:
    answers = [site.answer(ask.step, unpack(pack(ask.parameters))) for site in sites]
    found: Sums = {f"{name}/site{k}": each[name] for name in ask.opened for k, each in enumerate(answers)}
    for each in ask.sums:
        found[each.name] = _masked([answer[each.name] for answer in answers], each.bits, number)
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


def _deviations(found: StudyResult, plain: Tables) -> list[float]:
    """Of each column of numbers, relative to the largest of it. Where one of the two has another than the other, or is
    longer, or has no number where the other has one, infinity."""
    if found.tables.keys() != plain.keys():
        return [math.inf]
    deviations = []
    for name, table in found.tables.items():
        columns = {column: np.asarray(each, np.float64) for column, each in table.columns.items() if _is_numeric(each)}
        if columns.keys() != plain[name].keys():
            return [math.inf]
        for column, expected in plain[name].items():
            mine = columns[column]
            if mine.shape != expected.shape or not np.array_equal(np.isfinite(mine), np.isfinite(expected)):
                return [math.inf]
            finite = np.isfinite(expected)
            off = np.abs(mine[finite] - expected[finite]).max(initial=0.0)
            deviations.append(float(off / max(1.0, np.abs(expected[finite]).max(initial=0.0))))
    return deviations


def _is_numeric(column: object) -> bool:
    return isinstance(column, np.ndarray) and column.dtype.kind in "fiu"
