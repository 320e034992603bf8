# SPDX-License-Identifier: Apache-2.0
"""Alleles that wait until their region is complete.

A record with k alternates becomes k rows, each with as few bases as say the same.
"""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection.classify import Int64
from megagenome.collection.collect import Alleles
from megagenome.kernel.coordinates import trim
from megagenome.standards.genotypes import Block
from megagenome.standards.vcf import NO_ALTERNATES


class Sites(NamedTuple):
    """Rows, in the order of the file.

    start, ploidy  int64 and int8 [rows]; the latter the place's `PloidyClass`
    refs, alts     [rows]
    origins        how the file has a row that stands otherwise in it: `pos1 ref alts k`
    """

    start: Int64
    ploidy: npt.NDArray[np.int8]
    refs: list[str]
    alts: list[str]
    origins: dict[int, str]

    def take(self, rows: Int64) -> "Sites":
        """These rows, numbered anew."""
        order = rows.tolist()
        if order == list(range(len(self.refs))):
            return self
        origins = {new: self.origins[old] for new, old in enumerate(order) if old in self.origins}
        refs, alts = ([texts[k] for k in order] for texts in (self.refs, self.alts))
        return Sites(self.start[rows], self.ploidy[rows], refs, alts, origins)

    def order(self, rows: Int64) -> tuple[Int64, int]:
        """Those of the rows that have an alternate, sorted by (start, ref, alt), each once: of the same allele twice,
        the first in the file stays. And how many were repeated."""
        start, chosen = self.start[rows], rows.tolist()
        if (np.diff(start) > 0).all() and NO_ALTERNATES.isdisjoint(self.alts):  # nearly always
            return rows, 0
        first: dict[tuple[int, str, str], int] = {}
        listed = 0
        for at, row in zip(start.tolist(), chosen, strict=True):
            if self.alts[row] not in NO_ALTERNATES:
                listed += 1
                first.setdefault((at, self.refs[row], self.alts[row]), row)
        return np.array([first[key] for key in sorted(first)], np.int64), listed - len(first)


class WaitingSites:
    """The rows of one contig that were not written yet."""

    def __init__(self) -> None:
        self._starts: list[Int64] = []
        self._ploidies: list[npt.NDArray[np.int8]] = []
        self._refs: list[str] = []
        self._alts: list[str] = []
        self._origins: dict[int, str] = {}

    def add(self, block: Block, classes: npt.NDArray[np.int8]) -> Alleles:
        """Take the alleles of a block, whose records' places are of these classes."""
        # a record with one alternate and a reference of one base: nothing to split, nothing to trim
        if {1}.issuperset(map(len, block.refs)) and {1}.issuperset(map(len, block.alts)):
            record = np.arange(len(block.refs), dtype=np.int32)
            self._extend(block.starts, classes, block.refs, list(chain.from_iterable(block.alts)))
            return Alleles(record, np.ones(len(record), np.int32), classes)
        rows = list(_split(block))
        record = np.array([row.record for row in rows], np.int32)
        before = len(self._refs)
        self._origins.update((before + k, row.origin) for k, row in enumerate(rows) if row.origin)
        starts = np.array([row.start for row in rows], np.int64)
        self._extend(starts, classes[record], [row.ref for row in rows], [row.alt for row in rows])
        return Alleles(record, np.array([row.allele for row in rows], np.int32), classes)

    def _extend(self, starts: Int64, ploidies: npt.NDArray[np.int8], refs: list[str], alts: list[str]) -> None:
        self._starts.append(starts)
        self._ploidies.append(ploidies)
        self._refs += refs
        self._alts += alts

    def sites(self) -> Sites:
        """All of them."""
        starts = np.concatenate([np.empty(0, np.int64), *self._starts])
        ploidies = np.concatenate([np.empty(0, np.int8), *self._ploidies])
        self._starts, self._ploidies = [starts], [ploidies]
        return Sites(starts, ploidies, self._refs, self._alts, self._origins)

    def keep(self, rows: Int64) -> None:
        """Forget all but these, which are numbered anew."""
        start, ploidy, self._refs, self._alts, self._origins = self.sites().take(rows)
        self._starts, self._ploidies = [start], [ploidy]


class _Row(NamedTuple):
    record: int
    allele: int
    start: int
    ref: str
    alt: str
    origin: str


def _split(block: Block) -> Iterator[_Row]:
    for record, (start, ref, alts) in enumerate(zip(block.starts.tolist(), block.refs, block.alts, strict=True)):
        for k, alt in enumerate(alts, 1):
            trimmed = trim(start, ref, alt)
            changed = len(alts) > 1 or trimmed[1] != ref
            yield _Row(record, k, *trimmed, f"{start + 1} {ref} {','.join(alts)} {k}" if changed else "")
