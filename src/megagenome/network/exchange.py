# SPDX-License-Identifier: Apache-2.0
"""The node's side of the exchange with its hub (`standards.exchange`): asks every few seconds, at once when there is
something to say or somebody knocks, and less often while the hub does not answer.

All that one answer brings, and how far it was taken, is written in one transaction. A node that is killed anywhere asks
again from where it was; the hub tells again what was not taken, and what is taken twice changes nothing.

It has a thread of its own: whoever keeps all threads of the server busy must not keep a revocation out by that.
"""

import asyncio
import contextlib
import random
import secrets
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import httpx
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Corrupt, Unavailable
from megagenome.kernel.keys import SigningKeys
from megagenome.network.calling import call
from megagenome.network.freshness import Freshness
from megagenome.network.joined_hub import JoinedHub, joined_hub, note_answer
from megagenome.network.needs import NodeDesk
from megagenome.network.node_exchange import NodeExchange, require_answer
from megagenome.network.settings import ExchangeSettings
from megagenome.standards.exchange import (
    LARGEST_ANSWER_BYTES,
    MEDIA_TYPE,
    MOST_DECISIONS,
    PATH,
    Message,
    read_answer,
    read_proposal,
    sign_message,
    stated_answer,
)

SHORTEST_PAUSE_S = 0.5
"""Between two messages, whoever knocks."""
_HEARD_EVERY_S = 30.0
"""An answer without news is noted in the database this often only; a process that starts later waits for its own."""


class Asked(NamedTuple):
    """A message that was sent, and to whom."""

    hub: JoinedHub
    message: Message
    asked_at_s: float


class HubExchange(NodeExchange):
    """What a node asks of its hub, and tells it, about permits."""

    subject = "exchange with the hub"
    timeout_s = step_timeout_s = 20.0

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
        super().__init__(engine, keys, node, descriptor)
        self._desk, self._freshness, self._settings = desk, freshness, settings
        self._thread = ThreadPoolExecutor(1, "exchange")
        self._noted_at_s: float | None = None

    async def _rest(self, at_once: bool, failures: int) -> None:
        await asyncio.sleep(SHORTEST_PAUSE_S)
        if not at_once:
            await self._pause(failures)

    async def _pause(self, failures: int) -> None:
        wait_s = min(self._settings.interval_s * 2 ** min(failures, 10), self._settings.longest_interval_s)
        wait_s = max(wait_s, self._settings.interval_s) * random.uniform(0.8, 1.2)  # noqa: S311 - spreads nodes
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._woken.wait()

    async def ask_once(self, client: httpx.AsyncClient) -> bool:
        """As of every exchange. The next may follow at once where the hub has more to tell, or this node to say."""
        running = asyncio.get_running_loop()
        asked, token = await running.run_in_executor(self._thread, self._prepare)
        if asked is None:
            return False
        url = asked.hub.url + PATH
        answer = await call(client, url, LARGEST_ANSWER_BYTES, token.encode(), MEDIA_TYPE)
        return await running.run_in_executor(self._thread, self._take, asked, answer)

    def _prepare(self) -> tuple[Asked | None, str]:
        asked_at_s = clock.seconds_awake_or_asleep()
        hub = self._hub()
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

    def _take(self, asked: Asked, token: bytes) -> bool:
        hub = self._followed(asked.hub, stated_answer(token).descriptor)
        answer = read_answer(token, hub.keys)
        require_answer(answer, hub, asked.message)
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
