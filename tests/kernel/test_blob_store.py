# SPDX-License-Identifier: Apache-2.0
from megagenome.kernel.blob_store import clip


def test_a_range_is_inside_and_never_backwards() -> None:
    for start in range(8):
        for end in (*range(8), None):
            first, last = clip(start, end, 5)
            assert list(range(5))[start:end] == list(range(first, last))
            assert 0 <= first <= last <= 5
