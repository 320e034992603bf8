# SPDX-License-Identifier: Apache-2.0
"""The harvest of one catalogue: from its address along `ldp:contains`, each address once.

What did not change is not read again. A container that cannot be had or read leads where it led before, so one bad
answer buries nothing. A catalogue whose root cannot be had, or that falls silent, is left at once.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urldefrag

import httpx
import msgspec

from megagenome.catalogue.harvest.fetch import Answered, Fault, fetch, is_allowed
from megagenome.catalogue.harvest.model import Kind, Known, Outcome, Point, Visited
from megagenome.catalogue.harvest.reading_process import Readers, TooSlow
from megagenome.catalogue.harvest.settings import HarvestSettings
from megagenome.kernel.errors import Corrupt

Keep = Callable[[Sequence[Visited]], Awaitable[None]]
"""Takes what was visited, in batches; durable when it returns."""

_DEEPEST = 6
"""From the FAIR Data Point to a distribution it is three steps."""
_BATCH = 100
_MOST_SILENT = 5
"""So many addresses in a row without an answer, and the whole catalogue is silent."""
_MOST_SLOW = 3
_REASONS = 5


class Walked(NamedTuple):
    """What came of a harvest.

    listed       addresses that its containers list now, with the root
    is_whole     whether everything that is listed was asked for: only then is what is not listed gone
    has_changed  whether any container lists something else than before, or changed otherwise
    problem      why it is not whole, or what was not read; empty where all is well
    """

    listed: frozenset[str]
    is_whole: bool
    has_changed: bool
    problem: str


class _Stop(Exception):
    """Ends the harvest of a catalogue; says why."""


class Walk:
    """One harvest of one catalogue. To be used once."""

    def __init__(
        self,
        point: Point,
        known: Mapping[str, Known],
        client: httpx.AsyncClient,
        readers: Readers,
        settings: HarvestSettings,
        *,
        containers_only: bool = False,
    ) -> None:
        """`containers_only`: datasets and ways that are known already are not asked for."""
        self._point, self._known, self._settings = point, known, settings
        self._client, self._readers, self._containers_only = client, readers, containers_only
        self._seen: set[str] = set()
        self._waiting: list[tuple[str, int]] = []
        self._done: list[Visited] = []
        self._faults: list[str] = []
        self._silent = self._slow = self._fault_count = 0
        self._has_changed = False
        self._kept_bytes = sum(each.size_bytes for each in known.values())

    async def run(self, keep: Keep) -> Walked:
        """Harvest, within the deadline. What was visited is kept as it comes."""
        problem, is_whole = "", False
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                await self._from_root(keep)
                is_whole = True
        except TimeoutError:
            problem = f"its harvest took longer than {self._settings.deadline_s:g} s and was ended"
        except _Stop as stop:
            problem = str(stop)
        await self._flush(keep)
        return Walked(frozenset(self._seen), is_whole, self._has_changed, problem or self._summary())

    async def _from_root(self, keep: Keep) -> None:
        root = self._point.url
        self._list([root], 0, "")
        self._waiting.clear()
        visited = await self._visit(root, 0)
        if visited.outcome is Outcome.FAULT:
            raise _Stop(visited.reason)
        if visited.outcome is Outcome.GONE:
            raise _Stop("it answers 410: there is no catalogue here any more")
        self._done.append(visited)
        while self._waiting:
            level, self._waiting = self._waiting, []
            await self._visit_all(level, keep)

    async def _visit_all(self, level: Sequence[tuple[str, int]], keep: Keep) -> None:
        left = list(reversed(level))

        async def work() -> None:
            while left:
                address, depth = left.pop()
                visited = await self._visit(address, depth)  # before the list is looked up, which others replace
                self._done.append(visited)
                if len(self._done) >= _BATCH:
                    await self._flush(keep)

        tasks = [asyncio.create_task(work()) for _ in range(self._settings.connections)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _visit(self, address: str, depth: int) -> Visited:
        known = self._known.get(address)
        if self._containers_only and known is not None and known.kind is not Kind.CONTAINER:
            self._list(known.children, depth + 1, address)
            return Visited(address, Outcome.SAME)
        visited = await self._ask(address, known)
        children = visited.read.children if visited.read else known.children if known else ()
        is_container = (visited.read.kind if visited.read else known.kind if known else None) is Kind.CONTAINER
        if is_container and visited.outcome is Outcome.READ:
            self._has_changed = True
        if visited.outcome is not Outcome.GONE and (is_container or depth < _DEEPEST - 1):
            self._list(children, depth + 1, address)
        if visited.outcome is Outcome.FAULT:
            self._note(address, visited.reason)
        return visited

    async def _ask(self, address: str, known: Known | None) -> Visited:
        try:
            fetched = await fetch(self._client, address, known, self._settings)
        except Fault as fault:
            self._silent = self._silent + 1 if fault.is_silence else 0
            if self._silent >= _MOST_SILENT:
                raise _Stop(f"it fell silent: {fault}") from None
            return Visited(address, Outcome.FAULT, reason=str(fault))
        self._silent = 0
        if fetched.answered is Answered.GONE:
            return Visited(address, Outcome.GONE)
        if fetched.answered is Answered.SAME:
            return Visited(address, Outcome.SAME) if known else Visited(address, Outcome.FAULT, reason="it answers 304")
        digest = hashlib.sha256(fetched.content).hexdigest()
        if known is not None and known.digest == digest:
            return Visited(address, Outcome.SAME)
        try:
            read = await self._readers.read(address, fetched.content)
        except Corrupt as error:
            self._slow += isinstance(error, TooSlow)
            if self._slow >= _MOST_SLOW:
                raise _Stop(f"{self._slow} of its descriptions took too long to read") from None
            return Visited(address, Outcome.FAULT, reason=str(error))
        self._kept_bytes += len(msgspec.json.encode(read)) - (known.size_bytes if known else 0)
        if self._kept_bytes > self._settings.most_bytes:
            raise _Stop(
                f"more than {self._settings.most_bytes:,} bytes would be kept of it, with what it listed before"
            )
        return Visited(address, Outcome.READ, read, fetched.tag, fetched.modified, digest)

    def _list(self, children: Sequence[str], depth: int, container: str) -> None:
        for child in children:
            address = urldefrag(child)[0]
            if address in self._seen:
                continue
            if not is_allowed(self._point, address):
                self._note(container, f"it lists {address[:200]}, at a host that it may not lead to")
                continue
            if depth > _DEEPEST:
                self._note(container, "it leads too deep")
                continue
            if len(self._seen) >= self._settings.most_resources:
                raise _Stop(f"it lists more than {self._settings.most_resources:,} descriptions")
            self._seen.add(address)
            self._waiting.append((address, depth))

    def _note(self, address: str, reason: str) -> None:
        self._fault_count += 1
        if len(self._faults) < _REASONS:
            self._faults.append(f"{address}: {reason}")

    def _summary(self) -> str:
        if not self._faults:
            return ""
        more = f" (and {self._fault_count - len(self._faults)} more)" if self._fault_count > len(self._faults) else ""
        return "; ".join(self._faults) + more

    async def _flush(self, keep: Keep) -> None:
        if self._done:
            done, self._done = self._done, []
            await keep(done)
