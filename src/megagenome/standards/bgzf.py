# SPDX-License-Identifier: Apache-2.0
"""BGZF (SAM specification, section 4.1): gzip in blocks of at most 64 KiB, each of which says how long it is.

Inflated by libdeflate, as bcftools does it: it takes a seventh of zlib's time, with which pysam is built.
"""

import operator
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import deflate

GZIP_MAGIC = b"\x1f\x8b"
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty block that ends every whole file."""

_MAGIC = b"\x1f\x8b\x08\x04"  # gzip, deflated, with extra fields
_FIXED = struct.Struct("<4s6xH")  # magic; time, flags and system are of no use; length of the extra fields
_FIELD = struct.Struct("<2sH")
_TRAILER = struct.Struct("<II")  # CRC-32 and length of what was compressed
_LARGEST = 1 << 16
_PLAIN = 0xFF00  # of a block that we write, as htslib does it: even what cannot be compressed fits
_LEVEL, _BEST = 6, 12
_NOTHING = b"\0\0\0\xff\xff"  # a stored block of no bytes
_NOTHING_MORE = b"\2\0" + _NOTHING[1:]  # the same behind a block of no bytes with fixed codes
_FILLED_BY_ANY = 20  # from here on, every number is a sum of fives and sixes
_HEAD = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0"
_ONE_FIELD = (
    b"\x06\x00BC\x02\x00"  # the extra fields' length and the head of the one that there is in nearly every file
)


class Malformed(Exception):
    """Bytes that are not BGZF, or not those that were written."""


class Inflated(NamedTuple):
    """What whole blocks hold, how many compressed bytes they were, and how many each of them was."""

    parts: list[bytearray]
    used: int
    lengths: Sequence[int] = ()


def is_bgzf(first_bytes: bytes) -> bool:
    """True where a file that begins like this is BGZF: gzip with the `BC` extra field."""
    return first_bytes[:2] == GZIP_MAGIC and first_bytes[3:4] == b"\x04" and first_bytes[12:14] == b"BC"


def inflate(compressed: bytes, enough: int) -> Inflated:
    """Inflate the blocks that are whole in `compressed`, until there are `enough` bytes. Raises `Malformed` for what is
    no block, or has another checksum than it says."""
    view, at, size = memoryview(compressed), 0, 0
    parts: list[bytearray] = []
    lengths: list[int] = []
    while size < enough and at + _FIXED.size <= len(compressed):
        first, length = _find_block(compressed, at)
        if at + length > len(compressed):
            break
        last = at + length - _TRAILER.size
        if first > last:
            raise Malformed
        checksum, whole = _TRAILER.unpack_from(compressed, last)
        if whole > _LARGEST:
            raise Malformed
        try:
            part = deflate.deflate_decompress(view[first:last], whole)
        except deflate.DeflateError:
            raise Malformed from None
        if len(part) != whole or deflate.crc32(part) != checksum:
            raise Malformed
        parts.append(part)
        lengths.append(length)
        size += whole
        at += length
    return Inflated(parts, at, lengths)


def _find_block(compressed: bytes, at: int) -> tuple[int, int]:
    """Where a block's deflated bytes begin, and how long the whole block is; longer than all there is where even its
    extra fields are not whole."""
    magic, extra = _FIXED.unpack_from(compressed, at)
    if magic != _MAGIC:
        raise Malformed
    if compressed.startswith(_ONE_FIELD, at + _FIXED.size - 2) and at + 18 <= len(compressed):
        return at + 18, (compressed[at + 16] | compressed[at + 17] << 8) + 1
    field, first = at + _FIXED.size, at + _FIXED.size + extra
    if first > len(compressed):
        return first, len(compressed) + 1
    while field + _FIELD.size <= first:
        name, length = _FIELD.unpack_from(compressed, field)
        field += _FIELD.size
        if name == b"BC" and length == 2 and field + length <= first:
            return first, int.from_bytes(compressed[field : field + 2], "little") + 1
        field += length
    raise Malformed


def compress(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Bytes that come in any pieces, as BGZF: a block for each 65,280 of them, and the empty one that ends a file.

    Cost: about 15 s of processor for each GiB of text, by libdeflate.
    """
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        whole = len(waiting) - len(waiting) % _PLAIN
        for at in range(0, whole, _PLAIN):
            yield block(bytes(waiting[at : at + _PLAIN]))
        del waiting[:whole]
    if waiting:
        yield block(bytes(waiting))
    yield END


def block(plain: bytes) -> bytes:
    """One block of at most 65,280 bytes."""
    return _block(plain, bytes(deflate.deflate_compress(plain, _LEVEL)))


def fitted(plain: bytes, size_bytes: int, step_bytes: int, *, best: bool = False) -> bytes | None:
    """Bytes as blocks that are `size_bytes` long in all, so that what follows them stays where it is; or the least
    number of steps longer that they can be. None where they are too few to be made longer.

    What is too short is filled with deflate blocks of nothing, five or six bytes each (RFC 1951, 3.2.4 and 3.2.6);
    never before the first bytes, by which programs know what a file is. `best` takes ten times as long, and makes them
    a little shorter.
    """
    apart = min(len(plain) - 1, size_bytes // _LARGEST + 2)  # bytes in blocks of their own, which can be filled
    bulk = plain[: len(plain) - apart]
    parts = [bulk[at : at + _PLAIN] for at in range(0, len(bulk), _PLAIN)]
    parts += [plain[at : at + 1] for at in range(len(bulk), len(plain))]
    deflated = [bytes(deflate.deflate_compress(part, _BEST if best else _LEVEL)) for part in parts]
    around = len(_HEAD) + 2 + _TRAILER.size
    left = size_bytes - sum(around + len(each) for each in deflated)
    left = left if left >= 0 else left % step_bytes
    for wanted in (left, left + step_bytes):  # a few bytes cannot be filled, and so many more can
        fillings, rest = [], wanted
        for k, each in enumerate(deflated):
            fillings.append(_filling(min(rest, _LARGEST - around - len(each)) if k else 0, rest))
            rest -= len(fillings[-1])
        if rest == 0:
            return b"".join(map(_block, parts, map(operator.add, fillings, deflated)))
    return None


def _filling(size_bytes: int, wanted: int) -> bytes:
    """At most this many bytes of deflate blocks of nothing, so that the rest of those wanted can be made, too."""
    if 0 < wanted - size_bytes < _FILLED_BY_ANY:
        size_bytes -= _FILLED_BY_ANY
    sixes = size_bytes % len(_NOTHING)
    fives = (size_bytes - sixes * len(_NOTHING_MORE)) // len(_NOTHING)
    return _NOTHING * fives + _NOTHING_MORE * sixes if size_bytes > 0 <= fives else b""


def _block(plain: bytes, deflated: bytes) -> bytes:
    size = len(_HEAD) + 2 + len(deflated) + _TRAILER.size
    return _HEAD + (size - 1).to_bytes(2, "little") + deflated + _TRAILER.pack(deflate.crc32(plain), len(plain))


def blocks(plain: bytes) -> Iterator[bytes]:
    """Bytes as blocks, without the one that ends a file."""
    for at in range(0, len(plain), _PLAIN):
        yield block(plain[at : at + _PLAIN])
