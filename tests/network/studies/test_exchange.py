# SPDX-License-Identifier: Apache-2.0
"""The hub's side of the exchange: whom it believes, what it reads of others, and how long it holds an answer back."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, MegagenomeError, Unauthenticated, Unavailable
from megagenome.kernel.keys import SigningKeys
from megagenome.network.joined_nodes import remove
from megagenome.standards.study import decode
from megagenome.standards.study_exchange import (
    Agreed,
    Changed,
    Place,
    Refused,
    Reply,
    Sent,
    Stage,
    Terms,
    frame,
    sign_message,
)
from tests.network.studies.exchanging import Pair, chunks, pair
from tests.network.studies.nodes import ADA

pytestmark = pytest.mark.usefixtures("database")


def ask(at: Pair, *arguments: Any, **other: Any) -> Any:
    async def once() -> Any:
        return await asyncio.wait_for(at.send(at.message(*arguments, **other.pop("message", {})), **other), 30)

    return asyncio.run(once())


def test_a_node_gets_its_task_with_the_document_once(tmp_path: Path) -> None:
    with pair(tmp_path) as at:
        assert ask(at)[0].task is None
        run = at.world.begin(least_sites=1)
        answer, payload = ask(at)
        assert (answer.task.place, answer.task.subject) == (Place(run, 0, 0, Stage.CHECK), ADA.subject)
        assert decode(payload) == at.world.document(least_sites=1)
        answer, payload = ask(at, message={"holds": (run,)})
        assert (answer.task.document_bytes, payload) == (0, b"")
        assert ask(at, message={"holds": (run,), "at_work": (answer.task.place,)})[0].task is None
        said = Reply(answer.task.place, Agreed(Terms(0, 0, 0)))
        answer, _ = ask(at, said, message={"holds": (run,)})
        assert (answer.task.place, answer.task.step) == (Place(run, 0, 0, Stage.SUMS), "people")
        at.world.studies.cancel(ADA, run)
        assert ask(at, message={"holds": (run, "S0")})[0].over == (run, "S0")


def test_an_answer_waits_until_there_is_something_to_do(tmp_path: Path) -> None:
    with pair(tmp_path) as at:

        async def wait() -> None:
            waiting = asyncio.create_task(at.send(at.message(wait_s=20.0)))
            await asyncio.sleep(0.2)
            assert not waiting.done()
            run = await asyncio.to_thread(at.world.begin, least_sites=1)
            answer, _ = await asyncio.wait_for(waiting, 15)
            assert answer.task is not None
            assert answer.task.place.run == run
            answer, _ = await at.send(at.message(wait_s=0.1, at_work=(answer.task.place,), holds=(run,)))
            assert answer.task is None

        asyncio.run(wait())


def test_a_message_counts_once_and_in_its_order(tmp_path: Path) -> None:
    with pair(tmp_path) as at:
        first, second = at.message(), at.message()
        asyncio.run(at.send(second))
        for old in (second, first):
            with pytest.raises(Conflict, match="sent before"):
                asyncio.run(at.send(old))


def test_clocks_that_were_ahead_together_leave_nobody_deaf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pair(tmp_path) as at:
        start = clock.now()
        for now in (start, start + timedelta(days=3650), start + timedelta(seconds=1)):
            monkeypatch.setattr(clock, "now", lambda now=now: now)
            message = at.message(sent_at=now)
            asyncio.run(at.send(message))
            with pytest.raises(Conflict, match="sent before"):
                asyncio.run(at.send(message))


def test_what_is_said_again_after_clocks_came_back_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pair(tmp_path) as at:
        run, store = at.world.begin(least_sites=1), at.world.coordinator.store
        start = clock.now()
        said = at.message(Reply(Place(run, 0, 0, Stage.CHECK), Changed()), sent_at=start)
        asyncio.run(at.send(said))
        after = store.find(run)
        assert (after.epoch, after.restarts) == (1, 1)
        ahead = start + timedelta(days=3650)
        for now, message in ((ahead, at.message(sent_at=ahead)), (start, said)):
            monkeypatch.setattr(clock, "now", lambda now=now: now)
            asyncio.run(at.send(message))
        assert store.find(run) == after


@pytest.mark.parametrize(
    ("other", "kind", "why"),
    [
        ({"node": "node.ee"}, Unauthenticated, "has not joined"),
        ({"hub": "org.other"}, Invalid, "is for org.other"),
        ({"sent_at": timedelta(minutes=5)}, Invalid, "s ahead of the hub's"),
        ({"sent_at": timedelta(minutes=-5)}, Invalid, "ahead of the hub's"),
        ({"payload_sha256": "0" * 64}, Corrupt, "not the one that was signed"),
        ({"payload_bytes": 5}, Invalid, "ends too early"),
    ],
)
def test_what_is_not_as_it_must_be_is_refused(tmp_path: Path, other: Any, kind: type[Exception], why: str) -> None:
    with pair(tmp_path) as at:
        run = at.world.begin(least_sites=1)
        refusal = Reply(Place(run, 0, 0, Stage.CHECK), Refused("no"))
        if "sent_at" in other:
            other = {"sent_at": datetime.now(UTC) + other["sent_at"]}
        with pytest.raises(kind, match=why):
            ask(at, refusal, message=other)
        assert at.world.show(run).reason == ""


def test_a_foreign_key_and_a_node_that_was_removed(tmp_path: Path) -> None:
    with pair(tmp_path) as at:
        with pytest.raises(Unauthenticated, match="not signed as it must be"):
            ask(at, keys=SigningKeys.open(tmp_path / "foreign"))
        ask(at)
        with begin_writing(at.hub.engine) as connection:
            remove(connection, "node.fi")
        with pytest.raises(Unauthenticated, match="was removed"):
            ask(at)


def test_a_new_key_of_the_node_is_followed(tmp_path: Path) -> None:
    with pair(tmp_path) as at:
        at.node.replace_key()
        at.node_descriptor = at.node.described()
        assert ask(at)[0].node == "node.fi"


def test_nothing_is_read_of_who_is_not_known(tmp_path: Path) -> None:
    with pair(tmp_path) as at:
        read = 0

        async def endless(content: bytes) -> AsyncIterator[bytes]:
            nonlocal read
            yield content
            while True:
                read += 1
                yield bytes(1000)

        foreign = SigningKeys.open(tmp_path / "foreign")
        message = at.message(payload_bytes=1 << 28)
        for content in (frame(sign_message(foreign, message), b""), b"\xff" * 100, b'\0\0\0\x09{"a":1}..'):
            with pytest.raises(MegagenomeError):
                asyncio.run(at.exchange.answer(endless(content)))
        assert read < 300, "no more than the longest token"


@pytest.mark.parametrize("content", [b"", b"\0", b"\0\0\0\x09abc"])
def test_a_body_that_ends_too_early(tmp_path: Path, content: bytes) -> None:
    with pair(tmp_path) as at, pytest.raises(Invalid, match="ends too early"):
        asyncio.run(at.exchange.answer(chunks(content)))


@pytest.mark.parametrize(("place", "reason"), [("elsewhere", ""), ("here", "it sends more than was asked")])
def test_what_was_not_asked_for_is_read_and_not_kept(tmp_path: Path, place: str, reason: str) -> None:
    """A node that sends it would otherwise fill the hub's memory, or send it again and again."""
    with pair(tmp_path) as at:
        run = at.world.begin(least_sites=1)
        check = Place(run, 0, 0, Stage.CHECK)
        ask(at, Reply(check, Agreed(Terms(0, 0, 0))))
        people = Place(run, 0, 0, Stage.SUMS) if place == "here" else Place(run, 0, 7, Stage.SUMS)
        content = bytes(3_000_000)
        message = at.message(Reply(people, Sent(56, len(content) - 56)), payload_bytes=len(content))
        tracemalloc.start()
        asyncio.run(at.send(message, content))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 3 * len(content), "twice that is the test's frame; kept, it would be four times"
        assert reason in at.world.show(run).reason
        assert bool(at.world.show(run).reason) == bool(reason)


def test_a_node_has_the_place_of_one_message(tmp_path: Path) -> None:
    """Four that never end would be all that a hub reads at a time: each ends the one before."""

    async def begun(content: bytes) -> AsyncIterator[bytes]:
        yield content
        await asyncio.sleep(60)

    async def ask_often(at: Pair) -> Any:
        place = Reply(Place("S0", 0, 0, Stage.SUMS), Sent(2_000_000, 0))
        waiting = []
        for _ in range(6):
            token = sign_message(at.node.keys, at.message(place, payload_bytes=2_000_000))
            waiting.append(asyncio.create_task(at.exchange.answer(begun(frame(token, b"")))))
            await asyncio.sleep(0.1)
        ended = await asyncio.wait_for(asyncio.gather(*waiting[:-1], return_exceptions=True), 30)
        answer = await asyncio.wait_for(at.send(at.message(place, bytes(2_000_000)), bytes(2_000_000)), 30)
        return [*ended, *await asyncio.gather(waiting[-1], return_exceptions=True)], answer

    with pair(tmp_path) as at:
        ended, answer = asyncio.run(ask_often(at))
        assert [type(each) for each in ended] == [Unavailable] * 6
        assert answer[0].node == "node.fi"


def test_what_follows_the_end(tmp_path: Path) -> None:
    with pair(tmp_path) as at:
        content = frame(sign_message(at.node.keys, at.message()), b"") + b"more"
        with pytest.raises(Invalid, match="after its end"):
            asyncio.run(at.exchange.answer(chunks(content)))
