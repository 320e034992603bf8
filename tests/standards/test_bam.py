# SPDX-License-Identifier: Apache-2.0
"""Walking over BAM's records: counts as htslib's, and C and Python agree on whatever the bytes are."""

import gzip
import random
from pathlib import Path

import numpy as np
import pytest

from megagenome.standards import bam
from tests.reception.written import CONTIGS, write_reads


def content_of(path: Path) -> tuple[bytes, list[tuple[str, int]]]:
    inflated = gzip.decompress(path.read_bytes())
    at = 8 + int.from_bytes(inflated[4:8], "little")
    parsed = bam.parse_contigs(inflated[at:])
    assert parsed is not None
    return inflated[at + parsed[1] :], parsed[0]


def new(*, is_sorted: bool = True) -> bam.Walked:
    return bam.Walked(np.array(list(CONTIGS.values()), np.int64), is_sorted)


def test_contigs_and_counts(tmp_path: Path) -> None:
    content, contigs = content_of(write_reads(tmp_path / "a.bam"))
    assert dict(contigs) == CONTIGS
    for walk in (bam.walk, bam.walk_slowly):
        walked = new()
        assert walk(content, walked) == len(content)
        assert (walked.records, walked.counts.tolist()) == (50, [25, 25, 0, 0])


def test_a_record_that_is_not_whole_waits(tmp_path: Path) -> None:
    content, _ = content_of(write_reads(tmp_path / "a.bam"))
    for walk in (bam.walk, bam.walk_slowly):
        walked = new()
        end = walk(content[: len(content) // 2], walked)
        assert walk(content[end:], walked) == len(content) - end
        assert walked.records == 50


def test_unsorted_records_are_met_only_where_they_must_be_sorted(tmp_path: Path) -> None:
    content, _ = content_of(write_reads(tmp_path / "a.bam"))
    for walk in (bam.walk, bam.walk_slowly):
        walk(content + content, new(is_sorted=False))
        with pytest.raises(bam.Malformed) as error:
            walk(content + content, new())
        assert error.value.unsorted


def test_contigs_that_are_not_whole_or_wrong() -> None:
    assert bam.parse_contigs(b"\1\0\0\0\3\0\0\0") is None
    for wrong in (b"\xff\xff\xff\xff", b"\1\0\0\0\0\0\0\0", b"\1\0\0\0\2\0\0\0ab\1\0\0\0"):
        with pytest.raises(bam.Malformed):
            bam.parse_contigs(wrong)


@pytest.mark.native
def test_c_and_python_agree_on_damaged_records(tmp_path: Path) -> None:
    content, _ = content_of(write_reads(tmp_path / "a.bam", reads=8))
    chance = random.Random(7)
    refused = 0
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(2):
            damaged[chance.randrange(len(damaged))] = chance.choice([0, 1, 0x7F, 0xFF, chance.randrange(256)])
        told = []
        for walk in (bam.walk, bam.walk_slowly):
            walked = new()
            try:
                end: object = walk(bytes(damaged), walked)
            except bam.Malformed as error:
                end = ("malformed", error.unsorted)
            told.append((end, walked.records, walked.counts.tolist(), walked.contig, walked.start))
        assert told[0] == told[1]
        refused += isinstance(told[0][0], tuple)
    assert 50 < refused < 400
