# SPDX-License-Identifier: Apache-2.0
"""BGZF, against what htslib writes."""

import gzip
import random
import struct
import zlib
from pathlib import Path

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from megagenome.standards import bgzf


def written(folder: Path, content: bytes) -> bytes:
    path = folder / "x.gz"
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(content)
    return path.read_bytes()


def block(content: bytes, extra: bytes = b"", claimed: int | None = None) -> bytes:
    """A block made by hand, with further extra fields before its own."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = deflate.compress(content) + deflate.flush()
    size = 12 + len(extra) + 6 + len(body) + 8
    fields = extra + struct.pack("<2sHH", b"BC", 2, size - 1)
    head = b"\x1f\x8b\x08\x04" + bytes(6) + struct.pack("<H", len(fields))
    return head + fields + body + struct.pack("<II", zlib.crc32(content), len(content) if claimed is None else claimed)


def test_bgzf_is_told_from_gzip_by_its_first_bytes(tmp_path: Path) -> None:
    some = written(tmp_path, b"some text")
    assert bgzf.is_bgzf(some[:16])
    assert some.endswith(bgzf.END)
    for other in (gzip.compress(b"some text", mtime=0), b"##fileformat=VCFv4.2", b"", some[:13]):
        assert not bgzf.is_bgzf(other[:16])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 1000), size=st.integers(0, 300_000), step=st.integers(1, 200_000), enough=st.integers(1, 10**6)
)
def test_what_was_compressed_comes_out_however_it_is_cut(
    tmp_path: Path, seed: int, size: int, step: int, enough: int
) -> None:
    content = random.Random(seed).randbytes(size // 2) + bytes(size - size // 2)
    compressed, waiting, found = written(tmp_path, content), b"", b""
    for at in range(0, len(compressed), step):
        waiting += compressed[at : at + step]
        while (inflated := bgzf.inflate(waiting, enough)).used:
            found += b"".join(inflated.parts)
            waiting = waiting[inflated.used :]
    assert (found, waiting) == (content, b"")


def test_enough_is_enough(tmp_path: Path) -> None:
    compressed = written(tmp_path, bytes(1_000_000))
    assert len(bgzf.inflate(compressed, 1).parts) == 1
    assert sum(map(len, bgzf.inflate(compressed, 10**9).parts)) == 1_000_000


def test_further_extra_fields_are_passed_over() -> None:
    inflated = bgzf.inflate(block(b"some text", extra=struct.pack("<2sH3s", b"XY", 3, b"abc")), 100)
    assert inflated.parts == [b"some text"]


@pytest.mark.parametrize(
    "bad",
    [
        gzip.compress(b"some text" * 100, mtime=0),
        b"#" * 100,
        block(b"some text", claimed=8),
        block(b"some text", claimed=10),
        block(b"some text", claimed=2**32 - 1),
        block(b"some text" * 9, extra=struct.pack("<2sH", b"BC", 2) + b"\x05\x00"),  # a length inside itself
    ],
    ids=["gzip", "text", "shorter", "longer", "huge", "length"],
)
def test_what_is_not_bgzf_is_refused(bad: bytes) -> None:
    with pytest.raises(bgzf.Malformed):
        bgzf.inflate(bad + bytes(100), 10**6)


def test_no_changed_byte_changes_what_comes_out(tmp_path: Path) -> None:
    """Each is noticed, or is one of those that say nothing (time, flags, system), or leaves the block unfinished."""
    content = bytes(range(256)) * 4
    compressed = written(tmp_path, content)
    for at in range(len(compressed) - len(bgzf.END)):
        for bit in range(8):
            changed = bytearray(compressed)
            changed[at] ^= 1 << bit
            try:
                parts = bgzf.inflate(bytes(changed), 10**6).parts
            except bgzf.Malformed:
                continue
            assert b"".join(parts) in (content, b"")


@pytest.mark.parametrize("best", [False, True])
@pytest.mark.parametrize("plain_bytes", [12, 300, 65_281, 200_000])
def test_what_is_fitted_is_as_long_as_asked_and_holds_the_same(tmp_path: Path, plain_bytes: int, *, best: bool) -> None:
    chance = random.Random(plain_bytes)
    plain = "".join(chance.choices("@SQ\tSN:chr1\n", k=plain_bytes)).encode()
    least = len(b"".join(bgzf.blocks(plain))) + 300
    for more in [*range(12), 65_000, 65_536, 65_555, 131_072, 300_007]:
        found = bgzf.fitted(plain, least + more, 1 << 16, best=best)
        assert found is not None
        assert len(found) == least + more
        assert gzip.decompress(found) == plain
        (tmp_path / "x.gz").write_bytes(found + bgzf.END)
        with pysam.BGZFile(str(tmp_path / "x.gz"), "rb", None) as file:
            assert file.read() == plain


@pytest.mark.parametrize("plain_bytes", [2, 300, 65_281, 200_000])
def test_what_does_not_fit_is_longer_by_whole_steps(plain_bytes: int) -> None:
    plain = random.Random(plain_bytes).randbytes(plain_bytes)
    least = len(b"".join(bgzf.blocks(plain)))
    for size in [*range(40), 4_096, least - 1, *range(least, least + 80)]:
        found = bgzf.fitted(plain, size, 4_096)
        assert found is not None
        assert len(found) % 4_096 == size % 4_096
        assert len(found) <= max(size, least) + 3 * 4_096
        assert gzip.decompress(found) == plain


def test_a_single_byte_is_not_filled() -> None:
    assert bgzf.fitted(b"x", 4_096, 4_096) is None
