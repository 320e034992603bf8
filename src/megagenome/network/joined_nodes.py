# SPDX-License-Identifier: Apache-2.0
"""The nodes that joined a hub: their addresses, and the keys by which the hub believes them.

A node's descriptor says where it is and by which keys it signs; a newer one is followed when a key that is believed
signed it, or one that such a key named as its successor. Its id and its country never change.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.errors import Corrupt, Invalid, NotFound, TooLarge
from megagenome.kernel.keys import successors
from megagenome.kernel.public_keys import PublicKeys
from megagenome.network import tables as t
from megagenome.network.settings import Node
from megagenome.network.stamps import is_new, read_keys, stamp, write_keys
from megagenome.standards.descriptor import Descriptor, is_newer, read_descriptor
from megagenome.standards.joining import require_private

Joined = Callable[[], Sequence[Node]]
"""The nodes that belong to the network now."""


def none_joined() -> Sequence[Node]:
    """Of a network whose nodes all stand in its settings."""
    return ()


class JoinedNode(NamedTuple):
    """A node that joined. `descriptor` is its newest, `heard` when it last sent a message ("" never)."""

    node: Node
    keys: PublicKeys
    descriptor: str
    joined: str
    heard: str


def joined_nodes(connection: sa.Connection) -> tuple[JoinedNode, ...]:
    """All nodes that belong to the network now, by id."""
    present = sa.select(t.joined_node).where(t.joined_node.c.removed.is_(None)).order_by(t.joined_node.c.id)
    return tuple(map(_joined, connection.execute(present)))


def with_joined(listed: Sequence[Node], joined: Sequence[Node]) -> tuple[Node, ...]:
    """Whom the hub asks: the nodes of its settings and those that joined, which take the place of one with their id or
    their address, because a node asked twice would be counted twice."""
    taken = {key for node in joined for key in (node.id, node.beacon_url.lower())}
    return (*(node for node in listed if taken.isdisjoint((node.id, node.beacon_url.lower()))), *joined)


def find_joined(connection: sa.Connection, node: str) -> JoinedNode | None:
    """A node that belongs to the network now; None for every other."""
    which = (t.joined_node.c.id == node) & t.joined_node.c.removed.is_(None)
    row = connection.execute(sa.select(t.joined_node).where(which)).one_or_none()
    return None if row is None else _joined(row)


def add_joined(connection: sa.Connection, described: Descriptor, token: str, now: datetime) -> JoinedNode:
    """Let a node in whose invitation was checked; it takes the place of one that was removed."""
    node = as_node(described)
    connection.execute(sa.delete(t.joined_node).where(t.joined_node.c.id == node.id))
    row = _row(described, token, described.key_set())
    connection.execute(sa.insert(t.joined_node).values(**row, id=node.id, joined=stamp(now), sent=""))
    return JoinedNode(node, described.key_set(), token, stamp(now), "")


def remove(connection: sa.Connection, node: str) -> None:
    """End a node's membership: it is asked no more, and believed no more. Raises `NotFound`."""
    which = (t.joined_node.c.id == node) & t.joined_node.c.removed.is_(None)
    removed = connection.execute(sa.update(t.joined_node).where(which).values(removed=stamp(clock.now())))
    if not removed.rowcount:
        raise NotFound(f"{node[:100]!r} has not joined: `hub nodes` lists who did; others stand in hub.toml")


def is_same(known: JoinedNode, token: str) -> bool:
    """Whether a descriptor is of the very node that joined: signed by a key that is believed, or its successor."""
    return _followed(known, token) is not None


def follow(connection: sa.Connection, known: JoinedNode, token: str) -> JoinedNode:
    """The node by a newer descriptor of its own, which is kept; `known` where there is nothing newer to believe.

    Keys that were believed stay so: messages that they signed may still be on their way.
    """
    described = None if token == known.descriptor else _followed(known, token)
    if described is None or not is_newer(described, known.descriptor, clock.now()) or _is_taken(connection, described):
        return known
    keys = successors(known.keys, described.successors)
    which = t.joined_node.c.id == described.id
    connection.execute(sa.update(t.joined_node).where(which).values(_row(described, token, keys)))
    return known._replace(node=as_node(described), keys=keys, descriptor=token)


def note_message(connection: sa.Connection, node: str, sent_at: datetime) -> bool:
    """Note a node's message; False where it is not new (`stamps.is_new`), or the node is not of the network."""
    row = t.joined_node.c
    which = (row.id == node) & row.removed.is_(None) & is_new(row.sent, sent_at)
    noted = sa.update(t.joined_node).where(which).values(sent=stamp(sent_at), heard=stamp(clock.now()))
    return connection.execute(noted).rowcount == 1


def as_node(described: Descriptor) -> Node:
    """The node as the hub asks it. Raises `Invalid` where its address cannot be asked."""
    beacon = next((s.url for s in described.services if s.type.artifact == "beacon"), "")
    path = beacon.removeprefix(described.url) if beacon.startswith(described.url + "/") else "/beacon/v2"
    try:
        return Node(described.id, described.url, described.name, described.country, path)
    except ValueError as error:
        raise Invalid(f"the node's descriptor: {error}") from None


def _followed(known: JoinedNode, token: str) -> Descriptor | None:
    try:
        described = read_descriptor(token, known.keys)
        require_private(described.url)
        as_node(described)
    except (Corrupt, TooLarge, Invalid):
        return None
    is_same = (described.kind, described.id, described.country) == ("node", known.node.id, known.node.country)
    return described if is_same else None


def _is_taken(connection: sa.Connection, described: Descriptor) -> bool:
    others = [each.node for each in joined_nodes(connection) if each.node.id != described.id]
    return any(each.beacon_url.lower() == as_node(described).beacon_url.lower() for each in others)


def _row(described: Descriptor, token: str, keys: PublicKeys) -> dict[str, str]:
    node = as_node(described)
    return {
        "country": node.country,
        "name": node.name,
        "url": node.url,
        "beacon_path": node.beacon_path,
        "descriptor": token,
        "key_set": write_keys(keys),
    }


def _joined(row: sa.Row[tuple[object, ...]]) -> JoinedNode:
    node = Node(row.id, row.url, row.name, row.country, row.beacon_path)
    return JoinedNode(node, read_keys(row.key_set), row.descriptor, row.joined, row.heard or "")
