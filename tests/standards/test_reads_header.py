# SPDX-License-Identifier: Apache-2.0
"""Beginnings of BAM and CRAM files that htslib wrote, in pieces of any size, and of what is none."""

import contextlib
import itertools
from pathlib import Path

import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Invalid
from megagenome.standards import bgzf
from megagenome.standards.reads_header import CRAM_ENDS, read_bam_header, read_cram_header


def write(path: Path, mode: str, contigs: int, *options: bytes) -> bytes:
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": f"contig{k}", "LN": 1000 + k} for k in range(contigs)]}
    with pysam.AlignmentFile(str(path), mode, header=header, format_options=list(options)) as out:
        for number in range(5):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.flag, read.query_sequence = f"r{number}", 4, "ACGT"
            out.write(read)
    return path.read_bytes()


def names(contigs: int) -> tuple[str, ...]:
    return tuple(f"contig{k}" for k in range(contigs))


@pytest.mark.parametrize("contigs", [0, 1, 3000, 40_000])
@pytest.mark.parametrize("piece", [7_001, 1 << 20])
def test_a_bam_header_is_what_htslib_wrote(tmp_path: Path, contigs: int, piece: int) -> None:
    content = write(tmp_path / "a.bam", "wb", contigs)
    found = read_bam_header(content[at : at + piece] for at in range(0, len(content), piece))
    assert found.references == names(contigs)
    with pysam.AlignmentFile(str(tmp_path / "a.bam"), check_sq=False) as file:
        assert found.begin == file.tell()


def test_the_first_record_may_stand_in_the_headers_last_block(tmp_path: Path) -> None:
    plain = b"".join(map(bytes, bgzf.inflate(write(tmp_path / "a.bam", "wb", 3), 1 << 30).parts))
    path = tmp_path / "b.bam"
    path.write_bytes(b"".join([*bgzf.blocks(plain), bgzf.END]))
    found = read_bam_header([path.read_bytes()])
    assert 0 < found.begin < 1 << 16
    assert found.content == plain[: found.begin]
    with pysam.AlignmentFile(str(path), check_sq=False) as file:
        assert found.begin == file.tell()


@pytest.mark.parametrize("contigs", [5, 3000])  # of fewer htslib writes CRAM 2.1 with a block beyond its container
@pytest.mark.parametrize("version", ["2.1", "3.0", "3.1"])
def test_a_cram_header_is_what_htslib_wrote(tmp_path: Path, contigs: int, version: str) -> None:
    content = write(tmp_path / "a.cram", "wc", contigs, f"version={version}".encode(), b"no_ref=1")
    found = read_cram_header(content)
    assert found is not None
    assert found.references == names(contigs)
    assert content.endswith(found.end)
    assert found.end == CRAM_ENDS[int(version[0])]
    pysam.index(str(tmp_path / "a.cram"))
    header = content[: found.begin] + found.end
    (tmp_path / "header.cram").write_bytes(header)
    with pysam.AlignmentFile(str(tmp_path / "header.cram"), check_sq=False) as file:
        assert list(file.fetch(until_eof=True)) == []
        assert file.references == names(contigs)
    for size in itertools.chain(range(60), range(60, found.begin, 997)):
        assert read_cram_header(content[:size]) is None


@given(st.binary(max_size=300))
def test_anything_else_is_refused_or_unfinished(content: bytes) -> None:
    for start in (b"", b"BAM\1", b"CRAM\3\0"):
        with pytest.raises(Invalid):
            read_bam_header([*bgzf.blocks(start + content), bgzf.END])
        with pytest.raises(Invalid):
            read_bam_header([start + content])
        with contextlib.suppress(Invalid):
            assert read_cram_header(start + content) is None


@pytest.mark.parametrize("keep", [10, 40, 90])
def test_a_bam_that_ends_within_its_header_is_refused(tmp_path: Path, keep: int) -> None:
    content = write(tmp_path / "a.bam", "wb", 3)
    with pytest.raises(Invalid):
        read_bam_header([content[:keep]])
