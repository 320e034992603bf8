# SPDX-License-Identifier: Apache-2.0
"""Crypt4GH version 1: whole files, as they come and go in pieces of any size.

What others wrote is read as the standard allows it: several data keys, any nonces, an edit list. So the order of such
segments is nobody's promise; whoever reads holds the plain bytes against a checksum. Where a file has no edit list, and
nonces that count as ours do, segments are held to their places. One with an edit list may have been cut out of another
with the segments as they were (`crypt4gh rearrange`).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards.crypt4gh import Header, header_size, read_header, write_header
from megagenome.standards.crypt4gh_segments import (
    AT_ONCE,
    MAC_BYTES,
    NONCE_BYTES,
    ROOM_BYTES,
    SEALED_SEGMENT_BYTES,
    SEGMENT_BYTES,
    BodyKey,
    Places,
    open_segment,
    whole_segments,
)


def seal(chunks: Iterable[bytes | memoryview], recipients: Sequence[X25519PublicKey]) -> Iterator[bytes | memoryview]:
    """Plain bytes as a Crypt4GH file for these recipients, with a key of its own: the header, then pieces of 1 MiB.

    A piece is valid until the next is asked for. Cost: about 0.4 s of processor for each GiB.
    """
    key, prefix = BodyKey.new()
    yield write_header([key], recipients)
    body, first, room = BodyKey(key, prefix), 0, bytearray(ROOM_BYTES)
    for piece in whole_segments(iter(chunks), SEGMENT_BYTES):
        yield body.seal(piece, first, room)
        first += AT_ONCE


def unseal(chunks: Iterable[bytes | memoryview], readers: Sequence[X25519PrivateKey]) -> Iterator[bytes]:
    """The plain bytes of a Crypt4GH file for whoever has one of these keys, with its edit list done.

    Raises what `read_header` raises; `Corrupt` for a segment that does not open, is cut short or, in a file like ours,
    is not in its place (`Places`), after the bytes before it came; so nothing of them counts until the end was reached.
    """
    header, rest = split(iter(chunks), readers)
    places = Places() if header.edits is None else None
    plain = _plain(rest, list(header.keys), places)
    return plain if header.edits is None else edited(plain, header.edits)


def split(
    chunks: Iterator[bytes | memoryview], readers: Sequence[X25519PrivateKey]
) -> tuple[Header, Iterator[bytes | memoryview]]:
    """The header that a file begins with, and the body that follows. Raises what `read_header` raises."""
    beginning = bytearray()
    for chunk in chunks:
        beginning += chunk
        if (size := header_size(beginning)) is not None:
            return read_header(beginning, readers), chain([bytes(beginning[size:])], chunks)
    header_size(beginning)
    raise Invalid("the Crypt4GH header is cut short")


def _plain(chunks: Iterator[bytes | memoryview], keys: list[bytes], places: Places | None) -> Iterator[bytes]:
    number = 0
    for piece in whole_segments(chunks, SEALED_SEGMENT_BYTES):
        for begin in range(0, len(piece), SEALED_SEGMENT_BYTES):
            segment = piece[begin : begin + SEALED_SEGMENT_BYTES]
            if len(segment) <= NONCE_BYTES + MAC_BYTES:
                raise Corrupt(f"segment {number:,} of the body is cut short")
            plain = open_segment(keys, segment, number)
            if places is not None:
                places.require(keys[0], bytes(segment[:NONCE_BYTES]), number)
            yield plain
            number += 1


def edited(plain: Iterator[bytes], edits: Sequence[int]) -> Iterator[bytes]:
    """What an edit list keeps of plain bytes: discard, keep, discard, ... of these lengths; after a last discard, all
    the rest; of an empty list, all. What it would keep beyond the end is not there. The rest is read, and not kept."""
    lengths = iter(edits)
    keeping, left = len(edits) == 0, next(lengths, None)
    for chunk in plain:
        rest = memoryview(chunk)
        while len(rest):
            while left == 0:
                keeping, left = _next_edit(keeping, next(lengths, None))
            taken = len(rest) if left is None else min(len(rest), left)
            if keeping:
                yield bytes(rest[:taken])
            rest, left = rest[taken:], None if left is None else left - taken


def _next_edit(kept: bool, length: int | None) -> tuple[bool, int | None]:
    """Whether what follows is kept, and how much of it: None for all, at the list's end."""
    return not kept, length
