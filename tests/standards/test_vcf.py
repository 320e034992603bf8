# SPDX-License-Identifier: Apache-2.0
"""What must be known of a file before its records are read."""

import pytest

from megagenome.kernel.errors import Invalid
from megagenome.standards import vcf

FIRST = "##fileformat=VCFv4.2\n"
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"


def test_samples_and_stated_lengths() -> None:
    header = vcf.parse_header(
        "##fileformat=VCFv4.2\n"
        "##contig=<ID=22,length=51304566,assembly=GRCh37>\n"
        '##contig=<URL="https://example.org/a",ID=HLA-A*01:01,length=3503>\n'
        '##contig=<length=7,Description="not \\",ID=x,length=9",ID=18>\n'
        "##contig=<ID=21>\n"
        "##contig=<ID=20,length=2147483647>\n"
        "##contig=<ID=19,length=0>\n"
        f"{COLUMNS}\tB\tA b\n"
    )
    lengths = {"22": 51304566, "HLA-A*01:01": 3503, "18": 7}
    assert header == (("B", "A b"), lengths, ("22", "HLA-A*01:01", "18", "21", "20", "19"), frozenset())


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\0"])
def test_the_last_line_may_end_in_any_way(end: str) -> None:
    assert vcf.parse_header(f"{FIRST}{COLUMNS}\tS1{end}").samples == ("S1",)


def test_a_file_may_have_no_samples() -> None:
    assert vcf.parse_header(FIRST + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n").samples == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("##fileformat=VCFv4.2\n", "no #CHROM line"),
        (FIRST + "22\t1\t.\tA\tG\t.\t.\t.\n", "line 2: the header has no #CHROM line"),
        (FIRST + "##source=x\n#chrom\tPOS\n", "line 3: the header has no #CHROM line"),
        (FIRST + "source=x\n" + COLUMNS + "\tA", "line 2: the header has no #CHROM line before this one"),
        ("", "line 1: is no VCF 4"),
        ("##fileformat=VCF v4.3\n", "line 1: is no VCF 4"),
        ("##fileformat=\n", "line 1: is no VCF 4"),
        (COLUMNS + "\tA", "line 1: is no VCF 4"),
        ("\ufeff" + FIRST + COLUMNS + "\tA", "line 1: begins with a byte order mark"),
        (
            FIRST + COLUMNS.replace("POS", "POSITION") + "\tA",
            "column 2 of the #CHROM line is 'POSITION'; it must be POS",
        ),
        (FIRST + COLUMNS, "samples after FORMAT are missing"),
        (FIRST + "#CHROM\tPOS", "has 2 columns, which is not all"),
        (FIRST + COLUMNS + "\tA\t\tB", "sample '' is no name"),
        (FIRST + COLUMNS + "\tA\tB ", "sample 'B ' is no name"),
        (FIRST + COLUMNS + "\tA\x1b[2J", "is no name"),
        (f"{FIRST}{COLUMNS}\tA\tB\tC\tB\tA", "sample 'B' stands twice"),
    ],
)
def test_bad_headers_are_refused(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        vcf.parse_header(text)
