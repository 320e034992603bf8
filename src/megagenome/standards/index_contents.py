# SPDX-License-Identifier: Apache-2.0
"""Indexes of genome files: BAI (SAM specification, section 5.2), CSI (CSIv1), TBI (tabix), CRAI (CRAM 3, section 12).

Only what tells whether an index is of a file: which sequences it knows, how many records of each, and between which
places of the file they stand. No number in an index is trusted.
"""

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards import bgzf

LIMIT_BYTES = 1 << 28
"""Of an index, decompressed."""

_I32 = struct.Struct("<i")
_TABIX = struct.Struct("<8i")  # n_ref, format, three columns, meta, skip, l_nm; in CSI all but n_ref are the aux
_DEPTH = 5  # of the bins of BAI and TBI


class Sequence(NamedTuple):
    """One reference sequence in an index.

    name     None where the index knows it only by its number
    records  how many it has; None where the index does not say
    first    virtual offset (compressed place << 16 | place within the block) of the first record; 0 without records
    last     virtual offset after the last record; 0 without records
    """

    name: str | None
    records: int | None
    first: int
    last: int


class Slice(NamedTuple):
    """A line of a CRAI: the container at byte `container` of the file has a slice at `landmark` after its header."""

    sequence: int
    start: int
    span: int
    container: int
    landmark: int
    size_bytes: int


class Index(NamedTuple):
    """An index. `kind` is bai, csi, tbi or crai; `slices` are those of a CRAI, which has no `sequences`."""

    kind: str
    sequences: tuple[Sequence, ...] = ()
    slices: tuple[Slice, ...] = ()


def read_index(content: bytes) -> Index:
    """The index in `content`. Raises `Invalid` for what is none of the four, `Corrupt` for one that is damaged."""
    if content[:4] == b"BAI\x01":
        return _damaged_or(lambda: Index("bai", _bai(content)))
    if content[:2] != bgzf.GZIP_MAGIC:
        raise Invalid("no index: neither BAI, CSI, TBI nor CRAI")
    inflated = _inflate(content)
    match inflated[:4]:
        case b"TBI\x01":
            return _damaged_or(lambda: Index("tbi", _tbi(inflated)))
        case b"CSI\x01":
            return _damaged_or(lambda: Index("csi", _csi(inflated)))
    return _damaged_or(lambda: Index("crai", slices=_crai(inflated)))


def _damaged_or(read: Callable[[], Index]) -> Index:
    try:
        return read()
    except (struct.error, IndexError, ValueError, UnicodeDecodeError):
        raise Corrupt("the index is damaged or breaks off; make it anew") from None


def _inflate(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            inflated = file.read(LIMIT_BYTES + 1)
    except (EOFError, zlib.error, OSError):
        raise Corrupt("the index is damaged or breaks off; make it anew") from None
    if len(inflated) > LIMIT_BYTES:
        raise Invalid(f"the index is larger than {LIMIT_BYTES >> 20} MiB")
    return inflated


def _bai(content: bytes) -> tuple[Sequence, ...]:
    (count,) = _I32.unpack_from(content, 4)
    return _sequences(content, 8, [None] * _fits(count, content), _DEPTH, csi=False)


def _tbi(content: bytes) -> tuple[Sequence, ...]:
    count, *_, length = _TABIX.unpack_from(content, 4)
    begin = 4 + _TABIX.size
    names = _names(content[begin : begin + length], _fits(count, content))
    return _sequences(content, begin + length, names, _DEPTH, csi=False)


def _csi(content: bytes) -> tuple[Sequence, ...]:
    _, depth, aux = struct.unpack_from("<3i", content, 4)
    if not 0 <= depth <= 9 or not 0 <= aux <= len(content):
        raise ValueError
    begin = 16 + aux
    (count,) = _I32.unpack_from(content, begin)
    names: list[str | None] = [None] * _fits(count, content)
    if aux >= 28:
        (length,) = _I32.unpack_from(content, 16 + 24)
        names = _names(content[44 : 44 + length], len(names))
    return _sequences(content, begin + 4, names, depth, csi=True)


def _fits(count: int, content: bytes) -> int:
    if not 0 <= count <= len(content):
        raise ValueError
    return count


def _names(content: bytes, count: int) -> list[str | None]:
    names: list[str | None] = list(content.decode().split("\0")[:-1])
    if len(names) != count:
        raise ValueError
    return names


def _sequences(content: bytes, at: int, names: list[str | None], depth: int, *, csi: bool) -> tuple[Sequence, ...]:
    metadata = ((1 << (3 * (depth + 1))) - 1) // 7 + 1
    found = []
    for name in names:
        records: int | None = None
        first, last = 1 << 64, 0
        (bins,) = _I32.unpack_from(content, at)
        at += 4
        for _ in range(_fits(bins, content)):
            (number,) = struct.unpack_from("<I", content, at)
            at += 12 if csi else 4
            (chunks,) = _I32.unpack_from(content, at)
            offsets = np.frombuffer(content, "<u8", 2 * _fits(chunks, content), at + 4)
            at += 4 + 16 * chunks
            if number == metadata:
                if chunks != 2:
                    raise ValueError
                records = int(offsets[2]) + int(offsets[3])
            elif chunks:
                first, last = min(first, int(offsets.min())), max(last, int(offsets.max()))
        if not csi:
            (intervals,) = _I32.unpack_from(content, at)
            at += 4 + 8 * _fits(intervals, content)
        if at > len(content):
            raise ValueError
        found.append(Sequence(name, 0 if records is None and not last else records, first if last else 0, last))
    return tuple(found)


def _crai(content: bytes) -> tuple[Slice, ...]:
    lines = [line.split("\t") for line in content.decode("ascii").splitlines()]
    if any(len(line) != 6 for line in lines):
        raise ValueError
    return tuple(Slice(*map(int, line)) for line in lines)
