# SPDX-License-Identifier: Apache-2.0
"""The record lines of a VCF file as genotype blocks."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from megagenome.collection.genome_stream import GenomeStream
from megagenome.kernel.coordinates import is_symbolic
from megagenome.standards import vcf
from megagenome.standards.genotypes import Block
from megagenome.standards.vcf_lines import LONGEST_LINE_BYTES, BadLine, LineReader, Lines

_PART_BYTES = 1 << 20
_BASES = frozenset("ACGT")

Odd = Callable[[BadLine], None]
"""Told of what VCF allows and no collection can hold; what it does not raise is let pass."""

Look = Callable[[bytes], None]
"""Given what a file's record lines begin with, the last of them maybe in part."""


def refuse(odd: BadLine) -> NoReturn:
    """Let nothing pass that a collection cannot hold."""
    raise odd


class VcfBlocks:
    """Makes blocks of one file's lines, in order; sees that they are sorted and each contig's stand together."""

    def __init__(
        self,
        stream: GenomeStream,
        header: vcf.Header,
        header_lines: int,
        kept: npt.NDArray[np.int64] | None,
        odd: Odd,
        look: Look | None = None,
    ) -> None:
        """`stream` is after the header. Of the samples only those at `kept` go into blocks; None: all."""
        self._stream = stream
        self._reader = LineReader(len(header.samples), header_lines, header.by_genotype)
        self._declared = frozenset(header.contigs) | vcf.CHROMOSOMES
        self._kept = kept
        self._odd, self._look = odd, look
        self._met: set[str] = set()
        self._contig, self._last = "", -1

    def __iter__(self) -> Iterator[Block]:
        """All blocks, each of one contig. Raises `BadLine` naming the line, and what the stream raises."""
        needed = _PART_BYTES
        while True:
            content, at = self._stream.content(needed), 0
            if self._look is not None:
                self._look(content)
                self._look = None
            while True:
                lines, end = self._reader.lines(content, at)
                if end == at:
                    break
                yield from self._blocks(lines)
                at = end
            self._stream.skip(at)
            left = len(content) - at
            if self._stream.ended:
                break
            if left > LONGEST_LINE_BYTES:
                raise BadLine(f"is longer than {LONGEST_LINE_BYTES >> 20} MiB", self._reader.read + 1)
            needed = max(_PART_BYTES, 2 * left)
        if left:
            raise BadLine("the last line has no end; is the file whole?", self._reader.read + 1)

    def _blocks(self, lines: Lines) -> Iterator[Block]:
        first_line = self._reader.read - len(lines.starts) + 1
        changes = [k for k, (one, next_) in enumerate(pairwise(lines.contigs), start=1) if one != next_]
        for begin, end in pairwise([0, *changes, len(lines.contigs)]):
            contig = lines.contigs[begin]
            self._check(contig, lines.starts[begin:end], first_line + begin)
            for k in range(begin, end) if lines.odd else ():
                if k in lines.odd:
                    self._odd(BadLine(lines.odd[k], first_line + k, f"{contig}:{lines.starts[k] + 1}"))
            calls = lines.calls[begin:end]
            yield Block(
                contig,
                lines.starts[begin:end],
                [ref if ref in _BASES else ref.upper() for ref in lines.refs[begin:end]],
                [alts if len(alts) == 1 and alts[0] in _BASES else _spelled(alts) for alts in lines.alts[begin:end]],
                calls if self._kept is None else calls.take(self._kept, axis=1),
            )

    def _check(self, contig: str, starts: npt.NDArray[np.int64], line: int) -> None:
        name = contig.strip("<>")  # `<1>` is the contig 1 of the assembly file
        if name != self._contig:
            place = f"{contig}:{starts[0] + 1}"
            if name in self._met:
                raise BadLine(f"not sorted: contig {contig} comes a second time; sort it (bcftools sort)", line, place)
            self._met.add(name)
            self._contig, self._last = name, -1
            if contig not in self._declared:
                what = f"no contig {contig!r} is declared in the header (##contig), yet it has records"
                self._odd(BadLine(what, line, place))
        back = np.flatnonzero(np.diff(starts, prepend=self._last) < 0)
        if back.size:
            k = int(back[0])
            before = int(starts[k - 1]) if k else self._last
            what = f"not sorted: {contig}:{starts[k] + 1} comes after {before + 1}; sort it (bcftools sort)"
            raise BadLine(what, line + k)
        self._last = int(starts[-1])


def _spelled(alts: tuple[str, ...]) -> tuple[str, ...]:
    """Bases in upper case; symbols and breakends as they are."""
    return tuple(alt if is_symbolic(alt) else alt.upper() for alt in alts)
