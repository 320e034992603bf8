# SPDX-License-Identifier: Apache-2.0
"""The beginning and the end of a CRAM file, versions 2.1 to 3.1 (hts-specs `CRAMv3.tex`). Records are not read.

file        "CRAM" | major | minor | file id [20] | containers
container   length i32 | reference, start, span, records itf8 | counter, bases ltf8 | blocks itf8 | landmarks itf8[]
            | CRC-32 from version 3 on
"""

import re
import struct
import zlib
from typing import NamedTuple

from megagenome.kernel.errors import Invalid, TooLarge

ENDS = {
    2: bytes.fromhex("0b000000ffffffff0fe0454f4600000000010000010006060100010001 00".replace(" ", "")),
    3: bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
}
"""The container that ends a whole file, by major version."""

LARGEST_HEADER_BYTES = 64 << 20
_DEFINITION_BYTES = 26
_SEQUENCE = re.compile(r"^@SQ\t(?:[^\n]*?\t)?SN:([^\t\n]+)", re.MULTILINE)
_RAW, _GZIP = 0, 1


class CramHeader(NamedTuple):
    """What a CRAM file begins with.

    references  names, in the order of their numbers
    begin       where the first container of records begins
    end         the container that ends the file
    """

    references: tuple[str, ...]
    begin: int
    end: bytes


def read_cram_header(beginning: bytes) -> CramHeader | None:
    """The header of the CRAM file that these bytes begin; None where they do not reach so far. Raises `Invalid` for
    what is no CRAM file of a known version or is compressed otherwise than by gzip, `TooLarge`."""
    if beginning[:4] != b"CRAM"[: len(beginning)]:
        raise Invalid("this is no CRAM file: it does not begin with 'CRAM'")
    if len(beginning) < _DEFINITION_BYTES:
        return None
    major = beginning[4]
    if major not in ENDS:
        raise Invalid(f"CRAM version {major}.{beginning[5]}; versions 2.1 to 3.1 are known")
    try:
        length, at = _container(beginning, _DEFINITION_BYTES, major)
        begin = at + length
        if not 0 < length <= LARGEST_HEADER_BYTES:
            raise TooLarge(f"a CRAM header of {length:,} bytes")
        if begin > len(beginning):
            return None
        text = _text(beginning, at)
    except (struct.error, IndexError):
        return None
    return CramHeader(tuple(_SEQUENCE.findall(text)), begin, ENDS[major])


def _container(content: bytes, at: int, major: int) -> tuple[int, int]:
    """How long a container is without its own header, and where that ends."""
    (length,) = struct.unpack_from("<i", content, at)
    at += 4
    for _ in range(4):
        _, at = _itf8(content, at)
    for _ in range(2):
        at = _after_ltf8(content, at)
    _, at = _itf8(content, at)
    landmarks, at = _itf8(content, at)
    for _ in range(landmarks):
        _, at = _itf8(content, at)
    return length, at + (4 if major >= 3 else 0)


def _text(content: bytes, at: int) -> str:
    """The SAM header in the first block of the first container."""
    method = content[at]
    _, place = _itf8(content, at + 2)
    packed, place = _itf8(content, place)
    _, place = _itf8(content, place)
    block = content[place : place + packed]
    if method == _GZIP:
        try:
            block = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(block, LARGEST_HEADER_BYTES)
        except zlib.error:
            raise Invalid("the CRAM header is damaged") from None
    elif method != _RAW:
        raise Invalid("the CRAM header is compressed by a method that is not known")
    (size,) = struct.unpack_from("<i", block)
    return block[4 : 4 + size].decode("utf-8", "replace")


def _itf8(content: bytes, at: int) -> tuple[int, int]:
    """A number of 1 to 5 bytes, as many as its first has leading ones and one, and where it ends."""
    first = content[at]
    if first < 0x80:
        return first, at + 1
    if first < 0xC0:
        return (first & 0x3F) << 8 | content[at + 1], at + 2
    if first < 0xE0:
        return (first & 0x1F) << 16 | content[at + 1] << 8 | content[at + 2], at + 3
    if first < 0xF0:
        return (first & 0x0F) << 24 | int.from_bytes(content[at + 1 : at + 4], "big"), at + 4
    return (first & 0x0F) << 28 | int.from_bytes(content[at + 1 : at + 4], "big") << 4 | content[at + 4] & 0x0F, at + 5


def _after_ltf8(content: bytes, at: int) -> int:
    """Where a number of 1 to 9 bytes ends."""
    first, size = content[at], 1
    while size < 9 and first & (0x80 >> (size - 1)):
        size += 1
    return at + size
