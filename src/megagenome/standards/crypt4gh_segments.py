# SPDX-License-Identifier: Apache-2.0
"""Crypt4GH version 1: the body of an encrypted file, and where each segment of it belongs.

A segment is a nonce [12], up to 65,536 bytes sealed by ChaCha20-Poly1305, and their MAC [16]; all but the last are
full. The standard protects each segment and not their order: segments that were left out, repeated or exchanged still
open. Here a body is sealed with one new key, and the nonce of its i-th segment is four random bytes and then i
(big-endian), as the standard's section on nonces suggests. So every reader of the standard reads it, and ours knows
which segment it has in hand. How many there are is known from elsewhere: the size is kept with the file.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from megagenome.kernel.errors import Corrupt, Invalid

SEGMENT_BYTES = 65_536
NONCE_BYTES, MAC_BYTES = 12, 16
SEALED_SEGMENT_BYTES = SEGMENT_BYTES + NONCE_BYTES + MAC_BYTES
PREFIX_BYTES = 4
_MOST_SEGMENTS = 1 << 32
"""No file has more: 256 TiB."""
AT_ONCE = 16
"""Segments in one buffer: 1 MiB."""
ROOM_BYTES = AT_ONCE * SEALED_SEGMENT_BYTES


class Segments(NamedTuple):
    """Which segments hold a range of plain bytes.

    first, last  0-based, half-open
    skip_bytes   plain bytes of the first segment before the range
    size_bytes   of the range
    """

    first: int
    last: int
    skip_bytes: int
    size_bytes: int


class Stored(NamedTuple):
    """Whole segments of a body, as they are stored: 0-based, half-open."""

    first: int
    last: int


def segments_of(start: int, end: int) -> Segments:
    """The segments that hold plain bytes `start` to `end` (half-open, 0 <= start <= end)."""
    if start == end:
        return Segments(start // SEGMENT_BYTES, start // SEGMENT_BYTES, 0, 0)
    first = start // SEGMENT_BYTES
    return Segments(first, -(-end // SEGMENT_BYTES), start - first * SEGMENT_BYTES, end - start)


def sealed_size(size_bytes: int) -> int:
    """How long the body of `size_bytes` plain bytes is."""
    full, rest = divmod(size_bytes, SEGMENT_BYTES)
    return full * SEALED_SEGMENT_BYTES + (rest + NONCE_BYTES + MAC_BYTES if rest else 0)


def plain_size(sealed_bytes: int) -> int:
    """How many plain bytes a body of `sealed_bytes` holds. Raises `Corrupt` where no body has this size."""
    full, rest = divmod(sealed_bytes, SEALED_SEGMENT_BYTES)
    if 0 < rest <= NONCE_BYTES + MAC_BYTES:
        raise Corrupt(f"the body ends within a segment: {rest} bytes are left of the last one")
    return full * SEGMENT_BYTES + (rest - NONCE_BYTES - MAC_BYTES if rest else 0)


class BodyKey:
    """The one key of one body, whose segments know their places. Not safe to use from several threads at once."""

    __slots__ = ("_cipher", "prefix")

    def __init__(self, key: bytes, prefix: bytes) -> None:
        """`prefix`: the four bytes that every nonce begins with."""
        if len(prefix) != PREFIX_BYTES:
            raise Invalid(f"the nonces of a body begin with {PREFIX_BYTES} bytes, not with {len(prefix)}")
        self._cipher = ChaCha20Poly1305(key)
        self.prefix = prefix

    @staticmethod
    def new() -> tuple[bytes, bytes]:
        """A key and a prefix that were never used."""
        return os.urandom(32), os.urandom(PREFIX_BYTES)

    def seal(self, plain: bytes | memoryview, first: int, room: bytearray | None = None) -> memoryview:
        """These bytes as the segments from `first` on, in `room` if it is given; only a body's last may not be full.

        New memory for each piece of a file costs more than sealing it. Never seal two contents as the same segment.
        """
        view, size = memoryview(plain), sealed_size(len(plain))
        out, at = memoryview(bytearray(size) if room is None else room)[:size], 0
        for number, begin in enumerate(range(0, len(view), SEGMENT_BYTES), first):
            part = view[begin : begin + SEGMENT_BYTES]
            nonce = self._nonce(number)
            out[at : at + NONCE_BYTES] = nonce
            end = at + NONCE_BYTES + len(part) + MAC_BYTES
            self._cipher.encrypt_into(nonce, part, None, out[at + NONCE_BYTES : end])
            at = end
        return out

    def open(self, sealed: bytes | memoryview, first: int, room: bytearray | None = None) -> memoryview:
        """The plain bytes of the segments from `first` on, in `room` if it is given.

        Raises `Corrupt` naming the first segment that is not the one that belongs there, whether it was changed, moved,
        repeated or is another file's.
        """
        view = memoryview(sealed)
        total = plain_size(len(view))
        out, at = memoryview(bytearray(total) if room is None else room)[:total], 0
        for number, begin in enumerate(range(0, len(view), SEALED_SEGMENT_BYTES), first):
            part = view[begin : begin + SEALED_SEGMENT_BYTES]
            size = len(part) - NONCE_BYTES - MAC_BYTES
            nonce = self._nonce(number)
            if part[:NONCE_BYTES] != nonce:
                raise Corrupt(f"segment {number:,} is not in its place")
            try:
                self._cipher.decrypt_into(nonce, part[NONCE_BYTES:], None, out[at : at + size])
            except InvalidTag:
                raise Corrupt(f"segment {number:,} was changed") from None
            at += size
        return out

    def _nonce(self, number: int) -> bytes:
        return self.prefix + number.to_bytes(8, "big")


class _Last:
    """Of the segments of one key: the four bytes that they begin with, where the first one came and its number, the
    same of the last one, and whether they count as ours do, which the second tells."""

    __slots__ = ("begin", "counts", "first", "number", "place", "prefix")

    def __init__(self, prefix: bytes, number: int, place: int) -> None:
        self.prefix, self.number, self.place = prefix, number, place
        self.begin, self.first, self.counts = place, number, False


class Places:
    """Holds the segments of whoever's body to their places, where the nonces of a key count as ours do; else it holds
    them to nothing, for the standard lets nonces be any.

    With ours, the segments of a key all begin with the same four bytes. Those of the key that opens segment 0 have
    their place in the body for a number; those of another key, which stood in another body, go on by one where they
    follow each other, and else ascend.

    Whether the nonces of a key count so is told by its first two: they begin with the same four bytes, the rest of both
    is a number below 2^32, and the four bytes are not all zeros, or these are the body's first two segments and one of
    the numbers is 0. Random nonces look like that in one file of 2^94. A big-endian counter of all 12 bytes does in one
    of 2^32 where it begins with a random number, and not where it begins with a small one, but for 0; a little-endian
    one never does.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[bytes, _Last] = {}

    def require(self, key: bytes, nonce: bytes, place: int) -> None:
        """To be called for each segment in turn, from 0 on, with the key that opened it. Raises `Corrupt` where one is
        not in its place: left out, repeated or exchanged. What is missing at the end it cannot know, nor at the
        beginning of what has one segment left, nor where another key's segments begin."""
        prefix, number = nonce[:PREFIX_BYTES], int.from_bytes(nonce[PREFIX_BYTES:], "big")
        last = self._last.get(key)
        if last is None:
            self._last[key] = _Last(prefix, number, place)
            return
        if last.place == last.begin:
            last.counts = _count_alike(last, prefix, number, place)
        if last.counts:
            _require_next(last, prefix, number, place)
        last.number, last.place = number, place


def _count_alike(last: _Last, prefix: bytes, number: int, place: int) -> bool:
    if prefix != last.prefix or max(last.number, number) >= _MOST_SEGMENTS:
        return False
    return any(prefix) or ((last.place, place) == (0, 1) and 0 in (last.number, number))


def _require_next(last: _Last, prefix: bytes, number: int, place: int) -> None:
    if last.begin == 0 and last.first != 0:
        how = "is missing" if number == last.number + 1 else "is not in its place"
        raise Corrupt(f"segment 0 of the body {how}")
    if last.begin == 0:
        fits = number == place
    else:
        fits = number == last.number + 1 if place == last.place + 1 else number > last.number
    if prefix != last.prefix or not fits:
        raise Corrupt(f"segment {place:,} of the body is not in its place")


def open_segment(keys: list[bytes], sealed: bytes | memoryview, number: int) -> bytes:
    """The plain bytes of one segment of whoever's body, with the first of `keys` that opens it, which then comes first:
    most likely it opens the next one, too. Raises `Corrupt`."""
    view = memoryview(sealed)
    for place, key in enumerate(keys):
        try:
            plain = ChaCha20Poly1305(key).decrypt(bytes(view[:NONCE_BYTES]), view[NONCE_BYTES:], None)
        except InvalidTag:
            continue
        keys.insert(0, keys.pop(place))
        return plain
    raise Corrupt(f"segment {number:,} of the body does not open: it was changed, or belongs to another file")


def whole_segments(chunks: Iterator[bytes | memoryview], size_bytes: int) -> Iterator[memoryview]:
    """Bytes that come in any pieces, as pieces of `AT_ONCE` times `size_bytes`; only the last may be shorter.

    A piece is valid until the next is asked for.
    """
    room = bytearray(size_bytes * AT_ONCE)
    view, filled = memoryview(room), 0
    for chunk in chunks:
        rest = memoryview(chunk)
        while len(rest):
            taken = min(len(rest), len(room) - filled)
            view[filled : filled + taken] = rest[:taken]
            filled, rest = filled + taken, rest[taken:]
            if filled == len(room):
                yield view
                filled = 0
    if filled:
        yield view[:filled]
