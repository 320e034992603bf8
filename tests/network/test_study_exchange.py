# SPDX-License-Identifier: Apache-2.0
"""The node's side of the exchange about studies, against the hub's: what it takes, what it says again, and that it
never waits with something to say."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from megagenome.kernel import clock
from megagenome.kernel.errors import Corrupt, Invalid, MegagenomeError, Unavailable
from megagenome.kernel.keys import SigningKeys
from megagenome.network import study_exchange as module
from megagenome.network.calling import connect
from megagenome.network.joined_hub import leave
from megagenome.network.study_exchange import StudyExchange
from megagenome.standards.study_exchange import (
    Agreed,
    Place,
    Refused,
    Reply,
    Stage,
    Terms,
    frame,
    read_answer,
    sign_answer,
    unframe,
)
from tests.network.studies.exchanging import Desk, Pair, chunks, pair

Call = Callable[[bytes], Awaitable[bytes]]


class Exchanging:
    """A node whose calls come to the hub in this process, through what a test puts between."""

    def __init__(self, at: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at, self.desk, self.calls = at, Desk(), 0
        self.node = StudyExchange(at.node.engine, at.node.keys, "node.fi", at.node_descriptor, self.desk)
        self.between: Callable[[bytes], bytes] = lambda answer: answer
        monkeypatch.setattr(module, "call", self._call)

    async def _call(self, _client: object, url: str, _most: int, content: bytes, _kind: str) -> bytes:
        assert url == f"{self.at.hub.url}/studies/exchange"
        self.calls += 1
        return self.between(await self.at.exchange.answer(chunks(content)))

    def ask(self) -> bool:
        async def once() -> bool:
            self.node._woken = asyncio.Event()  # one belongs to one loop
            async with connect(5) as client, asyncio.timeout(30):
                return await self.node.ask_once(client)

        return asyncio.run(once())


@pytest.fixture
def met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exchanging]:
    with pair(tmp_path) as at:
        yield Exchanging(at, monkeypatch)


def test_a_task_is_taken_answered_and_its_end_is_heard(met: Exchanging) -> None:
    run = met.at.world.begin(least_sites=1)
    assert met.ask()
    [(task, _)] = met.desk.given
    assert task.place == Place(run, 0, 0, Stage.CHECK)
    met.desk.replies.append((Reply(task.place, Agreed(Terms(0, 0, 0))), b""))
    met.desk.held, met.desk.working = (run,), ()
    met.ask()
    assert met.desk.given[1][0].step == "people"
    met.desk.replies.append((Reply(task.place, Refused("no more")), b""))
    met.ask()
    assert met.desk.over == [run]
    assert met.at.world.show(run).reason == "node.fi refuses: no more"


def test_what_was_not_taken_is_said_again(met: Exchanging) -> None:
    run = met.at.world.begin(least_sites=1)
    met.desk.replies.append((Reply(Place(run, 0, 0, Stage.CHECK), Refused("no")), b"abc"))

    def lost(_answer: bytes) -> bytes:
        raise Unavailable("cut off")

    met.between = lost
    with pytest.raises(Unavailable):
        met.ask()
    assert len(met.desk.replies) == 1
    met.between = lambda answer: answer
    met.ask()
    assert not met.desk.replies


def test_a_clock_that_was_ahead_and_came_back_makes_no_node_deaf(
    met: Exchanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = met.at.world.begin(least_sites=1)
    met.desk.replies.append((Reply(Place(run, 0, 0, Stage.CHECK), Refused("no")), b""))
    with monkeypatch.context() as patched:
        real = clock.now
        ahead = iter([real() + timedelta(days=3650)])  # of the node's message; the hub reads its clock after that
        patched.setattr(clock, "now", lambda: next(ahead, None) or real())
        with pytest.raises(Invalid, match="ahead of the hub's"):
            met.ask()
    met.ask()
    assert not met.desk.replies


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - what is waited for happens in code that knows no event
        await asyncio.sleep(0.01)


def altered(met: Exchanging, keys: SigningKeys | None = None, **other: Any) -> Callable[[bytes], bytes]:
    def alter(content: bytes) -> bytes:
        token, payload = unframe(content)
        answer = read_answer(token, met.at.hub.keys.key_set())
        changed = msgspec.structs.replace(answer, **other)
        return frame(sign_answer(keys or met.at.hub.keys, changed), bytes(payload))

    return alter


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"nonce": "n" * 20}, "to another message"),
        ({"node": "node.ee"}, "which was not asked for"),
        ({"hub": "org.other"}, "which was not asked for"),
        ({"sent_at": datetime.now(UTC) - timedelta(minutes=5)}, "of another time"),
        ({"payload_sha256": "0" * 64}, "not the one that was signed"),
    ],
)
def test_an_answer_that_is_not_the_hubs_to_this_message_is_not_taken(met: Exchanging, other: Any, why: str) -> None:
    run = met.at.world.begin(least_sites=1)
    met.desk.replies.append((Reply(Place(run, 9, 0, Stage.CHECK), Refused("no")), b""))
    met.between = altered(met, **other)
    with pytest.raises(Corrupt, match=why):
        met.ask()
    assert (met.desk.given, len(met.desk.replies)) == ([], 1)


def test_a_foreign_key_and_rubbish_are_not_taken(met: Exchanging, tmp_path: Path) -> None:
    met.at.world.begin(least_sites=1)
    for between in (altered(met, SigningKeys.open(tmp_path / "foreign")), lambda _: b"", lambda _: b"\0\0\0\x03abc"):
        met.between = between
        with pytest.raises(MegagenomeError):
            met.ask()
    assert met.desk.given == []


def test_a_node_that_joined_nobody_says_nothing(met: Exchanging) -> None:
    with met.at.node.engine.begin() as connection:
        leave(connection)
    assert not met.ask()
    assert met.calls == 0


def test_who_waits_speaks_at_once_when_there_is_something_to_say(met: Exchanging) -> None:
    async def run() -> None:
        async with asyncio.timeout(30), met.node.lifespan(None):
            await until(lambda: met.calls > 0)
            run = await asyncio.to_thread(met.at.world.begin, least_sites=1)
            await until(lambda: bool(met.desk.given))
            place = met.desk.given[0][0].place
            met.desk.held = (run,)
            await asyncio.sleep(0.1)
            began, before = asyncio.get_running_loop().time(), met.calls
            met.desk.replies.append((Reply(place, Refused("no")), b""))
            met.desk.wake()
            await until(lambda: run in met.desk.over)
            assert asyncio.get_running_loop().time() - began < module.WAIT_S / 2
            assert met.calls > before
        assert met.node._loop is None
        met.desk.wake()

    asyncio.run(run())


def test_it_goes_on_after_the_hub_was_gone(met: Exchanging) -> None:
    fails = [Unavailable("gone"), RuntimeError("a fault"), None]

    def between(answer: bytes) -> bytes:
        if fails and (error := fails.pop(0)) is not None:
            raise error
        return answer

    met.between = between
    met.at.world.begin(least_sites=1)

    async def run() -> None:
        async with asyncio.timeout(30), met.node.lifespan(None):
            await until(lambda: bool(met.desk.given))

    asyncio.run(run())
