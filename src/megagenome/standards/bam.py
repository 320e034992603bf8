# SPDX-License-Identifier: Apache-2.0
"""BAM (SAM specification, section 4.2): its header, and a walk over its records, none of whose numbers is trusted."""

import ctypes
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid, TooLarge
from megagenome.kernel.native import Walk, library
from megagenome.standards import bgzf

MAGIC = b"BAM\x01"
LONGEST_RECORD_BYTES = 1 << 28
LARGEST_HEADER_BYTES = 64 << 20

_TOO_LARGE = "the header is larger than 64 MiB"
_FIXED = struct.Struct("<iiBBHHHiiii")
_LENGTH = struct.Struct("<i")
_BEGIN = struct.Struct("<4si")
_BLOCK_BYTES = 1 << 16
_BAD, _UNSORTED, _FULL = 1, 2, 3  # what C says of a walk
_CONSUMING = frozenset((0, 2, 3, 7, 8))  # of CIGAR's operations: M, D, N, = and X
_UNMAPPED = 4
_ROOM = 4096  # for runs


class Malformed(Exception):
    """A record that is not BAM, or, with `unsorted`, one that stands before its place."""

    def __init__(self, *, unsorted: bool = False) -> None:
        super().__init__()
        self.unsorted = unsorted


class Header(NamedTuple):
    """What a BAM file begins with.

    content     of it, not compressed
    references  names, in the order of their numbers
    begin       virtual offset of the first record
    """

    content: bytes
    references: tuple[str, ...]
    begin: int

    @property
    def text(self) -> str:
        """Its text; what is no UTF-8 in it is replaced."""
        _, length = _BEGIN.unpack_from(self.content)
        return self.content[_BEGIN.size : _BEGIN.size + length].decode("utf-8", "replace")

    def with_text(self, text: str) -> bytes:
        """Its content with another text; the same references."""
        _, length = _BEGIN.unpack_from(self.content)
        content = text.encode()
        return _BEGIN.pack(MAGIC, len(content)) + content + self.content[_BEGIN.size + length :]


class Parsed(NamedTuple):
    """A header: its text, its contigs (name, length) and how long it is, not compressed."""

    text: bytes
    contigs: list[tuple[str, int]]
    size: int


class Record(NamedTuple):
    """Where a record is: on which reference, by number, [start, end); and in the file without its compression, from
    `begin` on, `size` bytes.

    Where its CIGAR says of no base of the reference, or it is unmapped, it covers one.
    """

    reference: int
    start: int
    end: int
    begin: int
    size: int


class Runs(NamedTuple):
    """Whom to tell of records, in runs: those that follow each other and are in the same windows of 2**shift bases.

    look  is told some of them, int64 [runs, 5]: reference, first and last window, begin and end in the file without its
          compression; and the content that they are of, with where it begins. Records without a place are in windows -1
    """

    shift: int
    look: Callable[[npt.NDArray[np.int64], bytes, int], None]


@dataclass(slots=True)
class Walked:
    """What is known of the records so far.

    lengths    int64 [contigs]
    is_sorted  whether they must be sorted by place
    counts     int64 [contigs + 1] reads of each contig, and last those of none
    contig     of the last record, -1 for none; `start` 0-based
    runs       who is told of them, if anybody
    read       where the next record begins in the file without its compression
    """

    lengths: npt.NDArray[np.int64]
    is_sorted: bool
    runs: Runs | None = None
    read: int = 0
    counts: npt.NDArray[np.int64] = field(init=False)
    contig: int = 0
    start: int = -1
    records: int = 0

    def __post_init__(self) -> None:
        """Begin with no record."""
        self.counts = np.zeros(len(self.lengths) + 1, np.int64)


def read_header(chunks: Iterable[bytes]) -> Header:
    """The header of the BAM file that these compressed bytes begin. Reads at most twice as much as it needs. Raises
    `Invalid` for what is none, `TooLarge` for one of over 64 MiB."""
    blocks = _Blocks()
    needed = 1
    for chunk in chunks:
        blocks.add(chunk)
        if len(blocks.plain) >= needed:
            if (header := _header(blocks)) is not None:
                return header
            needed = 2 * len(blocks.plain)
            if len(blocks.plain) > LARGEST_HEADER_BYTES:
                raise TooLarge(_TOO_LARGE)
    if (header := _header(blocks)) is None:
        raise Invalid("the BAM file ends within its header")
    return header


def _header(blocks: "_Blocks") -> Header | None:
    plain = bytes(blocks.plain)
    try:
        parsed = parse_header(plain)
    except Malformed:
        raise Invalid("this is no BAM file, or its header is damaged") from None
    if parsed is None:
        return None
    names = tuple(name for name, _ in parsed.contigs)
    return Header(plain[: parsed.size], names, blocks.virtual(parsed.size))


class _Blocks:
    """BGZF blocks that come in pieces: what they hold so far, and where each of them is."""

    def __init__(self) -> None:
        self.plain = bytearray()
        self._waiting = bytearray()
        self._place = 0
        self._begins: list[tuple[int, int]] = []  # of each block: of its content in `plain`, and its place in the file

    def add(self, chunk: bytes) -> None:
        """Go on by a piece of any size. Raises `Invalid` for what is not BGZF."""
        self._waiting += chunk
        at, view = 0, bytes(self._waiting)
        while True:
            try:
                found = bgzf.inflate(view[at : at + _BLOCK_BYTES], 1)
            except bgzf.Malformed:
                raise Invalid("this is no BAM file: it is not compressed as BGZF") from None
            if not found.used:
                break
            self._begins.append((len(self.plain), self._place + at))
            for part in found.parts:
                self.plain += part
            at += found.used
        self._place += at
        del self._waiting[:at]

    def virtual(self, at: int) -> int:
        """The virtual offset of a place in `plain`, or of its end."""
        if at == len(self.plain):
            return self._place << 16
        begins, place = next(each for each in reversed(self._begins) if each[0] <= at)
        return place << 16 | at - begins


def parse_header(content: bytes) -> Parsed | None:
    """The header that these bytes, not compressed, begin with; None where they are too short. Raises `Malformed`, and
    `TooLarge` for a text of over 64 MiB."""
    if content[: len(MAGIC)] != MAGIC[: len(content)]:
        raise Malformed
    if len(content) < _BEGIN.size:
        return None
    _, length = _BEGIN.unpack_from(content)
    if length < 0:
        raise Malformed
    if length > LARGEST_HEADER_BYTES:
        raise TooLarge(_TOO_LARGE)
    begin = _BEGIN.size + length
    found = parse_contigs(content[begin:])
    return None if found is None else Parsed(content[_BEGIN.size : begin], found[0], begin + found[1])


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
    """Go over the records that are whole in `content`; where the last of them ends. Raises `Malformed`, and what
    `runs.look` raises."""
    native = library()
    if native is None:
        return walk_slowly(content, walked)
    runs = None if walked.runs is None else np.empty((_ROOM, 5), np.int64)
    at = 0
    while True:
        form = _form(walked, runs)
        rest = content[at:] if at else content
        end: int = native.walk_reads(rest, len(rest), ctypes.byref(form))
        walked.contig, walked.start, walked.records = form.reference, form.start, form.records
        if form.problem in (_BAD, _UNSORTED):
            raise Malformed(unsorted=form.problem == _UNSORTED)
        if walked.runs is not None and runs is not None and form.used:
            walked.runs.look(runs[: form.used], rest, walked.read)
        walked.read += end
        at += end
        if form.problem != _FULL:
            return at


def _form(walked: Walked, runs: npt.NDArray[np.int64] | None) -> Walk:
    return Walk(
        len(walked.lengths),
        walked.is_sorted,
        walked.contig,
        walked.start,
        walked.records,
        0,
        walked.counts.ctypes.data,
        walked.lengths.ctypes.data,
        None if runs is None else runs.ctypes.data,
        0 if walked.runs is None else walked.runs.shift,
        walked.read,
        _ROOM,
        0,
    )


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
    if walked.runs is not None and at:
        walked.runs.look(runs_of(records(content[:at], walked.read), walked.runs.shift), content, walked.read)
    walked.read += at
    return at


def records(content: bytes, begin: int) -> Iterator[Record]:
    """Each of the records that these bytes are, whole and well-formed, as a walk found them. They begin at `begin`."""
    at = 0
    while at < len(content):
        found = _record(content, at, begin + at)
        yield found
        at += found.size


def runs_of(found: Iterable[Record], shift: int) -> npt.NDArray[np.int64]:
    """As `Runs.look` is told of these records, which follow each other."""
    runs: list[list[int]] = []
    for each in found:
        first = last = -1
        if each.reference >= 0 and each.start >= 0:
            first, last = each.start >> shift, (each.end - 1) >> shift
        if runs and runs[-1][:3] == [each.reference, first, last]:
            runs[-1][4] = each.begin + each.size
        else:
            runs.append([each.reference, first, last, each.begin, each.begin + each.size])
    return np.array(runs, np.int64).reshape(-1, 5)


def _record(content: bytes, at: int, begin: int) -> Record:
    """The record at a place in `content`."""
    (length,) = _LENGTH.unpack_from(content, at)
    reference, start, name, _, _, operations, flags, *_ = _FIXED.unpack_from(content, at + 4)
    cigar = struct.unpack_from(f"<{operations}I", content, at + 4 + _FIXED.size + name)
    covered = 0 if flags & _UNMAPPED else sum(each >> 4 for each in cigar if each & 15 in _CONSUMING)
    return Record(reference, start, start + max(1, covered), begin, 4 + length)
