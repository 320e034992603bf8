# SPDX-License-Identifier: Apache-2.0
"""Indexes that htslib made say what is in the file, and damaged ones only that they are damaged."""

import contextlib
import random
from pathlib import Path

import pytest

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards.index_contents import read_index
from tests.reception.written import csi, index_reads, small_vcf, tabix, write_reads


def make(folder: Path, kind: str) -> Path:
    if kind in ("tbi", "csi"):
        return {"tbi": tabix, "csi": csi}[kind](small_vcf(folder))
    name = "a.bam" if kind == "bai" else "a.cram"
    return index_reads(write_reads(folder / name, "wb" if kind == "bai" else "wc"))


@pytest.mark.parametrize("kind", ["tbi", "csi"])
def test_indexes_of_variants(tmp_path: Path, kind: str) -> None:
    index = read_index(make(tmp_path, kind).read_bytes())
    assert index.kind == kind
    assert [(each.name, each.records) for each in index.sequences] == [("21", 10), ("22", 5)]
    assert all(0 < each.first < each.last for each in index.sequences)
    assert index.sequences[-1].last >> 16 <= (tmp_path / "a.vcf.gz").stat().st_size


def test_an_index_of_reads(tmp_path: Path) -> None:
    index = read_index(make(tmp_path, "bai").read_bytes())
    assert [(each.name, each.records) for each in index.sequences] == [(None, 25), (None, 25), (None, 0)]


def test_an_index_of_cram(tmp_path: Path) -> None:
    index = read_index(make(tmp_path, "crai").read_bytes())
    assert {each.sequence for each in index.slices} == {0, 1}
    assert all(0 < each.container < (tmp_path / "a.cram").stat().st_size for each in index.slices)


@pytest.mark.parametrize("kind", ["tbi", "csi", "bai", "crai"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.8])
def test_what_breaks_off_is_corrupt(tmp_path: Path, kind: str, share: float) -> None:
    content = make(tmp_path, kind).read_bytes()
    with pytest.raises((Corrupt, Invalid)):
        read_index(content[: int(share * len(content))])


@pytest.mark.parametrize("content", [b"", b"BAI\x01", b"hello", b"BAI\x01\xff\xff\xff\x7f", b"BAI\x01\xff\xff\xff\xff"])
def test_what_is_none_is_refused(content: bytes) -> None:
    with pytest.raises((Corrupt, Invalid)):
        read_index(content)


def test_random_damage_does_nothing_else(tmp_path: Path) -> None:
    content, chance = make(tmp_path, "bai").read_bytes(), random.Random(5)
    for _ in range(300):
        damaged = bytearray(content)
        for _ in range(3):
            damaged[chance.randrange(4, len(damaged))] = chance.choice([0, 1, 0x7F, 0xFF, chance.randrange(256)])
        with contextlib.suppress(Corrupt):
            read_index(bytes(damaged))
