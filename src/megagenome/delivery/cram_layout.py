# SPDX-License-Identifier: Apache-2.0
"""Parts of CRAM files: whole containers as they are, behind the header."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from megagenome.delivery.needs import Sealed
from megagenome.delivery.pieces import (
    FAR,
    LONGEST_FILLED,
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
from megagenome.kernel.sealed_files import ArchivedFile
from megagenome.standards import cram, sam
from megagenome.standards.crypt4gh_segments import SEGMENT_BYTES, Stored
from megagenome.standards.hts_index import ByteRange, CramIndex
from megagenome.standards.htsget import UNPLACED, Slice


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
        header = len(self.header.text) + REFERENCE_BYTES * len(self.numbers)
        return header + (0 if self.places is None else self.places.held_bytes)

    def replaced(self, names: Names) -> Beginning:
        """Its definition and header under other names."""
        content = self._fitted(self._text(names), fillable(self.header.begin, LONGEST_FILLED))
        return Beginning(content, self.header.begin, len(content) != self.header.begin)

    def part(self, opened: Sealed, slices: Sequence[Slice], names: Names | None, *, sealed: bool) -> Pieces:
        """Its definition and header, as they are or under other names, if these are given, and the containers of
        records that overlap any of these slices, in the order of the file. `sealed`: whether it may have segments as
        they are stored."""
        runs = self._runs(opened.file, slices)
        has_stored = sealed and is_worth_it(runs)
        if has_stored:  # between containers nothing can be filled, so only one of the runs is sure to fit
            sizes = [run.end - run.start for run in runs]
            longest = sizes.index(max(sizes))
            beginning = self._fitted(self._text(names), place_for(runs[longest], sum(sizes[:longest])))
        elif names is not None:
            beginning = cram.write_beginning(self._text(names), self.header.version)
        else:
            beginning = b"".join(opened.read(0, self.header.begin))
        return Pieces(self._pieces(opened, beginning, runs, as_stored=has_stored), has_stored)

    def _pieces(
        self, opened: Sealed, beginning: bytes, runs: Sequence[ByteRange], *, as_stored: bool
    ) -> Iterator[bytes | Stored]:
        yield beginning
        place = len(beginning)
        for run in runs:
            yield from read_run(opened, run, place) if as_stored else opened.read(run.start, run.end)
            place += run.end - run.start
        yield self.header.end

    def _fitted(self, text: str, size_bytes: int) -> bytes:
        return cram.fitted_beginning(text, self.header.version, size_bytes, SEGMENT_BYTES)

    def _text(self, names: Names | None) -> str:
        return self.header.text if names is None else sam.without_names(self.header.text, names)

    def _runs(self, file: ArchivedFile, slices: Sequence[Slice]) -> list[ByteRange]:
        if not slices:
            return []
        regions = [
            (
                -1 if each.reference == UNPLACED else self.numbers[each.reference],
                each.start,
                FAR if each.end is None else each.end,
            )
            for each in slices
        ]
        found = required(self.places, file).containers(file.size_bytes - len(self.header.end), regions)
        begin = self.header.begin  # whatever the index says: it is the provider's, and the header names people
        return [ByteRange(max(begin, run.start), run.end) for run in found if run.end > begin]
