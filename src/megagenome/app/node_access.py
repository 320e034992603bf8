# SPDX-License-Identifier: Apache-2.0
"""A node's part in access: its country's desk, its exchange with the hub, and where permits are kept."""

from typing import NamedTuple

import sqlalchemy as sa
from litestar import Router

from megagenome.access.desk import Desk, NodeWorld
from megagenome.access.desk_routes import desk_router
from megagenome.access.desk_rows import claims_of
from megagenome.app.directory import RoleDirectory
from megagenome.app.node import Node
from megagenome.collection.environments import read_environments
from megagenome.collection.permits import change_permit, granted_permit, store_permit, take_back, undo_grant
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.network.exchange import HubExchange
from megagenome.network.freshness import Freshness
from megagenome.standards.desk import DeskEnvironment
from megagenome.standards.permit import CountryDecision, PermitDocument, Revocation


class NodeAccess(NamedTuple):
    """The node's part of an application: a router to mount, the exchange whose lifespan to run in."""

    router: Router
    exchange: HubExchange
    freshness: Freshness


def node_access(node: Node, keys: SigningKeys, ledger: Ledger, descriptor: str) -> NodeAccess:
    """Access over a node's database. `descriptor` is the node's own, as it is served."""
    engine, me, settings = node.collection.engine, node.settings.node, node.settings.exchange

    def wake() -> None:
        exchange.call_now()

    world = NodeWorld(me.id, me.country, keys, RoleDirectory(engine), CollectionPermits(), ledger, wake)
    desk, freshness = Desk(engine, world), Freshness(engine, settings.longest_silence_s)
    exchange = HubExchange(engine, keys, me.id, descriptor, desk, freshness, settings)
    return NodeAccess(desk_router(desk, exchange.call_now), exchange, freshness)


class CollectionPermits:
    """`megagenome.access.needs.NodePermits` over the collection, which enforces them."""

    def grant(
        self, connection: sa.Connection, document: PermitDocument, datasets: tuple[str, ...], countersignature: str, /
    ) -> None:
        """These datasets, which the countersignature approves, may be read by the permit from now on."""
        decision = claims_of(countersignature, CountryDecision)
        granted = granted_permit(document, decision, countersignature)
        if set(granted.datasets) != set(datasets):
            raise AssertionError("the decision approves other datasets than those that were granted")
        store_permit(connection, granted)

    def take_back(self, connection: sa.Connection, permit: str, datasets: tuple[str, ...], reason: str, /) -> None:
        """These may no longer, whatever the hub says."""
        for dataset in datasets:
            take_back(connection, PermitId(permit), DatasetId(dataset), reason)

    def undo(self, connection: sa.Connection, permit: str, datasets: tuple[str, ...], /) -> None:
        """What was granted of these does not hold, as if it had never been; it may be granted again."""
        for dataset in datasets:
            undo_grant(connection, PermitId(permit), DatasetId(dataset))

    def obey(self, connection: sa.Connection, revocation: Revocation, /) -> None:
        """What the hub says of a permit, which need not be known here (yet)."""
        state, sequence = revocation.state, revocation.sequence
        change_permit(connection, PermitId(revocation.permit), state, f"the hub says {state}", sequence=sequence)

    def environments(self, connection: sa.Connection, permit: str, /) -> tuple[DeskEnvironment, ...]:
        """Where its data may go, also where they went before."""
        return tuple(
            DeskEnvironment(each.name, each.fingerprint, each.at, each.by, each.ended)
            for each in read_environments(connection, PermitId(permit))
        )
