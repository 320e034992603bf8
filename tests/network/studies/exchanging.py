# SPDX-License-Identifier: Apache-2.0
"""A hub and a node that joined it, and their exchange about studies, in one process."""

import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from megagenome.kernel.database import begin_writing
from megagenome.network.invitations import take_up
from megagenome.network.joined_hub import pin
from megagenome.network.studies.exchange import StudyExchange, keys_of_nodes
from megagenome.standards.descriptor import meet
from megagenome.standards.study import Frequencies
from megagenome.standards.study_exchange import (
    Answer,
    Message,
    Place,
    Reply,
    Task,
    frame,
    read_answer,
    require_payload,
    sha256,
    sign_message,
    unframe,
)
from tests.network.joining import Server, invited, request, server
from tests.network.studies.nodes import AtOnce, FakeNode, World, adding


class Desk:
    """`StudyDesk` that notes what it is given, and says what a test wants."""

    def __init__(self) -> None:
        self.replies: deque[tuple[Reply, bytes]] = deque()
        self.given: list[tuple[Task, bytes]] = []
        self.over: list[str] = []
        self.held: tuple[str, ...] = ()
        self.working: tuple[Place, ...] = ()
        self.wake: Callable[[], None] = lambda: None

    def listen(self, wake: Callable[[], None], /) -> None:
        self.wake = wake

    def holds(self) -> tuple[str, ...]:
        return self.held

    def at_work(self) -> tuple[Place, ...]:
        return self.working

    def next_reply(self) -> tuple[Reply, bytes] | None:
        return self.replies[0] if self.replies else None

    def taken(self, reply: Reply, /) -> None:
        assert self.replies.popleft()[0] is reply

    def give(self, task: Task, payload: bytes, /) -> None:
        self.given.append((task, payload))
        self.working += (task.place,)

    def forget(self, runs: Sequence[str], /) -> None:
        self.over += runs


class Pair:
    """The two."""

    def __init__(self, hub: Server, node: Server) -> None:
        self.hub, self.node = hub, node
        self.descriptor, self.node_descriptor = hub.described(), node.described()
        asked = request(invited(hub), self.node_descriptor)
        with begin_writing(hub.engine) as connection:
            take_up(connection, asked, hub.id, ())
        with begin_writing(node.engine) as connection:
            pin(connection, meet(self.descriptor), self.descriptor)
        sites = {"node.fi": FakeNode("node.fi", node.keys, None)}
        self.world = World(hub, sites, AtOnce(), {Frequencies: adding})
        assert keys_of_nodes(hub.engine) == {"node.fi": node.keys.kid}
        self.exchange = StudyExchange(self.world.coordinator, hub.engine, hub.keys, hub.id, self.descriptor)

    def message(self, reply: Reply | None = None, payload: bytes = b"", **other: Any) -> Message:
        fields: dict[str, Any] = {
            "node": "node.fi",
            "hub": self.hub.id,
            "nonce": secrets.token_urlsafe(24),
            "sent_at": datetime.now(UTC),
            "descriptor": self.node_descriptor,
            "holds": (),
            "at_work": (),
            "wait_s": 0.0,
            "reply": reply,
            "payload_bytes": len(payload),
            "payload_sha256": sha256(payload),
        }
        return Message(**{**fields, **other})

    async def send(self, message: Message, payload: bytes = b"", **other: Any) -> tuple[Answer, bytes]:
        content = frame(sign_message(other.get("keys", self.node.keys), message), payload)
        token, found = unframe(await self.exchange.answer(chunks(content)))
        answer = read_answer(token, self.hub.keys.key_set())
        require_payload(answer, found)
        return answer, bytes(found)


async def chunks(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    """A body as it arrives."""
    for begin in range(0, len(content), size):
        yield content[begin : begin + size]


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """A hub, and Finland's node."""
    with server(folder, "org.example.hub") as hub, server(folder, "node.fi", "FI") as node:
        yield Pair(hub, node)
