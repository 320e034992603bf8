# SPDX-License-Identifier: Apache-2.0
"""Whether a BAI or CSI index hides or cuts records: holds one against every record of its file, as they are read.

For each record and each region that overlaps it, `BinIndex.chunks` must give chunks that hold it. That is so if

- the chunks of its own bin and of those around that one cover it: each region that overlaps it asks for these bins;
- no least offset is behind its begin, of those that regions use which begin in its last window or before;
- no bin begins before its end, of those that regions are cut at which end in its first window or behind.

What it gives can be parsed if each chunk's begin and end, and each least offset that regions use, is the begin or the
end of a record. A least offset may be 0 as well; and chunks may hold more records than their bins have.

Places in the file are compared where it is not compressed: each offset of the index is converted when the block that
it names has been read, and is known to be behind all that was read before.
"""

import ctypes
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.kernel.native import Held, library
from megagenome.standards.hts_index import BinIndex, Reference, first_bin

Ints = npt.NDArray[np.int64]
Offsets = npt.NDArray[np.uint64]

_REFERENCE, _FIRST, _LAST, _BEGIN, _END = range(5)  # of a run
_NOT_READ = np.iinfo(np.int64).max
_NO_OFFSET = np.iinfo(np.uint64).max
_LENGTH = struct.Struct("<i")
_WINDOW_BITS = 28  # more than any index has windows of a reference


class _Steps(NamedTuple):
    """An offset, by its number, for each window of each reference: from each of `points`, ascending, its `values` up to
    the next. A point is a reference's number, shifted by `_WINDOW_BITS`, and a window."""

    points: Ints
    values: Ints

    def at(self, references: Ints, windows: Ints, default: int) -> Ints:
        """The values of some windows; `default` of references that have no points."""
        if not len(self.points):
            return np.full(len(windows), default, np.int64)
        found = np.searchsorted(self.points, references << _WINDOW_BITS | windows, "right") - 1
        known = (found >= 0) & (self.points[found] >> _WINDOW_BITS == references)
        return np.where(known, self.values[found], default)


class IndexCheck:
    """An index, as its file is read.

    shift  records must be in runs by windows of 2**shift bases or smaller
    Cost: about 5 µs for each bin of the index, and 0.1 µs for each run. Memory: some eight times the index.
    """

    def __init__(self, index: BinIndex) -> None:
        self.shift = index.shift
        self._depth = index.depth
        self._bins_of_reference = first_bin(index.depth + 1)
        chunks = _Chunks.of(index, self._bins_of_reference)
        least, beyond = _joined(map(_least, _each(index))), _joined(map(_beyond, _each(index)))
        unplaced = index.unplaced()
        named = np.array([0, unplaced or 0], np.uint64)  # nought in any case, as the least offset where there is none
        self._offsets = np.unique(np.concatenate([chunks.begins, chunks.ends, least[1], named]))
        self._unplaced = None if unplaced is None else int(self._ranks(named)[1])
        of = (least[0] >> _WINDOW_BITS) * len(self._offsets)  # so that each reference begins anew
        furthest = np.maximum.accumulate(of + self._ranks(least[1])) - of
        self._least = _Steps(least[0], furthest)
        self._beyond = _Steps(beyond[0], self._ranks(beyond[1]))  # begins of chunks, or behind all offsets
        self._lay_out(chunks)
        # where each offset is in the file without compression, ascending; last of what is no offset
        self._places = np.full(len(self._offsets) + 1, _NOT_READ, np.int64)
        self._blocks, self._firsts = np.unique(self._offsets >> np.uint64(16), return_index=True)
        self._firsts = np.append(self._firsts, len(self._offsets))
        self._next, self._awaited = 0, int(self._blocks[0])
        self._read, self._read_plain = 0, 0
        self._compared = 0 if 0 in chunks.begins or 0 in chunks.ends else 1  # a least offset may be 0
        self._form = self._in_c()
        self.is_of_file = True
        """Whether each block that it names was one, so far, and each place within was in it."""

    def _ranks(self, offsets: Offsets) -> Ints:
        """Their numbers among all offsets."""
        return np.searchsorted(self._offsets, offsets).astype(np.int64)

    def _lay_out(self, chunks: "_Chunks") -> None:
        """Chunks by bin and begin, and of each the furthest end that it or one before it of its bin has."""
        self._bins, of = np.unique(chunks.bins, return_inverse=True)
        self._scale = len(self._offsets) + 1  # as many as there are places
        begins, ends = of * self._scale + self._ranks(chunks.begins), of * self._scale + self._ranks(chunks.ends)
        order = np.argsort(begins, kind="stable")
        self._begins, self._ends = begins[order], np.maximum.accumulate(ends[order])

    def pass_block(self, length: int, plain: int) -> None:
        """The next block of the file was read: how long it is, and what it holds."""
        while self._awaited < self._read:
            self._miss()
        if self._awaited == self._read:
            first, last = self._firsts[self._next], self._firsts[self._next + 1]
            within = (self._offsets[first:last] & np.uint64(0xFFFF)).astype(np.int64)
            self.is_of_file = self.is_of_file and int(within[-1]) <= plain
            self._places[first:last] = self._read_plain + np.minimum(within, plain)
            self._go_on()
        self._read += length
        self._read_plain += plain

    def pass_end(self) -> None:
        """All blocks were read. What follows the last one may still be named: its end."""
        self.pass_block(0, 0)
        while self._next < len(self._blocks):
            self._miss()

    def _miss(self) -> None:
        """The block that is waited for is none."""
        self.is_of_file = False
        self._places[self._firsts[self._next] : self._firsts[self._next + 1]] = self._read_plain
        self._go_on()

    def _go_on(self) -> None:
        self._next += 1
        self._awaited = int(self._blocks[self._next]) if self._next < len(self._blocks) else _NOT_READ

    def pass_header(self, size: int) -> bool:
        """The blocks that hold the header were read, which is so long without compression: whether nothing that is
        named, but a least offset of 0, is in it."""
        before = self._compared
        self._compared = int(np.searchsorted(self._places, size))
        return self._compared <= before

    def cut(self, runs: Ints, content: bytes, begin: int) -> int | None:
        """Where the first record begins into whose middle it points, of those that `bam.Runs.look` is told of; None
        without one. To be asked of all runs, in their order.

        Cost: some 20 µs, as nearly all places are those of runs; 0.2 µs for each record of a run in which others are.
        """
        ends = runs[:, _END]
        first, self._compared = self._compared, int(np.searchsorted(self._places, ends[-1], "right"))
        places = self._places[first : self._compared]
        of = np.searchsorted(ends, places)
        within = (places != ends[of]) & (places != runs[of, _BEGIN])
        at = before = begin
        for place, run in zip(places[within].tolist(), runs[of[within], _BEGIN].tolist(), strict=True):
            at = max(at, run)
            while at < place:
                before = at
                at += _LENGTH.size + _LENGTH.unpack_from(content, at - begin)[0]
            if at > place:
                return before
        return None

    def hidden(self, runs: Ints, shift: int) -> int | None:
        """The first of some runs, as `bam.Runs.look` is told of them, of which a record is hidden; None without one.
        `shift`: of their windows, at most that of the index."""
        native = library()
        if native is None:
            return self.hidden_slowly(runs, shift)
        self._form.shift = self.shift - shift
        found: int = native.find_hidden(ctypes.byref(self._form), runs.ctypes.data, len(runs))
        return None if found == len(runs) else found

    def _in_c(self) -> Held:
        """The same for C, which is given addresses: none of these arrays is ever another."""
        arrays = (self._bins, self._begins, self._ends, self._places, *self._least, *self._beyond)
        return Held(
            0,
            self._depth,
            len(self._bins),
            len(self._begins),
            len(self._places),
            len(self._least.points),
            len(self._beyond.points),
            -1 if self._unplaced is None else self._unplaced,
            *(each.ctypes.data for each in arrays),
        )

    def hidden_slowly(self, runs: Ints, shift: int) -> int | None:
        """The same as `hidden`, in NumPy: where there is no C, and the oracle of it."""
        placed = runs[runs[:, _FIRST] >= 0]
        windows = placed[:, (_FIRST, _LAST)] >> (self.shift - shift)
        outside = windows[:, 1] >= 1 << (3 * self._depth)
        windows[outside] = 0
        references, begin, end = placed[:, _REFERENCE], placed[:, _BEGIN], placed[:, _END]
        least = self._least.at(references, windows[:, 1], 0)
        beyond = self._beyond.at(references, windows[:, 0], len(self._offsets))
        bad = outside | (self._places[least] > begin) | (self._places[beyond] < end)
        bad |= ~self._covered(references, windows, begin, end)
        found = np.zeros(len(runs), bool)
        found[runs[:, _FIRST] >= 0] = bad
        if self._unplaced is not None:
            found |= (runs[:, _REFERENCE] < 0) & (runs[:, _BEGIN] < self._places[self._unplaced])
        return int(found.argmax()) if found.any() else None

    def _covered(self, references: Ints, windows: Ints, begin: Ints, end: Ints) -> npt.NDArray[np.bool_]:
        """Of each run, whether the chunks of its bin and of those around it cover it, together."""
        reached = begin.copy()
        left = np.arange(len(begin))
        while len(left):
            before = reached[left]
            for level in range(self._depth + 1):  # from the smallest bins on
                span = windows[left] >> (3 * level)
                within = left[(span[:, 0] == span[:, 1]) & (reached[left] < end[left])]
                bins = references[within] * self._bins_of_reference + first_bin(self._depth - level)
                reached[within] = self._reach(bins + (windows[within, 0] >> (3 * level)), reached[within])
            left = left[(reached[left] > before) & (reached[left] < end[left])]
        done: npt.NDArray[np.bool_] = reached >= end
        return done

    def _reach(self, bins: Ints, places: Ints) -> Ints:
        """How far from some places on the chunks of some bins, by reference and number, reach without a gap."""
        if not len(self._bins):
            return places
        of = np.minimum(np.searchsorted(self._bins, bins), len(self._bins) - 1)
        begun = np.searchsorted(self._places, places, "right")  # offsets that are not behind the place
        chunk = np.searchsorted(self._begins, of * self._scale + begun) - 1
        known = (self._bins[of] == bins) & (chunk >= 0) & (self._begins[chunk] // self._scale == of)
        ends = self._places[np.where(known, self._ends[chunk] - of * self._scale, 0)]
        return np.where(known, np.maximum(ends, places), places)


class _Chunks(NamedTuple):
    """All chunks of an index; `bins` by reference and number."""

    bins: Ints
    begins: Offsets
    ends: Offsets

    @classmethod
    def of(cls, index: BinIndex, bins_of_reference: int) -> "_Chunks":
        bins, sizes, offsets = [], [], [np.zeros(0, np.uint64)]
        for number, reference in enumerate(index.references):
            for each in reference.bins:
                found = reference.offsets(each)
                bins.append(number * bins_of_reference + each)
                sizes.append(len(found) // 2)
                offsets.append(found)
        all_offsets = np.concatenate(offsets)
        return cls(np.repeat(np.array(bins, np.int64), sizes), all_offsets[::2], all_offsets[1::2])


class _Bins(NamedTuple):
    """The bins of a reference, the largest first, those of one size from left to right: windows that each covers, and
    those that it and the seven others cover that are within the same larger one."""

    reference: Reference
    numbers: Ints
    levels: Ints
    begins: Ints
    family_begins: Ints
    family_ends: Ints


def _each(index: BinIndex) -> Iterator[_Bins]:
    firsts = np.array([first_bin(level) for level in range(index.depth + 1)], np.int64)
    for reference in index.references:
        numbers = np.array(sorted(reference.bins), np.int64)
        level = np.searchsorted(firsts, numbers, "right") - 1
        bits, within = 3 * (index.depth - level), numbers - firsts[level]
        family = np.where(level > 0, bits + 3, bits)
        begins = within << bits
        yield _Bins(reference, numbers, level, begins, begins >> family << family, ((begins >> family) + 1) << family)


def _joined(of_references: Iterator[tuple[Ints, Offsets]]) -> tuple[Ints, Offsets]:
    """Steps of all references as those of one."""
    points, values = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    for number, (each, of_each) in enumerate(of_references):
        points.append(number << _WINDOW_BITS | each)
        values.append(of_each)
    return np.concatenate(points), np.concatenate(values)


def _least(bins: _Bins) -> tuple[Ints, Offsets]:
    """The least offset that a region uses which begins in each window (`BinIndex._least`)."""
    if len(lowest := bins.reference.lowest):
        points = np.flatnonzero(np.append(True, lowest[1:] != lowest[:-1]))
        return points, lowest[points]
    points = np.unique(np.concatenate([np.zeros(1, np.int64), bins.begins, bins.family_ends]))
    values = np.zeros(len(points), np.uint64)
    froms, ends = np.searchsorted(points, bins.begins), np.searchsorted(points, bins.family_ends)
    for number, begin, end in zip(bins.numbers.tolist(), froms.tolist(), ends.tolist(), strict=True):
        values[begin:end] = bins.reference.loffset(number) or 0
    return points, values


def _beyond(bins: _Bins) -> tuple[Ints, Offsets]:
    """The smallest offset at which a region is cut that ends in each window or behind it (`BinIndex._beyond`)."""
    points = np.unique(np.concatenate([np.zeros(1, np.int64), bins.begins, bins.family_begins]))
    values = np.full(len(points), _NO_OFFSET, np.uint64)
    froms, ends = np.searchsorted(points, bins.family_begins), np.searchsorted(points, bins.begins)
    for k in np.lexsort((-bins.numbers, bins.levels)).tolist():  # what counts comes last: the smallest, and the nearest
        values[froms[k] : ends[k]] = bins.reference.offsets(int(bins.numbers[k]))[0]
    return points, np.minimum.accumulate(values[::-1])[::-1]
