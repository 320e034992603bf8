# SPDX-License-Identifier: Apache-2.0
"""A scan over a matrix of calls in memory: what `analytics.needs.Scan` says, written so that it can be read off."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from megagenome.analytics.needs import Counts, Floats, GenotypeCounts, Projection, Scan

MISSING = -1
"""Not every allele was called, or the person has no such place (women on Y)."""
NO_RECORD = -2
"""No file of the person has the allele."""


@dataclass(frozen=True)
class DenseScan:
    """Implements `analytics.needs.Scan`.

    calls   int8 [alleles, people]: how many of the called alleles are this one (0 .. ploidy), MISSING or NO_RECORD
    ploidy  int8 [alleles, people], 1 or 2; None: 2 everywhere
    """

    calls: npt.NDArray[np.int8]
    ploidy: npt.NDArray[np.int8] | None = None

    @property
    def people(self) -> int:
        return self.calls.shape[1]

    @property
    def recorded(self) -> npt.NDArray[np.bool_]:
        return np.asarray((self.calls != NO_RECORD).all(axis=1))

    def _ploidy(self) -> npt.NDArray[np.int8]:
        return np.full(self.calls.shape, 2, np.int8) if self.ploidy is None else self.ploidy

    def _copies(self) -> Floats:
        """Copies as plink2 has them, 0 of whom nothing is known."""
        copies = np.where(self._ploidy() == 1, 2, 1) * self.calls.astype(np.float64)
        return np.where(self.calls >= 0, copies, 0.0)

    def count(self) -> GenotypeCounts:
        ploidy = self._ploidy()
        called = np.where(self.calls >= 0, ploidy, 0)

        def number(which: npt.NDArray[Any]) -> Counts:
            return np.asarray(which.sum(axis=1), np.int64)

        return GenotypeCounts(
            het=number((ploidy == 2) & (self.calls == 1)),
            hom=number((ploidy == 2) & (self.calls == 2)),
            hemi=number((ploidy == 1) & (self.calls == 1)),
            missing=number(self.calls == MISSING),
            called=number(called),
        )

    def project(
        self, copies_of: Floats, missing_of: Floats | None = None, squares_of: Floats | None = None
    ) -> Projection:
        absent = (self.calls == MISSING).astype(np.float64)
        nothing = np.zeros((self.people, 0))
        return Projection(
            self._copies() @ copies_of,
            absent @ (nothing if missing_of is None else missing_of),
            self._copies() ** 2 @ (nothing if squares_of is None else squares_of),
        )

    def spread(self, weights: Floats, missing: Floats | None = None) -> Floats:
        absent = (self.calls == MISSING).astype(np.float64)
        spread: Floats = self._copies().T @ weights
        return spread if missing is None else spread + absent.T @ missing

    def dosages(self, alleles: Counts) -> Floats:
        return np.where(self.calls[alleles] >= 0, self._copies()[alleles], np.nan)


def require_equal(found: Scan, expected: DenseScan, seed: int = 1) -> None:
    """All that a scan answers, with random numbers."""
    random = np.random.default_rng(seed)
    alleles, people = expected.calls.shape
    assert found.people == people
    assert found.recorded.tolist() == expected.recorded.tolist()
    for name, mine, theirs in zip(GenotypeCounts._fields, found.count(), expected.count(), strict=True):
        np.testing.assert_array_equal(mine, theirs, name)
    for columns in (1, 4, 11):
        x, z = random.normal(size=(2, people, columns))
        q = random.normal(size=(people, 3))
        w, v = random.normal(size=(2, alleles, columns))
        for mine, theirs in (
            *zip(found.project(x, z, q), expected.project(x, z, q), strict=True),
            *zip(found.project(x), expected.project(x), strict=True),
            (found.spread(w, v), expected.spread(w, v)),
            (found.spread(w), expected.spread(w)),
        ):
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12 * (1 + people + alleles))
    some = random.permutation(alleles)[: alleles // 2 + 1]
    np.testing.assert_array_equal(found.dosages(some), expected.dosages(some))
