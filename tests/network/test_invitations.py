# SPDX-License-Identifier: Apache-2.0
"""An invitation lets one node in, once, of one country, until it ends; and what is kept of it lets nobody in."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Invalid, MegagenomeError, NotEntitled, NotFound
from megagenome.kernel.keys import SigningKeys
from megagenome.network import tables as t
from megagenome.network.invitations import cancel, list_invitations, take_up
from megagenome.network.joined_nodes import JoinedNode, joined_nodes, remove
from megagenome.network.settings import Node
from megagenome.standards.joining import Invitation
from tests.network.joining import Server, invited, joined_ids, request, rows, server

LISTED = (Node("org.foreign", "https://foreign.example"),)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path, "hub") as opened:
        yield opened


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path, "node.fi", "FI") as opened:
        yield opened


def join(hub: Server, invitation: Invitation, descriptor: str) -> JoinedNode:
    with begin_writing(hub.engine) as connection:
        return take_up(connection, request(invitation, descriptor), hub.id, LISTED)


def members(hub: Server) -> list[str]:
    with hub.engine.connect() as connection:
        return joined_ids(joined_nodes(connection))


def state(hub: Server) -> list[str]:
    with hub.engine.connect() as connection:
        return [each.state for each in list_invitations(connection)]


def test_a_node_joins_by_its_invitation(hub: Server, node: Server) -> None:
    joined = join(hub, invited(hub), node.described())
    assert joined.node == Node("node.fi", "https://node.fi.example", "node.fi itself", "FI", "/beacon/v2")
    assert list(joined.keys) == [node.keys.kid]
    assert (members(hub), state(hub)) == (["node.fi"], ["used"])


def test_nothing_that_is_kept_lets_anybody_in(hub: Server) -> None:
    invitation = invited(hub)
    [row] = rows(hub.engine, t.invitation)
    assert invitation.secret not in str(row)
    with hub.engine.connect() as connection:
        assert invitation.secret not in str(list_invitations(connection))
    assert invitation.secret not in repr(invitation)


def test_the_same_node_may_repeat_itself_and_nobody_else(hub: Server, node: Server, tmp_path: Path) -> None:
    invitation = invited(hub)
    first = join(hub, invitation, node.described())
    assert join(hub, invitation, node.described()).node == first.node
    node.replace_key()
    assert join(hub, invitation, node.described()).node == first.node
    with server(tmp_path, "node.other", "FI") as other, pytest.raises(NotEntitled):
        join(hub, invitation, other.described())
    with server(tmp_path / "forged", "node.fi", "FI") as forged, pytest.raises(NotEntitled):
        join(hub, invitation, forged.described())
    assert members(hub) == ["node.fi"]


def test_repeating_works_after_the_invitation_ended_and_not_after_the_node_was_removed(
    hub: Server, node: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation, later = invited(hub), clock.now() + timedelta(days=8)
    join(hub, invitation, node.described())
    monkeypatch.setattr(clock, "now", lambda: later)
    join(hub, invitation, node.described())
    with hub.write() as connection:
        remove(connection, "node.fi")
    with pytest.raises(NotEntitled):
        join(hub, invitation, node.described())


def test_unknown_cancelled_expired_and_used_look_alike(
    hub: Server, node: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown, cancelled, used, expired = (
        Invitation("https://hub.example", "x" * 43, "y" * 43),
        *map(invited, [hub] * 3),
    )
    with hub.engine.connect() as connection:
        ids = {row.secret_sha256: row.id for row in rows(hub.engine, t.invitation)}
    with hub.write() as connection:
        cancel(connection, ids[_digest(cancelled)])
        cancel(connection, ids[_digest(cancelled)])
    join(hub, used, node.described())
    with pytest.raises(Conflict), hub.write() as connection:
        cancel(connection, ids[_digest(used)])
    says = []
    later = clock.now() + timedelta(days=7, seconds=1)
    with server(tmp_path, "node.b", "FI") as other:
        for each in (unknown, cancelled, used, expired):
            if each is expired:
                monkeypatch.setattr(clock, "now", lambda: later)
            with pytest.raises(NotEntitled) as refused:
                join(hub, each, other.described())
            says.append(str(refused.value))
    assert len(set(says)) == 1
    assert sorted(state(hub)) == ["cancelled", "expired", "used"]
    with pytest.raises(NotFound), hub.write() as connection:
        cancel(connection, "none")


def _digest(invitation: Invitation) -> str:
    return hashlib.sha256(invitation.secret.encode()).hexdigest()


@pytest.mark.parametrize(
    ("other", "refused"),
    [
        ({"country": "EE"}, Invalid),
        ({"kind": "hub", "country": ""}, Invalid),
        ({"id": "hub"}, Invalid),
        ({"id": "org.foreign"}, Conflict),
        ({"url": "https://foreign.example"}, Conflict),
        ({"url": "http://node.fi.example"}, Invalid),
        ({"url": "https://user@node.fi.example"}, Invalid),
        ({"url": "https://node.fi.example/?x=1"}, Invalid),
    ],
)
def test_who_does_not_fit_changes_nothing(
    hub: Server, node: Server, other: dict[str, Any], refused: type[MegagenomeError]
) -> None:
    invitation = invited(hub)
    with pytest.raises(refused):
        join(hub, invitation, node.described(**other))
    assert (members(hub), state(hub)) == ([], ["open"])
    join(hub, invitation, node.described())


def test_an_id_is_not_taken_by_another_key(hub: Server, node: Server, tmp_path: Path) -> None:
    join(hub, invited(hub), node.described())
    with server(tmp_path / "forged", "node.fi", "FI") as forged:
        with pytest.raises(Conflict):
            join(hub, invited(hub), forged.described())
        with hub.write() as connection:
            remove(connection, "node.fi")
        # its operator removed the first and invited anew: that is another decision
        assert list(join(hub, invited(hub), forged.described()).keys) == [forged.keys.kid]


def test_naming_the_true_key_beside_ones_own_is_not_enough(hub: Server, node: Server, tmp_path: Path) -> None:
    """A descriptor that lists the victim's public key first and is signed by the thief's own."""
    join(hub, invited(hub), node.described())
    thief = SigningKeys.open(tmp_path / "thief")

    class Both(SigningKeys):
        def jwks(self) -> dict[str, list[dict[str, str]]]:
            return {"keys": [*node.keys.jwks()["keys"], *super().jwks()["keys"]]}

    both = Both(thief._private)
    used = invited(hub)
    with pytest.raises(Conflict):
        join(hub, used, node.described(both))


def test_the_same_address_is_not_asked_twice(hub: Server, node: Server, tmp_path: Path) -> None:
    join(hub, invited(hub), node.described())
    with server(tmp_path, "node.twin", "FI", "https://node.fi.example") as twin, pytest.raises(Conflict):
        join(hub, invited(hub), twin.described())


def test_a_descriptor_that_nobody_signed(hub: Server, node: Server) -> None:
    token = node.described()
    for broken in ("", "x", "a.b.c", token[:-4] + "AAAA", token.replace(".", "", 1)):
        with pytest.raises(Invalid):
            join(hub, invited(hub), broken)


@pytest.mark.parametrize("days", [0, -1, 91])
def test_days_within_reason(hub: Server, days: int) -> None:
    with pytest.raises(Invalid):
        invited(hub, days=days)


def test_two_at_once_with_one_invitation(hub: Server, tmp_path: Path) -> None:
    invitation, came = invited(hub), []

    def come(number: int) -> None:
        with server(tmp_path, f"node.{number}", "FI") as one:
            try:
                came.append(join(hub, invitation, one.described()).node.id)
            except NotEntitled:
                came.append("")

    threads = [threading.Thread(target=come, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came)[:3] == ["", "", ""]
    assert members(hub) == [max(came)]
