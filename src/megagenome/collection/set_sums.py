# SPDX-License-Identifier: Apache-2.0
"""The hot loops of scans: sums over the members of many stored sets, in C where it was built, else by their twins in
NumPy, which are its oracle in the tests.

The sets are those of one batch of people (`bitmap`). A table has one row of numbers for each possible member, so that
no set, however damaged, can point outside; rows of people who are not meant are zero, or are not looked at.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection import bitmap
from megagenome.kernel.errors import Corrupt
from megagenome.kernel.native import library

STRIDE = 8
"""Tables have a multiple of so many columns: what a vector register, and a line of the cache, holds."""
_LEAST_PLANES = 64
"""Fewer planes are read person by person: tables of sums do not pay for them."""

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class StoredSets(NamedTuple):
    """Sets in the bitmap codec, as a pack has them.

    stored  uint8, the bytes of many
    begin   int64 [sets], where each begins; end: where it ends
    planes  whether all of them are planes, and many: then they are read side by side
    """

    stored: npt.NDArray[np.uint8]
    begin: Counts
    end: Counts
    planes: bool = False

    def apart(self) -> "Iterator[tuple[Counts, StoredSets]]":
        """The sets in planes, if they are many, and the others: which ones, and they. None is empty."""
        is_plane = self.end - self.begin == bitmap.PLANE_BYTES
        many = np.count_nonzero(is_plane) >= _LEAST_PLANES
        for planes, which in ((False, np.flatnonzero(~(is_plane & many))), (True, np.flatnonzero(is_plane & many))):
            if which.size:
                yield which, StoredSets(self.stored, self.begin[which], self.end[which], planes)


class Table(NamedTuple):
    """Numbers of a batch's people.

    rows    float64 [BATCH, a multiple of STRIDE], C order, one row for each number that a set can hold
    people  rows from here on are of nobody: they are zero where they are added up, and anything where they are added to
    """

    rows: Floats
    people: int


def empty_table(rows: int, columns: int) -> Floats:
    """Zeros, float64 [rows, at least `columns`], so that no row begins within a line of the cache."""
    stride = -(-columns // STRIDE) * STRIDE
    room = np.zeros(rows * stride + STRIDE)
    first = -(room.ctypes.data // room.itemsize) % STRIDE
    return room[first : first + rows * stride].reshape(rows, stride)


def sums(sets: StoredSets, table: Table) -> Floats:
    """For each set the sum of the table's rows that are its members, float64 [sets, columns of the table].

    Raises `Corrupt` where a set is not in the codec; nothing outside of it is read. Cost: for eight columns less than a
    nanosecond per member, and of planes less than one per eight people.
    """
    native, into = library(), np.zeros((len(sets.begin), table.rows.shape[1]))
    if native is None:
        for k, members in enumerate(_each(sets)):
            into[k] = table.rows[members].sum(axis=0)
    else:
        _sum(sets, native.plane_sums if sets.planes else native.set_sums, into, table)
    return into


def add_to_members(sets: StoredSets, rows: Floats, table: Table) -> None:
    """Add row k of `rows` (float64 [sets, columns of the table], C order) to the table's rows that are members of set
    k. Raises and costs as `sums`."""
    native = library()
    if native is None:
        for members, row in zip(_each(sets), rows, strict=True):
            table.rows[members] += row
    else:
        _sum(sets, native.add_to_plane_members if sets.planes else native.add_to_members, rows, table)


def _sum(sets: StoredSets, loop: Callable[..., int], rows: Floats, table: Table) -> None:
    """Call a loop in C, which has addresses, and what is needed to stay within what they are of."""
    if rows.shape != (len(sets.begin), table.rows.shape[1]) or not rows.flags.c_contiguous:
        raise ValueError(f"rows of shape {rows.shape}")
    done = loop(*_addresses(sets), rows.ctypes.data, table.rows.ctypes.data, table.rows.shape[1], table.people)
    _require_all(sets, done)


def count_within(sets: StoredSets, plane: npt.NDArray[np.uint8]) -> Counts:
    """How many members of each set are also in `plane` (uint8 [PLANE_BYTES]), int64 [sets]."""
    native = library()
    if native is None:
        counts = (np.count_nonzero(bitmap.contains(plane, members)) for members in _each(sets))
        return np.fromiter(counts, np.int64, len(sets.begin))
    counted = np.zeros(len(sets.begin), np.int64)
    _require_all(sets, native.count_within(*_addresses(sets), plane.ctypes.data, counted.ctypes.data))
    return counted


def members_of(sets: StoredSets) -> tuple[Counts, npt.NDArray[np.uint16]]:
    """All members of all sets: which set, and who."""
    members = list(_each(sets))
    of = np.repeat(np.arange(len(members)), [len(each) for each in members])
    return of, np.concatenate([np.zeros(0, np.uint16), *members])


def _each(sets: StoredSets) -> list[npt.NDArray[np.uint16]]:
    size, length = len(sets.stored), sets.end - sets.begin
    inside = (sets.begin >= 0) & (length >= 0) & (sets.end <= size)
    sound = inside & (length <= bitmap.PLANE_BYTES) & (length % 2 == 0)
    _require_all(sets, int(np.argmin(np.append(sound, False))))
    view = sets.stored.data
    return [bitmap.decode(view[low:high]) for low, high in zip(sets.begin.tolist(), sets.end.tolist(), strict=True)]


def _addresses(sets: StoredSets) -> tuple[int, int, int, int, int]:
    return (
        sets.stored.ctypes.data,
        len(sets.stored),
        sets.begin.ctypes.data,
        sets.end.ctypes.data,
        len(sets.begin),
    )


def _require_all(sets: StoredSets, done: int) -> None:
    if done != len(sets.begin):
        raise Corrupt(f"set {done} of a tile is not in the bitmap codec; restore the pack from the backup")
