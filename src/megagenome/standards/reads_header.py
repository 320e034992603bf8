# SPDX-License-Identifier: Apache-2.0
"""What files of reads begin with, BAM (SAM specification, section 4.2) and CRAM 2.1 to 3.1 (CRAMv3): their references,
and where their records begin and end. Records are not read."""

import re
import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from megagenome.kernel.errors import Invalid, TooLarge
from megagenome.standards import bam, bgzf, cram

LARGEST_HEADER_BYTES = 64 << 20
CRAM_ENDS = {
    2: bytes.fromhex("0b000000ffffffff0fe0454f460000000001000001000606010001000100"),
    3: bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
}
"""The container that ends a whole CRAM file, by major version."""

_TWO_BLOCKS = 1 << 17
_SEQUENCE = re.compile(r"^@SQ\t(?:[^\n]*?\t)?SN:([^\t\n]+)", re.MULTILINE)


class BamHeader(NamedTuple):
    """What a BAM file begins with.

    content     of it, not compressed
    references  names, in the order of their numbers
    begin       virtual offset of the first record
    """

    content: bytes
    references: tuple[str, ...]
    begin: int


class CramHeader(NamedTuple):
    """What a CRAM file begins with.

    references  names, in the order of their numbers
    begin       where the first container of records begins
    end         the container that ends the file
    """

    references: tuple[str, ...]
    begin: int
    end: bytes


def read_bam_header(chunks: Iterable[bytes]) -> BamHeader:
    """The header of the BAM file that these compressed bytes begin. Reads at most twice what it needs. Raises `Invalid`
    for what is none, `TooLarge` for one of over 64 MiB."""
    plain, waiting, tried = bytearray(), bytearray(), 0
    blocks = [(0, 0)]  # where each begins: of its content in `plain`, and in the file
    for chunk in chunks:
        waiting += chunk
        while (found := _inflated(waiting)).used:
            plain += found.parts[0]
            blocks.append((len(plain), blocks[-1][1] + found.used))
            del waiting[: found.used]
        # a long header is not looked through anew for each piece of it
        if len(plain) >= 2 * tried and (header := _read_bam(plain, blocks)) is not None:
            return header
        tried = max(tried, len(plain) if len(plain) >= 2 * tried else 0)
        if len(plain) > 2 * LARGEST_HEADER_BYTES:
            raise TooLarge(f"a BAM header of over {LARGEST_HEADER_BYTES:,} bytes")
    if (header := _read_bam(plain, blocks)) is not None:
        return header
    raise Invalid("the BAM file ends within its header")


def _inflated(waiting: bytearray) -> bgzf.Inflated:
    try:
        return bgzf.inflate(bytes(waiting[:_TWO_BLOCKS]), 1)
    except bgzf.Malformed:
        raise Invalid("this is no BAM file: it is not compressed as BGZF") from None


def _read_bam(plain: bytearray, blocks: Sequence[tuple[int, int]]) -> BamHeader | None:
    """The header, if it is whole."""
    if bytes(plain[:4]) != bam.MAGIC[: len(plain)]:
        raise Invalid("this is no BAM file: it does not begin with 'BAM'")
    if len(plain) < 8:
        return None
    (text,) = struct.unpack_from("<i", plain, 4)
    try:
        parsed = bam.parse_contigs(bytes(plain[8 + text :])) if text >= 0 else None
    except bam.Malformed:
        parsed, text = None, -1
    if text < 0:
        raise Invalid("the BAM header is damaged")
    if parsed is None or (size := 8 + text + parsed[1]) > len(plain):
        return None
    begins, place = blocks[bisect_right(blocks, (size, 1 << 62)) - 1]  # the last block that begins at or before its end
    names = tuple(name for name, _ in parsed[0])
    return BamHeader(bytes(plain[:size]), names, place << 16 | size - begins)


def read_cram_header(beginning: bytes) -> CramHeader | None:
    """The header of the CRAM file that these bytes begin; None where they do not reach so far. Raises `Invalid` for
    what is no CRAM file of a known version, `TooLarge`."""
    if len(beginning) < cram.DEFINITION_BYTES:
        return None
    try:
        version = cram.parse_definition(beginning)
        try:
            container = cram.parse_container(beginning[cram.DEFINITION_BYTES :], version)
        except cram.Malformed:
            if len(beginning) < cram.DEFINITION_BYTES + cram.HEAD_BYTES:
                return None
            raise
        if container.body_bytes > LARGEST_HEADER_BYTES:
            raise TooLarge(f"a CRAM header of {container.body_bytes:,} bytes")
        first = cram.DEFINITION_BYTES + container.head_bytes
        begin = first + container.body_bytes
        if begin > len(beginning):
            return None
        text = cram.header_text(beginning[first:begin], version)
    except cram.Malformed:
        raise Invalid("this is no CRAM file of version 2.1 to 3.1, or its header is damaged") from None
    return CramHeader(tuple(_SEQUENCE.findall(text)), begin, CRAM_ENDS[version])
