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
