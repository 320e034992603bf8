# SPDX-License-Identifier: Apache-2.0
"""Indexes of sorted BAM, CRAM and BGZF-compressed text: which bytes of a file hold what overlaps a region.

BAI (SAM specification §5.2), CSI version 1 and tabix (hts-specs CSIv1, tabix), CRAI (CRAM specification, "CRAM index").
BAI, CSI and tabix name virtual offsets: a BGZF block's place in the file, 48 bits, and a place in the block, 16 bits.

What an index names always holds all that overlaps a region, and as a rule some records beside it. Where an index is of
another file, what it names is nonsense: whoever reads it must hold it against the file.
"""

import gzip
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from megagenome.kernel.errors import Invalid, TooLarge
from megagenome.standards.bgzf import GZIP_MAGIC

LARGEST_INDEX_BYTES = 512 << 20
"""Of an index without its compression."""

_BAI_SHIFT, _BAI_DEPTH = 14, 5
_LARGEST_DEPTH = 9
_MOST_REFERENCES = 10_000_000


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

    bins    chunks of each bin that has records
    lowest  for BAI and tabix, of each window of 16,384 bases the least offset of a record that overlaps it; else empty
    loffset for CSI, of each bin the least offset of a record that overlaps its first base; else empty
    """

    bins: Mapping[int, Sequence[Chunk]]
    lowest: Sequence[int]
    loffset: Mapping[int, int]


class BinIndex(NamedTuple):
    """A BAI, CSI or tabix index.

    shift, depth  the smallest bins have 2**shift bases, and there are depth + 1 sizes of them, by eight times
    names         of the references in order, where the index has them (tabix, CSI of text); empty where the file does
    references    in the order of the file
    """

    shift: int
    depth: int
    names: tuple[str, ...]
    references: tuple[Reference, ...]

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
            for chunk in known.bins[number]
            if chunk.end > least and (beyond is None or chunk.begin < beyond)
        ]
        return merged(found)

    def unplaced(self) -> int | None:
        """The virtual offset behind the last placed record, from which records without a place follow; None where no
        record is placed, so that they follow the file's header."""
        ends = [chunk.end for each in self.references for chunks in each.bins.values() for chunk in chunks]
        return max(ends) if ends else None

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
        if known.lowest:
            return known.lowest[min(start >> self.shift, len(known.lowest) - 1)]
        number = _first_bin(self.depth) + (start >> self.shift)
        while number:
            if number in known.loffset:
                return known.loffset[number]
            # the bin before, of the same parent, or the parent: either begins no later than `start`
            number = number - 1 if (number - 1) & 7 else (number - 1) >> 3
        return known.loffset.get(0, 0)

    def _beyond(self, known: Reference, end: int) -> int | None:
        """A virtual offset from which on every record begins at `end` or later; None where that is not known.

        It is where the next bin to the right begins whose records are all within it.
        """
        number = _first_bin(self.depth) + ((end - 1) >> self.shift) + 1
        while number < _first_bin(self.depth + 1):
            while number & 7 == 1:  # the first of eight: their parent begins where it does
                number = (number - 1) >> 3
            if number == 0:
                break
            if known.bins.get(number):
                return known.bins[number][0].begin
            number += 1
        return None


class Container(NamedTuple):
    """What a CRAM index says of one slice: [start, end) of a reference, and where its container begins.

    `reference` is -1 for records without a place; a container of several references has a line for each.
    """

    reference: int
    start: int
    end: int
    offset: int


def read_index(content: bytes) -> BinIndex:
    """A BAI, CSI or tabix index, compressed or not. Raises `Invalid` for what is none, or is cut short."""
    if content[:2] == GZIP_MAGIC:
        content = _inflated(content)
    try:
        return _read(content)
    except struct.error:
        raise Invalid("the index is cut short") from None
    except (UnicodeDecodeError, ValueError):
        raise Invalid("the index is damaged") from None


def _read(content: bytes) -> BinIndex:
    magic = content[:4]
    if magic == b"BAI\1":
        (count,) = struct.unpack_from("<i", content, 4)
        references, _ = _references(content, 8, count, _BAI_DEPTH, csi=False)
        return BinIndex(_BAI_SHIFT, _BAI_DEPTH, (), references)
    if magic == b"TBI\1":
        count, *_, size = struct.unpack_from("<8i", content, 4)
        references, _ = _references(content, 36 + size, count, _BAI_DEPTH, csi=False)
        return BinIndex(_BAI_SHIFT, _BAI_DEPTH, _names(content[36 : 36 + size]), references)
    if magic == b"CSI\1":
        shift, depth, extra = struct.unpack_from("<3i", content, 4)
        if not (0 < shift <= 31 and 0 <= depth <= _LARGEST_DEPTH and extra >= 0):
            raise Invalid(f"the index has bins of 2**{shift} bases in {depth + 1} sizes, which no index has")
        auxiliary = content[16 : 16 + extra]
        (count,) = struct.unpack_from("<i", content, 16 + extra)
        references, _ = _references(content, 20 + extra, count, depth, csi=True)
        return BinIndex(shift, depth, _names(auxiliary[28:]) if extra >= 28 else (), references)
    raise Invalid("this is no BAI, CSI or tabix index")


def _names(content: bytes) -> tuple[str, ...]:
    return tuple(name.decode() for name in content.split(b"\0")[:-1])


def _references(content: bytes, at: int, count: int, depth: int, *, csi: bool) -> tuple[tuple[Reference, ...], int]:
    if not 0 <= count <= min(_MOST_REFERENCES, len(content)):
        raise Invalid(f"the index has {count:,} references")
    pseudo = _first_bin(depth + 1) + 1  # counts of records, in the place of chunks
    found = []
    for _ in range(count):
        (bins,), at = struct.unpack_from("<i", content, at), at + 4
        chunks: dict[int, Sequence[Chunk]] = {}
        loffset: dict[int, int] = {}
        for _ in range(bins):
            if csi:
                number, least, size = struct.unpack_from("<IQi", content, at)
                at += 16
            else:
                number, size = struct.unpack_from("<Ii", content, at)
                least, at = 0, at + 8
            numbers = struct.unpack_from(f"<{2 * size}Q", content, at)
            at += 16 * size
            if number < pseudo - 1:
                chunks[number] = [Chunk(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
                loffset[number] = least
        lowest: tuple[int, ...] = ()
        if not csi:
            (windows,), at = struct.unpack_from("<i", content, at), at + 4
            lowest, at = struct.unpack_from(f"<{windows}Q", content, at), at + 8 * windows
        found.append(Reference(chunks, lowest, loffset if csi else {}))
    return tuple(found), at


def _first_bin(depth: int) -> int:
    """The number of the first of the smallest bins."""
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


def read_crai(content: bytes) -> list[Container]:
    """A CRAM index, compressed or not, in the order of the file. Raises `Invalid` for what is none."""
    text = _inflated(content) if content[:2] == GZIP_MAGIC else content
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            reference, pos1, span, offset, *_ = map(int, line.split(b"\t"))
        except ValueError:
            raise Invalid(f"the CRAM index is damaged in line {number}") from None
        found.append(Container(reference, pos1 - 1, pos1 - 1 + span, offset))
    return found


def containers(index: Sequence[Container], size: int, reference: int, start: int, end: int) -> list[ByteRange]:
    """The bytes of a CRAM file of which containers overlap [start, end) of a reference; -1 for what has no place.

    size  where the file's last container, which marks its end, begins
    """
    offsets = sorted({each.offset for each in index})
    following = dict(zip(offsets, [*offsets[1:], size], strict=True))
    wanted = {
        each.offset
        for each in index
        if each.reference == reference and (reference == -1 or (each.start < end and start < each.end))
    }
    ranges: list[ByteRange] = []
    for offset in sorted(wanted):
        if ranges and ranges[-1].end == offset:
            ranges[-1] = ByteRange(ranges[-1].start, following[offset])
        else:
            ranges.append(ByteRange(offset, following[offset]))
    return ranges


def _inflated(content: bytes) -> bytes:
    """What is in a gzip file of one or many members. A bomb is refused before it goes off."""
    parts, total = [], 0
    rest = content
    try:
        while rest:
            inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
            part = inflater.decompress(rest, LARGEST_INDEX_BYTES - total + 1)
            total += len(part)
            if total > LARGEST_INDEX_BYTES:
                raise TooLarge(f"an index of over {LARGEST_INDEX_BYTES:,} bytes")
            if not inflater.eof:
                raise Invalid("the index is cut short")
            parts.append(part)
            rest = inflater.unused_data
    except (zlib.error, gzip.BadGzipFile):
        raise Invalid("the index is damaged: it cannot be decompressed") from None
    return b"".join(parts)
