# SPDX-License-Identifier: Apache-2.0
"""Walking over BAM's records: counts as htslib's, and C and Python agree on whatever the bytes are."""

import gzip
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
import pytest

from megagenome.kernel.errors import Invalid, TooLarge
from megagenome.kernel.native import library
from megagenome.standards import bam, bgzf
from tests.reception.written import CONTIGS, write_reads


def content_of(path: Path) -> tuple[bytes, list[tuple[str, int]]]:
    inflated = gzip.decompress(path.read_bytes())
    parsed = bam.parse_header(inflated)
    assert parsed is not None
    return inflated[parsed.size :], parsed.contigs


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


@pytest.mark.parametrize("piece", [7, 1000, 1 << 20])
@pytest.mark.parametrize("contigs", [2, 9000])
def test_a_header_in_pieces_and_where_records_begin(tmp_path: Path, piece: int, contigs: int) -> None:
    lengths = {f"contig{number}": 1000 + number for number in range(contigs)}
    path = tmp_path / "a.bam"
    head = {"HD": {"VN": "1.6"}, "SQ": [{"SN": name, "LN": length} for name, length in lengths.items()]}
    with pysam.AlignmentFile(str(path), "wb", header=head) as out:
        read = pysam.AlignedSegment(out.header)
        read.query_name, read.flag, read.query_sequence = "r", 4, "ACGT"
        out.write(read)
    with pysam.AlignmentFile(str(path), check_sq=False) as file:
        begin, inflated = file.tell(), gzip.decompress(path.read_bytes())
    content = path.read_bytes()
    header = bam.read_header(content[at : at + piece] for at in range(0, len(content), piece))
    assert header.references == tuple(lengths)
    assert header.begin == begin
    assert inflated.startswith(header.content)
    with pytest.raises(Invalid, match="ends within"):
        bam.read_header([content[:40]])


def test_what_is_no_header() -> None:
    for wrong in (
        b"hello",
        b"".join(bgzf.compress([b"SAM\1" + bytes(20)])),
        b"".join(bgzf.compress([b"BAM\1\xff\xff\xff\xff"])),
    ):
        with pytest.raises(Invalid):
            bam.read_header([wrong + bytes(30)])
    with pytest.raises(TooLarge):
        bam.parse_header(b"BAM\1\xff\xff\xff\x7f")
    with pytest.raises(Invalid, match="ends within"):
        bam.read_header([])


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


class Heard(NamedTuple):
    """What a walk tells of runs: the runs, and of each time the content and where it begins."""

    runs: list[list[int]]
    contents: list[tuple[bytes, int]]


def hear(walk: Callable[[bytes, bam.Walked], int], contents: Iterable[bytes], shift: int) -> Heard:
    heard, walked = Heard([], []), new(is_sorted=False)

    def look(runs: np.ndarray, content: bytes, begin: int) -> None:
        heard.runs.extend(runs.tolist())
        heard.contents.append((content, begin))

    walked.runs, walked.read = bam.Runs(shift, look), 700
    for content in contents:
        assert walk(content, walked) == len(content)
    return heard


def write_places(path: Path, reads: list[tuple[int, int, str, bool]]) -> list[tuple[int, int, int]]:
    """Reads by reference, start, CIGAR and whether they are unmapped; and where htslib says that each is."""
    contigs = [{"SN": name, "LN": length} for name, length in CONTIGS.items()]
    with pysam.AlignmentFile(str(path), "wb", header={"SQ": contigs}) as out:
        for number, (reference, start, cigar, is_unmapped) in enumerate(reads):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.reference_id, read.reference_start = f"r{number}", reference, start
            read.cigarstring, read.flag = cigar, 4 if is_unmapped else 0
            out.write(read)
    with pysam.AlignmentFile(str(path)) as file:
        return [
            (each.reference_id, each.reference_start, each.reference_start + (each.reference_length or 1))
            if not each.is_unmapped
            else (each.reference_id, each.reference_start, each.reference_start + 1)
            for each in file.fetch(until_eof=True)
        ]


CIGARS = ["10M", "3S4M", "2M90000N1D8M", "5=2X1I3P4H", "7S", "6I"]


def draw_reads(count: int) -> list[tuple[int, int, str, bool]]:
    draw = random.Random(count)
    return [
        (draw.randrange(-1, 3), draw.choice([-1, draw.randrange(40_000)]), draw.choice(CIGARS), draw.random() < 0.2)
        for _ in range(count)
    ]


def test_where_records_are(tmp_path: Path) -> None:
    wanted = write_places(tmp_path / "a.bam", draw_reads(300))
    content, _ = content_of(tmp_path / "a.bam")
    found = list(bam.records(content, 700))
    assert [(each.reference, each.start, each.end) for each in found] == wanted
    assert [each.begin for each in found][1:] == [each.begin + each.size for each in found][:-1]
    assert (found[0].begin, found[-1].begin + found[-1].size) == (700, 700 + len(content))


@pytest.mark.parametrize("shift", [1, 9, 14])
@pytest.mark.parametrize("count", [300, 9000])
def test_runs_are_of_records_in_the_same_windows(tmp_path: Path, shift: int, count: int) -> None:
    """Of more records than there is room for runs at once."""
    write_places(tmp_path / "a.bam", draw_reads(count))
    content, _ = content_of(tmp_path / "a.bam")
    heard = hear(bam.walk, [content], shift)
    assert library() is None or (len(heard.contents) > 1) == (len(heard.runs) > 4096)
    records = iter(bam.records(content, 700))
    for reference, first, last, begin, end in heard.runs:
        while begin < end:
            each = next(records)
            is_placed = each.reference >= 0 and each.start >= 0
            windows = (each.start >> shift, (each.end - 1) >> shift) if is_placed else (-1, -1)
            assert (each.reference, *windows, each.begin) == (reference, first, last, begin)
            begin += each.size
    assert next(records, None) is None


@pytest.mark.native
def test_c_and_python_tell_the_same_runs(tmp_path: Path) -> None:
    write_places(tmp_path / "a.bam", draw_reads(500))
    content, _ = content_of(tmp_path / "a.bam")
    begin = list(bam.records(content, 0))[200].begin
    pieces = [content[:begin], content[begin:]]
    assert hear(bam.walk, pieces, 14) == hear(bam.walk_slowly, pieces, 14)
