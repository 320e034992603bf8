# SPDX-License-Identifier: Apache-2.0
"""What all simulated people's data, in one place, say of an allele that height was given: least squares person by
person. It shares nothing with what studies compute."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.app.demo.plan import HEIGHT, SimulatedDataset
from megagenome.collection.model import Sex, Use
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.ids import IndividualId
from megagenome.synthetic.genomes import ASSEMBLY

AROUND = 40_000
"""Bases on both sides of the allele that are studied with it."""
FREQUENT = 0.05
"""Alleles that are rarer are not studied, so that any node with a fair share of the people may name the others."""
CONTIG = "22"

Floats = npt.NDArray[np.float64]
Copies = npt.NDArray[np.int8]


class Region(NamedTuple):
    """Of chromosome 22, 0-based half-open."""

    start: int
    end: int

    @property
    def text(self) -> str:
        """As a study document writes it."""
        return f"{CONTIG}:{self.start + 1}-{self.end}"


class Effect(NamedTuple):
    """Of one allele: centimetres for each copy beside a constant and the sex, and genotypes counted."""

    beta: float
    se: float
    p: float
    het: int
    hom: int
    called: int


class Pooled(NamedTuple):
    """All of it.

    allele     that height depends on
    effects    by allele (`22-28760001-A-G`), of all that are frequent enough
    people     how many were studied
    mean, deviation, r_squared
               of the score that is the allele's copies, where a missing call is the mean of all, and how much of height
               it explains
    """

    allele: str
    region: Region
    effects: Mapping[str, Effect]
    people: int
    mean: float
    deviation: float
    r_squared: float

    @property
    def place(self) -> int:
        """Of the allele among all, from 1, by p."""
        return 1 + sum(each.p < self.effects[self.allele].p for each in self.effects.values())


class _Part(NamedTuple):
    """One dataset's: `values` are constant, sex and height [people, 3]; copies are -1 where missing."""

    values: Floats
    copies: dict[str, Copies]


def pool(datasets: Sequence[SimulatedDataset], without: Collection[IndividualId], allele: str) -> Pooled:
    """Over everybody in these datasets who consents to research, but those `without`."""
    near = int(allele.split("-")[1]) - 1
    region = Region(near - AROUND, near + AROUND + 1)
    parts = [_read(each, without, region) for each in datasets]
    values = np.concatenate([part.values for part in parts])
    everywhere = [each for each in parts[0].copies if all(each in part.copies for part in parts)]
    copies = {each: np.concatenate([part.copies[each] for part in parts]) for each in everywhere}
    effects = {each: _fit(values, of) for each, of in copies.items() if _is_frequent(of)}
    score = np.where(copies[allele] < 0, copies[allele][copies[allele] >= 0].mean(), copies[allele])
    r = np.corrcoef(score, values[:, 2])[0, 1]
    return Pooled(allele, region, effects, len(values), float(score.mean()), float(score.std()), float(r**2))


def _read(dataset: SimulatedDataset, without: Collection[IndividualId], region: Region) -> _Part:
    source = dataset.dataset.genotypes()
    places = {sample: place for place, sample in enumerate(source.samples)}
    chosen, values = [], []
    for person in dataset.people(lambda _: None).persons:
        if Use.RESEARCH in (person.consent or ()) and person.individual_id not in without:
            height = next(fact.value for fact in person.facts if fact.term == HEIGHT)
            chosen.append(places[str(person.sample_id)])
            values.append((1.0, person.sex is Sex.FEMALE, float(height or "nan")))
    return _Part(np.array(values, np.float64), dict(_alleles(dataset, np.array(chosen), region)))


def _alleles(dataset: SimulatedDataset, chosen: npt.NDArray[np.int_], region: Region) -> Iterator[tuple[str, Copies]]:
    """Of chromosome 22, the first, no more is read than the region."""
    for block in dataset.dataset.genotypes().blocks:
        if block.starts[0] >= region.end or block.contig != f"chr{CONTIG}":
            return
        for row in np.flatnonzero((block.starts >= region.start) & (block.starts < region.end)).tolist():
            calls = block.calls[row][chosen]
            for number, alt in enumerate(block.alts[row], 1):
                copies = np.where((calls < 0).any(axis=1), -1, (calls == number).sum(axis=1)).astype(np.int8)
                written = Allele(ASSEMBLY, CONTIG, int(block.starts[row]), block.refs[row], alt).parsimonious()
                yield str(written), copies


def _is_frequent(copies: Copies) -> bool:
    called = copies[copies >= 0]
    count, of = int(called.sum(dtype=np.int64)), 2 * len(called)
    return min(count, of - count) >= FREQUENT * of


def _fit(values: Floats, copies: Copies) -> Effect:
    """Who has no call is left out."""
    from scipy.special import betainc  # takes a while to load

    called = copies >= 0
    x = np.column_stack([values[called, :2], copies[called]])
    y = values[called, 2]
    slopes, rss, _rank, _singular = np.linalg.lstsq(x, y, rcond=None)
    df = len(y) - x.shape[1]
    se = float(np.sqrt(rss[0] / df * np.linalg.inv(x.T @ x)[2, 2]))
    t = slopes[2] / se
    p = float(betainc(df / 2, 0.5, df / (df + t**2)))
    het, hom = (int((copies == each).sum()) for each in (1, 2))
    return Effect(float(slopes[2]), se, p, het, hom, 2 * int(called.sum()))
