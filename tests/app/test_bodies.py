# SPDX-License-Identifier: Apache-2.0
"""All long bodies together have so much room, and each so much time; short ones come through in any case."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from megagenome.app import bodies
from megagenome.app.bodies import SHORT_BYTES, Bodies
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Unavailable
from megagenome.standards import study_exchange

Receive = Callable[[], Awaitable[dict[str, Any]]]


async def nowhere(_: Any) -> None:
    """Takes what an application sends."""


def sending(pieces: Iterable[bytes], *, then: asyncio.Event | None = None) -> Receive:
    """A client that sends pieces, and then the end of its body, at once or at an event."""
    rest = iter(pieces)

    async def receive() -> dict[str, Any]:
        piece = next(rest, None)
        if piece is None and then is not None:
            await then.wait()
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    return receive


async def read(_scope: Any, receive: Receive, _send: Any) -> None:
    """An application that reads a whole body."""
    while (await receive()).get("more_body"):
        pass


async def post(app: Bodies, receive: Receive, **scope: Any) -> None:
    await app({"type": "http", "method": "POST", "path": "/", **scope}, receive, nowhere)  # as a server calls it


def test_what_is_held_is_let_go_whatever_becomes_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES", 1000)
    monkeypatch.setattr(bodies, "MOST_OF_NOBODY_BYTES", 1000)

    async def tried() -> None:
        app, end = Bodies(read), asyncio.Event()
        first = asyncio.create_task(post(app, sending([bytes(SHORT_BYTES), bytes(600)], then=end)))
        await asyncio.sleep(0)
        assert app.held_bytes == 600
        with pytest.raises(Unavailable, match="too much is sent"):
            await post(app, sending([bytes(SHORT_BYTES + 401)]))
        await post(app, sending([bytes(SHORT_BYTES)]))  # short ones count for nothing
        await post(app, sending([bytes(SHORT_BYTES + 400)]))
        assert app.held_bytes == 600
        end.set()
        await first
        assert app.held_bytes == 0
        first = asyncio.create_task(post(app, sending([bytes(SHORT_BYTES + 600)], then=asyncio.Event())))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert app.held_bytes == 0

    asyncio.run(tried())


def test_nobody_in_particular_keeps_out_who_said_who_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES", 1000)
    monkeypatch.setattr(bodies, "MOST_OF_NOBODY_BYTES", 250)

    async def tried() -> None:
        app = Bodies(read)
        held = asyncio.create_task(post(app, sending([bytes(SHORT_BYTES + 250)], then=asyncio.Event())))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="too much is sent"):
            await post(app, sending([bytes(SHORT_BYTES + 1)]))
        await post(app, sending([bytes(SHORT_BYTES + 750)]), caller=Caller("paula@idp.example", "Paula"))
        assert (app.held_bytes, app.held_of_nobody_bytes) == (250, 250)
        held.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held
        assert (app.held_bytes, app.held_of_nobody_bytes) == (0, 0)

    asyncio.run(tried())


def test_what_nodes_send_for_studies_is_bounded_by_who_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES", 0)
    asyncio.run(post(Bodies(read), sending([bytes(SHORT_BYTES + 1)]), path=study_exchange.PATH))


def test_what_the_server_itself_takes_is_not_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE_S", 0.05)

    async def slow(_scope: Any, receive: Receive, _send: Any) -> None:
        for _ in range(6):
            await receive()
            await asyncio.sleep(0.04)

    asyncio.run(post(Bodies(slow), sending([b"x"] * 5)))


def test_a_body_has_as_long_as_it_takes_on_a_slow_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE_S", 0.05)

    async def tried() -> None:
        app = Bodies(read)
        with pytest.raises(Unavailable, match="too slowly"):
            await post(app, sending([b"x"], then=asyncio.Event()))
        assert app.held_bytes == 0
        end = asyncio.Event()
        asyncio.get_running_loop().call_later(0.3, end.set)
        await post(app, sending([bytes(bodies.LEAST_BYTES_PER_S)], then=end))  # a second more for these

    asyncio.run(tried())


def test_who_waits_for_the_client_to_leave_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PATIENCE_S", 0.05)
    left = asyncio.Event()

    async def waits(_scope: Any, receive: Receive, _send: Any) -> None:
        assert not (await receive())["more_body"]
        await receive()
        left.set()

    def client() -> Receive:
        messages = iter([{"type": "http.request", "body": b"x", "more_body": False}, {"type": "http.disconnect"}])

        async def receive() -> dict[str, Any]:
            message = next(messages)
            if message["type"] == "http.disconnect":
                await asyncio.sleep(0.2)
            return message

        return receive

    async def tried() -> None:
        await post(Bodies(waits), client())
        assert left.is_set()

    asyncio.run(tried())
