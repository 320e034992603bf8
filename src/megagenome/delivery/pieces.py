# SPDX-License-Identifier: Apache-2.0
"""What a file of reads, or a part of it, is made of where it leaves: bytes that are written anew, and segments of the
file as they are stored, which cost nothing to send."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from megagenome.delivery.needs import Sealed
from megagenome.kernel.errors import Invalid
from megagenome.kernel.sealed_files import ArchivedFile
from megagenome.standards.crypt4gh_segments import SEGMENT_BYTES, Stored
from megagenome.standards.hts_index import ByteRange

Names = Mapping[str, str]
Index = TypeVar("Index")

FAR = 1 << 40
"""Behind every base."""
REFERENCE_BYTES = 150
"""That the name of a reference takes in memory, about."""

LONGEST_FILLED = 16 << 20
"""A longer header, which whoever submitted it may have blown up, is not made as long again."""

_WORTH_BYTES = 8 * SEGMENT_BYTES
"""A run of so many bytes is sent as it is stored, for which what stands before it is made a segment longer at most."""


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


class Pieces(NamedTuple):
    """What a part of a file is made of, in order.

    pieces      before each `Stored` there are as many bytes as whole segments hold
    has_stored  whether there may be segments as they are stored among them
    """

    pieces: Iterator[bytes | Stored]
    has_stored: bool

    def plain(self) -> Iterator[bytes]:
        """Those of a part that has none as they are stored."""
        for piece in self.pieces:
            if not isinstance(piece, bytes):
                raise TypeError("segments as they are stored are for whoever has their key")
            yield piece


def is_worth_it(runs: Sequence[ByteRange]) -> bool:
    """Whether any of these is long enough to be sent as it is stored."""
    return any(run.end - run.start >= _WORTH_BYTES for run in runs)


def place_for(run: ByteRange, place: int) -> int:
    """How long, but for whole segments, what comes next must be, so that from `place` on a run behind it stands in its
    segments as it does in the file."""
    return (run.start - place) % SEGMENT_BYTES


def read_run(opened: Sealed, run: ByteRange, place: int) -> Iterator[bytes | Stored]:
    """A run of a file: its whole segments as they are stored, where they are many and it comes at a place that suits,
    and else as bytes."""
    first, last = -(-run.start // SEGMENT_BYTES), run.end // SEGMENT_BYTES
    if place_for(run, place) or not is_worth_it([run]):
        yield from opened.read(run.start, run.end)
        return
    yield from opened.read(run.start, first * SEGMENT_BYTES)
    yield Stored(first, last)
    yield from opened.read(last * SEGMENT_BYTES, run.end)


def fillable(size_bytes: int, most_bytes: int) -> int:
    """The length that a beginning is to have: of what it stands for, or where that is longer than can be filled, one
    that ends at the same place of a segment."""
    return size_bytes if size_bytes <= min(most_bytes, LONGEST_FILLED) else size_bytes % SEGMENT_BYTES


def required(index: Index | None, file: ArchivedFile) -> Index:
    """An index that there is. Raises `Invalid` where there is none."""
    if index is None:
        raise Invalid(f"{file.id} has no index, so no part of it can be given; ask for the whole file")
    return index
