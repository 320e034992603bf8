# SPDX-License-Identifier: Apache-2.0
"""SAM headers."""

import pytest

from megagenome.kernel.errors import Invalid
from megagenome.standards import sam


def test_contigs_samples_and_order() -> None:
    header = sam.parse_header(
        "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:22\tLN:51304566\tM5:x\n@SQ\tLN:5\tSN:X\n"
        "@RG\tID:1\tSM:A\n@RG\tID:2\tSM:B\n@RG\tID:3\tSM:A\n@CO\tanything: at all\n\0"
    )
    assert header == ({"22": 51304566, "X": 5}, ("A", "B"), True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@SQ\tSN:22\n", "line 1 of the header: @SQ needs"),
        ("@SQ\tSN:22\tLN:-5\n", "@SQ needs"),
        ("@SQ\tSN:22\tLN:" + "9" * 5000 + "\n", "@SQ needs"),
        ("@HD\tVN:1\n@SQ\tSN:2\tLN:5\n@SQ\tSN:2\tLN:5\n", "line 3 of the header: contig '2' stands twice"),
        ("hello\n", "line 1 of the header begins with no record type"),
    ],
)
def test_bad_headers(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        sam.parse_header(text)


def test_a_header_without_names_tells_of_nobody() -> None:
    text = (
        "@HD\tVN:1.6\tSO:coordinate\txx:Mari\n@SQ\tSN:22\tLN:5\tM5:x\tUR:file:/Mari/ref.fa\tDS:Mari\n"
        "@RG\tID:lane1\tSM:Mari\tPL:ILLUMINA\tLB:Mari\tPU:Mari\tDS:Mari\tCN:Tartu\tDT:2020-01-01\tmm:Mari\n"
        "@RG\tID:lane2\tSM:Mari\r\n@RG\tID:lane3\tSM:Jaan\n@PG\tID:bwa\tPN:bwa\tVN:1\tCL:bwa Mari:1.fq\tDS:Mari\n"
        "@PG\tID:sort\tPP:bwa\n@CO\tMari\n@XX\tMari\n\0\0"
    )
    found = sam.without_names(text, {"Mari": "PAAAA"})
    assert found == (
        "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:22\tLN:5\tM5:x\n@RG\tID:lane1\tSM:PAAAA\tPL:ILLUMINA\n"
        "@RG\tID:lane2\tSM:PAAAA\n@RG\tID:lane3\n@PG\tID:bwa\tPN:bwa\tVN:1\n@PG\tID:sort\tPP:bwa\n"
    )
    assert sam.parse_header(found).contigs == sam.parse_header(text).contigs
