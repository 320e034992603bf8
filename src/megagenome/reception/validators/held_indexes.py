# SPDX-License-Identifier: Apache-2.0
"""The indexes of a BAM file, held against its records as they are read."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import MegagenomeError
from megagenome.standards import bam
from megagenome.standards.hts_index import BinIndex, read_index
from megagenome.standards.index_check import IndexCheck

_AGAIN = "make it anew (`samtools index`)"


class HeldIndexes:
    """Of one file. What cannot be read, or is none of a BAM file, is passed over: its own inspection says so."""

    def __init__(self, file: str, contents: Mapping[str, bytes]) -> None:
        """`contents` of indexes, by name."""
        self._file = file
        self._wrong: dict[str, str] = {}
        self._held: dict[str, IndexCheck] = {}
        self._names: Sequence[str] = ()
        for name, content in contents.items():
            try:
                index = read_index(content)
                if isinstance(index, BinIndex) and index.kind != "tbi":
                    self._held[name] = IndexCheck(index)
            except MegagenomeError:
                continue
            except MemoryError:
                self._wrong[name] = f"needs more memory to be held against {file} than it may; {_AGAIN}"
        self._shift = min((each.shift for each in self._held.values()), default=0)

    def pass_block(self, length: int, plain: int) -> None:
        """The next block of the file was read: how long it is, and what it holds."""
        for each in self._held.values():
            each.pass_block(length, plain)

    def runs(self, names: Sequence[str]) -> bam.Runs | None:
        """Who is to be told of the records, if anybody; `names` of references."""
        self._names = names
        return bam.Runs(self._shift, self._look) if self._held else None

    def _look(self, runs: npt.NDArray[np.int64], content: bytes, begin: int) -> None:
        for name, index in self._held.items():
            if name in self._wrong:
                continue
            hidden = index.hidden(runs, self._shift)
            if hidden is not None:
                first, end = runs[hidden, 3:].tolist()
                place = self._place(index, bam.records(content[first - begin : end - begin], first))
                self._wrong[name] = f"would hide records of {self._file}, the first of them {place}; {_AGAIN}"

    def _place(self, index: IndexCheck, records: Iterator[bam.Record]) -> str:
        """Of the first of some records that is hidden."""
        for each in records:
            if index.hidden(bam.runs_of([each], self._shift), self._shift) is not None:
                break
        return f"at {self._names[each.reference]}:{each.start + 1}" if each.reference >= 0 else "without a place"

    def wrong(self) -> dict[str, str]:
        """Of each index, by name, what is wrong with it, now that all was read; "" where nothing is."""
        for name, index in self._held.items():
            index.pass_end()
            if not index.is_of_file:
                says = (
                    f"points to places at which {self._file} has no block: it is damaged, or of another file; {_AGAIN}"
                )
                self._wrong.setdefault(name, says)
        return {name: self._wrong.get(name, "") for name in (*self._held, *self._wrong)}
