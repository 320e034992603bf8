# SPDX-License-Identifier: Apache-2.0
"""Keys and addresses of nodes that joined are followed as they change, and by nobody's word but their own."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import NotFound
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.signatures import verify
from megagenome.network.invitations import take_up
from megagenome.network.joined_nodes import (
    JoinedNode,
    find_joined,
    follow,
    joined_nodes,
    note_message,
    remove,
    with_joined,
)
from megagenome.network.settings import Node
from tests.network.joining import Server, invited, request, server

NOW = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path, "hub") as opened:
        yield opened


@pytest.fixture
def node(hub: Server, tmp_path: Path) -> Iterator[Server]:
    """Finland's, which joined."""
    with server(tmp_path, "node.fi", "FI") as opened:
        invitation = invited(hub)
        with begin_writing(hub.engine) as connection:
            take_up(connection, request(invitation, opened.described()), hub.id, ())
        yield opened


def known(hub: Server) -> JoinedNode:
    with hub.engine.connect() as connection:
        found = find_joined(connection, "node.fi")
    assert found
    return found


def followed(hub: Server, token: str) -> JoinedNode:
    with hub.write() as connection:
        return follow(connection, known(hub), token)


def test_a_new_key_is_followed_and_the_old_one_believed_on(hub: Server, node: Server) -> None:
    old = node.keys.sign({"a": 1}, "x")
    node.replace_key()
    node.replace_key()
    after = followed(hub, node.described())
    assert after.node == known(hub).node
    for keys in (after.keys, known(hub).keys):
        assert verify(node.keys.sign({"a": 2}, "x"), keys, "x") == {"a": 2}
        assert verify(old, keys, "x") == {"a": 1}


def test_a_new_address_is_followed(hub: Server, node: Server) -> None:
    node.url = "https://moved.example/fi"
    assert followed(hub, node.described()).node.beacon_url == "https://moved.example/fi/beacon/v2"
    assert known(hub).node.url == "https://moved.example/fi"


def test_what_is_not_its_own_newer_word_is_not_followed(hub: Server, node: Server, tmp_path: Path) -> None:
    earlier = node.described(name="earlier")
    before = followed(hub, node.described())
    stranger = SigningKeys.open(tmp_path / "stranger")
    for token in (
        earlier,
        node.described(stranger, url="https://evil.example"),
        node.described(id="node.se"),
        node.described(country="EE"),
        node.described(url="http://plain.example"),
        "nonsense",
        "",
        "x" * 200_000,
    ):
        assert followed(hub, token).descriptor == before.descriptor
        assert known(hub).node == before.node


def test_a_descriptor_of_a_time_to_come_holds_up_no_other(
    hub: Server, node: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, years = known(hub), timedelta(days=3650)
    ahead = int((clock.now() + years).timestamp())
    assert followed(hub, node.described(iat=ahead)) == before
    with monkeypatch.context() as patched:
        then = clock.now() + years
        patched.setattr(clock, "now", lambda: then)
        assert followed(hub, node.described(iat=ahead)) != before  # both clocks are ahead
    node.replace_key()
    after = followed(hub, node.described())
    assert verify(node.keys.sign({"a": 2}, "x"), after.keys, "x") == {"a": 2}


def test_an_address_that_another_has_is_not_followed(hub: Server, node: Server, tmp_path: Path) -> None:
    with server(tmp_path, "node.ee", "EE") as other:
        invitation = invited(hub, "EE")
        with begin_writing(hub.engine) as connection:
            take_up(connection, request(invitation, other.described()), hub.id, ())
    node.url = "https://node.ee.example"
    assert followed(hub, node.described()).node.url == "https://node.fi.example"


def test_messages_count_once_each_in_their_order(hub: Server, node: Server) -> None:
    with hub.write() as connection:
        assert note_message(connection, "node.fi", NOW)
        assert not note_message(connection, "node.fi", NOW)
        assert not note_message(connection, "node.fi", NOW - timedelta(seconds=1))
        assert note_message(connection, "node.fi", NOW + timedelta(microseconds=1))
        assert not note_message(connection, "node.xx", NOW)
    assert known(hub).heard


def test_clocks_that_were_ahead_together_leave_nobody_deaf(
    hub: Server, node: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    years = timedelta(days=3650)
    for now in (NOW, NOW + years, NOW):
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        with hub.write() as connection:
            assert note_message(connection, "node.fi", now + timedelta(seconds=1 + (now is NOW)))
            assert not note_message(connection, "node.fi", now + timedelta(seconds=1))


def test_who_was_removed_is_no_longer_known(hub: Server, node: Server) -> None:
    with hub.write() as connection:
        remove(connection, "node.fi")
        assert joined_nodes(connection) == ()
        assert find_joined(connection, "node.fi") is None
        assert not note_message(connection, "node.fi", NOW)
        with pytest.raises(NotFound, match=r"hub\.toml"):
            remove(connection, "node.fi")


def test_a_node_that_joined_takes_the_place_of_one_in_the_settings() -> None:
    listed = (Node("a", "https://a"), Node("b", "https://b"), Node("c", "https://c"))
    joined = (Node("a", "https://elsewhere"), Node("x", "https://B"))
    assert [node.url for node in with_joined(listed, joined)] == ["https://c", "https://elsewhere", "https://B"]
    assert with_joined(listed, ()) == listed
