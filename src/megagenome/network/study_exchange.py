# SPDX-License-Identifier: Apache-2.0
"""The node's side of the exchange with its hub about studies (`standards.study_exchange`): it always has one message
under way. One that only waits for a task is given up when there is something to say."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import NamedTuple

import httpx
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Corrupt, MegagenomeError
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.signatures import LARGEST_TOKEN_BYTES
from megagenome.network.calling import call, connect
from megagenome.network.joined_hub import JoinedHub, follow, joined_hub
from megagenome.network.needs import StudyDesk
from megagenome.standards.exchange import is_near
from megagenome.standards.study_exchange import (
    HEAD_BYTES,
    LARGEST_PAYLOAD_BYTES,
    MEDIA_TYPE,
    PATH,
    Answer,
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

_log = logging.getLogger(__name__)

WAIT_S = 20.0
"""So long a message that has nothing to say waits for a task."""
TIMEOUT_S = 600.0
"""For one message with all that it brings and gets."""
_STEP_TIMEOUT_S = WAIT_S + 20.0
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 4.0
_NO_HUB_S = 2.0
_LARGEST_ANSWER_BYTES = HEAD_BYTES + LARGEST_TOKEN_BYTES + LARGEST_PAYLOAD_BYTES


class Asked(NamedTuple):
    """A message on its way."""

    hub: JoinedHub
    message: Message
    reply: Reply | None
    content: bytes


class StudyExchange:
    """One node's exchange about studies with the hub that it joined; with none while it joined none."""

    def __init__(self, engine: sa.Engine, keys: SigningKeys, node: str, descriptor: str, desk: StudyDesk) -> None:
        """`descriptor` is this node's own, as it is served."""
        self._engine, self._keys, self._node, self._descriptor, self._desk = engine, keys, node, descriptor, desk
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        self._last_sent: datetime | None = None
        desk.listen(self.call_now)

    def call_now(self) -> None:
        """There is something to say. From any thread; nothing happens while it is not running."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop was closed just now
                self._loop.call_soon_threadsafe(self._woken.set)

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: object) -> AsyncIterator[None]:
        """Take part while the server runs; cancelled when it stops."""
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
        async with connect(_STEP_TIMEOUT_S) as client:
            while True:
                try:
                    async with asyncio.timeout(TIMEOUT_S):
                        has_hub = await self.ask_once(client)
                    failures = 0
                    await asyncio.sleep(0 if has_hub else _NO_HUB_S)
                except (MegagenomeError, TimeoutError, sa.exc.DatabaseError) as error:
                    failures += 1
                    if failures in (1, 10) or failures % 100 == 0:
                        says = str(error) or "it took too long"
                        _log.warning("no exchange with the hub about studies (%d times now): %s", failures, says)
                except Exception:  # noqa: BLE001 - whatever it was, the next answer may be read
                    failures += 1
                    _log.exception("no exchange with the hub about studies")
                if failures:
                    await asyncio.sleep(min(_SHORTEST_PAUSE_S * 2 ** min(failures - 1, 10), _LONGEST_PAUSE_S))

    async def ask_once(self, client: httpx.AsyncClient) -> bool:
        """One message and its answer, taken; or a message that waited and was given up. False where no hub was joined.

        Raises what the hub says, `Unavailable` where it does not answer, `Corrupt` where the answer is not to be
        believed; then nothing of it is taken, and what was to be said is said again.
        """
        self._woken.clear()
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
        with self._engine.connect() as connection:
            hub = joined_hub(connection)
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

    def _next_time(self) -> datetime:
        """Later than that of any message before, because the hub takes each once."""
        now = clock.now()
        if self._last_sent is not None and now <= self._last_sent:
            now = self._last_sent + timedelta(microseconds=1)
        self._last_sent = now
        return now

    def _take(self, asked: Asked, content: bytes) -> None:
        token, payload = unframe(content)
        answer = _believed(asked, self._followed(asked.hub, token), token)
        require_payload(answer, payload)
        if asked.reply is not None:
            self._desk.taken(asked.reply)
        self._desk.forget(answer.over)
        if answer.task is not None:
            self._desk.give(answer.task, bytes(payload))

    def _followed(self, hub: JoinedHub, token: bytes) -> JoinedHub:
        described = stated(token, "hub").descriptor
        if described == hub.descriptor:
            return hub
        with begin_writing(self._engine) as connection:
            return follow(connection, hub, described)


def _believed(asked: Asked, hub: JoinedHub, token: bytes) -> Answer:
    """The answer, if it is the hub's, to this node, to this message and of this time. Raises `Corrupt`."""
    answer = read_answer(token, hub.keys)
    if (answer.hub, answer.node) != (hub.id, asked.message.node):
        raise Corrupt(f"an answer of {answer.hub} for {answer.node}, which was not asked for")
    if answer.nonce != asked.message.nonce:
        raise Corrupt(f"an answer of {answer.hub} to another message")
    if not is_near(answer.sent_at, clock.now()):
        raise Corrupt(f"an answer of {answer.hub} of another time: set both clocks by a time server")
    return answer
