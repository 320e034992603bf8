# SPDX-License-Identifier: Apache-2.0
"""The bitmap codec against Python sets, at the sizes where its form changes."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection import bitmap

BOUNDARY_SIZES = (0, 1, 4_095, 4_096, 4_097, 65_535, 65_536)


def spread(size: int) -> list[int]:
    """`size` numbers of a batch, both ends included where there are two or more."""
    return sorted({round(i * 65_535 / max(1, size - 1)) for i in range(size)})


@pytest.mark.parametrize("size", BOUNDARY_SIZES)
def test_round_trip_at_boundary_sizes(size: int) -> None:
    members = spread(size)
    assert len(members) == size
    stored = bitmap.encode(np.array(members, np.uint16))
    assert len(stored) == min(2 * size, 8_192)
    assert bitmap.decode(stored).tolist() == members
    assert bitmap.to_numbers(bitmap.decode_plane(stored)).tolist() == members


def test_stored_forms_are_as_described() -> None:
    assert bitmap.encode(np.array([1, 256, 65_535], np.uint16)) == bytes([1, 0, 0, 1, 255, 255])
    plane = bitmap.encode(np.arange(0, 65_536, 8, dtype=np.uint16))
    assert plane == b"\x01" * 8_192  # person i is bit i % 8 of byte i // 8


@given(st.sets(st.integers(0, 3 * 65_536 - 1), max_size=50), st.sets(st.integers(0, 3 * 65_536 - 1), max_size=50))
def test_planes_are_sets(first: set[int], second: set[int]) -> None:
    a, b = (bitmap.from_numbers(np.array(list(members), np.int64), 3) for members in (first, second))
    assert a.shape == (3, bitmap.PLANE_BYTES)
    assert set(bitmap.to_numbers(a & b).tolist()) == first & second
    assert bitmap.to_numbers(a | b).tolist() == sorted(first | second)
    assert bitmap.count(a & ~b) == len(first - second)


def test_contains_asks_one_plane() -> None:
    plane = bitmap.from_numbers(np.array([0, 7, 8, 65_535]), 1)[0]
    asked = np.array([0, 1, 7, 8, 9, 65_534, 65_535], np.uint16)
    assert bitmap.contains(plane, asked).tolist() == [True, False, True, True, False, False, True]


@pytest.mark.parametrize(("people", "batches"), [(0, 1), (1, 1), (65_536, 1), (65_537, 2), (1_000_000, 16)])
def test_batches_for(people: int, batches: int) -> None:
    assert bitmap.batches_for(people) == batches
    assert bitmap.count(bitmap.nobody(batches)) == 0


@given(st.lists(st.sampled_from(BOUNDARY_SIZES[:5]), max_size=6))
def test_sets_encoded_together_are_those_encoded_one_by_one(sizes: list[int]) -> None:
    sets = [np.array(spread(size), np.uint16) for size in sizes]
    members = np.concatenate([np.zeros(0, np.uint16), *sets])
    stored, at = bitmap.encode_sets(members, np.cumsum([0, *sizes]))
    assert [stored[a:b] for a, b in pairwise(at.tolist())] == [bitmap.encode(each) for each in sets]
    assert at[-1] == len(stored)


@given(st.lists(st.integers(-5, 5)))
def test_distinct_numbers_are_sorted_and_stand_once(numbers: list[int]) -> None:
    assert bitmap.distinct(np.array(numbers, np.int64)).tolist() == sorted(set(numbers))
