# SPDX-License-Identifier: Apache-2.0
"""The header of a BAM file: its text and its references (SAM specification, section 4.2). Records are not read."""

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from megagenome.kernel.errors import Invalid, TooLarge
from megagenome.standards.bgzf import Malformed, inflate

LARGEST_HEADER_BYTES = 64 << 20
_MAGIC = b"BAM\1"
_AT_ONCE = 1 << 20


class BamHeader(NamedTuple):
    """What a BAM file begins with.

    content     of it, not compressed
    references  names, in the order of their numbers
    begin       virtual offset of the first record
    """

    content: bytes
    references: tuple[str, ...]
    begin: int


def read_bam_header(chunks: Iterable[bytes]) -> BamHeader:
    """The header of the BAM file that these compressed bytes begin. Reads at most about twice what it needs. Raises
    `Invalid` for what is none, `TooLarge` for one of over 64 MiB."""
    plain, waiting = bytearray(), bytearray()
    starts: list[tuple[int, int]] = []  # of each block: its place in the file, and of its content in `plain`
    place, look_at = 0, 0
    for chunk in chunks:
        waiting += chunk
        while True:
            try:
                found = inflate(bytes(waiting[: 1 << 17]), 1)
            except Malformed:
                raise Invalid("this is no BAM file: it is not compressed as BGZF") from None
            if not found.used:
                break
            starts.append((place, len(plain)))
            place += found.used
            plain += found.parts[0]
            del waiting[: found.used]
            if len(plain) >= look_at:  # each time at twice as much, or a header of a million references takes hours
                look_at = 2 * len(plain)
                if (header := _header(plain, starts, place)) is not None:
                    return header
        if len(plain) > LARGEST_HEADER_BYTES:
            break
    if (header := _header(plain, starts, place)) is not None:
        return header
    if len(plain) > LARGEST_HEADER_BYTES:
        raise TooLarge(f"a BAM header of over {LARGEST_HEADER_BYTES:,} bytes")
    raise Invalid("the BAM file ends within its header")


def _header(plain: bytearray, starts: Sequence[tuple[int, int]], place: int) -> BamHeader | None:
    """The header, if all of it is in these blocks, of which the last ends at `place`."""
    whole = _read(plain)
    if whole is None:
        return None
    size, references = whole
    at, begins = next((at, begins) for at, begins in reversed(starts) if begins <= size)
    # where the header fills its last block, the first record begins the next one
    begin = place << 16 if size == len(plain) else at << 16 | (size - begins)
    return BamHeader(bytes(plain[:size]), references, begin)


def _read(plain: bytearray) -> tuple[int, tuple[str, ...]] | None:
    """How long the header is and its references; None where it goes on."""
    if bytes(plain[:4]) != _MAGIC[: len(plain)]:
        raise Invalid("this is no BAM file: it does not begin with 'BAM'")
    try:
        (text,) = struct.unpack_from("<i", plain, 4)
        at = 8 + text
        (count,) = struct.unpack_from("<i", plain, at)
        at += 4
        if text < 0 or count < 0:
            raise Invalid("the BAM header is damaged")
        names = []
        for _ in range(count):
            (length,) = struct.unpack_from("<i", plain, at)
            name = bytes(plain[at + 4 : at + 4 + length])
            at += 8 + length
            if length < 1 or at > len(plain):
                return None
            names.append(name[:-1].decode("ascii", "replace"))
    except struct.error:
        return None
    return (at, tuple(names)) if at <= len(plain) else None
