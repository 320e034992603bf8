# SPDX-License-Identifier: Apache-2.0
"""Stored sets of members against Python sets."""

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection import bitmap
from megagenome.collection.members import (
    SetKind,
    add_members,
    read_all,
    read_each,
    read_keys,
    read_members,
    read_union,
    replace_members,
)
from megagenome.collection.tables import member_set
from tests.collection.memory import empty_tables

BATCHES = 3
NUMBERS = st.sets(st.integers(0, BATCHES * bitmap.BATCH - 1), max_size=20)


def numbers(members: set[int] | range) -> bitmap.Numbers:
    return np.array(list(members), np.int64)


def read(connection: sa.Connection, kind: SetKind, key: str) -> set[int]:
    return set(bitmap.to_numbers(read_members(connection, kind, key, BATCHES)).tolist())


@given(st.lists(st.tuples(st.sampled_from([SetKind.OBSERVED, SetKind.FOLDED]), st.sampled_from("ab"), NUMBERS)))
def test_added_members_are_united(steps: list[tuple[SetKind, str, set[int]]]) -> None:
    expected: dict[tuple[SetKind, str], set[int]] = {}
    with empty_tables() as connection:
        for kind, key, members in steps:
            add_members(connection, kind, [(key, numbers(members))])
            expected.setdefault((kind, key), set()).update(members)
        for (kind, key), members in expected.items():
            assert read(connection, kind, key) == members


@pytest.mark.parametrize("size", [0, 4_095, 4_096, 65_536, 65_537, 2 * 65_536])
def test_sizes_where_the_form_changes(connection: sa.Connection, size: int) -> None:
    add_members(connection, SetKind.DATASET, [("D", numbers(range(size)))])
    assert read(connection, SetKind.DATASET, "D") == set(range(size))
    rows = connection.execute(sa.select(member_set.c.batch, member_set.c.members)).all()
    assert {row.batch: len(row.members) for row in rows} == {
        batch: min(8_192, 2 * (min(size, (batch + 1) * 65_536) - batch * 65_536)) for batch in range(-(-size // 65_536))
    }


def test_a_set_that_grows_past_the_limit_becomes_a_plane(connection: sa.Connection) -> None:
    add_members(connection, SetKind.SEX, [("male", numbers(range(0, 8_190, 2)))])
    add_members(connection, SetKind.SEX, [("male", numbers({8_190, 0}))])
    assert read(connection, SetKind.SEX, "male") == set(range(0, 8_192, 2))
    assert [len(row) for row in connection.scalars(sa.select(member_set.c.members))] == [8_192]


def test_more_keys_than_are_read_at_once(connection: sa.Connection) -> None:
    add_members(connection, SetKind.FOLDED, ((f"T{i}", numbers({i})) for i in range(250)))
    add_members(connection, SetKind.FOLDED, ((f"T{i}", numbers({i + 70_000})) for i in range(249, -1, -1)))
    assert all(read(connection, SetKind.FOLDED, f"T{i}") == {i, i + 70_000} for i in range(250))


def test_union_and_keys(connection: sa.Connection) -> None:
    add_members(connection, SetKind.EXCLUDED, [("b", numbers({1, 70_000})), ("a", numbers({2})), ("c", numbers({3}))])
    add_members(connection, SetKind.OBSERVED, [("a", numbers({9}))])
    union = read_union(connection, SetKind.EXCLUDED, ("a", "b", "absent"), BATCHES)
    assert bitmap.to_numbers(union).tolist() == [1, 2, 70_000]
    assert bitmap.count(read_union(connection, SetKind.EXCLUDED, (), BATCHES)) == 0
    assert read_keys(connection, SetKind.EXCLUDED) == ("a", "b", "c")
    assert read_keys(connection, SetKind.COUNTRY) == ()


def test_several_sets_and_all_of_a_kind_as_each_is_by_itself(connection: sa.Connection) -> None:
    stored = {"b": {1, 70_000}, "a": {2}, "c": {140_000}}
    add_members(connection, SetKind.EXCLUDED, [(key, numbers(members)) for key, members in stored.items()])
    add_members(connection, SetKind.OBSERVED, [("a", numbers({9}))])
    each = read_each(connection, SetKind.EXCLUDED, ("c", "b", "absent"), 2)
    found = {key: bitmap.to_numbers(planes).tolist() for key, planes in each.items()}
    assert found == {"c": [], "b": [1, 70_000], "absent": []}
    every = [(key, bitmap.to_numbers(planes).tolist()) for key, planes in read_all(connection, SetKind.EXCLUDED, 3)]
    assert every == [("a", [2]), ("b", [1, 70_000]), ("c", [140_000])]


def test_sets_that_have_them_already_are_not_written(connection: sa.Connection) -> None:
    add_members(connection, SetKind.SEX, [("male", numbers({1, 70_000}))])
    writes: list[str] = []
    sa.event.listen(connection, "before_cursor_execute", lambda *call: writes.append(call[2]))
    add_members(connection, SetKind.SEX, [("male", numbers({70_000, 1})), ("female", numbers(set()))])
    same = bitmap.from_numbers(numbers({1, 70_000}), BATCHES)
    replace_members(connection, SetKind.SEX, {"male": same, "female": bitmap.nobody(BATCHES)})
    assert [statement for statement in writes if not statement.startswith("SELECT")] == []


def test_replaced_members_are_exactly_the_new_ones(connection: sa.Connection) -> None:
    add_members(connection, SetKind.CONSENT, [("research", numbers({1, 2, 70_000}))])
    replace_members(connection, SetKind.CONSENT, {"research": bitmap.from_numbers(numbers({2, 140_000}), BATCHES)})
    assert read(connection, SetKind.CONSENT, "research") == {2, 140_000}
    replace_members(connection, SetKind.CONSENT, {"research": bitmap.nobody(BATCHES)})
    assert connection.scalar(sa.select(sa.func.count()).select_from(member_set)) == 0
