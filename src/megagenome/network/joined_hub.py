# SPDX-License-Identifier: Apache-2.0
"""The hub that a node joined: its address, the keys by which the node believes it, and when it last answered."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NotFound, TooLarge
from megagenome.kernel.keys import successors
from megagenome.kernel.public_keys import PublicKeys
from megagenome.network import tables as t
from megagenome.network.stamps import read_keys, stamp, write_keys
from megagenome.standards.descriptor import Descriptor, is_newer, read_descriptor
from megagenome.standards.joining import require_private


class JoinedHub(NamedTuple):
    """The hub. `sequence` is that of the newest news that was taken, `heard` when it last answered (None never)."""

    id: str
    name: str
    url: str
    keys: PublicKeys
    descriptor: str
    sequence: int
    heard: datetime | None


def joined_hub(connection: sa.Connection) -> JoinedHub | None:
    """The hub that this node joined; None where it joined none."""
    row = connection.execute(sa.select(t.joined_hub)).one_or_none()
    if row is None:
        return None
    heard = datetime.fromisoformat(row.heard) if row.heard else None
    return JoinedHub(row.id, row.name, row.url, read_keys(row.key_set), row.descriptor, row.sequence, heard)


def require_free(connection: sa.Connection, token: str, hub: Descriptor) -> None:
    """Raise `Conflict` where this node belongs to another hub than the one of this descriptor, or of another key."""
    known = joined_hub(connection)
    if known is None:
        return
    try:
        is_known = read_descriptor(token, known.keys).id == known.id
    except Corrupt:
        is_known = False
    if not is_known:
        raise Conflict(
            f"this node belongs to the network of {known.id}, and {hub.id} at {hub.url} has another key: "
            "`megagenome node leave` first"
        )


def pin(connection: sa.Connection, described: Descriptor, token: str) -> None:
    """Believe this hub from now on. Idempotent for the same hub. Raises `Conflict` where the node joined another."""
    require_free(connection, token, described)
    row = _row(described, token, described.key_set())
    if not connection.execute(sa.update(t.joined_hub).values(row)).rowcount:
        new = {**row, "only": 1, "id": described.id, "joined": stamp(clock.now()), "sequence": 0}
        connection.execute(sa.insert(t.joined_hub).values(new))


def leave(connection: sa.Connection) -> str:
    """Believe the hub no more; its id. Permits that it proposed work here no longer. Raises `NotFound`."""
    known = joined_hub(connection)
    if known is None:
        raise NotFound("this node has joined no network")
    connection.execute(sa.delete(t.joined_hub))
    return known.id


def follow(connection: sa.Connection, known: JoinedHub, token: str) -> JoinedHub:
    """The hub by a newer descriptor of its own, which is kept; `known` where there is nothing newer to believe."""
    if token == known.descriptor:
        return known
    try:
        described = read_descriptor(token, known.keys)
        require_private(described.url)
    except (Corrupt, TooLarge, Invalid):
        return known
    if (described.kind, described.id) != ("hub", known.id) or not is_newer(described, known.descriptor, clock.now()):
        return known
    keys = successors(known.keys, described.successors)
    connection.execute(sa.update(t.joined_hub).values(_row(described, token, keys)))
    return known._replace(name=described.name, url=described.url, descriptor=token, keys=keys)


def note_answer(connection: sa.Connection, sequence: int, heard: datetime) -> None:
    """Note that the hub answered, and up to where its news were taken."""
    connection.execute(sa.update(t.joined_hub).values(sequence=sequence, heard=stamp(heard)))


def _row(described: Descriptor, token: str, keys: PublicKeys) -> dict[str, str]:
    return {"name": described.name, "url": described.url, "descriptor": token, "key_set": write_keys(keys)}
