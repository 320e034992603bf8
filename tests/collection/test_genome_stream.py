# SPDX-License-Identifier: Apache-2.0
"""Files of genomes as streams: the same bytes whatever the pieces, and every damage by its name."""

import gzip
import io
import os
from pathlib import Path

import pytest

from megagenome.collection.genome_stream import GenomeStream
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards import bgzf
from tests.reception.written import bgzip

TEXT = b"##one\n##two\n#CHROM\n" + bytes(range(256)) * 1000


def whole(content: bytes, size: int, *, plain: bool = False) -> bytes:
    stream, parts = GenomeStream(io.BufferedReader(io.BytesIO(content)), "file", plain=plain), []
    while part := stream.take(size):
        parts.append(part)
    assert stream.ended
    assert stream.read_bytes == len(content)
    return b"".join(parts)


@pytest.mark.parametrize("size", [1 << 20, 70_000, 5_000])
def test_every_byte_once(tmp_path: Path, size: int) -> None:
    content = bgzip(tmp_path / "a", TEXT).read_bytes()
    assert whole(content, size) == TEXT
    assert whole(TEXT, size, plain=True) == TEXT


def test_each_block_is_told_before_what_it_holds(tmp_path: Path) -> None:
    content, told = bgzip(tmp_path / "a", TEXT).read_bytes(), list[tuple[int, int]]()
    stream = GenomeStream(io.BytesIO(content), "file", block=lambda length, plain: told.append((length, plain)))
    taken = len(stream.take(100_000))
    assert 1 < len(told) < 4
    assert sum(plain for _, plain in told) >= taken
    stream.take(1 << 20)
    assert (sum(length for length, _ in told), sum(plain for _, plain in told)) == (len(content), len(TEXT))
    at = 0
    for length, plain in told:
        assert len(gzip.decompress(content[at : at + length])) == plain
        at += length


def test_a_pipe_that_gives_little_at_a_time(tmp_path: Path) -> None:
    content = bgzip(tmp_path / "a", TEXT[:3000]).read_bytes()
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file, os.fdopen(writing, "wb", buffering=0) as pipe:
        pipe.write(content)
        pipe.close()
        assert GenomeStream(file, "file").take(10_000) == TEXT[:3000]


def test_the_header_ends_where_it_ends(tmp_path: Path) -> None:
    with bgzip(tmp_path / "a", TEXT).open("rb") as file:
        stream = GenomeStream(file, "file")
        assert stream.take_header() == TEXT[:19]
        assert stream.take(5) == TEXT[19:24]


def test_damage(tmp_path: Path) -> None:
    content = bgzip(tmp_path / "a", TEXT).read_bytes()
    with pytest.raises(Corrupt, match="the end of the file is missing"):
        whole(content[:-28], 1 << 20)
    with pytest.raises(Corrupt, match="the end of the file is missing"):
        whole(content + b"more", 1 << 20)
    with pytest.raises(bgzf.Malformed):
        whole(content[:100] + b"\0" + content[101:], 1 << 20)
    with pytest.raises(Invalid, match="plain gzip"):
        whole(gzip.compress(TEXT), 5, plain=True)
    with pytest.raises(Invalid, match="not compressed"):
        whole(TEXT, 5)
    with pytest.raises(Invalid, match="not compressed"):
        whole(b"", 5)
