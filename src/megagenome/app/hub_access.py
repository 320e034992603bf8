# SPDX-License-Identifier: Apache-2.0
"""The application process of a hub: its parts put together, its routes, and what its server does for it meanwhile."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa
from litestar import Router

from megagenome.access.attachments import AttachmentFolder
from megagenome.access.case import World
from megagenome.access.cohort_routes import cohort_router
from megagenome.access.cohorts import Cohorts
from megagenome.access.erasing import sweep_attachments
from megagenome.access.exchange import Exchange, verify_decision
from megagenome.access.exchange_routes import exchange_router
from megagenome.access.heard_clocks import HeardClocks
from megagenome.access.needs import AgainstDatasets, Attachments, BelievedNode
from megagenome.access.process import Process
from megagenome.access.reading import Reader
from megagenome.access.routes import access_router
from megagenome.access.store import Store
from megagenome.app.directory import RoleDirectory
from megagenome.app.hub import ATTACHMENTS, Hub, joined_of
from megagenome.collection.cohort import cohort_id, read_cohort
from megagenome.kernel.database import begin_writing
from megagenome.kernel.every import Lifespan, every
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.network.joined_nodes import find_joined, follow, note_message
from megagenome.network.knock import Knocker

_CLOCKS_EVERY_S = 5.0

_log = logging.getLogger(__name__)


class HubAccess(NamedTuple):
    """The hub's part of an application: routers to mount, lifespans to run in, and what reads applications."""

    routers: list[Router]
    lifespans: list[Lifespan]
    reader: Reader


def hub_access(
    hub: Hub, keys: SigningKeys, descriptor: str, ledger: Ledger, against_datasets: AgainstDatasets
) -> HubAccess:
    """Access over a hub's database and folder. `descriptor` is the hub's own, as it is served."""
    members, knocker = HubMembers(hub.engine), Knocker(partial(joined_of, hub))
    clocks = HeardClocks(members=lambda: [node.id for node in joined_of(hub)])
    world = World(
        hub.settings.hub.id,
        hub.settings.access,
        RoleDirectory(hub.engine),
        AttachmentFolder(hub.folder / ATTACHMENTS),
        identify_cohort,
        partial(verify_decision, members),
        knocker.knock,
        lambda connection, acts: ledger.write(connection, *acts),
        clocks.agreement,
        against_datasets,
    )
    store = Store(hub.engine)
    process, reader = Process(store, world), Reader(store, world)
    exchange = Exchange(process, reader, members, keys, descriptor, clocks)
    routers = [access_router(process, reader), cohort_router(Cohorts(store, world)), exchange_router(exchange)]
    firing = every(_CLOCKS_EVERY_S, process.fire_due, "clocks of applications did not fire, it is tried again")
    return HubAccess(routers, [_sweep(store, world.attachments), knocker.lifespan, firing], reader)


def identify_cohort(definition: str) -> str:
    """The id of the cohort that a definition describes. Raises `Invalid` for what is none."""
    return cohort_id(read_cohort(definition))


class HubMembers:
    """`megagenome.access.needs.Members` over the nodes that joined."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def find(self, node: str, descriptor: str = "", /) -> BelievedNode | None:
        """A node that belongs to the network now, by its newest descriptor."""
        with self._engine.connect() as connection:
            known = find_joined(connection, node)
        if known is None:
            return None
        if descriptor and descriptor != known.descriptor:
            with begin_writing(self._engine) as connection:
                known = follow(connection, known, descriptor)
        return BelievedNode(known.node.id, known.node.country, known.keys)

    def note_message(self, node: str, sent_at: datetime, /) -> bool:
        """Note a message, durably; False where one as new was noted before."""
        with begin_writing(self._engine) as connection:
            return note_message(connection, node, sent_at)


def _sweep(store: Store, attachments: Attachments) -> Lifespan:
    """Erase, before the first request, documents that a killed process left."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        if swept := await asyncio.to_thread(sweep_attachments, store, attachments):
            _log.warning("%d documents were erased that belong to no application", swept)
        yield

    return lifespan
