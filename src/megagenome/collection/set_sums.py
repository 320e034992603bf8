# SPDX-License-Identifier: Apache-2.0
"""The hot loops of scans: sums over the members of many stored sets, in C where it was built, else by their twins in
NumPy, which are its oracle in the tests.

The sets are those of one batch of people (`bitmap`). A table has one row of numbers for each possible member, so that
no set, however damaged, can point outside; rows of people who are not meant are zero, or are not looked at.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection import bitmap
from megagenome.kernel.errors import Corrupt
from megagenome.kernel.native import library

STRIDE = 4
"""Tables have a multiple of so many columns: what a vector register takes at once."""

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class StoredSets(NamedTuple):
    """Sets in the bitmap codec, as a pack has them.

    stored  uint8, the bytes of many
    begin   int64 [sets], where each begins; end: where it ends
    """

    stored: npt.NDArray[np.uint8]
    begin: Counts
    end: Counts


def padded(columns: int) -> int:
    """The columns of a table that holds `columns` columns."""
    return -(-columns // STRIDE) * STRIDE


def add_sums(sets: StoredSets, table: Floats, weight: float, into: Floats) -> None:
    """Add to row k of `into` the weighted sum of the rows of `table` that are members of set k.

    table  float64 [BATCH, padded columns]
    into   float64 [sets, padded columns], C order

    Raises `Corrupt` where a set is not in the codec; nothing outside of it is read then. Cost: about a nanosecond per
    member and 8 columns.
    """
    native = library()
    if native is None:
        for k, members in enumerate(_each(sets)):
            into[k] += weight * table[members].sum(axis=0)
        return
    _require_all(sets, native.add_sums(*_addresses(sets), table.ctypes.data, table.shape[1], weight, into.ctypes.data))


def add_to_members(sets: StoredSets, rows: Floats, weight: float, table: Floats) -> None:
    """Add row k of `rows`, weighted, to the rows of `table` that are members of set k. Shapes as for `add_sums`."""
    native = library()
    if native is None:
        for members, row in zip(_each(sets), rows, strict=True):
            table[members] += weight * row
        return
    done = native.add_to_members(*_addresses(sets), rows.ctypes.data, table.shape[1], weight, table.ctypes.data)
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
