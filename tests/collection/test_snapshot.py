# SPDX-License-Identifier: Apache-2.0
"""What a snapshot makes of the sets of people in its datasets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection import bitmap
from megagenome.collection.snapshot import sharing

BATCHES = 2
MEMBERS = st.frozensets(st.integers(0, BATCHES * bitmap.BATCH - 1) | st.integers(0, 70), max_size=8)


def planes(members: frozenset[int]) -> bitmap.Planes:
    bits = np.zeros(BATCHES * bitmap.BATCH, np.uint8)
    bits[list(members)] = 1
    return np.packbits(bits, bitorder="little").reshape(BATCHES, bitmap.PLANE_BYTES)


@given(st.lists(MEMBERS, max_size=9))
def test_two_sets_share_whom_both_have(sets: list[frozenset[int]]) -> None:
    found = sharing(tuple(map(planes, sets)))
    expected = [[i != j and bool(one & other) for j, other in enumerate(sets)] for i, one in enumerate(sets)]
    assert found.dtype == np.bool_
    assert found.shape == (len(sets), len(sets))
    assert found.tolist() == expected
