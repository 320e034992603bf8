# SPDX-License-Identifier: Apache-2.0
"""A node's part in delivery: htsget, DRS and the range service that both lead to."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from megagenome.app.describe import node_url
from megagenome.app.node import Node
from megagenome.archive.archive import Archive
from megagenome.delivery.asked import RANGES
from megagenome.delivery.delivery import Delivery
from megagenome.delivery.drs_objects import DrsObjects
from megagenome.delivery.drs_routes import drs_router
from megagenome.delivery.htsget_routes import htsget_router
from megagenome.delivery.range_routes import range_router, ticket_reader
from megagenome.delivery.streams import Streams
from megagenome.delivery.tickets import Tickets
from megagenome.identity.caller_middleware import Bearer, CallerMiddleware
from megagenome.kernel.callers import Caller
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.service_info import ServiceInfo

if TYPE_CHECKING:
    from litestar import Router


class NodeDelivery:
    """The routers to mount, and the lifespan that they need."""

    def __init__(
        self, node: Node, archive: Archive, keys: SigningKeys, info: ServiceInfo, callers: CallerMiddleware
    ) -> None:
        """`callers` learns to read tickets; whom it knows by passport, DRS takes in bodies, too."""
        settings, url = node.settings.delivery, node.settings.node.url
        tickets = Tickets(keys.sign, keys.key_set(), node.settings.node.id, settings.ticket_s)
        delivery = Delivery(node.collection, archive, tickets)
        self._streams = Streams(settings.most_streams, settings.slowest_s)
        callers.bearers_below.append((RANGES, ticket_reader(tickets)))
        passport = _passport(callers.bearers)
        self.routers: Sequence[Router] = (
            htsget_router(delivery, info, url),
            drs_router(DrsObjects(delivery, [node_url(node.settings)]), info, url, passport),
            range_router(delivery, self._streams),
        )

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """End what is being sent when the server stops."""
        try:
            yield
        finally:
            self._streams.close()


def _passport(bearers: Sequence[Bearer]) -> Bearer:
    async def shown(token: str) -> Caller | None:
        for reads in bearers:
            if (caller := await reads(token)) is not None:
                return caller
        return None

    return shown
