# SPDX-License-Identifier: Apache-2.0
"""From called alleles to the people who are het, hom, hemizygous, half called or missing at each allele.

A record with k alternates becomes k rows. Each row's `Entries` name everybody who is not plainly homozygous for other
alleles; that is the whole content of a tile. What a call means follows from the ploidy that is expected of the
person's sex at the place (notation: a, b alleles; `.` not called):

    expected 2   a/a hom of a | a/b het of both | a/. or a alone: half, and hemi of a | ./. missing
    expected 1   a: hemi | a/a: hemi, counted once | a/b, a/.: missing | .: missing
    expected 0   nothing is counted (Y of a female)
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.standards.genotypes import ABSENT, Block, Calls

STREAMS = ("het", "hom", "hemi", "half", "missing")
"""Kinds of entries. `half`: one allele called where two are expected; `missing`: none."""

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


class Entries(NamedTuple):
    """For one stream, in increasing (record, column): the row of an allele and the column of a person."""

    row: Int32
    column: Int32

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Entries":
        """Those of them that are chosen."""
        return Entries(self.row[chosen], self.column[chosen])


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


def classify(
    block: Block, first_row: Int64, expected: npt.NDArray[np.int8] | None
) -> tuple[dict[str, Entries], Oddities]:
    """The entries of a block's alleles, by stream.

    first_row  int64 [records + 1]: allele k (1..) of record r is row `first_row[r] + k - 1`
    expected   int8 [records, samples], the ploidy expected of each person at each record; None: 2 everywhere
    """
    calls = _not_reference(block)
    first = first_row.astype(np.int32)
    if expected is None:
        return _diploid(calls, first), Oddities()
    ploidy = expected[calls.record, calls.column]
    streams = _diploid(calls.where(ploidy == 2), first)
    once, missing, odd = _haploid(calls.where(ploidy == 1), first)
    unexpected = calls.where(ploidy == 0)
    odd = odd._replace(unexpected=int(((unexpected.first > 0) | (unexpected.second > 0)).sum()))
    streams["hemi"] = _merge(streams["hemi"], once)
    streams["missing"] = _merge(streams["missing"], missing)
    return streams, odd


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
        "het": _merge(
            _carried(calls, first_row, first, het & (first > 0)), _carried(calls, first_row, second, het & (second > 0))
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
    return Entries(first_row[calls.record[chosen]] + allele[chosen] - 1, calls.column[chosen])


def _every_row(record: Int32, column: Int32, first_row: Int32) -> Entries:
    """What holds for a record holds at each of its alleles."""
    alternates = np.diff(first_row)[record]
    if (alternates == 1).all():
        return Entries(first_row[record], column)
    repeat = np.repeat(np.arange(len(record)), alternates)
    within = np.arange(len(repeat)) - np.repeat(np.cumsum(alternates) - alternates, alternates)
    return Entries((first_row[record[repeat]] + within).astype(np.int32), column[repeat])


def _merge(one: Entries, other: Entries) -> Entries:
    if not len(other.row):
        return one
    return Entries(np.concatenate((one.row, other.row)), np.concatenate((one.column, other.column)))
