# SPDX-License-Identifier: Apache-2.0
"""Rows that wait until their region is complete: of each the people by stream, as they will be stored, and its counts.

Collected in C (`kernel/native/calls.c`), or by the twins in NumPy; into arrays that are used again for each region.
"""

import ctypes
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection import bitmap
from megagenome.collection.classify import STREAMS, Entries, Int32, Int64, Oddities, classify
from megagenome.collection.counts import CELL, Cells, Columns, count_cells
from megagenome.kernel.native import Collecting
from megagenome.standards.genotypes import Calls

_FIRST_ROOM = 1 << 14

Slots = npt.NDArray[np.uint16]
"""Stored people, two bytes at a time: a number within the batch, or a part of a plane."""


class Alleles(NamedTuple):
    """Which alleles a block's rows are of.

    record    int32 [rows], index of the record; not decreasing
    allele    int32 [rows], number of the alternate: a record's are 1, 2 and so on
    class_of  int8 [records], each record's place as `PloidyClass`
    """

    record: Int32
    allele: Int32
    class_of: npt.NDArray[np.int8]


class Stored(NamedTuple):
    """People of some rows in one stream and batch.

    rows     int64, the rows that have any
    at       int64 [rows + 1], where each one's begin and the last one's end, in bytes
    content  the people, in the bitmap codec
    """

    rows: Int64
    at: Int64
    content: Slots


class Collector:
    """Collects rows of one contig; they are numbered from 0 in the order in which they come."""

    def __init__(self, columns: Columns, native: ctypes.CDLL | None) -> None:
        """`native` is `kernel.native.library()`; where that is None, NumPy does the same, more slowly."""
        self._columns, self._native = columns, native
        batch, strata = columns.number // bitmap.BATCH, len(columns.strata)
        self.batches = sorted(set(batch.tolist()))
        self._end = np.searchsorted(batch, self.batches, side="right").astype(np.int64)
        self._member = (columns.number % bitmap.BATCH).astype(np.uint16)
        copies = columns.expected_ploidy()
        self._expected = np.ascontiguousarray(copies[:, columns.stratum])
        self._people = [_Growing(np.uint16) for _ in self.batches for _ in STREAMS]
        self._cells = _Growing(np.int32, CELL)
        self._sizes = np.empty((len(self._people), 0), np.int32)
        self._cell_sizes = np.empty((1, 0), np.int32)
        self._added: list[tuple[Int32, Int32]] = []
        stratum = np.where(columns.counted, columns.stratum, strata).astype(np.int32)
        scratch = np.zeros((strata + 1, len(STREAMS) + 1), np.int32)
        self._room, self._used = np.zeros((2, len(self._people)), np.int64)
        self._at = np.zeros(len(self._people), np.uintp)
        given = (self._end, self._member, stratum, self._expected, copies, scratch, self._at, self._room, self._used)
        self._given = given  # C knows only their addresses
        addresses = (array.ctypes.data for array in given)
        self._collecting = Collecting(len(columns.number), len(self.batches), strata, *addresses)
        self._lend()

    def add(self, calls: Calls, alleles: Alleles) -> Oddities:
        """Collect the rows of a block. Cost: one pass over a record's calls for each of its alternates, and a little
        for each person in a stream."""
        if self._native is None or calls.dtype != np.int8:
            return self._add_by_numpy(calls, alleles)
        rows, done, collecting = len(alleles.record), 0, self._collecting
        sizes, cell_sizes = np.empty((len(self._people), rows), np.int32), np.empty((1, rows), np.int32)
        read = [np.ascontiguousarray(array) for array in (calls, *alleles)]
        *given, sizes_at, cell_sizes_at = [array.ctypes.data for array in (*read, sizes, cell_sizes)]
        collecting.odd = (0, 0, 0)
        while (done := self._native.collect_rows(collecting, *given, done, rows, sizes_at, cell_sizes_at)) < rows:
            self._take_back()
            self._lend()
        self._take_back()
        self._added.append((sizes, cell_sizes))
        return Oddities(*collecting.odd)

    def _lend(self) -> None:
        """Let C write to the arrays, of which each has room for another row at least."""
        widths = np.diff(self._end, prepend=0).repeat(len(STREAMS)).tolist()
        for k, (people, width) in enumerate(zip(self._people, widths, strict=True)):
            people.make_room(width)
            self._at[k], self._room[k], self._used[k] = people.address, len(people.array), people.used
        self._cells.make_room(len(self._columns.strata))
        collecting = self._collecting
        collecting.cells, collecting.cells_room = self._cells.address, len(self._cells.array)
        collecting.cells_used = self._cells.used

    def _take_back(self) -> None:
        """Note what C has written."""
        for people, used in zip(self._people, self._used.tolist(), strict=True):
            people.used = used
        self._cells.used = self._collecting.cells_used

    def _add_by_numpy(self, calls: Calls, alleles: Alleles) -> Oddities:
        first_row = np.searchsorted(alleles.record, np.arange(len(calls) + 1))
        streams, odd = classify(calls, first_row, self._expected, alleles.class_of)
        sorted_streams = {stream: _sorted(entries) for stream, entries in streams.items()}
        row_bounds = np.arange(len(alleles.record) + 1)
        sizes = []
        for k, (begin, end) in enumerate(pairwise([0, *self._end.tolist()])):
            for s, stream in enumerate(STREAMS):
                row, column = sorted_streams[stream]
                inside = np.flatnonzero((column >= begin) & (column < end))
                bounds = np.searchsorted(row[inside], row_bounds)
                stored, _ = bitmap.encode_sets(self._member[column[inside]], bounds)
                self._people[k * len(STREAMS) + s].append(np.frombuffer(stored, np.uint16))
                sizes.append(np.diff(bounds))
        cell_sizes, cells = count_cells(streams, alleles.class_of[alleles.record], self._columns)
        self._cells.append(cells)
        self._lend()
        self._added.append((np.array(sizes, np.int32), cell_sizes.astype(np.int32)[None]))
        return odd

    def waiting(self) -> "Waiting":
        """What was collected and not taken; it holds until the next call of `add` or `keep`."""
        if self._added:
            sizes, cell_sizes = zip(*self._added, strict=True)
            self._sizes = np.concatenate((self._sizes, *sizes), axis=1)
            self._cell_sizes = np.concatenate((self._cell_sizes, *cell_sizes), axis=1)
            self._added = []
        return Waiting(self.batches, self._sizes, self._cell_sizes[0], self._people, self._cells)

    def keep(self, rows: Int64) -> None:
        """Forget all rows but these, which are numbered anew from 0."""
        waiting = self.waiting()
        for k, people in enumerate(self._people):
            people.replace(waiting.slots(k, rows))
        self._cells.replace(waiting.cells(rows)[1])
        self._lend()
        self._sizes, self._cell_sizes = self._sizes[:, rows], self._cell_sizes[:, rows]


class Waiting(NamedTuple):
    """What a collector has collected."""

    batches: list[int]
    sizes: Int32
    cell_sizes: Int32
    all_people: list["_Growing"]
    all_cells: "_Growing"

    def people(self, rows: Int64) -> Iterator[tuple[str, Stored]]:
        """The people of these rows by stream and batch, each named `stream/batch`; rows are then numbered from 0."""
        for k, sizes in enumerate(self.sizes):
            mine = sizes[rows]
            having = np.flatnonzero(mine)
            if len(having):
                at = 2 * np.append(0, np.cumsum(_slots(mine[having])))
                batch, stream = divmod(k, len(STREAMS))
                yield f"{STREAMS[stream]}/{self.batches[batch]}", Stored(having, at, self.slots(k, rows))

    def slots(self, k: int, rows: Int64) -> Slots:
        """What is stored of these rows of one batch and stream."""
        return _gather(self.all_people[k].array, _slots(self.sizes[k]), rows)

    def cells(self, rows: Int64) -> tuple[Int32, Cells]:
        """How many cells each of these rows has, and the cells."""
        return self.cell_sizes[rows], _gather(self.all_cells.array, self.cell_sizes, rows)


class _Growing:
    """An array that grows at its end, and keeps its room when it is emptied."""

    def __init__(self, dtype: type[np.integer[Any]], *shape: int) -> None:
        self.array: npt.NDArray[Any] = np.empty((0, *shape), dtype)
        self.used = 0
        self.address = 0

    def make_room(self, more: int) -> None:
        """Room for so many more at least."""
        if self.used + more > len(self.array):
            size = max(2 * len(self.array), self.used + more, _FIRST_ROOM)
            larger = np.empty((size, *self.array.shape[1:]), self.array.dtype)
            larger[: self.used] = self.array[: self.used]
            self.array, self.address = larger, larger.ctypes.data

    def append(self, values: npt.NDArray[Any]) -> None:
        """Add these at the end."""
        self.make_room(len(values))
        self.array[self.used : self.used + len(values)] = values
        self.used += len(values)

    def replace(self, values: npt.NDArray[Any]) -> None:
        """Hold these instead; they may be of the array itself."""
        kept = values.copy()
        self.used = 0
        self.append(kept)


def _slots(sizes: Int32) -> Int32:
    return np.where(sizes < bitmap.SPARSE_LIMIT, sizes, bitmap.PLANE_BYTES // 2)


def _gather(stored: npt.NDArray[Any], sizes: Int32, rows: Int64) -> npt.NDArray[Any]:
    """What `stored` has of these rows, if of each row it has so much as `sizes` says: rows that follow one another, as
    they nearly always do, are taken together."""
    if not len(rows):
        return stored[:0]
    at = np.append(0, np.cumsum(sizes, dtype=np.int64))
    breaks = np.flatnonzero(np.diff(rows) != 1)
    begins, lasts = rows[np.append(0, breaks + 1)], rows[np.append(breaks, len(rows) - 1)]
    parts = [stored[begin:end] for begin, end in zip(at[begins].tolist(), at[lasts + 1].tolist(), strict=True)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _sorted(entries: Entries) -> Entries:
    """Entries by row, then by column."""
    order = np.lexsort((entries.column, entries.row))
    return Entries(entries.row.take(order), entries.column.take(order))
