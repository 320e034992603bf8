# SPDX-License-Identifier: Apache-2.0
"""Invitations of a hub, by which nodes join: made, listed, cancelled, and taken up once each.

The secret is shown when the invitation is made and kept nowhere: here is its digest.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NotEntitled, NotFound
from megagenome.kernel.ids import Country
from megagenome.network import tables as t
from megagenome.network.joined_nodes import JoinedNode, add_joined, find_joined, is_same, joined_nodes
from megagenome.network.settings import Node, check_nodes
from megagenome.network.stamps import stamp
from megagenome.standards.descriptor import Descriptor, meet
from megagenome.standards.joining import Invitation, JoinRequest, require_private

LONGEST_DAYS = 90


class InvitationShown(msgspec.Struct, frozen=True):
    """An invitation in a list, without its secret. `state` is open, used, cancelled or expired."""

    id: str
    country: Country
    created: str
    expires: str
    state: str
    node: str = ""


def invite(connection: sa.Connection, hub_url: str, thumbprint: str, country: Country, days: int) -> Invitation:
    """Make an invitation for one node of `country`, durable with the connection's transaction.

    Raises `Invalid` where `hub_url` cannot be joined or `days` is not 1 to 90.
    """
    require_private(hub_url)
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid(f"an invitation lasts 1 to {LONGEST_DAYS} days, not {days}")
    secret, now = secrets.token_urlsafe(32), clock.now()
    connection.execute(
        sa.insert(t.invitation).values(
            id=secrets.token_hex(4),
            secret_sha256=_digest(secret),
            country=country,
            created=stamp(now),
            expires=stamp(now + timedelta(days=days)),
        )
    )
    return Invitation(hub_url, secret, thumbprint)


def list_invitations(connection: sa.Connection) -> list[InvitationShown]:
    """All invitations, newest first."""
    now = stamp(clock.now())
    rows = connection.execute(sa.select(t.invitation).order_by(t.invitation.c.created.desc(), t.invitation.c.id))
    return [
        InvitationShown(row.id, row.country, row.created, row.expires, _state(row, now), row.node or "") for row in rows
    ]


def cancel(connection: sa.Connection, invitation: str) -> None:
    """Let nobody join by an invitation any more. Raises `NotFound`, or `Conflict` where somebody did."""
    row = connection.execute(sa.select(t.invitation).where(t.invitation.c.id == invitation)).one_or_none()
    if row is None:
        raise NotFound(f"there is no invitation {invitation[:40]!r}: `hub invitations` lists them")
    if row.used is not None:
        raise Conflict(f"{row.node} joined by it already: `hub remove` ends that")
    cancelled = row.cancelled or stamp(clock.now())
    connection.execute(sa.update(t.invitation).where(t.invitation.c.id == invitation).values(cancelled=cancelled))


def take_up(connection: sa.Connection, request: JoinRequest, hub: str, listed: Sequence[Node]) -> JoinedNode:
    """Let the node of this descriptor in; who it is once it did. Idempotent for the same node's key.

    hub     the hub's own id, which no node may have
    listed  nodes of the hub's settings, whose ids and addresses are taken

    The connection must hold others off (`begin_writing`). Raises `NotEntitled` where the secret is none or no longer
    any, without saying which; `Invalid` for a descriptor that is no node's of the invited country, `Conflict` where
    somebody else has its id or address. Nothing is changed then.
    """
    now = clock.now()
    held = t.invitation.c.secret_sha256 == _digest(request.secret)
    row = connection.execute(sa.select(t.invitation).where(held)).one_or_none()
    described = _described(request.descriptor)
    known = find_joined(connection, described.id)
    is_known = known is not None and is_same(known, request.descriptor)
    if known is not None and is_known and row is not None and row.used is not None and row.node == described.id:
        return known
    if row is None or _state(row, stamp(now)) != "open":
        raise NotEntitled("this invitation is unknown, used, cancelled or expired: ask the hub's operator for another")
    _check(described, row.country, hub)
    if known is not None and not is_known:
        raise Conflict(f"another node has the id {described.id} here; if it was yours, the hub's operator removes it")
    joined = add_joined(connection, described, request.descriptor, now)
    _require_free(connection, joined.node, listed)
    connection.execute(sa.update(t.invitation).where(held).values(used=stamp(now), node=joined.node.id))
    return joined


def _described(token: str) -> Descriptor:
    try:
        return meet(token)
    except Corrupt as error:
        raise Invalid(f"the node's descriptor: {error}") from None


def _check(described: Descriptor, country: str, hub: str) -> None:
    if described.kind != "node" or described.id == hub:
        raise Invalid(f"{described.id} is no node: a hub cannot join")
    if described.country != country:
        raise Invalid(f"the invitation is for a node of {country}, not of {described.country or 'no country'}")
    require_private(described.url)


def _require_free(connection: sa.Connection, node: Node, listed: Sequence[Node]) -> None:
    others = [each.node for each in joined_nodes(connection) if each.node.id != node.id]
    try:
        check_nodes([*listed, *others, node])
    except Invalid:
        raise Conflict(f"{node.id} at {node.url} is in the network already, in hub.toml or by another id") from None


def _state(row: sa.Row[tuple[object, ...]], now: str) -> str:
    if row.used is not None:
        return "used"
    if row.cancelled is not None:
        return "cancelled"
    return "open" if now < row.expires else "expired"


def _digest(secret: str) -> str:
    # of 256 random bits, so no salt and no slow digest is needed
    return hashlib.sha256(secret.encode()).hexdigest()
