# SPDX-License-Identifier: Apache-2.0
"""Streams: who leaves or is slow is let go and gives its place back; what is refused breaks the connection off."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from megagenome.delivery.streams import Pieces, StreamedResponse, Streams
from megagenome.kernel.errors import NotEntitled, RateLimited, Unavailable

SCOPE: Any = {"type": "http", "method": "GET"}


class Made:
    """Pieces that are counted, and their end noted."""

    def __init__(self, count: int, refused_at: int | None = None) -> None:
        self.made, self.ended = 0, threading.Event()
        self._count, self._refused_at = count, refused_at

    def pieces(self) -> Iterator[bytes]:
        try:
            for number in range(self._count):
                if number == self._refused_at:
                    raise NotEntitled("no more")
                self.made += 1
                yield b"%d;" % number
        finally:
            self.ended.set()


class Receiver:
    """The other end of a connection."""

    def __init__(self, leaves_after: int | None = None, stops_at: int | None = None) -> None:
        self.got: list[bytes] = []
        self.heads: list[dict[str, Any]] = []
        self.ended = False
        self._leaves_after, self._stops_at = leaves_after, stops_at
        self._left = asyncio.Event()

    async def receive(self) -> Any:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.heads.append(message)
            return
        self.got.append(message["body"])
        self.ended = not message["more_body"]
        if len(self.got) == self._leaves_after:
            self._left.set()
        if len(self.got) == self._stops_at:
            await asyncio.sleep(60)


def run(
    made: Made, make: Callable[[], Receiver] = Receiver, slowest_s: float = 30, most: int = 1
) -> tuple[Receiver, Streams, BaseException | None]:
    """Send it once; then look that the place is free again."""

    async def go() -> tuple[Receiver, Streams, BaseException | None]:
        streams, receiver, error = Streams(most, slowest_s), make(), None
        pieces = await streams.begin(made.pieces)
        try:
            await StreamedResponse(streams, pieces)(SCOPE, receiver.receive, receiver.send)
        except Exception as found:  # noqa: BLE001 - what the server above would see
            error = found
        assert await asyncio.to_thread(made.ended.wait, 10)
        for _ in range(100):
            try:
                (await streams.begin(lambda: iter([b"again"]))).close()
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                return receiver, streams, error
        raise AssertionError("the place was never given back")

    return asyncio.run(go())


def test_all_of_it_comes_in_order() -> None:
    receiver, streams, error = run(Made(20))
    assert (b"".join(receiver.got), receiver.ended, error) == (b"".join(b"%d;" % k for k in range(20)), True, None)
    streams.close()


def test_who_leaves_is_sent_no_more() -> None:
    made = Made(100_000)
    receiver, streams, error = run(made, lambda: Receiver(leaves_after=3))
    assert made.made < 100
    assert not receiver.ended
    assert error is None
    streams.close()


def test_who_takes_nothing_is_let_go() -> None:
    made = Made(100)
    receiver, streams, error = run(made, lambda: Receiver(stops_at=2), slowest_s=0.1)
    assert isinstance(error, TimeoutError)
    assert not receiver.ended
    assert made.made < 5
    streams.close()


def test_what_is_refused_on_the_way_never_looks_whole() -> None:
    receiver, streams, error = run(Made(10, refused_at=4))
    assert isinstance(error, NotEntitled)
    assert not receiver.ended
    assert len(receiver.got) == 4
    streams.close()


def test_what_is_refused_at_once_is_refused_before_anything_is_sent() -> None:
    async def go() -> None:
        streams = Streams(1, 1)
        for _ in range(3):  # its place is given back
            with pytest.raises(NotEntitled):
                await streams.begin(Made(10, refused_at=0).pieces)
        streams.close()

    asyncio.run(go())


def test_more_than_there_are_places_for_are_told_to_come_again() -> None:
    async def go() -> None:
        streams = Streams(2, 1)
        held = [await streams.begin(Made(5).pieces, caller) for caller in ("ann@x", "ben@x")]
        with pytest.raises(Unavailable, match="ask again in a moment"):
            await streams.begin(Made(5).pieces, "cleo@x")
        held[0].close()
        held[0].close()
        (await streams.begin(Made(5).pieces, "cleo@x")).close()
        held[1].close()
        streams.close()

    asyncio.run(go())


def test_a_slow_receiver_holds_no_thread() -> None:
    """As many receivers wait as there are places, many more than threads; others are answered meanwhile."""

    async def go() -> None:
        streams = Streams(40, 30)
        receivers = [Receiver(stops_at=1) for _ in range(39)]
        sending = [
            asyncio.ensure_future(
                StreamedResponse(streams, await streams.begin(Made(50).pieces, f"{k}@x"))(
                    SCOPE, each.receive, each.send
                )
            )
            for k, each in enumerate(receivers)
        ]
        await asyncio.sleep(0.1)
        quick = Receiver()
        pieces = await streams.begin(Made(50).pieces)
        await asyncio.wait_for(StreamedResponse(streams, pieces)(SCOPE, quick.receive, quick.send), 10)
        assert quick.ended
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
        streams.close()

    asyncio.run(go())


def test_nobody_by_name_leaves_room_for_somebody() -> None:
    async def check() -> None:
        streams = Streams(4, 1)
        held = [await streams.begin(Made(5).pieces) for _ in range(3)]
        with pytest.raises(RateLimited, match="whoever does not say who they are"):
            await streams.begin(Made(5).pieces)
        held.append(await streams.begin(Made(5).pieces, "ann@x"))
        with pytest.raises(Unavailable):
            await streams.begin(Made(5).pieces, "ann@x")
        for each in held:
            each.close()
        (await streams.begin(Made(5).pieces)).close()
        streams.close()

    asyncio.run(check())


@pytest.mark.parametrize("most", [1, 2, 3, 7, 12, 64, 1000])
def test_one_caller_has_half_of_the_places_and_whoever_comes_next_finds_one(most: int) -> None:
    async def fill(streams: Streams, caller: str | None) -> list[Pieces]:
        held: list[Pieces] = []
        try:
            while True:
                held.append(await streams.begin(Made(2).pieces, caller))
        except (RateLimited, Unavailable):
            return held

    async def check() -> None:
        streams = Streams(most, 1)
        left = most
        for caller in ("ann@x", "ben@x", "cleo@x"):
            mine = await fill(streams, caller)
            assert len(mine) == (left + 1) // 2
            left -= len(mine)
            if caller == "ann@x" and left:
                with pytest.raises(RateLimited, match=f"{len(mine)} files and slices are being sent to you"):
                    await streams.begin(Made(2).pieces, caller)
                mine[0].close()
                (await streams.begin(Made(2).pieces, caller)).close()
                mine[0] = await streams.begin(Made(2).pieces, caller)
        assert len(await fill(Streams(most, 1), None)) == -(-3 * most // 4)
        streams.close()

    asyncio.run(check())


def test_a_stream_that_failed_to_open_holds_no_share() -> None:
    async def check() -> None:
        streams = Streams(2, 1)
        for _ in range(3):
            with pytest.raises(NotEntitled):
                await streams.begin(Made(10, refused_at=0).pieces, "ann@x")
        (await streams.begin(Made(2).pieces, "ann@x")).close()
        streams.close()

    asyncio.run(check())
