# SPDX-License-Identifier: Apache-2.0
"""Where in a file of reads which records are: its header and its index, read once and kept."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from megagenome.delivery.bam_layout import BLOCK_BYTES, BamLayout, block_at
from megagenome.delivery.cram_layout import CramLayout
from megagenome.delivery.needs import Files, Sealed
from megagenome.delivery.pieces import Beginning, Names
from megagenome.kernel.errors import Invalid, NotFound
from megagenome.kernel.sealed_files import ArchivedFile, FileId
from megagenome.standards import bam, bgzf, cram
from megagenome.standards.hts_index import read_bins, read_crai
from megagenome.standards.htsget import UNPLACED, Format, Slice

MOST_KEPT_BYTES = 256 << 20
"""Of headers and indexes, as they are held in memory. One that is larger than all that is not kept."""

_MOST_REPLACED_BYTES = 32 << 20
_PURPOSE = "index"

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
            place, within = divmod(header.begin, BLOCK_BYTES)
            plain, size = block_at(opened, place) if within else (b"", 0)
            bins = None if content is None else read_bins(content)
            after = min(place + size, file.size_bytes - len(bgzf.END))  # where it has no records
            return BamLayout(header, _numbers(header.references), bins, plain[within:], after)
        if file.format == Format.CRAM:
            begin = cram.read_header(opened.read())
            return CramLayout(begin, _numbers(begin.references), None if content is None else read_crai(content))
        raise Invalid(f"{file.id} is no file of reads")

    def _open(self, file: ArchivedFile) -> Sealed:
        return self._files.open_inside(file.id, _PURPOSE, often=True)


def _numbers(references: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(references)}


def require_references(layout: Layout, slices: Sequence[Slice]) -> None:
    """Raise `NotFound` for a reference that the file does not have."""
    for each in slices:
        if each.reference != UNPLACED and each.reference not in layout.numbers:
            raise NotFound(f"the file has no reference {each.reference[:60]!r}")
