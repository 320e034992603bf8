# SPDX-License-Identifier: Apache-2.0
"""The reception of a node, put together, and what its server does for it."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial
from typing import NamedTuple

import sqlalchemy as sa
from litestar import Router

from megagenome.app.node import Node, blobs_of
from megagenome.archive.archive import Archive
from megagenome.discovery.count import count_told
from megagenome.identity.roles import has_role
from megagenome.kernel.callers import Role
from megagenome.kernel.done_jobs import forget_done
from megagenome.kernel.every import every
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.worker import Worker
from megagenome.reception.needs import AllelesTold
from megagenome.reception.parts import Parts
from megagenome.reception.process import LOAD
from megagenome.reception.reception import Reception
from megagenome.reception.routes import reception_router

THREADS = 2
"""Submissions that are validated or archived at once, so that a small one need not wait for a terabyte. Opening and
sealing hold the interpreter's lock: two take as long together as one after the other."""

_EVERY_S = 3600
_log = logging.getLogger(__name__)


class NodeReception(NamedTuple):
    """A node's reception: a router to mount, and the lifespan in which its jobs are done."""

    reception: Reception
    router: Router
    engine: sa.Engine

    @contextlib.asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Do jobs, and tidy up at the start and each hour."""
        workers = self._workers()
        failing = "reception is not tidy yet, it is tried again in an hour"
        async with every(_EVERY_S, partial(_tidy, self.reception, self.engine), failing)(app):
            for worker in workers:
                worker.start()
            try:
                yield
            finally:
                await asyncio.gather(*(asyncio.to_thread(worker.close) for worker in workers))

    def _workers(self) -> tuple[Worker, Worker]:
        """One for loads, of which a collection takes one at a time, and one for all else."""
        performing = self.reception.performing()
        loads = {LOAD: performing.pop(LOAD)}
        return Worker(self.engine, loads), Worker(self.engine, performing, threads=THREADS)


def node_reception(node: Node, archive: Archive, keys: SigningKeys, ledger: Ledger) -> NodeReception:
    """Reception over a node's records, blobs and collection."""
    engine, floor = node.collection.engine, node.settings.discovery.floor

    def may_send(subject: str, dataset: DatasetId) -> bool:
        with engine.connect() as connection:
            return has_role(connection, subject, Role.DATA_PROVIDER, dataset=dataset)

    def counts_told(dataset: DatasetId) -> AllelesTold | None:
        node.collection.refresh()
        found = count_told(node.collection.as_if_published(dataset), dataset, floor)
        return AllelesTold(*found) if found else None

    reception = Reception(
        Parts(
            node.collection,
            blobs_of(node),
            archive,
            ledger,
            keys.sign,
            may_send,
            counts_told,
            node.settings.node.id,
            str(node.folder / "reference"),
            node.settings.reception,
        )
    )
    return NodeReception(reception, reception_router(reception), engine)


def _tidy(reception: Reception, engine: sa.Engine) -> None:
    forget_done(engine)
    if cancelled := reception.tidy():
        _log.warning("reception cancelled %d submissions that nobody went on with", cancelled)
