# SPDX-License-Identifier: Apache-2.0
"""Random people of a study at several sites, for methods that are tested against the pooled computation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.analytics.model import Table
from megagenome.analytics.needs import Floats
from megagenome.standards.study_arrays import AlleleList
from tests.oracles.dense_scan import MISSING, NO_RECORD, DenseScan


class DenseGenotypes(NamedTuple):
    """Implements `analytics.needs.Genotypes` over a matrix (`dense_scan`) for the alleles of a list."""

    alleles: AlleleList
    calls: npt.NDArray[np.int8]

    def list_alleles(self, assembly: str, regions: Sequence[str], least_count: int) -> AlleleList:
        assert assembly == self.alleles.assembly
        assert not regions
        counts = DenseScan(self.calls).count()
        copies = counts.het + 2 * counts.hom + counts.hemi
        return self.alleles.take(np.flatnonzero(np.minimum(copies, counts.called - copies) >= least_count))

    def scan(self, alleles: AlleleList) -> DenseScan:
        place = {key: k for k, key in enumerate(_keys(self.alleles))}
        rows = np.array([place.get(key, -1) for key in _keys(alleles)])
        return DenseScan(np.where(rows[:, None] >= 0, self.calls[rows], np.int8(NO_RECORD)))


def _keys(alleles: AlleleList) -> list[tuple[str, int, bytes]]:
    contigs = [alleles.contigs[k] for k in alleles.contig.tolist()]
    return list(zip(contigs, alleles.start.tolist(), alleles.text, strict=True))


class People(NamedTuple):
    """People of all sites together, and how many each site has."""

    calls: npt.NDArray[np.int8]  # [alleles, people]
    covariates: Floats  # [people, columns]
    trait: Floats  # [people]
    sizes: tuple[int, ...]

    def site(self, k: int) -> tuple[Table, DenseGenotypes]:
        """The part of one site."""
        at = slice(sum(self.sizes[:k]), sum(self.sizes[: k + 1]))
        names = tuple(f"x{j}" for j in range(self.covariates.shape[1]))
        return Table(self.trait[at], self.covariates[at], names), DenseGenotypes(
            alleles(len(self.calls)), self.calls[:, at]
        )


def alleles(count: int) -> AlleleList:
    """Some alleles, in order."""
    start = np.arange(count, dtype=np.int64) * 100 + 5
    return AlleleList("GRCh38", ("22",), np.zeros(count, np.uint32), start, (b"A\tG",) * count)


def draw(
    seed: int, sizes: tuple[int, ...], alleles: int, covariates: int, *, missing: float = 0.0, effect: float = 0.3
) -> People:
    """People whose first allele has an effect; sites differ in frequencies and in the trait's mean."""
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    site = np.repeat(np.arange(len(sizes)), sizes)
    frequency = rng.uniform(0.05, 0.95, (alleles, 1)) * rng.uniform(0.6, 1.0, (alleles, len(sizes)))
    calls = rng.binomial(2, frequency[:, site]).astype(np.int8)
    calls[rng.random(calls.shape) < missing] = MISSING
    x = rng.normal(size=(n, covariates)) * rng.uniform(0.1, 30, covariates) + rng.normal(0, 50, covariates)
    trait = 170 + 3 * site + effect * np.maximum(calls[0], 0) + rng.normal(0, 6, n)
    if covariates:
        trait += 0.1 * x[:, 0]
    return People(calls, x, trait, sizes)
