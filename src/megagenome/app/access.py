# SPDX-License-Identifier: Apache-2.0
"""The application process as a hub runs it: for whom its people act, where documents lie, and its clocks."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

import sqlalchemy as sa
from litestar import Router

from megagenome.access.attachments import AttachmentFolder
from megagenome.access.case import World
from megagenome.access.process import Process
from megagenome.access.reading import Reader
from megagenome.access.routes import access_router
from megagenome.access.store import Store
from megagenome.app.cohorts import identify_cohort
from megagenome.app.hub import Hub
from megagenome.identity.roles import grants_of
from megagenome.kernel.callers import Role
from megagenome.kernel.errors import NotEntitled
from megagenome.standards.permit import CountryDecision

ATTACHMENTS = "attachments"
"""The folder of attached documents, below the hub's own."""
CLOCKS_S = 5.0
"""How often it is looked whether a clock is due."""

_log = logging.getLogger(__name__)


class RoleDirectory:
    """For whom people act, by the roles that the operator granted."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def organisations(self, subject: str, role: Role) -> frozenset[str]:
        """Organisations for which the operator gave the person this role."""
        return self._places(subject, role, "organisation")

    def countries(self, subject: str, role: Role) -> frozenset[str]:
        """Countries for which the operator gave the person this role."""
        return self._places(subject, role, "country")

    def _places(self, subject: str, role: Role, kind: str) -> frozenset[str]:
        with self._engine.connect() as connection:
            grants = grants_of(connection, subject)
        return frozenset({getattr(grant.scope, kind) for grant in grants if grant.role is role} - {""})


class Access(NamedTuple):
    """The process of one hub: mount `router`, pass `lifespan` to Litestar, which lets its clocks run."""

    process: Process
    router: Router
    lifespan: Callable[[object], AbstractAsyncContextManager[None]]


def open_access(hub: Hub) -> Access:
    """The application process of an open hub."""
    settings = hub.settings
    attachments = AttachmentFolder(hub.folder / ATTACHMENTS)
    directory = RoleDirectory(hub.engine)
    world = World(settings.hub.id, settings.access, directory, attachments, identify_cohort, _no_node_joined)
    store = Store(hub.engine)
    process = Process(store, world)
    return Access(process, access_router(process, Reader(store, world)), _clocks(process))


def _no_node_joined(_token: str) -> CountryDecision:
    raise NotEntitled("no node has joined this hub by invitation, so none can sign a decision")


def _clocks(process: Process) -> Callable[[object], AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        firing = asyncio.create_task(_fire(process))
        try:
            yield
        finally:
            firing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await firing

    return lifespan


async def _fire(process: Process) -> None:
    while True:
        try:
            await asyncio.to_thread(process.fire_due)
        except sa.exc.DatabaseError as error:
            _log.error("clocks could not be looked at: %s", error.orig)
        await asyncio.sleep(CLOCKS_S)
