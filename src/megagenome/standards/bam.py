# SPDX-License-Identifier: Apache-2.0
"""BAM (SAM specification, section 4.2): its header, and a walk over its records, none of whose numbers is trusted."""

import ctypes
import struct
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from megagenome.kernel.native import Walk, library

MAGIC = b"BAM\x01"
LONGEST_RECORD_BYTES = 1 << 28

_FIXED = struct.Struct("<iiBBHHHiiii")
_LENGTH = struct.Struct("<i")


class Malformed(Exception):
    """A record that is not BAM, or, with `unsorted`, one that stands before its place."""

    def __init__(self, *, unsorted: bool = False) -> None:
        super().__init__()
        self.unsorted = unsorted


@dataclass(slots=True)
class Walked:
    """What is known of the records so far.

    lengths    int64 [contigs]
    is_sorted  whether they must be sorted by place
    counts     int64 [contigs + 1] reads of each contig, and last those of none
    contig     of the last record, -1 for none; `start` 0-based
    """

    lengths: npt.NDArray[np.int64]
    is_sorted: bool
    counts: npt.NDArray[np.int64] = field(init=False)
    contig: int = 0
    start: int = -1
    records: int = 0

    def __post_init__(self) -> None:
        """Begin with no record."""
        self.counts = np.zeros(len(self.lengths) + 1, np.int64)


def parse_contigs(content: bytes) -> tuple[list[tuple[str, int]], int] | None:
    """The contigs that follow the header's text, and where they end; None where `content` is too short. Raises
    `Malformed`."""
    try:
        (count,) = _LENGTH.unpack_from(content, 0)
        at, contigs = 4, []
        if not 0 <= count <= 2**24:
            raise Malformed
        for _ in range(count):
            (length,) = _LENGTH.unpack_from(content, at)
            name = content[at + 4 : at + 4 + length]
            if length < 2 or (len(name) == length and name[-1:] != b"\0"):
                raise Malformed
            (bases,) = _LENGTH.unpack_from(content, at + 4 + length)
            contigs.append((name[:-1].decode("ascii", "replace"), bases))
            at += 8 + length
    except struct.error:
        return None
    return contigs, at


def walk(content: bytes, walked: Walked) -> int:
    """Go over the records that are whole in `content`; where the last of them ends. Raises `Malformed`."""
    native = library()
    if native is None:
        return walk_slowly(content, walked)
    form = Walk(
        len(walked.lengths),
        walked.is_sorted,
        walked.contig,
        walked.start,
        walked.records,
        0,
        walked.counts.ctypes.data,
        walked.lengths.ctypes.data,
    )
    end: int = native.walk_reads(content, len(content), ctypes.byref(form))
    walked.contig, walked.start, walked.records = form.reference, form.start, form.records
    if form.problem:
        raise Malformed(unsorted=form.problem == 2)
    return end


def walk_slowly(content: bytes, walked: Walked) -> int:
    """The same as `walk`, one record at a time: where there is no C, and the oracle of it."""
    at, contigs = 0, len(walked.lengths)
    while len(content) - at >= _LENGTH.size:
        (length,) = _LENGTH.unpack_from(content, at)
        if not _FIXED.size <= length <= LONGEST_RECORD_BYTES:
            raise Malformed
        if at + 4 + length > len(content):
            break
        contig, start, name, _, _, operations, _, bases, mate, _, _ = _FIXED.unpack_from(content, at + 4)
        needed = _FIXED.size + name + 4 * operations + (bases + 1) // 2 + bases
        is_placed = -1 <= contig < contigs and -1 <= mate < contigs and start >= -1
        if not is_placed or bases < 0 or name < 1 or needed > length or content[at + 4 + _FIXED.size + name - 1]:
            raise Malformed
        if contig >= 0 and start >= walked.lengths[contig]:
            raise Malformed
        rank, before = contig % (contigs + 1), walked.contig % (contigs + 1)
        if walked.is_sorted and (rank < before or (rank == before and contig >= 0 and start < walked.start)):
            raise Malformed(unsorted=True)
        walked.contig, walked.start = contig, start
        walked.counts[contig] += 1
        walked.records += 1
        at += 4 + length
    return at
