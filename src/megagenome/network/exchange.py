# SPDX-License-Identifier: Apache-2.0
"""The node's side of the exchange with its hub (`standards.exchange`): asks every few seconds, at once when there is
something to say or somebody knocks, and less often while the hub does not answer.

All that one answer brings, and how far it was taken, is written in one transaction. A node that is killed anywhere asks
again from where it was; the hub tells again what was not taken, and what is taken twice changes nothing.

It has a thread of its own: whoever keeps all threads of the server busy must not keep a revocation out by that.
"""

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

import httpx
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Corrupt, MegagenomeError, Unavailable
from megagenome.kernel.keys import SigningKeys
from megagenome.network.calling import call, connect
from megagenome.network.freshness import Freshness
from megagenome.network.joined_hub import JoinedHub, follow, joined_hub, note_answer
from megagenome.network.needs import NodeDesk
from megagenome.network.settings import ExchangeSettings
from megagenome.standards.exchange import (
    LARGEST_ANSWER_BYTES,
    MEDIA_TYPE,
    MOST_DECISIONS,
    PATH,
    SKEW,
    Answer,
    Message,
    is_near,
    read_answer,
    read_proposal,
    sign_message,
    stated_answer,
)

_log = logging.getLogger(__name__)

TIMEOUT_S = 20.0
SHORTEST_PAUSE_S = 0.5
"""Between two messages, whoever knocks."""
_HEARD_EVERY_S = 30.0
"""An answer without news is noted in the database this often only; a process that starts later waits for its own."""


class Asked(NamedTuple):
    """A message that was sent, and to whom."""

    hub: JoinedHub
    message: Message
    asked_at_s: float


class HubExchange:
    """One node's exchange with the hub that it joined; with none while it joined none."""

    def __init__(
        self,
        engine: sa.Engine,
        keys: SigningKeys,
        node: str,
        descriptor: str,
        desk: NodeDesk,
        freshness: Freshness,
        settings: ExchangeSettings,
    ) -> None:
        """`descriptor` is this node's own, as it is served."""
        self._engine, self._keys, self._node, self._descriptor = engine, keys, node, descriptor
        self._desk, self._freshness, self._settings = desk, freshness, settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "exchange")
        self._last_sent: datetime | None = None
        self._noted_at_s: float | None = None

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
        async with connect(TIMEOUT_S) as client:
            while True:
                self._woken.clear()
                more = False
                try:
                    async with asyncio.timeout(TIMEOUT_S):
                        more = await self.ask_once(client)
                    failures = 0
                except (MegagenomeError, TimeoutError, sa.exc.DatabaseError) as error:
                    failures += 1
                    if failures in (1, 10) or failures % 100 == 0:
                        says = str(error) or "it took too long"
                        _log.warning("no exchange with the hub (%d times now): %s", failures, says)
                except Exception:  # noqa: BLE001 - whatever it was, the next answer may be read
                    failures += 1
                    _log.exception("no exchange with the hub")
                await asyncio.sleep(SHORTEST_PAUSE_S)
                if not more:
                    await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        wait_s = min(self._settings.interval_s * 2 ** min(failures, 10), self._settings.longest_interval_s)
        wait_s = max(wait_s, self._settings.interval_s) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads nodes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._woken.wait()

    async def ask_once(self, client: httpx.AsyncClient) -> bool:
        """One message and its answer, taken; whether there is more to ask for at once. False where no hub was joined.

        Raises what the hub says, `Unavailable` where it does not answer, `Corrupt` where the answer is not to be
        believed; then nothing of it is taken.
        """
        running = asyncio.get_running_loop()
        asked, token = await running.run_in_executor(self._thread, self._prepare)
        if asked is None:
            return False
        url = asked.hub.url + PATH
        answer = await call(client, url, LARGEST_ANSWER_BYTES, token.encode(), MEDIA_TYPE)
        return await running.run_in_executor(self._thread, self._take, asked, answer)

    def _prepare(self) -> tuple[Asked | None, str]:
        asked_at_s = clock.seconds_awake_or_asleep()
        with self._engine.connect() as connection:
            hub = joined_hub(connection)
        if hub is None:
            return None, ""
        message = Message(
            self._node,
            hub.id,
            secrets.token_urlsafe(24),
            self._next_time(),
            hub.sequence,
            self._desk.undelivered(MOST_DECISIONS),
            self._descriptor,
        )
        return Asked(hub, message, asked_at_s), sign_message(self._keys, message)

    def _next_time(self) -> datetime:
        """Later than that of any message before, because the hub takes each once; but for those of a clock that was
        ahead and came back, which the hub did not take."""
        now = clock.now()
        if self._last_sent is not None and now <= self._last_sent <= now + SKEW:
            now = self._last_sent + timedelta(microseconds=1)
        self._last_sent = now
        return now

    def _take(self, asked: Asked, token: bytes) -> bool:
        hub = self._followed(asked.hub, token)
        answer = _believed(asked._replace(hub=hub), token)
        proposals = [(each, read_proposal(each, hub.keys)) for each in answer.proposals]
        if any(proposal.document.hub != hub.id for _, proposal in proposals):
            raise Corrupt(f"{hub.id} proposes permits of another hub")
        has_news = bool(proposals or answer.revocations or answer.receipts) or answer.sequence != hub.sequence
        if has_news or self._noted_at_s is None or asked.asked_at_s - self._noted_at_s >= _HEARD_EVERY_S:
            with begin_writing(self._engine) as connection:
                known = joined_hub(connection)
                if known is None or known.id != hub.id:
                    raise Unavailable(f"this node left the network of {hub.id} meanwhile")
                self._desk.acknowledge(connection, answer.receipts)
                self._desk.take_proposals(connection, hub.id, proposals)
                self._desk.take_revocations(connection, answer.revocations)
                note_answer(connection, answer.sequence, asked.message.sent_at)
            self._noted_at_s = asked.asked_at_s
        self._freshness.note(hub.id, asked.asked_at_s)
        return not answer.complete or len(asked.message.decisions) == MOST_DECISIONS

    def _followed(self, hub: JoinedHub, token: bytes) -> JoinedHub:
        described = stated_answer(token).descriptor
        if described == hub.descriptor:
            return hub
        with begin_writing(self._engine) as connection:
            return follow(connection, hub, described)


def _believed(asked: Asked, token: bytes) -> Answer:
    """The answer, if it is the hub's, to this node, to this message and of this time. Raises `Corrupt`."""
    answer = read_answer(token, asked.hub.keys)
    if (answer.hub, answer.node) != (asked.hub.id, asked.message.node):
        raise Corrupt(f"an answer of {answer.hub} for {answer.node}, which was not asked for")
    if answer.nonce != asked.message.nonce:
        raise Corrupt(f"an answer of {answer.hub} to another message")
    if not is_near(answer.sent_at, clock.now()):
        raise Corrupt(f"an answer of another time: the clocks of this node and of {answer.hub} disagree")
    return answer
