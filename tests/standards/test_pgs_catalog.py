# SPDX-License-Identifier: Apache-2.0
"""Scoring files of the PGS Catalog."""

import gzip
import io
import tempfile
from pathlib import Path

import pytest

from megagenome.kernel.errors import Invalid
from megagenome.standards.pgs_catalog import ScoringFile, read_scoring_file
from megagenome.standards.study import MOST_WEIGHTS, Weight

HEAD = "###PGS CATALOG SCORING FILE\n#format_version=2.0\n#pgs_id=PGS000001\n#genome_build=GRCh37\n"
NAMES = "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\n"


def _file(rows: str, head: str = HEAD, names: str = NAMES) -> bytes:
    return (head + names + rows).encode()


def read(content: bytes, assembly: str = "") -> ScoringFile:
    return read_scoring_file(io.BytesIO(content), assembly)


def test_a_file_is_read() -> None:
    found = read(_file("rs1\t22\t100\ta\tG\t-0.5\nrs2\tchrX\t7\tAT\tA\t1e-3\n"))
    assert (found.id, found.assembly) == ("PGS000001", "GRCh37")
    assert found.weights == (Weight("22", 99, "A", "G", -0.5), Weight("X", 6, "AT", "A", 0.001))
    assert read(gzip.compress(_file("rs1\t22\t100\tA\tG\t-0.5\n"))).weights == found.weights[:1]


def test_harmonised_places_come_first() -> None:
    head = HEAD + "#HmPOS_build=GRCh38\n"
    names = "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\thm_chr\thm_pos\n"
    found = read(_file("1\t5\tA\tG\t1\t2\t50\n1\t5\tA\tG\t1\t\t\n", head, names))
    assert found.assembly == "GRCh38"
    assert found.weights == (Weight("2", 49, "A", "G", 1.0),)
    assert found.left_out["no place is given"] == 1


def test_rows_that_name_one_allele_are_counted() -> None:
    found = read(_file("rs1\t22\t100\tA\t\t1\nrs2\t22\t100\tA\tC/G\t1\n"))
    assert found.weights == ()
    assert found.left_out["no other allele is given"] == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "row of column names"),
        (b"#only\n#headers\n", "row of column names"),
        (_file("", names="rsID\teffect_allele\n"), "without the column chr_name"),
        (_file("", head="#genome_build=NCBI36\n"), "NCBI36"),
        (_file("", head=""), "GRCh37 and GRCh38 are understood"),
        (_file("rs1\t22\tx\tA\tG\t1\n"), "line 6"),
        (_file("rs1\t22\t5\tA\tG\tnan\n"), "line 6"),
        (_file("rs1\t22\t0\tA\tG\t1\n"), "line 6"),
        (_file("rs1\t22\t5\tA1\tG\t1\n"), "line 6"),
        (_file("rs1\t22\t5\tA\tG\n"), "line 6"),
        (_file("a\t22\t5\tA\tG\t1\tTrue\n", names=NAMES.rstrip() + "\tis_recessive\n"), "additive"),
        (_file("a\t22\t5\tA\tG\t1\trecessive\n", names=NAMES.rstrip() + "\teffect_type\n"), "additive"),
        (b"\x1f\x8bnot gzip", "not a scoring file"),
        (b"\xff\xfe\x00", "not a scoring file"),
        (gzip.compress(_file("rs1\t22\t5\tA\tG\t1\n" * 1000))[:-20], "not a scoring file"),
        (b"a,b\n", "of columns between tabs it has a,b"),
        (b"x" * (1 << 21), "in a line"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read(content)


def test_a_file_that_says_its_assembly_is_believed_against_the_caller() -> None:
    with pytest.raises(Invalid, match="GRCh37, not GRCh38"):
        read(_file(""), "GRCh38")
    assert read(_file("", head=""), "hg38").assembly == "GRCh38"


def test_a_file_may_be_one_that_was_written_to() -> None:
    with tempfile.SpooledTemporaryFile() as file:  # as forms keep what was sent
        file.write(gzip.compress(_file("rs1\t22\t100\tA\tG\t-0.5\n")))
        file.rollover()
        assert len(read_scoring_file(file).weights) == 1


def test_no_more_is_read_than_a_study_takes() -> None:
    rows = (f"rs\t22\t{k}\tA\tG\t1\n" for k in range(1, MOST_WEIGHTS + 2))
    content = _file("".join(rows)) + b"what comes then is not read\n"
    with pytest.raises(Invalid, match="a study takes 100,000 weights, and this score has more"):
        read(content)
    assert len(read(content[: content.index(b"what") - 19]).weights) <= MOST_WEIGHTS


@pytest.mark.shared
def test_the_catalogue_s_own_files(shared: Path) -> None:
    folder = shared / "data/clinical_variants"
    chr22 = read((folder / "pgs_PGS001229_chr22.txt").read_bytes())
    assert (chr22.id, chr22.assembly) == ("PGS001229", "GRCh37")
    assert chr22.weights[0] == Weight("22", 17080377, "G", "A", 1.045457e-02)
    whole = read((folder / "pgs_PGS001229_hmPOS_GRCh38.txt.gz").read_bytes(), "GRCh38")
    assert len(whole.weights) > 50_000
