# SPDX-License-Identifier: Apache-2.0
"""BGZF (SAM specification, section 4.1): gzip in blocks of at most 64 KiB, each of which says how long it is.

Inflated by libdeflate, as bcftools does it: it takes a seventh of zlib's time, with which pysam is built.
"""

import struct
from collections.abc import Iterable, Iterator
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
_LEVEL = 6
_HEAD = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0"
_ONE_FIELD = (
    b"\x06\x00BC\x02\x00"  # the extra fields' length and the head of the one that there is in nearly every file
)


class Malformed(Exception):
    """Bytes that are not BGZF, or not those that were written."""


class Inflated(NamedTuple):
    """What whole blocks hold, and how many compressed bytes they were."""

    parts: list[bytearray]
    used: int


def is_bgzf(first_bytes: bytes) -> bool:
    """True where a file that begins like this is BGZF: gzip with the `BC` extra field."""
    return first_bytes[:2] == GZIP_MAGIC and first_bytes[3:4] == b"\x04" and first_bytes[12:14] == b"BC"


def inflate(compressed: bytes, enough: int) -> Inflated:
    """Inflate the blocks that are whole in `compressed`, until there are `enough` bytes. Raises `Malformed` for what is
    no block, or has another checksum than it says."""
    view, at, size = memoryview(compressed), 0, 0
    parts: list[bytearray] = []
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
        size += whole
        at += length
    return Inflated(parts, at)


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
    deflated = bytes(deflate.deflate_compress(plain, _LEVEL))
    size = len(_HEAD) + 2 + len(deflated) + _TRAILER.size
    return _HEAD + (size - 1).to_bytes(2, "little") + deflated + _TRAILER.pack(deflate.crc32(plain), len(plain))


def blocks(plain: bytes) -> Iterator[bytes]:
    """Bytes as blocks, without the one that ends a file."""
    for at in range(0, len(plain), _PLAIN):
        yield block(plain[at : at + _PLAIN])
