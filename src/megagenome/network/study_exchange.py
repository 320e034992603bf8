# SPDX-License-Identifier: Apache-2.0
"""The node's side of the exchange with its hub about studies (`standards.study_exchange`): it always has one message
under way. One that only waits for a task is given up when there is something to say."""

import asyncio
import secrets
from typing import NamedTuple

import httpx
import sqlalchemy as sa

from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.signatures import LARGEST_TOKEN_BYTES
from megagenome.network.calling import call
from megagenome.network.joined_hub import JoinedHub
from megagenome.network.needs import StudyDesk
from megagenome.network.node_exchange import NodeExchange, require_answer
from megagenome.standards.study_exchange import (
    HEAD_BYTES,
    LARGEST_PAYLOAD_BYTES,
    MEDIA_TYPE,
    PATH,
    Message,
    Reply,
    frame,
    read_answer,
    require_payload,
    sha256,
    sign_message,
    stated,
    unframe,
)

WAIT_S = 20.0
"""So long a message that has nothing to say waits for a task."""
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 4.0
_NO_HUB_S = 2.0
_LARGEST_ANSWER_BYTES = HEAD_BYTES + LARGEST_TOKEN_BYTES + LARGEST_PAYLOAD_BYTES


class Asked(NamedTuple):
    """A message on its way."""

    hub: JoinedHub
    message: Message
    reply: Reply | None
    content: bytes


class StudyExchange(NodeExchange):
    """What a node hears of studies, and says of them."""

    subject = "exchange with the hub about studies"
    timeout_s, step_timeout_s = 600.0, WAIT_S + 20.0

    def __init__(self, engine: sa.Engine, keys: SigningKeys, node: str, descriptor: str, desk: StudyDesk) -> None:
        """`descriptor` is this node's own, as it is served."""
        super().__init__(engine, keys, node, descriptor)
        self._desk = desk
        desk.listen(self.call_now)

    async def _rest(self, at_once: bool, failures: int) -> None:
        if failures:
            await asyncio.sleep(min(_SHORTEST_PAUSE_S * 2 ** min(failures - 1, 10), _LONGEST_PAUSE_S))
        else:
            await asyncio.sleep(0 if at_once else _NO_HUB_S)

    async def ask_once(self, client: httpx.AsyncClient) -> bool:
        """As of every exchange; a message that only waited may be given up."""
        asked = await asyncio.to_thread(self._prepare)
        if asked is None:
            return False
        url = asked.hub.url + PATH
        posting = asyncio.create_task(call(client, url, _LARGEST_ANSWER_BYTES, asked.content, MEDIA_TYPE))
        try:
            if asked.reply is None and not await self._answered_or_woken(posting):
                return True
            await asyncio.to_thread(self._take, asked, await posting)
        finally:
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)
        return True

    async def _answered_or_woken(self, posting: "asyncio.Task[bytes]") -> bool:
        """Whether the answer came before there was something to say."""
        waking = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({posting, waking}, return_when=asyncio.FIRST_COMPLETED)
            return posting.done()
        finally:
            waking.cancel()

    def _prepare(self) -> Asked | None:
        hub = self._hub()
        if hub is None:
            return None
        reply, payload = self._desk.next_reply() or (None, b"")
        message = Message(
            self._node,
            hub.id,
            secrets.token_urlsafe(24),
            self._next_time(),
            self._descriptor,
            self._desk.holds(),
            self._desk.at_work(),
            0.0 if reply else WAIT_S,
            reply,
            len(payload),
            sha256(payload),
        )
        return Asked(hub, message, reply, frame(sign_message(self._keys, message), payload))

    def _take(self, asked: Asked, content: bytes) -> None:
        token, payload = unframe(content)
        hub = self._followed(asked.hub, stated(token, "hub").descriptor)
        answer = read_answer(token, hub.keys)
        require_answer(answer, hub, asked.message)
        require_payload(answer, payload)
        if asked.reply is not None:
            self._desk.taken(asked.reply)
        self._desk.forget(answer.over)
        if answer.task is not None:
            self._desk.give(answer.task, bytes(payload))
