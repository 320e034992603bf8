# SPDX-License-Identifier: Apache-2.0
"""When what is harvested: every catalogue every hour, and those of nodes as soon as their lists change.

All catalogues are harvested at once, each with connections and a deadline of its own, so none waits for another.
Between harvests nodes are asked for their containers alone, which they answer by 304 as long as nothing changed.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, NoReturn

import sqlalchemy as sa

from megagenome.catalogue.harvest.fetch import connect
from megagenome.catalogue.harvest.model import Outcome, Point, Visited, point_id
from megagenome.catalogue.harvest.reading_process import Readers
from megagenome.catalogue.harvest.settings import FairDataPoint, HarvestSettings
from megagenome.catalogue.harvest.store import Store, stamp
from megagenome.catalogue.harvest.walk import Walk, Walked
from megagenome.catalogue.model import ROOT
from megagenome.kernel.clock import seconds_awake_or_asleep
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.every import meanwhile, repeat

_log = logging.getLogger(__name__)

_NO_DATABASE = (sa.exc.SQLAlchemyError, Unavailable)
NODES, SETTINGS, COMMAND = "node", "settings", "command"
_FIRST_S = 3.0
"""After a start: first come those who wait for the hub."""


def point_of_node(node: str, url: str, name: str, country: str) -> Point:
    """The catalogue of a node of the network."""
    return Point(point_id("", node), url + ROOT, name or node, country, node, (), NODES)


def foreign_point(named: FairDataPoint, by: str) -> Point:
    """A catalogue elsewhere."""
    host = named.url.partition("://")[2].partition("/")[0]
    return Point(point_id(named.url), named.url, named.name or host, named.country, "", named.hosts, by)


class Harvester:
    """Harvests into a store. `named` gives the catalogues of nodes and settings as they are now."""

    def __init__(self, store: Store, settings: HarvestSettings, named: Callable[[], Sequence[Point]]) -> None:
        self._store, self._settings, self._named = store, settings, named
        self._readers = Readers()
        self._harvested: dict[Point, float] = {}
        self._failed: set[Point] = set()

    async def harvest(self) -> None:
        """Harvest all catalogues once. What goes wrong with one is noted of it, and never raised."""
        points = await asyncio.to_thread(self._take_points)
        await asyncio.gather(*map(self._harvest, points))

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """Harvest while the server runs."""
        async with meanwhile(self._run()):
            yield

    async def _run(self) -> NoReturn:
        under_way: dict[str, asyncio.Task[None]] = {}
        watch_s = self._settings.watch_s
        pauses = itertools.chain([min(_FIRST_S, watch_s)], itertools.repeat(watch_s))

        async def begin_what_is_due() -> None:
            for point in await asyncio.to_thread(self._take_points):
                before = under_way.get(point.id)
                if (before is None or before.done()) and (act := self._due(point)):
                    under_way[point.id] = asyncio.create_task(act(point))

        try:
            await repeat(
                pauses.__next__, begin_what_is_due, "catalogues are not harvested, it is tried again", at_once=False
            )
        finally:
            for task in under_way.values():
                task.cancel()
            await asyncio.gather(*under_way.values(), return_exceptions=True)

    def _due(self, point: Point) -> Callable[[Point], Coroutine[Any, Any, None]] | None:
        """What to do with a catalogue now: harvest it, see whether the list of a node changed, or nothing."""
        harvested = self._harvested.get(point)
        if harvested is None or seconds_awake_or_asleep() - harvested >= self._settings.interval_s:
            return self._harvest
        return self._look if point.node else None

    def _take_points(self) -> tuple[Point, ...]:
        self._store.name_points(self._named(), (NODES, SETTINGS))
        return self._store.points()

    async def _look(self, point: Point) -> None:
        """Harvest a node's catalogue if what its containers list changed, or if it failed before and answers now."""
        began = stamp()
        walked = await self._guarded(point, began, containers_only=True)
        if walked is None or not walked.is_whole:
            return
        if walked.has_changed or point in self._failed:
            await self._harvest(point)
        elif not walked.problem:
            with contextlib.suppress(*_NO_DATABASE):  # the next look notes it
                await asyncio.to_thread(self._store.note_look, point, began)

    async def _harvest(self, point: Point) -> None:
        walked = await self._guarded(point, stamp(), containers_only=False)
        self._harvested[point] = seconds_awake_or_asleep()
        (self._failed.discard if walked is not None and walked.is_whole else self._failed.add)(point)

    async def _guarded(self, point: Point, began: str, *, containers_only: bool) -> Walked | None:
        """Walk a catalogue, and settle what came of it unless this only looks; None where this hub itself failed."""
        try:
            walked, gone = await self._walk(point, containers_only=containers_only)
            if not containers_only or not walked.is_whole:
                await asyncio.to_thread(self._store.settle, point, walked, gone, began)
        except _NO_DATABASE:
            _log.exception("the catalogue of %s was not harvested; it is tried again", point.name)
        except Exception as error:  # noqa: BLE001 - one catalogue must not end the harvest of the others
            _log.exception("the catalogue of %s was not harvested", point.name)
            reason = f"a fault of this hub: {type(error).__name__}"
            await asyncio.to_thread(self._store.note_failure, point, began, reason)
        else:
            return walked
        return None

    async def _walk(self, point: Point, *, containers_only: bool) -> tuple[Walked, set[str]]:
        known = await asyncio.to_thread(self._store.known, point)
        gone: set[str] = set()

        async def keep(visited: Sequence[Visited]) -> None:
            gone.update(each.address for each in visited if each.outcome is Outcome.GONE)
            if not containers_only:
                await asyncio.to_thread(self._store.keep, point, visited)

        async with self._readers, connect(self._settings) as client:
            walk = Walk(point, known, client, self._readers, self._settings, containers_only=containers_only)
            return await walk.run(keep), gone
