# SPDX-License-Identifier: Apache-2.0
"""What must be known of a file before htslib reads it."""

import pytest

from megagenome.kernel.errors import Invalid
from megagenome.standards import vcf

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
    assert header == (("B", "A b"), {"22": 51304566, "HLA-A*01:01": 3503, "18": 7})


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\0"])
def test_the_last_line_may_end_in_any_way(end: str) -> None:
    assert vcf.parse_header(f"{COLUMNS}\tS1{end}").samples == ("S1",)


def test_a_file_may_have_no_samples() -> None:
    assert vcf.parse_header("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n").samples == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("##fileformat=VCFv4.2\n", "no #CHROM line"),
        ("", "no #CHROM line"),
        (f"{COLUMNS}\tA\tB\tC\tB\tA", "sample 'B' stands twice"),
    ],
)
def test_bad_headers_are_refused(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        vcf.parse_header(text)
