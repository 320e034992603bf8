# SPDX-License-Identifier: Apache-2.0
"""CRAM 2.1 and 3 (samtools/hts-specs, CRAMv3): containers and blocks with their checksums, and the SAM header. What is
in the blocks of reads is not decoded here."""

import gzip
import lzma
import struct
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from megagenome.kernel.errors import Invalid, TooLarge
from megagenome.standards import sam

MAGIC = b"CRAM"
DEFINITION_BYTES = 26
"""Magic, two bytes of version and the file's id."""
LARGEST_CONTAINER_BYTES = 1 << 30
HEAD_BYTES = 1 << 20
"""Enough for a container's head, whose longest part are its landmarks."""
LARGEST_HEADER_BYTES = 64 << 20

ENDS = {
    2: bytes.fromhex("0b000000ffffffff0fe0454f460000000001000001000606010001000100"),
    3: bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
}
"""The container that ends a whole file, by major version."""

_CONTINUED = 0x454F46  # "EOF": where the last container says that its reads would begin


class Malformed(Exception):
    """Bytes that are not CRAM, or not those that were written."""


class Incomplete(Malformed):
    """Bytes that break off, and may be CRAM when more follow."""


class Header(NamedTuple):
    """What a CRAM file begins with.

    text        of SAM
    references  names, in the order of their numbers
    begin       where the first container of records begins
    version     major and minor
    end         the container that ends the file
    """

    text: str
    references: tuple[str, ...]
    begin: int
    version: tuple[int, int]
    end: bytes


class Container(NamedTuple):
    """One container's head.

    head_bytes, body_bytes  of its two parts
    contig      number of its contig; -1 reads without a place, -2 several
    records     reads
    blocks      how many
    landmarks   where its slices begin in the body
    """

    head_bytes: int
    body_bytes: int
    contig: int
    start: int
    span: int
    records: int
    blocks: int
    landmarks: tuple[int, ...]

    @property
    def is_end(self) -> bool:
        """Whether it is the container that ends every whole file."""
        return self.contig == -1 and self.start == _CONTINUED and self.records == 0


class Slice(NamedTuple):
    """What a slice's head says: number of its contig, -1 for reads without a place, -2 for several contigs; and which
    bases its reads cover, [start, end)."""

    contig: int
    start: int
    end: int


def read_header(chunks: Iterable[bytes]) -> Header:
    """The header of the CRAM file that these bytes begin. Reads no more of them than it needs. Raises `Invalid` for
    what is no CRAM 2 or 3 or is damaged, `TooLarge` for a header of over 64 MiB."""
    beginning, needed = bytearray(), DEFINITION_BYTES
    for chunk in chunks:
        beginning += chunk
        if len(beginning) < needed:
            continue
        try:
            found = _header(bytes(beginning))
        except Malformed:
            raise Invalid("this is no CRAM file of version 2 or 3, or its header is damaged") from None
        if isinstance(found, Header):
            return found
        needed = found
    raise Invalid("the CRAM file ends within its header")


def _header(beginning: bytes) -> Header | int:
    """The header; or of how many bytes more can be said, where these do not reach to its end."""
    version = parse_definition(beginning)
    try:
        head = parse_container(beginning[DEFINITION_BYTES : DEFINITION_BYTES + HEAD_BYTES], version)
    except Incomplete:
        if len(beginning) >= DEFINITION_BYTES + HEAD_BYTES:
            raise
        return len(beginning) + 1
    if head.body_bytes > LARGEST_HEADER_BYTES:
        raise TooLarge(f"a CRAM header of {head.body_bytes:,} bytes; at most {LARGEST_HEADER_BYTES:,} are read")
    begin = DEFINITION_BYTES + head.head_bytes
    end = begin + head.body_bytes
    if len(beginning) < end:
        return end
    body = beginning[begin:end]
    check_blocks(body, head, version)
    text = header_text(body, version)
    return Header(text, tuple(sam.parse_header(text).contigs), end, (version, beginning[5]), ENDS[version])


def parse_definition(content: bytes) -> int:
    """The major version of a file that begins like this. Raises `Malformed` for what is no CRAM 2 or 3."""
    if len(content) < DEFINITION_BYTES or content[:4] != MAGIC or content[4] not in ENDS:
        raise Malformed
    return content[4]


def parse_container(content: bytes, version: int) -> Container:
    """The head of the container that begins with `content`, which has its whole head. Raises `Malformed`,
    `Incomplete` where it has not."""
    reader = _Reader(content, 4)
    try:
        (body,) = struct.unpack_from("<i", content)
        contig, start, span, records = (reader.itf8() for _ in range(4))
        reader.ltf8()  # how many reads come before
        reader.ltf8()  # bases
        blocks = reader.itf8()
        landmarks = tuple(reader.itf8() for _ in range(reader.count()))
        if version >= 3:
            (stated,) = struct.unpack_from("<I", content, reader.at)
            if stated != zlib.crc32(content[: reader.at]):
                raise Malformed
            reader.at += 4
    except (IndexError, struct.error):
        raise Incomplete from None
    if not 0 <= body <= LARGEST_CONTAINER_BYTES or records < 0 or blocks < 0 or contig < -2:
        raise Malformed
    if any(not 0 <= each < max(1, body) for each in landmarks):
        raise Malformed
    return Container(reader.at, body, contig, start, span, records, blocks, landmarks)


def check_blocks(body: bytes, container: Container, version: int) -> None:
    """Raise `Malformed` unless a container's body is its blocks, each with the checksum that it says (from version 3
    on), and each landmark the begin of one."""
    at, begins = 0, set()
    for _ in range(container.blocks):
        begins.add(at)
        _, at = _block(body, at, version)
    if at != len(body) or not begins.issuperset(container.landmarks):
        raise Malformed


def parse_slice(body: bytes, landmark: int, version: int) -> Slice:
    """The head of the slice that begins there in a container's body. Raises `Malformed`, also for one that is
    compressed, which nobody writes."""
    (method, content), _ = _block(body, landmark, version)
    reader = _Reader(content, 0)
    try:
        contig, pos1, span = (reader.itf8() for _ in range(3))
    except IndexError:
        raise Malformed from None
    if method != 0 or contig < -2 or span < 0:
        raise Malformed
    return Slice(contig, pos1 - 1, pos1 - 1 + span)


def header_text(body: bytes, version: int) -> str:
    """The SAM header, from the body of the first container. Raises `Malformed`."""
    (method, content), _ = _block(body, 0, version)
    try:
        match method:
            case 0:
                text = content
            case 1:
                text = zlib.decompressobj(wbits=31).decompress(content, LARGEST_HEADER_BYTES)
            case 3:
                text = lzma.LZMADecompressor().decompress(content, LARGEST_HEADER_BYTES)
            case _:
                raise Malformed
        (length,) = struct.unpack_from("<i", text)
        if not 0 <= length <= len(text) - 4:
            raise Malformed
        return text[4 : 4 + length].decode()
    except (struct.error, UnicodeDecodeError, zlib.error, lzma.LZMAError):
        raise Malformed from None


def write_beginning(text: str, version: tuple[int, int]) -> bytes:
    """The definition of a file, which says nothing of where it is from, and its header, with a SAM header's text."""
    return _beginning(_header_block(text, version), version, None)


def fitted_beginning(text: str, version: tuple[int, int], size_bytes: int) -> bytes | None:
    """The same, made `size_bytes` long by a block of zeros, so that what follows stays where it is. None where it is
    longer, or shorter by a few bytes that cannot be filled."""
    header = _header_block(text, version)
    shortest = len(_beginning(header, version, 0))
    for filling in range(size_bytes - shortest, size_bytes - shortest - 16, -1):  # numbers of its size take room, too
        if filling >= 0 and len(found := _beginning(header, version, filling)) == size_bytes:
            return found
    return None


def _header_block(text: str, version: tuple[int, int]) -> bytes:
    content = text.encode()
    plain = struct.pack("<i", len(content)) + content
    return _write_block(1, gzip.compress(plain, mtime=0), len(plain), version[0])


def _beginning(header: bytes, version: tuple[int, int], filling: int | None) -> bytes:
    blocks = [header]
    if filling is not None:
        blocks.append(_write_block(0, bytes(filling), filling, version[0]))
    body = b"".join(blocks)
    head = struct.pack("<i", len(body)) + bytes(6) + bytes((len(blocks), 0))  # of no contig; no slices
    definition = MAGIC + bytes(version) + bytes(DEFINITION_BYTES - len(MAGIC) - 2)
    return definition + _checked(head, version[0]) + body


def _write_block(method: int, stored: bytes, plain_bytes: int, version: int) -> bytes:
    """A block of a file's header."""
    return _checked(bytes((method, 0, 0)) + _itf8(len(stored)) + _itf8(plain_bytes) + stored, version)


def _checked(content: bytes, version: int) -> bytes:
    return content + struct.pack("<I", zlib.crc32(content)) if version >= 3 else content


def _itf8(value: int) -> bytes:
    """A number below 2**28."""
    more = next(more for more in range(4) if value < 1 << (7 + 7 * more))
    return (value | (0xF0 << (4 - more) & 0xFF) << 8 * more).to_bytes(1 + more, "big")


def _block(body: bytes, at: int, version: int) -> tuple[tuple[int, bytes], int]:
    """Method and content of the block that begins at `at`, and where it ends."""
    reader = _Reader(body, at + 2)
    try:
        method = body[at]
        reader.itf8()  # content id
        size = reader.itf8()
        reader.itf8()  # size before compression
        content = body[reader.at : reader.at + size]
        end = reader.at + size
        if size < 0 or len(content) != size:
            raise Malformed
        if version >= 3:
            (stated,) = struct.unpack_from("<I", body, end)
            if stated != zlib.crc32(memoryview(body)[at:end]):
                raise Malformed
            end += 4
    except (IndexError, struct.error):
        raise Malformed from None
    return (method, content), end


class _Reader:
    """Reads the numbers of CRAM, whose first bits say how long they are."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self.at = content, at

    def itf8(self) -> int:
        """A number of 32 bits, signed."""
        first = self._content[self.at]
        more = 0 if first < 0x80 else 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
        rest = self._content[self.at + 1 : self.at + 1 + more]
        if len(rest) < more:
            raise IndexError
        self.at += 1 + more
        if more < 4:
            value = (first & (0x7F >> more)) << 8 * more | int.from_bytes(rest, "big")
        else:  # four bits of the first, and of the last only the lower four
            value = (first & 0x0F) << 28 | int.from_bytes(rest[:3], "big") << 4 | rest[3] & 0x0F
        return value - (1 << 32) if value >= 1 << 31 else value

    def ltf8(self) -> int:
        """A number of 64 bits, unsigned."""
        first = self._content[self.at]
        more = 8 - (first ^ 0xFF).bit_length()
        rest = self._content[self.at + 1 : self.at + 1 + more]
        if len(rest) < more:
            raise IndexError
        self.at += 1 + more
        return (first & (0x7F >> more)) << 8 * more | int.from_bytes(rest, "big")

    def count(self) -> int:
        """A number of numbers that follow."""
        value = self.itf8()
        if value < 0:
            raise Malformed
        if value > len(self._content) - self.at:  # each takes a byte at least
            raise IndexError
        return value
