# SPDX-License-Identifier: Apache-2.0
"""The hub's side of the exchange with a node about studies (`standards.study_exchange`): verifies who speaks before it
reads what they send, takes a reply, and holds its answer back until there is something to do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, TooLarge, Unauthenticated, Unavailable
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import PublicKeys, each_key
from megagenome.network.joined_nodes import find_joined, follow, joined_nodes
from megagenome.network.studies.coordinate import Coordinator, Offer
from megagenome.standards.descriptor import meet
from megagenome.standards.exchange import is_near
from megagenome.standards.study_exchange import (
    HEAD_BYTES,
    LARGEST_PAYLOAD_BYTES,
    Answer,
    Message,
    frame,
    read_message,
    require_payload,
    sha256,
    sign_answer,
    stated,
    token_size,
)

_LARGE_BYTES = 1 << 20
_LARGE_AT_ONCE = 4
"""So many messages of more than that are in memory at a time; others wait."""
_LONGEST_READ_S = 600.0


class StudyExchange:
    """Answers nodes' messages."""

    def __init__(
        self, coordinator: Coordinator, engine: sa.Engine, keys: SigningKeys, hub: str, descriptor: str
    ) -> None:
        """`descriptor` is this hub's own, as it is served."""
        self._coordinator, self._engine = coordinator, engine
        self._keys, self._hub, self._descriptor = keys, hub, descriptor
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self._reading: dict[str, asyncio.Timeout] = {}

    async def answer(self, body: AsyncIterator[bytes]) -> bytes:
        """The signed answer to a signed message, which was taken.

        Raises `Unauthenticated` where no node that joined signed it, before its payload is read; `Invalid` where it is
        for another hub or the clocks disagree, `Conflict` where it was sent before, `Corrupt` where the payload is not
        the one that was signed, `Unavailable` where that does not come in time.
        """
        reading = _Body(body)
        token = await reading.take(token_size(await reading.take(HEAD_BYTES)))
        message = await asyncio.to_thread(self._verified, token)
        self._coordinator.hear(message.node)
        await self._read(message, reading)
        return await asyncio.to_thread(self._signed, message, await self._wait_for_offer(message))

    async def _read(self, message: Message, reading: "_Body") -> None:
        """Take the payload. What nobody asked for now is read and forgotten: its sender says it no more."""
        room = 0 if message.reply is None else self._coordinator.room(message.node, message.reply)
        is_large = message.payload_bytes > _LARGE_BYTES
        async with self._in_time(message.node), self._large if is_large else contextlib.nullcontext():
            if message.payload_bytes > room:
                await reading.skip(message.payload_bytes)
                payload = None
            else:
                payload = await reading.take(message.payload_bytes)
            await reading.require_end()
            await asyncio.to_thread(self._taken, message, payload)

    @contextlib.asynccontextmanager
    async def _in_time(self, node: str) -> AsyncIterator[None]:
        """The time for one message of a node. Its next message ends it: so no node holds several places, and one that
        was restarted does not wait for itself."""
        earlier, mine = self._reading.get(node), asyncio.timeout(_LONGEST_READ_S)
        if earlier is not None and not earlier.expired():
            earlier.reschedule(asyncio.get_running_loop().time())
        try:
            async with mine:
                self._reading[node] = mine
                yield
        except TimeoutError:
            raise Unavailable("the message did not come in time, or a later one came before its end") from None
        finally:
            if self._reading.get(node) is mine:
                del self._reading[node]

    def _verified(self, token: bytes) -> Message:
        try:
            said = stated(token, "node")
            message = read_message(token, self._keys_of(said.sender, said.descriptor))
        except (Corrupt, TooLarge) as error:
            raise Unauthenticated(f"the message is not signed as it must be: {error}") from None
        if message.hub != self._hub:
            raise Invalid(f"the message is for {message.hub}, not for {self._hub}")
        if not is_near(message.sent_at, clock.now()):
            ahead = round((message.sent_at - clock.now()).total_seconds())
            raise Invalid(f"the clock of {message.node} is {ahead} s ahead of the hub's: set both by a time server")
        if not self._coordinator.store.note_message(message.node, message.sent_at):
            raise Conflict("this message, or a newer one, was sent before")
        return message

    def _keys_of(self, node: str, descriptor: str) -> PublicKeys:
        with self._engine.connect() as connection:
            known = find_joined(connection, node)
        if known is None:
            raise Unauthenticated(f"{node[:100]} has not joined this network, or was removed from it")
        if descriptor != known.descriptor:
            with begin_writing(self._engine) as connection:
                known = follow(connection, known, descriptor)
        return known.keys

    def _taken(self, message: Message, payload: bytes | None) -> None:
        if payload is not None:
            require_payload(message, payload)
        if message.reply is not None:
            self._coordinator.take(message.node, message.reply, payload or b"")

    async def _wait_for_offer(self, message: Message) -> Offer:
        loop, board = asyncio.get_running_loop(), self._coordinator.board
        until_s = loop.time() + message.wait_s
        while True:
            seen = board.changes
            offer = await asyncio.to_thread(self._coordinator.offer, message.node, message.holds, message.at_work)
            left_s = until_s - loop.time()
            if offer.task is not None or offer.over or left_s <= 0:
                return offer
            await board.wait(seen, left_s)

    def _signed(self, message: Message, offer: Offer) -> bytes:
        answer = Answer(
            self._hub,
            message.node,
            message.nonce,
            clock.now(),
            self._descriptor,
            offer.task,
            offer.over,
            len(offer.payload),
            sha256(offer.payload),
        )
        return frame(sign_answer(self._keys, answer), offer.payload)


class _Body:
    """A request's body, as much as is asked for."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks, self._left = chunks, bytearray()

    async def take(self, size: int) -> bytes:
        """The next bytes. Raises `Corrupt` where there are fewer."""
        while len(self._left) < min(size, LARGEST_PAYLOAD_BYTES):
            try:
                self._left += await anext(self._chunks)
            except StopAsyncIteration:
                raise Invalid("the message ends too early") from None
        taken = bytes(self._left[:size])
        del self._left[:size]
        return taken

    async def skip(self, size: int) -> None:
        """Read so many bytes, and keep none. Raises `Invalid` where there are fewer."""
        while size > 0:
            part = await self.take(min(size, _LARGE_BYTES))
            size -= len(part)

    async def require_end(self) -> None:
        """Raise `Invalid` where there is more."""
        if self._left or any([len(chunk) > 0 async for chunk in self._chunks]):
            raise Invalid("the message goes on after its end")


def keys_of_nodes(engine: sa.Engine) -> dict[str, str]:
    """The thumbprint of the key with which each node that joined signs now."""
    with engine.connect() as connection:
        joined = joined_nodes(connection)
    return {each.node.id: next(each_key(meet(each.descriptor).key_set())).thumbprint() for each in joined}
