# SPDX-License-Identifier: Apache-2.0
"""Indexes of sorted BAM, CRAM and BGZF-compressed text: which bytes of a file hold what overlaps a region, and how many
records of each reference they should be.

BAI (SAM specification §5.2), CSI version 1 and tabix (hts-specs CSIv1, tabix), CRAI (CRAM specification, "CRAM index").
BAI, CSI and tabix name virtual offsets: a BGZF block's place in the file, 48 bits, and a place in the block, 16 bits.

What an index names always holds all that overlaps a region, and as a rule some records beside it. Where an index is of
another file, what it names is nonsense: whoever reads it must hold it against the file. No number in it is trusted:
none makes room for what is not there.
"""

import gzip
import io
import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Corrupt, Invalid, TooLarge
from megagenome.standards.bgzf import GZIP_MAGIC

LIMIT_BYTES = 1 << 28
"""Of an index, without its compression."""

_MOST_REFERENCES = 1 << 20  # the largest assemblies in use, with all their decoys, have some thousands
_MOST_LINES = 1 << 21  # of a CRAM index; a genome at thirty times has some fifty thousand
_REFERENCE, _START, _END, _CONTAINER, _LANDMARK = range(5)  # of a line
_BIN_BYTES = 120  # that Python takes for a bin
_SHIFT, _DEPTH = 14, 5  # of the bins of BAI and tabix
_LARGEST_DEPTH = 9
_DAMAGED = "the index is damaged or breaks off; make it anew"
_NONE = "this is no index: neither BAI, CSI, TBI nor CRAI"

_I32 = struct.Struct("<i")
_U64 = struct.Struct("<Q")
_COUNTS = struct.Struct("<16xQQ")  # in the place of chunks: where its records are, then those placed and those not
_TABIX = struct.Struct("<8i")  # n_ref, format, three columns, meta, skip, l_nm; in CSI all but n_ref are the auxiliary
_BIN = struct.Struct("<Ii")
_CSI_BIN = struct.Struct("<I8xi")  # loffset, which is read where it is asked for, comes between


class Chunk(NamedTuple):
    """A run of records, as virtual offsets: from the first one on, half-open."""

    begin: int
    end: int


class ByteRange(NamedTuple):
    """Bytes of a file, 0-based, half-open."""

    start: int
    end: int


class Reference(NamedTuple):
    """What an index knows of one reference sequence.

    content  the whole index, without compression
    bins     of each bin that has records, where in `content` its chunks are: a third of the room that chunks take
    lowest   uint64; for BAI and tabix, of each window of 16,384 bases the least offset of a record that overlaps it;
             else empty
    is_csi   whether its bins have an loffset instead
    records  how many it has; None where the index does not say
    """

    content: bytes
    bins: Mapping[int, int]
    lowest: npt.NDArray[np.uint64]
    is_csi: bool
    records: int | None

    def chunks(self, number: int) -> list[Chunk]:
        """The chunks of a bin; none where it has no records."""
        at = self.bins.get(number)
        if at is None:
            return []
        offsets = self._offsets(at)
        return [Chunk(*pair) for pair in zip(offsets[::2], offsets[1::2], strict=True)]

    def offsets(self, number: int) -> npt.NDArray[np.uint64]:
        """The same as begin, end, begin, end and so on, without a copy."""
        at = self.bins.get(number)
        if at is None:
            return np.zeros(0, np.uint64)
        (size,) = _I32.unpack_from(self.content, at - 4)
        return np.frombuffer(self.content, "<u8", 2 * size, at)

    def loffset(self, number: int) -> int | None:
        """The least offset of a record that overlaps a bin's first base; None for a bin without records, or an index
        that is no CSI."""
        at = self.bins.get(number) if self.is_csi else None
        return None if at is None else int(_U64.unpack_from(self.content, at - 12)[0])

    def span(self) -> Chunk:
        """From its first record to behind its last; two zeros without records. Cost: 1 µs for each bin."""
        offsets = [self._offsets(at) for at in self.bins.values()]
        return Chunk(min(map(min, offsets)), max(map(max, offsets))) if offsets else Chunk(0, 0)

    def can_be(self) -> bool:
        """Whether what it says of least offsets agrees with its chunks: none is behind the last record, and in BAI and
        tabix they ascend. One that does not would hide records. Cost: 1 µs for each bin."""
        end = self.span().end
        if self.is_csi:
            return all((self.loffset(number) or 0) < end for number in self.bins)
        known = self.lowest[self.lowest > 0]
        return bool((known < end).all() and (known[1:] >= known[:-1]).all())

    def _offsets(self, at: int) -> tuple[int, ...]:
        (size,) = _I32.unpack_from(self.content, at - 4)
        return struct.unpack_from(f"<{2 * size}Q", self.content, at)


class BinIndex(NamedTuple):
    """A BAI, CSI or tabix index.

    kind          bai, csi or tbi
    shift, depth  the smallest bins have 2**shift bases, and there are depth + 1 sizes of them, by eight times
    names         of the references in order, where the index has them (tabix, CSI of text); empty where the file does
    references    in the order of the file
    """

    kind: str
    shift: int
    depth: int
    names: tuple[str, ...]
    references: tuple[Reference, ...]

    @property
    def held_bytes(self) -> int:
        """About how much memory it takes."""
        content = len(self.references[0].content) if self.references else 0
        return content + _BIN_BYTES * sum(1 + len(each.bins) for each in self.references)

    def chunks(self, reference: int, start: int, end: int) -> list[Chunk]:
        """Where the records are that overlap [start, end) of a reference, by number: sorted, none overlapping another.

        Empty where nothing does, or for a reference that the index does not have. Raises `Invalid` for a region that
        ends before it starts.
        """
        if not 0 <= start <= end:
            raise Invalid(f"a region from {start} to {end}; it must not end before it starts")
        if reference >= len(self.references) or start == end:
            return []
        end = min(end, 1 << (self.shift + 3 * self.depth))
        known = self.references[reference]
        least, beyond = self._least(known, start), self._beyond(known, end)
        found = [
            Chunk(max(chunk.begin, least), chunk.end if beyond is None else min(chunk.end, beyond))
            for number in self._bins(known, start, end)
            for chunk in known.chunks(number)
            if chunk.end > least and (beyond is None or chunk.begin < beyond)
        ]
        return merged(found)

    def unplaced(self) -> int | None:
        """The virtual offset behind the last placed record, from which records without a place follow; None where no
        record is placed, so that they follow the file's header."""
        return next((each.span().end for each in reversed(self.references) if each.bins), None)

    def _bins(self, known: Reference, start: int, end: int) -> list[int]:
        """The bins with records that overlap [start, end) (CSIv1 §"Binning")."""
        first, shift, levels = 0, self.shift + 3 * self.depth, []
        for level in range(self.depth + 1):
            levels.append(range(first + (start >> shift), first + ((end - 1) >> shift) + 1))
            first, shift = first + (1 << (3 * level)), shift - 3
        if sum(map(len, levels)) > len(known.bins):  # an index may have 150 million bins, and records in one
            return [number for number in known.bins if any(number in level for level in levels)]
        return [number for level in levels for number in level if number in known.bins]

    def _least(self, known: Reference, start: int) -> int:
        """A virtual offset before which no record overlaps `start` or what follows."""
        if len(known.lowest):
            return int(known.lowest[min(start >> self.shift, len(known.lowest) - 1)])
        number = first_bin(self.depth) + (start >> self.shift)
        while number:
            if (least := known.loffset(number)) is not None:
                return least
            # the bin before, of the same parent, or the parent: either begins no later than `start`
            number = number - 1 if (number - 1) & 7 else (number - 1) >> 3
        return known.loffset(0) or 0

    def _beyond(self, known: Reference, end: int) -> int | None:
        """A virtual offset from which on every record begins at `end` or later; None where that is not known.

        It is where the next bin to the right begins whose records are all within it.
        """
        number = first_bin(self.depth) + ((end - 1) >> self.shift) + 1
        while number < first_bin(self.depth + 1):
            while number & 7 == 1:  # the first of eight: their parent begins where it does
                number = (number - 1) >> 3
            if number == 0:
                break
            if number in known.bins:
                return known.chunks(number)[0].begin
            number += 1
        return None


class CramSlice(NamedTuple):
    """A line of a CRAM index: a slice, at `landmark` behind the head of the container that begins at byte `container`
    of the file, has records of [start, end) of a reference.

    `reference` is -1 for records without a place; a slice of several references has a line for each.
    """

    reference: int
    start: int
    end: int
    container: int
    landmark: int
    size_bytes: int


class CramIndex:
    """A CRAI. Its arrays never change.

    offsets  int64, ascending: where in the file the containers begin that it names
    """

    __slots__ = ("_beyond", "_lines", "_of", "offsets")

    kind = "crai"
    """As `BinIndex.kind`."""

    def __init__(self, lines: npt.NDArray[np.int64]) -> None:
        """`lines`: int64 [lines, 6], as `CramSlice`. Raises `Corrupt` where a slice has two lines of one reference."""
        lines = lines[np.lexsort((lines[:, _LANDMARK], lines[:, _CONTAINER], lines[:, _START], lines[:, _REFERENCE]))]
        same = lines[np.lexsort((lines[:, _LANDMARK], lines[:, _CONTAINER], lines[:, _REFERENCE]))]
        same = same[:, (_REFERENCE, _CONTAINER, _LANDMARK)]
        if (same[1:] == same[:-1]).all(axis=1).any():
            raise Corrupt("the CRAM index has two lines of one slice and reference; make it anew")
        self._lines, self.offsets = lines, np.unique(lines[:, _CONTAINER])
        references, begins = np.unique(lines[:, _REFERENCE], return_index=True)
        ends = [*begins.tolist(), len(lines)][1:]
        self._of = dict(zip(references.tolist(), zip(begins.tolist(), ends, strict=True), strict=True))
        self._beyond = lines[:, _END].copy()  # of each line, the largest end up to it of its reference
        for begin, end in self._of.values():
            np.maximum.accumulate(self._beyond[begin:end], out=self._beyond[begin:end])

    @property
    def slices(self) -> Iterator[CramSlice]:
        """Its lines, by reference and start."""
        return (CramSlice(*line) for line in self._lines.tolist())

    @property
    def held_bytes(self) -> int:
        """How much memory it takes."""
        return self._lines.nbytes + self._beyond.nbytes + self.offsets.nbytes

    def containers(self, size: int, regions: Iterable[tuple[int, int, int]]) -> list[ByteRange]:
        """The bytes of the CRAM file of which containers overlap any of some regions, (reference, start, end): sorted,
        and none touching another. All that has no place overlaps any region of -1.

        size  where the file's last container, which marks its end, begins
        Cost: some 10 µs for each region, and the containers found.
        """
        wanted = np.zeros(len(self.offsets), bool)
        for reference, start, end in regions:
            first, last = self._of.get(reference, (0, 0))
            if reference != -1:
                last = first + int(np.searchsorted(self._lines[first:last, _START], end))
                first += int(np.searchsorted(self._beyond[first:last], start, "right"))
            lines = self._lines[first:last]
            if reference != -1:
                lines = lines[lines[:, _END] > start]
            wanted[np.searchsorted(self.offsets, lines[:, _CONTAINER])] = True
        edges = np.flatnonzero(np.diff(wanted, prepend=False, append=False))
        places = [*self.offsets.tolist(), size]
        return [ByteRange(places[first], places[last]) for first, last in edges.reshape(-1, 2).tolist()]


Index = BinIndex | CramIndex


def read_index(content: bytes) -> Index:
    """The index in `content`, compressed or not. Raises `Invalid` for what is none of the four, `Corrupt` for one that
    is damaged, `TooLarge` for one of over 256 MiB without its compression."""
    is_compressed = content[:2] == GZIP_MAGIC
    plain = _inflated(content) if is_compressed else content
    try:
        match plain[:4]:
            case b"BAI\1":
                return _bai(plain)
            case b"TBI\1":
                return _tbi(plain)
            case b"CSI\1":
                return _csi(plain)
    except (struct.error, ValueError):
        raise Corrupt(_DAMAGED) from None
    if not plain and not is_compressed:
        raise Invalid(_NONE)
    return _crai(plain)


def read_bins(content: bytes) -> BinIndex:
    """The BAI, CSI or tabix index in `content`, as `read_index`; `Invalid` for a CRAM index too."""
    index = read_index(content)
    if not isinstance(index, BinIndex):
        raise Invalid("this is no BAI, CSI or tabix index")
    return index


def read_crai(content: bytes) -> CramIndex:
    """The CRAM index in `content`, as `read_index`; `Invalid` for any other."""
    index = read_index(content)
    if not isinstance(index, CramIndex):
        raise Invalid("this is no CRAM index")
    return index


def _inflated(content: bytes) -> bytes:
    """What is in a gzip file of one or many members. A bomb is refused before it goes off."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            inflated = file.read(LIMIT_BYTES + 1)
    except (EOFError, zlib.error, OSError):
        raise Corrupt(_DAMAGED) from None
    if len(inflated) > LIMIT_BYTES:
        raise TooLarge(f"the index is larger than {LIMIT_BYTES >> 20} MiB")
    return inflated


def _bai(content: bytes) -> BinIndex:
    (count,) = _I32.unpack_from(content, 4)
    return BinIndex("bai", _SHIFT, _DEPTH, (), _references(content, 8, count, _DEPTH, is_csi=False))


def _tbi(content: bytes) -> BinIndex:
    count, *_, size = _TABIX.unpack_from(content, 4)
    begin = 4 + _TABIX.size
    names = _names(content, begin, size, count)
    return BinIndex("tbi", _SHIFT, _DEPTH, names, _references(content, begin + size, count, _DEPTH, is_csi=False))


def _csi(content: bytes) -> BinIndex:
    shift, depth, auxiliary = struct.unpack_from("<3i", content, 4)
    if not (0 < shift <= 31 and 0 <= depth <= _LARGEST_DEPTH and 0 <= auxiliary <= len(content)):
        raise ValueError
    begin = 16 + auxiliary
    (count,) = _I32.unpack_from(content, begin)
    names: tuple[str, ...] = ()
    if auxiliary >= _TABIX.size - 4:
        *_, size = struct.unpack_from("<7i", content, 16)
        names = _names(content, 16 + 28, size, count)
    return BinIndex("csi", shift, depth, names, _references(content, begin + 4, count, depth, is_csi=True))


def _names(content: bytes, at: int, size: int, count: int) -> tuple[str, ...]:
    if not 0 <= size <= len(content) - at:
        raise ValueError
    names = tuple(content[at : at + size].decode().split("\0")[:-1])
    if len(names) != count:
        raise ValueError
    return names


def _references(content: bytes, at: int, count: int, depth: int, *, is_csi: bool) -> tuple[Reference, ...]:
    if not 0 <= count <= min(_MOST_REFERENCES, len(content)):
        raise ValueError
    found = []
    for _ in range(count):
        bins, records, at = _bins(content, at, first_bin(depth + 1), _CSI_BIN if is_csi else _BIN)
        windows = 0
        if not is_csi:
            (windows,), at = _I32.unpack_from(content, at), at + 4
            if windows < 0:
                raise ValueError
        if at + 8 * windows > len(content):
            raise ValueError
        lowest = np.frombuffer(content, "<u8", windows, at)
        at += 8 * windows
        found.append(Reference(content, bins, lowest, is_csi, records))
    return tuple(found)


def _bins(content: bytes, at: int, beyond: int, head: struct.Struct) -> tuple[dict[int, int], int | None, int]:
    """A reference's bins and records, and where its bins end. `beyond` is the number after that of the last bin."""
    (count,), at = _I32.unpack_from(content, at), at + 4
    if count < 0:
        raise ValueError
    bins: dict[int, int] = {}
    records = None
    unpack, width = head.unpack_from, head.size
    for _ in range(count):
        number, size = unpack(content, at)
        at += width
        if size < 0 or number in bins:
            raise ValueError
        if number < beyond:
            if size:
                bins[number] = at
        elif number == beyond + 1 and size == 2:  # the bin of no place: counts of records in the place of chunks
            records = sum(_COUNTS.unpack_from(content, at))
        else:
            raise ValueError
        at += 16 * size
    return bins, records if bins or records is not None else 0, at


def first_bin(depth: int) -> int:
    """The number of the first of the smallest bins, where there are depth + 1 sizes of them."""
    return ((1 << (3 * depth)) - 1) // 7


def merged(chunks: Iterable[Chunk]) -> list[Chunk]:
    """Chunks sorted, and those made one that overlap, touch, or end and begin in the same BGZF block."""
    out: list[Chunk] = []
    for chunk in sorted(chunks):
        if out and chunk.begin >> 16 <= out[-1].end >> 16:
            out[-1] = Chunk(out[-1].begin, max(out[-1].end, chunk.end))
        elif chunk.begin < chunk.end:
            out.append(chunk)
    return out


def _crai(content: bytes) -> CramIndex:
    lines = array("q")
    for number, line in enumerate(io.BytesIO(content), 1):
        try:
            reference, pos1, span, container, landmark, size = map(int, line.split(b"\t"))
            lines.extend((reference, pos1 - 1, pos1 - 1 + span, container, landmark, size))
        except (ValueError, OverflowError):
            if number == 1:
                raise Invalid(_NONE) from None
            raise Corrupt(f"the CRAM index is damaged in line {number}; make it anew") from None
        if number > _MOST_LINES:
            raise TooLarge(f"the CRAM index has over {_MOST_LINES:,} lines")
    return CramIndex(np.array(lines, np.int64).reshape(-1, 6))
