# SPDX-License-Identifier: Apache-2.0
"""The hub's part in federated studies, put together: what its server runs for them, and its routes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from litestar import Router

from megagenome.access.reading import Reader
from megagenome.app.hub import Hub
from megagenome.collection.cohort import read_cohort
from megagenome.kernel.every import every
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.network.studies.coordinate import Coordinator
from megagenome.network.studies.exchange import StudyExchange, keys_of_nodes
from megagenome.network.studies.needs import KnownPermit
from megagenome.network.studies.outcome_routes import outcome_router
from megagenome.network.studies.outcomes import HubNamed, Outcomes, versions_of_nodes
from megagenome.network.studies.routes import study_router
from megagenome.network.studies.store import StudyStore
from megagenome.network.studies.studies import Studies

_TICK_S = 1.0
_COMPUTE_AT_ONCE = 2


class HubStudies(NamedTuple):
    """Routers to mount, and the coordinator whose lifespan to run in."""

    routers: list[Router]
    coordinator: Coordinator
    executor: ThreadPoolExecutor

    @contextlib.asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Take up what was running, and look after it until the server stops."""
        await asyncio.to_thread(self.coordinator.resume)
        failing = "studies are not looked after, it is tried again"
        try:
            async with every(_TICK_S, self.coordinator.tick, failing, at_once=False)(app):
                yield
        finally:
            self.executor.shutdown(wait=False, cancel_futures=True)


def hub_studies(hub: Hub, keys: SigningKeys, descriptor: str, ledger: Ledger, reader: Reader) -> HubStudies:
    """Studies over a hub's database. `descriptor` is the hub's own, as it is served."""
    store = StudyStore(hub.engine, lambda connection, acts: ledger.write(connection, *acts))
    executor = ThreadPoolExecutor(_COMPUTE_AT_ONCE, "study")
    permits, settings = HubPermits(reader), hub.settings.studies
    coordinator = Coordinator(store, permits, settings, executor)
    studies = Studies(
        coordinator,
        permits,
        partial(keys_of_nodes, hub.engine),
        settings.most_running,
        hub.settings.hub.id,
        read_cohort,
    )
    exchange = StudyExchange(coordinator, hub.engine, keys, hub.settings.hub.id, descriptor)
    named = HubNamed(hub.settings.hub.id, hub.settings.hub.url, keys, partial(versions_of_nodes, hub.engine))
    routers = [study_router(studies, exchange, keys), outcome_router(Outcomes(studies, store, named))]
    return HubStudies(routers, coordinator, executor)


class HubPermits:
    """`megagenome.network.studies.needs.Permits` over the applications of this hub."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def find(self, permit: str, /) -> KnownPermit | None:
        """A permit as it stands now."""
        found = self._reader.granted(permit)
        if found is None:
            return None
        document = found.document
        return KnownPermit(
            found.state,
            frozenset(person.subject for person in document.people),
            found.datasets,
            frozenset(document.uses),
            document.starts,
            document.ends,
        )
