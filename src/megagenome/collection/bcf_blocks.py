# SPDX-License-Identifier: Apache-2.0
"""BCF records as genotype blocks, without a Python object per call."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from megagenome.collection.bcf_records import Part
from megagenome.kernel.coordinates import is_symbolic
from megagenome.kernel.errors import Invalid
from megagenome.standards import bcf
from megagenome.standards.bcf_scan import Records
from megagenome.standards.genotypes import Block, Calls

_BLOCK_CALLS = 1 << 21
"""Calls in a block, at most (but one record at least): records that have none take no room in a file."""
_BASES = frozenset("ACGT")
_NO_ALLELE = re.compile(r"[^!-+\--~]")
"""What no VCF could say within an allele, because it separates columns and alternates there: a BCF can."""

Places = npt.NDArray[np.int64]


class Blocks:
    """Makes blocks of the records of one file."""

    def __init__(self, path: Path, dictionary: bcf.Dictionary, kept: Places | None) -> None:
        """Of the samples of each record only those at `kept` go into blocks; None: all."""
        self._path = path
        self._dictionary = dictionary
        self._kept = kept

    def of(self, part: Part) -> Iterator[Block]:
        """A part's records: each block those of one contig and one width of genotypes."""
        records = part.records
        changes = (np.diff(records.contig) != 0) | (np.diff(records.width) != 0)
        bounds = [0, *(np.flatnonzero(changes) + 1).tolist(), len(records.start)]
        most = max(1, _BLOCK_CALLS // max(1, self._dictionary.samples))
        for begin, end in pairwise(bounds):
            for first in range(begin, end, most):
                yield self._block(part.content, records, slice(first, min(first + most, end)))

    def _block(self, content: bytes, records: Records, which: slice) -> Block:
        refs, alts = records.refs[which], records.alts[which]
        if not _are_alleles((refs, *alts)):
            alleles = enumerate(zip(refs, alts, strict=True), which.start)
            first = next(k for k, (ref, others) in alleles if not _are_alleles([(ref, *others)]))
            raise self._refused(records, first, "an allele is empty, or holds a blank, a comma or a control character")
        calls, highest = self._calls(content, records, which)
        listed = np.fromiter(map(len, alts), np.int64, len(alts))
        if (wrong := np.flatnonzero(highest > listed)).size:
            at = int(wrong[0])
            what = f"a call of allele {highest[at]}, the record lists {listed[at]}"
            raise self._refused(records, which.start + at, what)
        return Block(
            self._dictionary.contigs[int(records.contig[which.start])],
            records.start[which],
            [ref if ref in _BASES else ref.upper() for ref in refs],
            [alt if len(alt) == 1 and alt[0] in _BASES else tuple(map(_spelled, alt)) for alt in alts],
            calls if self._kept is None else calls.take(self._kept, axis=1),
        )

    def _calls(self, content: bytes, records: Records, which: slice) -> tuple[Calls, npt.NDArray[Any]]:
        """Called alleles, and the highest of each record among all samples."""
        at, ploidy, width = records.at[which], records.ploidy[which], int(records.width[which.start])
        if width == 1 and (ploidy == 2).all():
            return bcf.decode_calls(content, at, self._dictionary.samples)
        dtype = np.dtype(f"<i{width}")
        raw = np.stack([self._pairs(content, records, k, dtype) for k in range(which.start, which.stop)])
        calls = bcf.as_calls(raw)
        return calls, calls.reshape(len(calls), -1).max(axis=1)

    def _pairs(self, content: bytes, records: Records, k: int, dtype: "np.dtype[Any]") -> npt.NDArray[Any]:
        """BCF's integers of a record of any ploidy, [samples, 2]; those of a haploid one have no second allele."""
        samples, ploidy = self._dictionary.samples, int(records.ploidy[k])
        absent = np.iinfo(dtype).min + 1
        pairs = np.full((samples, 2), absent, dtype)
        if ploidy == 0:
            pairs[:, 0] = 0
            return pairs
        called = np.frombuffer(content, dtype, samples * ploidy, int(records.at[k])).reshape(samples, ploidy)
        longer = called[:, 2:] if self._kept is None else called[self._kept, 2:]
        if (longer != absent).any():
            raise self._refused(records, k, f"a call of {ploidy} alleles; at most 2 are understood")
        pairs[:, : min(2, ploidy)] = called[:, :2]
        return pairs

    def _refused(self, records: Records, k: int, what: str) -> Invalid:
        contig = self._dictionary.contigs[int(records.contig[k])]
        return Invalid(f"{self._path}: {contig}:{records.start[k] + 1}: {what}")


def _are_alleles(some: Iterable[Sequence[str]]) -> bool:
    """Whether these can be alleles, as far as their letters say."""
    texts = list(chain.from_iterable(some))
    return all(texts) and not _NO_ALLELE.search("".join(texts))


def _spelled(alt: str) -> str:
    """Bases in upper case; symbols and breakends as they are."""
    return alt if is_symbolic(alt) else alt.upper()
