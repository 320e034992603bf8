# SPDX-License-Identifier: Apache-2.0
"""Where in a file of reads which records are: its header and its index, read once and kept."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from megagenome.delivery.needs import Files, Sealed
from megagenome.kernel.errors import Corrupt, Invalid, NotFound
from megagenome.kernel.sealed_files import ArchivedFile, FileId
from megagenome.standards import bam, bgzf, cram, sam
from megagenome.standards.crypt4gh_segments import SEGMENT_BYTES
from megagenome.standards.hts_index import BinIndex, Chunk, CramIndex, merged, read_bins, read_crai
from megagenome.standards.htsget import UNPLACED, Format, Slice

MOST_KEPT_BYTES = 256 << 20
"""Of headers and indexes, as they are held in memory. One that is larger than all that is not kept."""

Index = TypeVar("Index")
Names = Mapping[str, str]

_MOST_REPLACED_BYTES = 32 << 20
_LONGEST_FILLED = 16 << 20
"""A longer header, which whoever submitted it may have blown up, is not made as long again."""
_LEAST_FILLING = 60_000
"""What each byte but the first can be filled up to, in a block of its own."""
_REFERENCE_BYTES = 150
_PURPOSE = "index"
_BLOCK_BYTES = 1 << 16
_FAR = 1 << 40


class Beginning(NamedTuple):
    """What stands in the place of a file's first bytes where it leaves under other names.

    content     as long as what it stands for, or longer or shorter by whole segments of Crypt4GH, so that all that
                follows can be sent as it is stored
    instead_of  bytes of the file
    is_moved    whether what follows is elsewhere than before, so that an index of the file is none of this
    """

    content: bytes
    instead_of: int
    is_moved: bool


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
        header = len(self.header.content) + len(self.rest) + _REFERENCE_BYTES * len(self.numbers)
        return header + (0 if self.places is None else self.places.held_bytes)

    def beginning(self, _opened: Sealed, names: Names | None) -> Iterator[bytes]:
        """Its header, in blocks of its own; under other names, if these are given."""
        return bgzf.blocks(self.header.content if names is None else self._renamed(names))

    def replaced(self, names: Names) -> Beginning:
        """Its first blocks under other names."""
        plain = self._renamed(names) + self.rest
        length = _fillable(self.after, (len(plain) - 1) * _LEAST_FILLING)
        while (content := bgzf.fitted(plain, length)) is None:
            length += SEGMENT_BYTES
        return Beginning(content, self.after, bool(self.rest) or length != self.after)

    def records(self, opened: Sealed, slices: Sequence[Slice]) -> Iterator[bytes]:
        """Its records that overlap any of these and some beside them, each once, in the order of the file."""
        for chunk in self._chunks(opened.file, slices):
            yield from _cut(opened, chunk)

    def ending(self) -> bytes:
        """What ends a file of its kind."""
        return bgzf.END

    def _renamed(self, names: Names) -> bytes:
        return self.header.with_text(sam.without_names(self.header.text, names))

    def _chunks(self, file: ArchivedFile, slices: Sequence[Slice]) -> list[Chunk]:
        found: list[Chunk] = []
        for each in slices:
            index = _required(self.places, file)
            if each.reference == UNPLACED:
                begin = index.unplaced()
                found.append(
                    Chunk(self.header.begin if begin is None else begin, (file.size_bytes - len(bgzf.END)) << 16)
                )
            else:
                number = self.numbers[each.reference]
                found += index.chunks(number, each.start, max(each.start, _FAR if each.end is None else each.end))
        return merged(found)


class CramLayout(NamedTuple):
    """Of a CRAM file.

    numbers  of its references, by name
    places   None where it has no index
    """

    header: cram.Header
    numbers: Mapping[str, int]
    places: CramIndex | None

    @property
    def held_bytes(self) -> int:
        """How much memory it takes, about."""
        header = len(self.header.text) + _REFERENCE_BYTES * len(self.numbers)
        return header + (0 if self.places is None else self.places.held_bytes)

    def beginning(self, opened: Sealed, names: Names | None) -> Iterator[bytes]:
        """Its definition and header, as they are; or under other names, if these are given."""
        if names is None:
            return opened.read(0, self.header.begin)
        return iter([cram.write_beginning(self._renamed(names), self.header.version)])

    def replaced(self, names: Names) -> Beginning:
        """Its definition and header under other names."""
        text, length = self._renamed(names), _fillable(self.header.begin, _LONGEST_FILLED)
        while (content := cram.fitted_beginning(text, self.header.version, length)) is None:
            length += SEGMENT_BYTES
        return Beginning(content, self.header.begin, length != self.header.begin)

    def records(self, opened: Sealed, slices: Sequence[Slice]) -> Iterator[bytes]:
        """The containers of records that overlap any of these, in the order of the file."""
        if not slices:
            return
        regions = [
            (
                -1 if each.reference == UNPLACED else self.numbers[each.reference],
                each.start,
                _FAR if each.end is None else each.end,
            )
            for each in slices
        ]
        size = opened.file.size_bytes - len(self.header.end)
        for one in _required(self.places, opened.file).containers(size, regions):
            yield from opened.read(one.start, one.end)

    def ending(self) -> bytes:
        """What ends a file of its kind."""
        return self.header.end

    def _renamed(self, names: Names) -> str:
        return sam.without_names(self.header.text, names)


Layout = BamLayout | CramLayout


class Layouts:
    """Layouts of a node's files, of which those used last are kept. Safe for threads: a file never changes."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._turn = threading.Lock()
        self._kept: OrderedDict[tuple[FileId, FileId | None], Layout] = OrderedDict()
        self._replaced: OrderedDict[tuple[FileId, frozenset[tuple[str, str]]], Beginning] = OrderedDict()

    def of(self, file: ArchivedFile) -> Layout:
        """The layout of a BAM or CRAM file. Raises `Invalid` for any other. Cost: microseconds once it is kept; before,
        it reads the header and the index, and enters it in the ledger as the node's own work."""
        index = self._files.index_of(file.id)  # each time: it may be shredded, restored, or there since
        wanted = file.id, index.id if index else None
        with self._turn:
            if wanted in self._kept:
                self._kept.move_to_end(wanted)
                return self._kept[wanted]
        layout = self._read(file, index)
        with self._turn:
            for other in [each for each in self._kept if each[0] == file.id]:
                del self._kept[other]
            self._kept[wanted] = layout
            while self._kept and sum(each.held_bytes for each in self._kept.values()) > MOST_KEPT_BYTES:
                self._kept.popitem(last=False)
        return layout

    def replaced(self, file: ArchivedFile, names: Names) -> Beginning:
        """What a BAM or CRAM file begins with under other names: always the same under the same ones. Cost: some ms for
        each 100 kB of header, once while it is kept."""
        wanted = file.id, frozenset(names.items())
        with self._turn:
            if wanted in self._replaced:
                self._replaced.move_to_end(wanted)
                return self._replaced[wanted]
        found = self.of(file).replaced(names)
        with self._turn:
            self._replaced[wanted] = found
            while sum(len(each.content) for each in self._replaced.values()) > _MOST_REPLACED_BYTES:
                self._replaced.popitem(last=False)
        return found

    def _read(self, file: ArchivedFile, index: ArchivedFile | None) -> Layout:
        opened = self._open(file)
        content = None if index is None else b"".join(self._open(index).read())
        if file.format == Format.BAM:
            header = bam.read_header(opened.read())
            place, within = divmod(header.begin, _BLOCK_BYTES)
            plain, size = _block(opened, place) if within else (b"", 0)
            bins = None if content is None else read_bins(content)
            return BamLayout(header, _numbers(header.references), bins, plain[within:], place + size)
        if file.format == Format.CRAM:
            begin = cram.read_header(opened.read())
            return CramLayout(begin, _numbers(begin.references), None if content is None else read_crai(content))
        raise Invalid(f"{file.id} is no file of reads")

    def _open(self, file: ArchivedFile) -> Sealed:
        return self._files.open_inside(file.id, _PURPOSE, often=True)


def _fillable(size_bytes: int, most_bytes: int) -> int:
    """The length that a beginning is to have: of what it stands for, or where that is longer than can be filled, one
    that ends at the same place of a segment."""
    return size_bytes if size_bytes <= min(most_bytes, _LONGEST_FILLED) else size_bytes % SEGMENT_BYTES


def _numbers(references: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(references)}


def require_references(layout: Layout, slices: Sequence[Slice]) -> None:
    """Raise `NotFound` for a reference that the file does not have."""
    for each in slices:
        if each.reference != UNPLACED and each.reference not in layout.numbers:
            raise NotFound(f"the file has no reference {each.reference[:60]!r}")


def _required(index: Index | None, file: ArchivedFile) -> Index:
    if index is None:
        raise Invalid(f"{file.id} has no index, so no part of it can be given; ask for the whole file")
    return index


def _cut(opened: Sealed, chunk: Chunk) -> Iterator[bytes]:
    """The records between two virtual offsets: whole blocks as they are, and new ones of the parts at both ends."""
    (first, skip), (last, end) = divmod(chunk.begin, _BLOCK_BYTES), divmod(chunk.end, _BLOCK_BYTES)
    if first == last:
        yield from bgzf.blocks(_block(opened, first)[0][skip:end])
        return
    if skip:
        plain, size = _block(opened, first)
        yield from bgzf.blocks(plain[skip:])
        first += size
    yield from opened.read(first, last)
    if end:
        yield from bgzf.blocks(_block(opened, last)[0][:end])


def _block(opened: Sealed, place: int) -> tuple[bytes, int]:
    """What is in the block at a place of the file, and how long it is as it is stored."""
    stored = b"".join(opened.read(place, place + _BLOCK_BYTES))
    try:
        inflated = bgzf.inflate(stored, 1)
    except bgzf.Malformed:
        inflated = bgzf.Inflated([], 0)
    if not inflated.used:
        raise Corrupt(f"the index of {opened.file.id} is not of this file: there is no block at {place:,}")
    return bytes(inflated.parts[-1]), inflated.used  # after blocks of nothing
