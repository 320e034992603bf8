# SPDX-License-Identifier: Apache-2.0
"""Sums over stored sets, in C and in NumPy, against Python's own sets."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection import bitmap, set_sums
from megagenome.collection.set_sums import (
    StoredSets,
    Table,
    add_to_members,
    count_within,
    empty_table,
    members_of,
    sums,
)
from megagenome.kernel.errors import Corrupt

COLUMNS = 11


@pytest.fixture(scope="module", params=["native", "numpy"])
def loops(request: pytest.FixtureRequest) -> object:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "numpy":
            patch.setattr(set_sums, "library", lambda: None)
        elif set_sums.library() is None:
            pytest.skip("the loops in C were not built")
        yield


def stored(sets: Sequence[np.ndarray]) -> StoredSets:
    """Sets as in a pack: not at its beginning, and with a gap."""
    parts = [bitmap.encode(members) for members in sets]
    ends = 16 + np.cumsum([len(part) for part in parts], dtype=np.int64)
    begins = ends - [len(part) for part in parts]
    return StoredSets(np.frombuffer(bytes(16) + b"".join(parts) + bytes(8), np.uint8), begins, ends)


@st.composite
def many_sets(draw: st.DrawFn) -> tuple[int, list[np.ndarray]]:
    """How many people there are, and sets of them: none, few, and so many that they are planes."""
    people = draw(st.sampled_from([10, 5_000, 20_001, bitmap.BATCH]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    sizes = draw(st.lists(st.sampled_from([0, 1, 7, 4_095, 4_096, 19_000, bitmap.BATCH]), max_size=6))
    return people, [np.sort(random.permutation(people)[:size]).astype(np.uint16) for size in sizes]


def table_of(people: int) -> Table:
    table = Table(empty_table(bitmap.BATCH, COLUMNS), people)
    table.rows[:people] = np.random.default_rng(1).integers(-9, 10, (people, table.rows.shape[1]))
    return table


def apart(sets: StoredSets, least: int) -> list[tuple[np.ndarray, StoredSets]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(set_sums, "_LEAST_PLANES", least)
        return list(sets.apart())


@given(case=many_sets(), least=st.sampled_from([1, 64]))
def test_sums_are_those_of_the_members(loops: None, case: tuple[int, list[np.ndarray]], least: int) -> None:
    people, sets = case
    table = table_of(people)
    found = np.full((len(sets), table.rows.shape[1]), np.nan)
    for which, some in apart(stored(sets), least):
        found[which] = sums(some, table)
    for k, members in enumerate(sets):
        assert found[k].tolist() == table.rows[members].sum(axis=0).tolist()  # small integers: exact in any order


@given(case=many_sets(), least=st.sampled_from([1, 64]))
def test_rows_are_added_to_the_members(loops: None, case: tuple[int, list[np.ndarray]], least: int) -> None:
    people, sets = case
    table = table_of(people)
    expected = table.rows[:people].copy()
    rows = empty_table(len(sets), COLUMNS)
    rows[:] = np.random.default_rng(2).integers(-9, 10, rows.shape)
    for members, row in zip(sets, rows, strict=True):
        expected[members] += row
    for which, some in apart(stored(sets), least):
        add_to_members(some, np.ascontiguousarray(rows[which]), table)
    np.testing.assert_array_equal(table.rows[:people], expected)


@given(case=many_sets())
def test_members_are_counted_within_a_plane(loops: None, case: tuple[int, list[np.ndarray]]) -> None:
    people, sets = case
    some = {number for number in range(people) if number % 3 != 1}
    plane = bitmap.from_numbers(np.array(sorted(some)), 1)[0]
    assert count_within(stored(sets), plane).tolist() == [len(some & set(members.tolist())) for members in sets]
    of, members = members_of(stored(sets))
    assert of.tolist() == [k for k, each in enumerate(sets) for _ in each]
    assert members.tolist() == [member for each in sets for member in each.tolist()]


BROKEN = {
    "before the beginning": (-2, 8),
    "beyond the end": (8_200, 8_210),
    "backwards": (8, 4),
    "an odd number of bytes": (0, 3),
    "longer than a plane": (0, bitmap.PLANE_BYTES + 2),
    "overflowing": (2**63 - 1, -(2**63)),
}


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("ask", ["sums", "add", "count"])
def test_what_is_no_set_is_refused(loops: None, broken: str, ask: str, planes: bool) -> None:
    begin, end = BROKEN[broken]
    whole = (0, bitmap.PLANE_BYTES)
    begins, ends = (np.array(each, np.int64) for each in zip(whole, (begin, end), strict=True))
    sets = StoredSets(np.zeros(8_208, np.uint8), begins, ends, planes)
    table = table_of(100)
    acts: dict[str, Callable[[], object]] = {
        "sums": lambda: sums(sets, table),
        "add": lambda: add_to_members(sets, np.zeros((2, table.rows.shape[1])), table),
        "count": lambda: count_within(sets, np.zeros(bitmap.PLANE_BYTES, np.uint8)),
    }
    with pytest.raises(Corrupt, match="set 1 "):
        acts[ask]()


def test_rows_of_a_wrong_shape_never_reach_the_loops() -> None:
    sets = stored([np.arange(3, dtype=np.uint16)])
    with pytest.raises(ValueError, match="shape"):
        add_to_members(sets, np.zeros((1, 3)), table_of(10))


def test_rows_begin_where_lines_of_the_cache_do() -> None:
    for columns in (1, 8, 20):
        table = empty_table(7, columns)
        assert table.shape == (7, -(-columns // 8) * 8)
        assert table.ctypes.data % 64 == 0
