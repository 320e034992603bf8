# SPDX-License-Identifier: Apache-2.0
"""Where in a file of reads which records are: its header and its index, read once and kept."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from megagenome.delivery.needs import Files, Sealed
from megagenome.kernel.errors import Corrupt, Invalid, NotFound
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState
from megagenome.standards import bam, bgzf, cram
from megagenome.standards.hts_index import BinIndex, ByteRange, Chunk, CramIndex, merged, read_bins, read_crai
from megagenome.standards.htsget import UNPLACED, Format, Slice

MOST_KEPT_BYTES = 24 << 20
"""Of indexes as they are stored; in memory they take about four times as much."""

Index = TypeVar("Index")

_PURPOSE = "index"
_BLOCK_BYTES = 1 << 16
_FAR = 1 << 40
_ENDINGS = {Format.BAM: (".bai", ".csi"), Format.CRAM: (".crai",)}


class BamLayout(NamedTuple):
    """Of a BAM file; `places` None where it has no index."""

    header: bam.Header
    places: BinIndex | None

    @property
    def references(self) -> tuple[str, ...]:
        """Names of its references."""
        return self.header.references

    def beginning(self, _opened: Sealed) -> Iterator[bytes]:
        """Its header, in blocks of its own."""
        return bgzf.blocks(self.header.content)

    def records(self, opened: Sealed, slices: Sequence[Slice]) -> Iterator[bytes]:
        """Its records that overlap any of these and some beside them, each once, in the order of the file."""
        for chunk in self._chunks(opened.file, slices):
            yield from _cut(opened, chunk)

    def ending(self) -> bytes:
        """What ends a file of its kind."""
        return bgzf.END

    def _chunks(self, file: ArchivedFile, slices: Sequence[Slice]) -> list[Chunk]:
        index, found = _required(self.places, file), []
        for each in slices:
            if each.reference == UNPLACED:
                begin = index.unplaced()
                found.append(
                    Chunk(self.header.begin if begin is None else begin, (file.size_bytes - len(bgzf.END)) << 16)
                )
            else:
                number = self.references.index(each.reference)
                found += index.chunks(number, each.start, max(each.start, _FAR if each.end is None else each.end))
        return merged(found)


class CramLayout(NamedTuple):
    """Of a CRAM file; `places` None where it has no index."""

    header: cram.Header
    places: CramIndex | None

    @property
    def references(self) -> tuple[str, ...]:
        """Names of its references."""
        return self.header.references

    def beginning(self, opened: Sealed) -> Iterator[bytes]:
        """Its definition and header, as they are."""
        return opened.read(0, self.header.begin)

    def records(self, opened: Sealed, slices: Sequence[Slice]) -> Iterator[bytes]:
        """The containers of records that overlap any of these, in the order of the file."""
        file = opened.file
        index, size = _required(self.places, file), file.size_bytes - len(self.header.end)
        ranges: list[ByteRange] = []
        for each in slices:
            number = -1 if each.reference == UNPLACED else self.references.index(each.reference)
            ranges += index.containers(size, number, each.start, _FAR if each.end is None else each.end)
        for one in _joined(ranges):
            yield from opened.read(one.start, one.end)

    def ending(self) -> bytes:
        """What ends a file of its kind."""
        return self.header.end


Layout = BamLayout | CramLayout


class Layouts:
    """Layouts of a node's files, of which those used last are kept. Safe for threads: a file never changes."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._turn = threading.Lock()
        self._kept: OrderedDict[FileId, tuple[Layout, int]] = OrderedDict()

    def of(self, file: ArchivedFile) -> Layout:
        """The layout of a BAM or CRAM file. Raises `Invalid` for any other. Cost: microseconds once it is kept; before,
        it reads the header and the index, and enters it in the ledger as the node's own work."""
        with self._turn:
            if file.id in self._kept:
                self._kept.move_to_end(file.id)
                return self._kept[file.id][0]
        layout, size = self._read(file)
        with self._turn:
            self._kept[file.id] = layout, size
            while len(self._kept) > 1 and sum(each for _, each in self._kept.values()) > MOST_KEPT_BYTES:
                self._kept.popitem(last=False)
        return layout

    def _read(self, file: ArchivedFile) -> tuple[Layout, int]:
        opened = self._open(file)
        index = self._index_of(file)
        content = None if index is None else b"".join(self._open(index).read())
        size = index.size_bytes if index else 0
        if file.format == Format.BAM:
            header = bam.read_header(opened.read())
            return BamLayout(header, None if content is None else read_bins(content)), size + len(header.content)
        if file.format == Format.CRAM:
            return CramLayout(cram.read_header(opened.read()), None if content is None else read_crai(content)), size
        raise Invalid(f"{file.id} is no file of reads")

    def _open(self, file: ArchivedFile) -> Sealed:
        return self._files.open_inside(file.id, _PURPOSE, often=True)

    def _index_of(self, file: ArchivedFile) -> ArchivedFile | None:
        """The index of a file; the newest where there are several."""
        found = [
            each
            for each in self._files.files_of(file.dataset)
            if each.index_of == file.id and each.state is FileState.READY
        ]
        return found[-1] if found else None


def require_references(layout: Layout, slices: Sequence[Slice]) -> None:
    """Raise `NotFound` for a reference that the file does not have."""
    known = {*layout.references, UNPLACED}
    for each in slices:
        if each.reference not in known:
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
    return bytes(inflated.parts[0]), inflated.used


def _joined(ranges: Sequence[ByteRange]) -> list[ByteRange]:
    out: list[ByteRange] = []
    for each in sorted(ranges):
        if out and each.start <= out[-1].end:
            out[-1] = ByteRange(out[-1].start, max(out[-1].end, each.end))
        else:
            out.append(each)
    return out
