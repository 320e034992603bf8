# SPDX-License-Identifier: Apache-2.0
"""Parts of BAM files: whole blocks as they are, and around them new ones."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from megagenome.delivery.needs import Sealed
from megagenome.delivery.pieces import (
    FAR,
    REFERENCE_BYTES,
    Beginning,
    Names,
    Pieces,
    fillable,
    is_worth_it,
    place_for,
    read_run,
    required,
)
from megagenome.kernel.errors import Corrupt
from megagenome.kernel.sealed_files import ArchivedFile
from megagenome.standards import bam, bgzf, sam
from megagenome.standards.crypt4gh_segments import SEGMENT_BYTES, Stored
from megagenome.standards.hts_index import BinIndex, ByteRange, Chunk, merged
from megagenome.standards.htsget import UNPLACED, Slice

_LEAST_FILLING = 60_000
"""What each byte but the first can be filled up to, in a block of its own."""
BLOCK_BYTES = 1 << 16
"""By which a virtual offset is divided into a block's place and one within it."""
_AT_ONCE = 1 << 20


class BamLayout(NamedTuple):
    """Of a BAM file.

    numbers  of its references, by name
    places   None where it has no index
    rest     the records in the block in which the header ends
    after    where the next block begins
    """

    header: bam.Header
    numbers: Mapping[str, int]
    places: BinIndex | None
    rest: bytes
    after: int

    @property
    def held_bytes(self) -> int:
        """How much memory it takes, about."""
        header = len(self.header.content) + len(self.rest) + REFERENCE_BYTES * len(self.numbers)
        return header + (0 if self.places is None else self.places.held_bytes)

    def replaced(self, names: Names) -> Beginning:
        """Its first blocks under other names."""
        plain = self._renamed(names) + self.rest
        length = fillable(self.after, (len(plain) - 1) * _LEAST_FILLING)
        content = bgzf.fitted(plain, length, SEGMENT_BYTES, best=True)
        if content is None:
            raise AssertionError("a header has more than one byte")
        return Beginning(content, self.after, bool(self.rest) or len(content) != self.after)

    def part(self, opened: Sealed, slices: Sequence[Slice], names: Names | None, *, sealed: bool) -> Pieces:
        """Its header, under other names if these are given, and its records that overlap any of these slices and some
        beside them, each once, in the order of the file. `sealed`: whether it may have segments as they are stored."""
        chunks = self._chunks(opened.file, slices)
        has_stored = sealed and is_worth_it([ByteRange(c.begin // BLOCK_BYTES, c.end // BLOCK_BYTES) for c in chunks])
        header = self.header.content if names is None else self._renamed(names)
        return Pieces(_pieces(opened, header, chunks, as_stored=has_stored), has_stored)

    def _renamed(self, names: Names) -> bytes:
        return self.header.with_text(sam.without_names(self.header.text, names))

    def _chunks(self, file: ArchivedFile, slices: Sequence[Slice]) -> list[Chunk]:
        """Where its records are, whatever the index says: it is the provider's, and the header names people."""
        found: list[Chunk] = []
        for each in slices:
            index = required(self.places, file)
            if each.reference == UNPLACED:
                begin = index.unplaced()
                found.append(
                    Chunk(self.header.begin if begin is None else begin, (file.size_bytes - len(bgzf.END)) << 16)
                )
            else:
                number = self.numbers[each.reference]
                found += index.chunks(number, each.start, max(each.start, FAR if each.end is None else each.end))
        begin = self.header.begin
        return [Chunk(max(begin, each.begin), each.end) for each in merged(found) if each.end > begin]


def _pieces(opened: Sealed, header: bytes, chunks: Sequence[Chunk], *, as_stored: bool) -> Iterator[bytes | Stored]:
    waiting, place = bytearray(header), 0
    for chunk in chunks:
        head, run, tail = _cut(opened, chunk)
        waiting += head
        if run.start < run.end:
            fits = as_stored and is_worth_it([run])
            written = _write(bytes(waiting), place_for(run, place) if fits else None)
            yield written
            yield from read_run(opened, run, place + len(written)) if fits else opened.read(run.start, run.end)
            place += len(written) + run.end - run.start
            waiting.clear()
        waiting += tail
        if len(waiting) > _AT_ONCE:
            written = _write(bytes(waiting))
            yield written
            place += len(written)
            waiting.clear()
    yield _write(bytes(waiting)) + bgzf.END


def _write(plain: bytes, size_bytes: int | None = None) -> bytes:
    """Bytes as blocks, as long as this but for whole segments, if that is given and they are enough for it."""
    fitted = None if size_bytes is None else bgzf.fitted(plain, size_bytes, SEGMENT_BYTES)
    return b"".join(bgzf.blocks(plain)) if fitted is None else fitted


def _cut(opened: Sealed, chunk: Chunk) -> tuple[bytes, ByteRange, bytes]:
    """The records between two virtual offsets: those in a part of their first block, whole blocks, those in a part of
    the last."""
    (first, skip), (last, end) = divmod(chunk.begin, BLOCK_BYTES), divmod(chunk.end, BLOCK_BYTES)
    if first == last:
        return block_at(opened, first)[0][skip:end], ByteRange(first, first), b""
    head = b""
    if skip:
        plain, size = block_at(opened, first)
        head, first = plain[skip:], first + size
    return head, ByteRange(first, last), block_at(opened, last)[0][:end] if end else b""


def block_at(opened: Sealed, place: int) -> tuple[bytes, int]:
    """What is in the block at a place of the file, and how long it is as it is stored. Raises `Corrupt` where there is
    none."""
    stored = b"".join(opened.read(place, place + BLOCK_BYTES))
    try:
        inflated = bgzf.inflate(stored, 1)
    except bgzf.Malformed:
        inflated = bgzf.Inflated([], 0)
    if not inflated.used:
        raise Corrupt(f"the index of {opened.file.id} is not of this file: there is no block at {place:,}")
    return bytes(inflated.parts[-1]), inflated.used  # after blocks of nothing
