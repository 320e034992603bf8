# SPDX-License-Identifier: Apache-2.0
"""Quality of genotypes, by sample: counted in one pass over a file's blocks, in memory that does not grow with it.

All are plain counts (`standards.validation_report.SampleQuality` says of what), of calls on X and Y apart from others.
Samples of one person are told by common variants: those who agree at all of 64 in a row are compared at all.
"""

from collections import defaultdict
from itertools import combinations

import msgspec
import numpy as np
import numpy.typing as npt

from megagenome.reference.assemblies import Assembly, PloidyClass
from megagenome.standards.genotypes import ABSENT, Block
from megagenome.standards.validation_report import QUALITY_COUNTS, Duplicate, QualityControl, SampleQuality

_TRANSITIONS = frozenset({("A", "G"), ("G", "A"), ("C", "T"), ("T", "C")})
_BASES = frozenset("ACGT")

_FINGERPRINT_BYTES = 1 << 26
_FINGERPRINT_SITES = 4096
_BAND = 64
_APART = 10_000
"""Bases between variants that are compared: neighbours are inherited together, so many of them tell what one does."""
_COMMON = 0.1
"""Variants whose rarer allele is rarer than this tell little about who is who."""
LEAST_COMPARED = 128
LEAST_AGREEING = 0.98
"""Share of the genotypes of one person in two samples that are the same, at least; of two siblings it is below 0.8."""
_MOST_CANDIDATES = 10_000

Mask = npt.NDArray[np.bool_]


class QualityCounter:
    """Counts over the blocks of one file."""

    def __init__(self, samples: tuple[str, ...], assembly: Assembly | None) -> None:
        """Without an assembly nothing is counted on X and Y."""
        self._samples = samples
        self._assembly = assembly
        self._counts = {name: np.zeros(len(samples), np.int64) for name in QUALITY_COUNTS}
        self._records = self._transitions = self._transversions = 0
        self._x_starts: list[int] = []  # two of each block
        self._fingerprints = _Fingerprints(len(samples))

    def add(self, block: Block, contig: str) -> None:
        """Count a block, whose contig the assembly calls `contig`."""
        self._records += len(block.starts)
        transition, transversion = self._changes(block)
        first, second = block.calls[:, :, 0], block.calls[:, :, 1]
        one, other = first >= 0, second >= 0
        both, called, single = one & other, one | other, second == ABSENT
        same, first_alternate = first == second, first > 0
        het, hom_alt = both & ~same, both & same & first_alternate
        add = self._add
        add("called", called)
        add("missing", ~called)
        add("half", (one ^ other) & ~single)
        add("het", het)
        add("hom_alt", hom_alt)
        add("hemi", single & first_alternate)
        carries = first_alternate | (second > 0)
        add("transitions", carries[transition])
        add("transversions", carries[transversion])
        self._add_sexes(block, contig, called, het, hom_alt, single & one)
        self._fingerprints.add(block)

    def _changes(self, block: Block) -> tuple[Mask, Mask]:
        """The records whose one alternate is a transition, and those where it is a transversion."""
        kinds = np.zeros(len(block.refs), np.int8)
        for k, (ref, alts) in enumerate(zip(block.refs, block.alts, strict=True)):
            for alt in alts:
                if ref in _BASES and alt in _BASES:
                    is_transition = (ref, alt) in _TRANSITIONS
                    self._transitions += is_transition
                    self._transversions += not is_transition
                    kinds[k] = (1 if is_transition else 2) if len(alts) == 1 else 0
        return kinds == 1, kinds == 2

    def _add_sexes(self, block: Block, contig: str, called: Mask, het: Mask, hom_alt: Mask, haploid: Mask) -> None:
        if self._assembly is None or contig not in ("X", "Y"):
            return
        classes = self._assembly.ploidy_classes(contig, block.starts)
        if (on_x := classes == PloidyClass.X_NONPAR).any():
            starts = block.starts[on_x]
            self._x_starts += [int(starts.min()), int(starts.max())]
            self._add("x_het", het[on_x])
            self._add("x_hom_alt", hom_alt[on_x])
            self._add("x_called", called[on_x])
            self._add("x_haploid", haploid[on_x])
        if (on_y := classes == PloidyClass.Y_NONPAR).any():
            self._add("y_called", called[on_y])
            self._counts["y_sites"] += int(on_y.sum())

    def _add(self, name: str, found: Mask) -> None:
        self._counts[name] += found.sum(axis=0)

    def counted(self) -> QualityControl:
        """What was counted; sexes are not judged yet."""
        columns = {name: column.tolist() for name, column in self._counts.items()}
        samples = tuple(
            msgspec.convert({"sample": sample} | {name: column[k] for name, column in columns.items()}, SampleQuality)
            for k, sample in enumerate(self._samples)
        )
        duplicates = tuple(
            Duplicate(self._samples[a], self._samples[b], agreeing, compared)
            for a, b, agreeing, compared in self._fingerprints.pairs()
        )
        x_range = (min(self._x_starts), max(self._x_starts)) if self._x_starts else None
        return QualityControl(
            self._records, self._transitions, self._transversions, samples, duplicates, x_range=x_range
        )


class _Fingerprints:
    """Genotypes at common variants, evenly thinned when there are more than there is room for."""

    def __init__(self, samples: int) -> None:
        self._room = max(2 * _BAND, min(_FINGERPRINT_SITES, _FINGERPRINT_BYTES // max(1, samples)))
        self._kept: list[npt.NDArray[np.int8]] = []
        self._stride, self._met = 1, 0
        self._contig, self._last = "", -_APART
        self._samples = samples

    def add(self, block: Block) -> None:
        if self._samples < 2:
            return
        single = np.fromiter((len(alts) == 1 for alts in block.alts), np.bool_, len(block.alts))
        first, second = block.calls[:, :, 0], block.calls[:, :, 1]
        diploid = (first >= 0) & (second >= 0)
        copies = np.where(diploid, first + second, -1).astype(np.int8)
        called = diploid.sum(axis=1)
        alternates = (copies * diploid).sum(axis=1, dtype=np.int64)
        frequency = alternates / np.maximum(1, 2 * called)
        is_common = single & (2 * called > self._samples) & (np.minimum(frequency, 1 - frequency) >= _COMMON)
        if block.contig != self._contig:
            self._contig, self._last = block.contig, -_APART
        for row in np.flatnonzero(is_common).tolist():
            if block.starts[row] - self._last < _APART:
                continue
            self._last = int(block.starts[row])
            if self._met % self._stride == 0:
                self._kept.append(copies[row].copy())
                if len(self._kept) >= self._room:
                    self._kept = self._kept[::2]
                    self._stride *= 2
            self._met += 1

    def pairs(self) -> list[tuple[int, int, int, int]]:
        """Samples that agree: both numbers, at how many variants they do, of how many."""
        if len(self._kept) < LEAST_COMPARED:
            return []
        copies = np.stack(self._kept)
        found = []
        for a, b in sorted(self._candidates(copies)):
            both = (copies[:, a] >= 0) & (copies[:, b] >= 0)
            compared = int(both.sum())
            agreeing = int((copies[both, a] == copies[both, b]).sum())
            if compared >= LEAST_COMPARED and agreeing >= LEAST_AGREEING * compared:
                found.append((a, b, agreeing, compared))
        return found

    def _candidates(self, copies: npt.NDArray[np.int8]) -> set[tuple[int, int]]:
        """Pairs that have the same calls at all variants of one band."""
        pairs: set[tuple[int, int]] = set()
        for begin in range(0, len(copies) - _BAND + 1, _BAND):
            alike: defaultdict[bytes, list[int]] = defaultdict(list)
            for k, calls in enumerate(np.ascontiguousarray(copies[begin : begin + _BAND].T)):
                if np.count_nonzero(calls < 0) < _BAND // 2:
                    alike[calls.tobytes()].append(k)
            for some in alike.values():
                # of many copies of one sample, each with the first says enough
                pairs.update(combinations(some, 2) if len(some) < 20 else ((some[0], each) for each in some[1:]))
            if len(pairs) > _MOST_CANDIDATES:
                break
        return pairs
