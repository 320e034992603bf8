# SPDX-License-Identifier: Apache-2.0
"""Environments of permits: registered once, ended for ever."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.collection.collection import Collection
from megagenome.collection.environments import end_environment, read_environments, register_environment
from megagenome.collection.permits import store_permit
from megagenome.kernel.errors import Conflict, Invalid, NotFound
from megagenome.kernel.ids import PermitId
from tests.collection import clocks

ONE, KEY, OTHER = PermitId("permit-1"), b"k" * 32, b"o" * 32


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    collection = Collection.create(tmp_path / "node", lambda _: None)
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(ONE))
        yield connection
    collection.close()


def test_what_is_registered_is_told_until_it_ends(connection: sa.Connection) -> None:
    register_environment(connection, ONE, KEY, "the workspace", "operator")
    register_environment(connection, ONE, OTHER, "another", "operator")
    register_environment(connection, ONE, KEY, "the workspace", "somebody else")
    found = {each.public_key: each for each in read_environments(connection, ONE)}
    assert {key: each.name for key, each in found.items()} == {KEY.hex(): "the workspace", OTHER.hex(): "another"}
    assert found[KEY.hex()].by == "operator"
    end_environment(connection, ONE, KEY)
    end_environment(connection, ONE, KEY)
    assert [each.public_key for each in read_environments(connection, ONE) if each.ended] == [KEY.hex()]
    with pytest.raises(Conflict, match="was ended"):
        register_environment(connection, ONE, KEY, "the workspace", "operator")


@pytest.mark.parametrize(
    ("permit", "key", "name", "error"),
    [
        ("permit-9", KEY, "x", NotFound),
        (ONE, b"short", "x", Invalid),
        (ONE, KEY, " ", Invalid),
        (ONE, KEY, "two\nlines", Invalid),
        (ONE, KEY, "x" * 201, Invalid),
    ],
)
def test_what_is_none_is_refused(
    connection: sa.Connection, permit: str, key: bytes, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        register_environment(connection, PermitId(permit), key, name, "operator")
    assert read_environments(connection, PermitId(permit)) == ()


def test_a_key_has_one_name_and_only_what_is_there_ends(connection: sa.Connection) -> None:
    register_environment(connection, ONE, KEY, "the workspace", "operator")
    with pytest.raises(Conflict, match="registered as 'the workspace'"):
        register_environment(connection, ONE, KEY, "another", "operator")
    with pytest.raises(NotFound):
        end_environment(connection, ONE, OTHER)
