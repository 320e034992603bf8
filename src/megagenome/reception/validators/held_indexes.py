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

    def runs(self, names: Sequence[str], begin: int) -> bam.Runs | None:
        """Who is to be told of the records, if anybody, now that the header was read; `names` of references, and where
        the first record begins in the file without its compression."""
        self._names = names
        for name, index in self._held.items():
            if not index.pass_header(begin) and index.is_of_file:  # else it points to no block: said at the end
                self._wrong[name] = f"points into the header of {self._file}; {_AGAIN}"
        return bam.Runs(self._shift, self._look) if self._held else None

    def _look(self, runs: npt.NDArray[np.int64], content: bytes, begin: int) -> None:
        for name, index in self._held.items():
            if name not in self._wrong and (says := self._says(index, runs, content, begin)):
                self._wrong[name] = f"{says}; {_AGAIN}"

    def _says(self, index: IndexCheck, runs: npt.NDArray[np.int64], content: bytes, begin: int) -> str:
        """What is wrong with an index by some records, as `bam.Runs.look` is told of them."""
        hidden = index.hidden(runs, self._shift)
        if hidden is not None:
            first, end = runs[hidden, 3:].tolist()
            record = self._first_hidden(index, bam.records(content[first - begin : end - begin], first))
            return f"would hide records of {self._file}, the first of them {self._place(record)}"
        cut = index.cut(runs, content, begin)
        if cut is not None and index.is_of_file:
            record = next(bam.records(content[cut - begin :], cut))
            return f"points into the middle of records of {self._file}, the first of them {self._place(record)}"
        return ""

    def _first_hidden(self, index: IndexCheck, records: Iterator[bam.Record]) -> bam.Record:
        for each in records:
            if index.hidden(bam.runs_of([each], self._shift), self._shift) is not None:
                break
        return each

    def _place(self, record: bam.Record) -> str:
        placed = record.reference >= 0
        return f"at {self._names[record.reference]}:{record.start + 1}" if placed else "without a place"

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
