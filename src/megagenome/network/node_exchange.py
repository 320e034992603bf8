# SPDX-License-Identifier: Apache-2.0
"""What a node's exchanges with its hub have in common: they ask while the server runs, at once when they are woken, say
what goes wrong without filling the log, send each message later than the one before, and believe the hub alone."""

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

import httpx
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Corrupt, MegagenomeError
from megagenome.kernel.keys import SigningKeys
from megagenome.network.calling import connect
from megagenome.network.joined_hub import JoinedHub, follow, joined_hub
from megagenome.standards.exchange import SKEW, is_near

_log = logging.getLogger(__name__)


class Exchanged(Protocol):
    """What each message and each answer says, of whichever exchange it is."""

    @property
    def node(self) -> str: ...
    @property
    def hub(self) -> str: ...
    @property
    def nonce(self) -> str: ...
    @property
    def sent_at(self) -> datetime: ...


class NodeExchange(ABC):
    """One node's exchange with the hub that it joined; with none while it joined none."""

    subject: ClassVar[str]
    """What the log calls it."""
    timeout_s: ClassVar[float]
    """For one message with all that it brings and gets."""
    step_timeout_s: ClassVar[float]
    """For each step of it on the wire."""

    def __init__(self, engine: sa.Engine, keys: SigningKeys, node: str, descriptor: str) -> None:
        """`descriptor` is this node's own, as it is served."""
        self._engine, self._keys, self._node, self._descriptor = engine, keys, node, descriptor
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._last_sent: datetime | None = None

    @abstractmethod
    async def ask_once(self, client: httpx.AsyncClient) -> bool:
        """One message and its answer, taken. Whether the next may follow at once; False where no hub was joined.

        Raises what the hub says, `Unavailable` where it does not answer, `Corrupt` where the answer is not to be
        believed; then nothing of it is taken, and what was to be said is said again.
        """

    @abstractmethod
    async def _rest(self, at_once: bool, failures: int) -> None:
        """The pause before the next message. `at_once` as `ask_once` says, `failures` how many failed in a row."""

    def call_now(self) -> None:
        """Ask the hub as soon as may be. From any thread; nothing happens while it is not running."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop was closed just now
                self._loop.call_soon_threadsafe(self._woken.set)

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """Ask while the server runs; cancelled when it stops."""
        self._loop = asyncio.get_running_loop()
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._loop = None
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        async with connect(self.step_timeout_s) as client:
            while True:
                at_once = False
                self._woken.clear()
                try:
                    async with asyncio.timeout(self.timeout_s):
                        at_once = await self.ask_once(client)
                    failures = 0
                except (MegagenomeError, TimeoutError, sa.exc.DatabaseError) as error:
                    failures += 1
                    if failures in (1, 10) or failures % 100 == 0:
                        says = str(error) or "it took too long"
                        _log.warning("no %s (%d times now): %s", self.subject, failures, says)
                except Exception:  # noqa: BLE001 - whatever it was, the next answer may be read
                    failures += 1
                    _log.exception("no %s", self.subject)
                await self._rest(at_once, failures)

    def _hub(self) -> JoinedHub | None:
        with self._engine.connect() as connection:
            return joined_hub(connection)

    def _next_time(self) -> datetime:
        """Later than that of any message before, because the hub takes each once; but for those of a clock that was
        ahead and came back, which the hub did not take."""
        now = clock.now()
        if self._last_sent is not None and now <= self._last_sent <= now + SKEW:
            now = self._last_sent + timedelta(microseconds=1)
        self._last_sent = now
        return now

    def _followed(self, hub: JoinedHub, described: str) -> JoinedHub:
        """The hub by the descriptor that came with its answer."""
        if described == hub.descriptor:
            return hub
        with begin_writing(self._engine) as connection:
            return follow(connection, hub, described)


def require_answer(answer: Exchanged, hub: JoinedHub, message: Exchanged) -> None:
    """Raise `Corrupt` where an answer is not this hub's, to this node, to this message and of this time."""
    if (answer.hub, answer.node) != (hub.id, message.node):
        raise Corrupt(f"an answer of {answer.hub} for {answer.node}, which was not asked for")
    if answer.nonce != message.nonce:
        raise Corrupt(f"an answer of {answer.hub} to another message")
    if not is_near(answer.sent_at, clock.now()):
        raise Corrupt(f"an answer of {answer.hub} of another time: set both clocks by a time server")
