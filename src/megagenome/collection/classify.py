# SPDX-License-Identifier: Apache-2.0
"""From called alleles to the people who are het, hom, hemizygous, half called or missing at each allele.

A record with k alternates becomes k rows. Each row's `Entries` name everybody who is not plainly homozygous for other
alleles; that is the whole content of a tile. What a call means follows from the ploidy that is expected of the
person's sex at the place (notation: a, b alleles; `.` not called):

    expected 2   a/a hom of a | a/b het of both | a/. or a alone: half, and hemi of a | ./. missing
    expected 1   a: hemi | a/a: hemi, counted once | a/b, a/.: missing | .: missing
    expected 0   nothing is counted (Y of a female)
"""

import ctypes
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.standards.genotypes import ABSENT, Block, Calls

STREAMS = ("het", "hom", "hemi", "half", "missing")
"""Kinds of entries. `half`: one allele called where two are expected; `missing`: none."""

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


class Entries(NamedTuple):
    """For one stream: the row of an allele and the column of a person. In increasing (record, column) but for a second
    allele of a record, which may stand apart."""

    row: Int32
    column: Int32

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Entries":
        """Those of them that are chosen."""
        at = np.flatnonzero(chosen)
        return Entries(self.row.take(at), self.column.take(at))


class Oddities(NamedTuple):
    """Calls that contradict the expected ploidy, in numbers of calls."""

    haploid_homozygous: int = 0  # a/a where one allele is expected: counted once
    haploid_heterozygous: int = 0  # a/b there: taken as missing
    unexpected: int = 0  # an alternate called where none is expected: not counted

    def plus(self, other: "Oddities") -> "Oddities":
        """The sums."""
        return Oddities(*(a + b for a, b in zip(self, other, strict=True)))


class _Calls(NamedTuple):
    """Calls other than 0/0, in increasing (record, column)."""

    record: Int32
    column: Int32
    first: Calls
    second: Calls

    def where(self, chosen: npt.NDArray[np.bool_]) -> "_Calls":
        return _Calls(self.record[chosen], self.column[chosen], self.first[chosen], self.second[chosen])


class Classifier:
    """Names the entries of blocks of the same people."""

    def __init__(self, expected: npt.NDArray[np.int8], native: ctypes.CDLL | None) -> None:
        """`expected`, int8 [classes, samples]: the ploidy expected of each person at a place of each class. `native` is
        `kernel.native.library()`; where that is None, NumPy does the same, more slowly."""
        self._expected = np.ascontiguousarray(expected)
        self._native = native
        self._rows = self._columns = np.empty((len(STREAMS), 0), np.int32)  # written anew for each block

    def classify(
        self, block: Block, first_row: Int64, class_of: npt.NDArray[np.int8]
    ) -> tuple[dict[str, Entries], Oddities]:
        """The entries of a block's alleles, by stream. Cost: one pass over the calls, and a little for each entry.

        first_row  int64 [records + 1]: allele k (1..) of record r is row `first_row[r] + k - 1`
        class_of   int8 [records], the class of each record's place
        """
        first = first_row.astype(np.int32)
        if self._native is None or block.calls.dtype != np.int8:
            return self._by_numpy(block, first, class_of)
        calls = block.calls.astype(np.int8, order="C", copy=False)
        return self._by_c(self._native, calls, first, np.ascontiguousarray(class_of))

    def _by_c(
        self, native: ctypes.CDLL, calls: Calls, first_row: Int32, class_of: npt.NDArray[np.int8]
    ) -> tuple[dict[str, Entries], Oddities]:
        records, samples, _ = calls.shape
        # room for what is rare, and at least for one record of which everybody is an entry
        room = 1 + samples * max(2, int(np.diff(first_row).max(initial=0)), records // 8)
        if room > self._rows.shape[1]:
            self._rows, self._columns = (np.empty((len(STREAMS), room), np.int32) for _ in range(2))
        room = self._rows.shape[1]
        row_at, column_at = (
            np.array([stream.ctypes.data for stream in streams], np.uintp) for streams in (self._rows, self._columns)
        )
        parts: dict[str, list[Entries]] = {stream: [] for stream in STREAMS}
        odd, done = np.zeros(3, np.int64), 0
        while done < records:
            sizes = np.zeros(len(STREAMS), np.int64)
            told = (first_row, self._expected, class_of, row_at, column_at, sizes)
            done = native.collect_entries(
                calls.ctypes.data, done, records, samples, *(array.ctypes.data for array in told), room, odd.ctypes.data
            )
            for k, (stream, size) in enumerate(zip(STREAMS, sizes.tolist(), strict=True)):
                parts[stream].append(Entries(self._rows[k, :size].copy(), self._columns[k, :size].copy()))
        return {stream: concatenate(found) for stream, found in parts.items()}, Oddities(*odd.tolist())

    def _by_numpy(
        self, block: Block, first_row: Int32, class_of: npt.NDArray[np.int8]
    ) -> tuple[dict[str, Entries], Oddities]:
        calls = _not_reference(block)
        if (self._expected[np.unique(class_of)] == 2).all():
            return _diploid(calls, first_row), Oddities()
        ploidy = self._expected[class_of[calls.record], calls.column]
        streams = _diploid(calls.where(ploidy == 2), first_row)
        once, missing, odd = _haploid(calls.where(ploidy == 1), first_row)
        unexpected = calls.where(ploidy == 0)
        odd = odd._replace(unexpected=int(((unexpected.first > 0) | (unexpected.second > 0)).sum()))
        streams["hemi"] = concatenate([streams["hemi"], once])
        streams["missing"] = concatenate([streams["missing"], missing])
        return streams, odd


def concatenate(parts: list[Entries]) -> Entries:
    """All of them, one after another; at least one."""
    if len(parts) == 1:
        return parts[0]
    return Entries(np.concatenate([part.row for part in parts]), np.concatenate([part.column for part in parts]))


def _not_reference(block: Block) -> _Calls:
    calls = block.calls
    samples = calls.shape[1]
    # one comparison per call: both alleles as one integer, 0 only for 0/0
    pairs = calls.view(f"i{2 * calls.itemsize}").reshape(-1)
    flat = np.flatnonzero(pairs != 0)  # of booleans it takes a sixth of the time
    pair = pairs[flat].view(calls.dtype).reshape(-1, 2)
    record, column = np.divmod(flat, samples)
    return _Calls(record.astype(np.int32), column.astype(np.int32), pair[:, 0], pair[:, 1])


def _diploid(calls: _Calls, first_row: Int32) -> dict[str, Entries]:
    record, column, first, second = calls
    called_first, called_second = first >= 0, second >= 0
    both, none = called_first & called_second, ~(called_first | called_second)
    same = first == second
    half = ~(both | none)
    only = np.maximum(first, second)  # the called one of a half call
    het = both & ~same
    return {
        "het": concatenate(
            [
                _carried(calls, first_row, first, het & (first > 0)),
                _carried(calls, first_row, second, het & (second > 0)),
            ]
        ),
        "hom": _carried(calls, first_row, first, both & same),
        "hemi": _carried(calls, first_row, only, half & (only > 0)),
        "half": _every_row(record[half], column[half], first_row),
        "missing": _every_row(record[none], column[none], first_row),
    }


def _haploid(calls: _Calls, first_row: Int32) -> tuple[Entries, Entries, Oddities]:
    first, second = calls.first, calls.second
    alone = (second == ABSENT) | (first == second)
    hemi = alone & (first > 0)
    none = ~(alone & (first >= 0))
    het = (first >= 0) & (second >= 0) & (first != second)
    odd = Oddities(int(((first == second) & (first > 0)).sum()), int(het.sum()))
    missing = _every_row(calls.record[none], calls.column[none], first_row)
    return _carried(calls, first_row, first, hemi), missing, odd


def _carried(
    calls: _Calls,
    first_row: Int32,
    allele: Calls,
    chosen: npt.NDArray[np.bool_],
) -> Entries:
    at = np.flatnonzero(chosen)  # looked for once, not at each choice
    row = first_row.take(calls.record.take(at))
    row += allele.take(at)
    row -= 1
    return Entries(row, calls.column.take(at))


def _every_row(record: Int32, column: Int32, first_row: Int32) -> Entries:
    """What holds for a record holds at each of its alleles."""
    alternates = np.diff(first_row)[record]
    if (alternates == 1).all():
        return Entries(first_row[record], column)
    repeat = np.repeat(np.arange(len(record)), alternates)
    within = np.arange(len(repeat)) - np.repeat(np.cumsum(alternates) - alternates, alternates)
    return Entries((first_row[record[repeat]] + within).astype(np.int32), column[repeat])
