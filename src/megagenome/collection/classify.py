# SPDX-License-Identifier: Apache-2.0
"""From called alleles to the people who are het, hom, hemizygous, half called or missing at each allele.

A record with k alternates becomes k rows. Each row's `Entries` name everybody who is not plainly homozygous for other
alleles; that is the whole content of a tile. What a call means follows from the ploidy that is expected of the
person's sex at the place (notation: a, b alleles; `.` not called):

    expected 2   a/a hom of a | a/b het of both | a/. or a alone: half, and hemi of a | ./. missing
    expected 1   a: hemi | a/a: hemi, counted once | a/b, a/.: missing | .: missing
    expected 0   nothing is counted (Y of a female)

This is in NumPy; `kernel/native/calls.c` is the same in C, and `collect.py` uses it where it is.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.standards.genotypes import ABSENT, Calls

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


class _Calls(NamedTuple):
    """Calls other than 0/0, in increasing (record, column)."""

    record: Int32
    column: Int32
    first: Calls
    second: Calls

    def where(self, chosen: npt.NDArray[np.bool_]) -> "_Calls":
        return _Calls(self.record[chosen], self.column[chosen], self.first[chosen], self.second[chosen])


def classify(
    calls: Calls, first_row: Int64, expected: npt.NDArray[np.int8], class_of: npt.NDArray[np.int8]
) -> tuple[dict[str, Entries], Oddities]:
    """The entries of a block's alleles, by stream.

    first_row  int64 [records + 1]: allele k (1..) of record r is row `first_row[r] + k - 1`
    expected   int8 [classes, samples]: the ploidy expected of each person at a place of each class
    class_of   int8 [records], the class of each record's place
    """
    others, rows = _not_reference(calls), first_row.astype(np.int32)
    if (expected[np.unique(class_of)] == 2).all():
        return _diploid(others, rows), Oddities()
    ploidy = expected[class_of[others.record], others.column]
    streams = _diploid(others.where(ploidy == 2), rows)
    once, missing, odd = _haploid(others.where(ploidy == 1), rows)
    unexpected = others.where(ploidy == 0)
    odd = odd._replace(unexpected=int(((unexpected.first > 0) | (unexpected.second > 0)).sum()))
    streams["hemi"] = concatenate([streams["hemi"], once])
    streams["missing"] = concatenate([streams["missing"], missing])
    return streams, odd


def concatenate(parts: list[Entries]) -> Entries:
    """All of them, one after another; at least one."""
    if len(parts) == 1:
        return parts[0]
    return Entries(np.concatenate([part.row for part in parts]), np.concatenate([part.column for part in parts]))


def _not_reference(calls: Calls) -> _Calls:
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
