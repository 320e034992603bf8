# SPDX-License-Identifier: Apache-2.0
"""A node believes one hub, follows it to new keys and addresses, and nobody else."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.signatures import verify
from megagenome.network.joined_hub import JoinedHub, follow, joined_hub, leave, note_answer, pin
from megagenome.standards.descriptor import meet
from tests.network.joining import Server, server


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path, "hub") as opened:
        yield opened


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path, "node.fi", "FI") as opened:
        yield opened


def join(node: Server, hub: Server) -> None:
    token = hub.described()
    with node.write() as connection:
        pin(connection, meet(token), token)


def known(node: Server) -> JoinedHub | None:
    with node.engine.connect() as connection:
        return joined_hub(connection)


def test_joining_again_keeps_how_far_the_news_were_taken(hub: Server, node: Server) -> None:
    assert known(node) is None
    join(node, hub)
    heard = datetime(2026, 11, 2, tzinfo=UTC)
    with node.write() as connection:
        note_answer(connection, 9, heard)
    hub.replace_key()
    join(node, hub)
    found = known(node)
    assert found
    assert (found.id, found.sequence, found.heard) == ("hub", 9, heard)
    assert hub.keys.kid in found.keys


def test_another_hub_or_another_key_is_refused(hub: Server, node: Server, tmp_path: Path) -> None:
    join(node, hub)
    with server(tmp_path / "a", "other") as other, server(tmp_path / "b", "hub") as twin:
        for stranger in (other, twin):
            with pytest.raises(Conflict, match="node leave"):
                join(node, stranger)
        with node.write() as connection:
            assert leave(connection) == "hub"
        join(node, twin)


def test_leaving_twice(node: Server) -> None:
    with node.write() as connection, pytest.raises(NotFound):
        leave(connection)


def test_a_newer_descriptor_is_followed_and_an_older_or_foreign_one_is_not(
    hub: Server, node: Server, tmp_path: Path
) -> None:
    join(node, hub)
    before, old = known(node), hub.described(url="https://old.example")
    assert before
    hub.replace_key()
    hub.url = "https://moved.example"
    with node.write() as connection:
        after = follow(connection, before, hub.described())
    assert (after.url, known(node)) != (before.url, before)
    assert verify(hub.keys.sign({"a": 1}, "x"), after.keys, "x") == {"a": 1}
    thief = SigningKeys.open(tmp_path / "thief")
    for token in (old, hub.described(thief), hub.described(id="else"), hub.described(url="http://plain.example"), "x"):
        with node.write() as connection:
            assert follow(connection, after, token) is after
