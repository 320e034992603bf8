# SPDX-License-Identifier: Apache-2.0
"""Environments of a permit: where its data may go, each as the Crypt4GH key that it opens files with.

Data that are not declared open leave a node only sealed for one of these, so whoever holds a permit, a ticket or a
network cable reads nothing outside of it. The node's operator registers them and nobody else.
"""

import msgspec
import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, Invalid, NotFound
from megagenome.kernel.ids import PermitId

_KEY_BYTES = 32
_LONGEST_NAME = 200
_row = tables.permit_environment.c
_OF_PERMIT = (
    sa.select(tables.permit_environment).where(_row.permit == sa.bindparam("permit")).order_by(_row.at, _row.public_key)
)


class Environment(msgspec.Struct, frozen=True):
    """One environment.

    public_key  X25519, in hexadecimal
    by, at      who registered it, and when (ISO 8601, UTC)
    ended       since when nothing is sealed for it any more; None while it is
    """

    permit: PermitId
    public_key: str
    name: str
    by: str
    at: str
    ended: str | None

    @property
    def fingerprint(self) -> str:
        """A short name of the key, for people to compare."""
        # cryptography takes 0.1 s to import, and whoever opens a collection would wait for it
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

        from megagenome.standards.crypt4gh_keys import fingerprint

        return fingerprint(X25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key)))


def register_environment(connection: sa.Connection, permit: PermitId, public_key: bytes, name: str, by: str) -> None:
    """Let what leaves by a permit be sealed for this key from the commit on. Idempotent for the same name. Raises
    `NotFound` for a permit that is not here, `Conflict` for a key that was ended or has another name."""
    if len(public_key) != _KEY_BYTES:
        raise Invalid(f"a public key has {_KEY_BYTES} bytes, not {len(public_key)}")
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Invalid(f"an environment needs a name in one line of at most {_LONGEST_NAME} characters")
    if connection.scalar(sa.select(tables.permit.c.id).where(tables.permit.c.id == permit)) is None:
        raise NotFound(f"permit {permit} is not at this node, or not yet countersigned here")
    known = _find(connection, permit, public_key.hex())
    if known is None:
        at = clock.now().isoformat(timespec="seconds")
        values = {"permit": permit, "public_key": public_key.hex(), "name": name, "by": by, "at": at}
        connection.execute(sa.insert(tables.permit_environment).values(values))
    elif known.ended is not None:
        raise Conflict(f"permit {permit}: this key was ended and stays so; register a new one")
    elif known.name != name:
        raise Conflict(f"permit {permit}: this key is registered as {known.name!r}")


def end_environment(connection: sa.Connection, permit: PermitId, public_key: bytes) -> None:
    """Let nothing more be sealed for a key, from the commit on and for ever. Idempotent. Raises `NotFound`."""
    if _find(connection, permit, public_key.hex()) is None:
        raise NotFound(f"permit {permit} has no environment with this key")
    mine = (_row.permit == permit, _row.public_key == public_key.hex(), _row.ended.is_(None))
    ended = clock.now().isoformat(timespec="seconds")
    connection.execute(sa.update(tables.permit_environment).where(*mine).values(ended=ended))


def read_environments(connection: sa.Connection, permit: PermitId) -> tuple[Environment, ...]:
    """All environments of a permit, also ended ones, by when they were registered."""
    return tuple(Environment(*row) for row in connection.execute(_OF_PERMIT, {"permit": permit}))


def _find(connection: sa.Connection, permit: PermitId, public_key: str) -> Environment | None:
    return next((each for each in read_environments(connection, permit) if each.public_key == public_key), None)
