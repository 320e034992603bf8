# SPDX-License-Identifier: Apache-2.0
"""The hub knocks at nodes for which there is news, so that they ask at once. It says nothing to them and needs no
answer: whom it does not reach asks a little later anyway."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from megagenome.kernel.errors import MegagenomeError
from megagenome.network.calling import call, connect
from megagenome.network.settings import Node
from megagenome.standards.exchange import KNOCK_PATH

if TYPE_CHECKING:
    import httpx

_log = logging.getLogger(__name__)

_TIMEOUT_S = 2.0
_MOST_AT_ONCE = 200


class Knocker:
    """Knocks while the server runs. `joined` says which nodes belong to the network; it is called in a thread."""

    def __init__(self, joined: Callable[[], Sequence[Node]]) -> None:
        self._joined = joined
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None
        self._knocking: set[asyncio.Task[None]] = set()

    def knock(self, nodes: Collection[str]) -> None:
        """Knock at these nodes, soon. From any thread, returns at once; nothing happens while it is not running."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop was closed just now
                self._loop.call_soon_threadsafe(self._begin, frozenset(nodes))

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """Knock from now on, until the server stops."""
        async with connect(_TIMEOUT_S) as client:
            self._loop, self._client = asyncio.get_running_loop(), client
            try:
                yield
            finally:
                self._loop = None
                for task in self._knocking:
                    task.cancel()
                await asyncio.gather(*self._knocking, return_exceptions=True)

    def _begin(self, nodes: frozenset[str]) -> None:
        if len(self._knocking) < _MOST_AT_ONCE:
            task = asyncio.get_running_loop().create_task(self._knock(nodes))
            self._knocking.add(task)
            task.add_done_callback(self._knocking.discard)

    async def _knock(self, nodes: frozenset[str]) -> None:
        try:
            joined = await asyncio.to_thread(self._joined)
        except (sa.exc.SQLAlchemyError, MegagenomeError):
            _log.exception("the list of nodes that joined cannot be read; nobody was knocked at")
            return
        addresses = [node.url + KNOCK_PATH for node in joined if node.id in nodes]
        await asyncio.gather(*map(self._knock_at, addresses))

    async def _knock_at(self, address: str) -> None:
        if self._client is not None:
            with contextlib.suppress(MegagenomeError, TimeoutError):
                async with asyncio.timeout(_TIMEOUT_S):
                    await call(self._client, address, 1024, b"")
