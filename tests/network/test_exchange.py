# SPDX-License-Identifier: Apache-2.0
"""The node's side of the exchange, over real sockets: what it believes of what answers, what it keeps, when it asks."""

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Corrupt, MegagenomeError, Unavailable
from megagenome.kernel.keys import SigningKeys
from megagenome.network import exchange as module
from megagenome.network.calling import connect
from megagenome.network.exchange import HubExchange
from megagenome.network.freshness import Freshness
from megagenome.network.joined_hub import joined_hub, leave, pin
from megagenome.network.settings import ExchangeSettings
from megagenome.standards.descriptor import meet
from megagenome.standards.exchange import (
    MESSAGE_TYPE,
    Answer,
    Message,
    Receipt,
    read_message,
    sign_answer,
)
from megagenome.standards.permit import PermitState, Revocation
from tests.network.joining import Server, server

QUICK = ExchangeSettings(interval_s=0.1, longest_interval_s=0.4, longest_silence_s=2.0)


class Desk:
    """A desk that notes what it is given."""

    def __init__(self) -> None:
        self.decisions: list[str] = []
        self.taken: list[Any] = []
        self.fails = False

    def undelivered(self, most: int) -> tuple[str, ...]:
        return tuple(self.decisions[:most])

    def acknowledge(self, _connection: sa.Connection, receipts: Any) -> None:
        self.taken += receipts

    def take_proposals(self, _connection: sa.Connection, _hub: str, proposals: Any) -> None:
        self.taken += proposals

    def take_revocations(self, _connection: sa.Connection, revocations: Any) -> None:
        self.taken += revocations
        if self.fails:
            raise Unavailable("killed here")


class StubHub:
    """A hub on a socket of its own. `answer` makes the body of each message."""

    def __init__(self, hub: Server, node: Server) -> None:
        self.server, self.node = hub, node
        self.descriptor = hub.described()
        self.heard: list[Message] = []
        self.fields: dict[str, Any] = {}
        self.answer: Callable[[Message], bytes] = self.honest
        self.status = 200

    def honest(self, message: Message, keys: SigningKeys | None = None, **other: Any) -> bytes:
        fields: dict[str, Any] = {
            "hub": self.server.id,
            "node": message.node,
            "nonce": message.nonce,
            "sent_at": datetime.now(UTC),
            "sequence": message.since,
            "complete": True,
            "proposals": (),
            "revocations": (),
            "receipts": (),
            "descriptor": self.descriptor,
        }
        return sign_answer(keys or self.server.keys, Answer(**{**fields, **self.fields, **other})).encode()


@contextmanager
def answering(stub: StubHub) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            token = self.rfile.read(int(self.headers["content-length"]))
            message = read_message(token, stub.node.keys.key_set())
            stub.heard.append(message)
            body = stub.answer(message)
            self.send_response(stub.status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{serving.server_port}"
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


class Pair:
    """A node that joined a stub of a hub."""

    def __init__(self, stub: StubHub, node: Server) -> None:
        self.stub, self.node, self.desk = stub, node, Desk()
        self.freshness = Freshness(node.engine, QUICK.longest_silence_s)
        self.exchange = HubExchange(node.engine, node.keys, node.id, node.described(), self.desk, self.freshness, QUICK)

    def ask(self) -> bool:
        async def once() -> bool:
            async with connect(5) as client:
                return await self.exchange.ask_once(client)

        return asyncio.run(once())

    def sequence(self) -> int:
        with self.node.engine.connect() as connection:
            hub = joined_hub(connection)
        assert hub
        return hub.sequence


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with server(tmp_path, "hub") as hub, server(tmp_path, "node.fi", "FI") as node:
        stub = StubHub(hub, node)
        with answering(stub) as url:
            hub.url = url
            stub.descriptor = hub.described()
            with begin_writing(node.engine) as connection:
                pin(connection, meet(stub.descriptor), stub.descriptor)
            yield Pair(stub, node)


NEWS = (Revocation(7, "p1", PermitState.SUSPENDED, datetime(2026, 1, 1, tzinfo=UTC)),)


def test_what_is_new_is_taken_with_how_far_it_goes(pair: Pair) -> None:
    pair.stub.fields = {"revocations": NEWS, "sequence": 7, "receipts": (Receipt("x"),)}
    pair.desk.decisions = ["a", "b"]
    assert not pair.ask()
    assert pair.desk.taken == [Receipt("x"), *NEWS]
    assert pair.sequence() == 7
    pair.stub.fields = {}
    pair.ask()
    first, second = pair.stub.heard
    assert (first.since, first.decisions, second.since) == (0, ("a", "b"), 7)
    assert first.nonce != second.nonce
    assert first.sent_at < second.sent_at


def test_what_was_not_taken_whole_is_taken_again(pair: Pair) -> None:
    pair.stub.fields = {"revocations": NEWS, "sequence": 7}
    pair.desk.fails = True
    with pytest.raises(Unavailable):
        pair.ask()
    assert pair.sequence() == 0
    with pytest.raises(Unavailable):
        pair.freshness.require()
    pair.desk.fails = False
    pair.ask()
    assert pair.sequence() == 7
    pair.freshness.require()


def test_more_to_ask_for_is_said(pair: Pair) -> None:
    pair.stub.fields = {"complete": False}
    assert pair.ask()


@pytest.mark.parametrize(
    "other",
    [
        {"nonce": secrets.token_urlsafe(24)},
        {"node": "node.ee"},
        {"hub": "other"},
        {"sent_at": datetime.now(UTC) - timedelta(seconds=90)},
        {"sent_at": datetime.now(UTC) + timedelta(seconds=900)},
        {"proposals": ("nonsense",)},
    ],
)
def test_answers_of_another_time_or_to_others_are_refused(pair: Pair, other: dict[str, Any]) -> None:
    pair.stub.fields = {"revocations": NEWS, "sequence": 7, **other}
    with pytest.raises(Corrupt):
        pair.ask()
    assert (pair.desk.taken, pair.sequence()) == ([], 0)
    with pytest.raises(Unavailable):
        pair.freshness.require()


def test_an_old_answer_is_refused(pair: Pair) -> None:
    pair.ask()
    old = pair.stub.honest(pair.stub.heard[0], revocations=NEWS)
    pair.stub.answer = lambda _: old
    with pytest.raises(Corrupt, match="another message"):
        pair.ask()


def test_a_foreign_key_is_refused(pair: Pair, tmp_path: Path) -> None:
    thief = SigningKeys.open(tmp_path / "thief")
    own = pair.stub.server.described(thief)
    for descriptor in (pair.stub.descriptor, own):
        pair.stub.answer = lambda message, d=descriptor: pair.stub.honest(message, thief, descriptor=d)
        with pytest.raises(Corrupt):
            pair.ask()
    token = thief.sign({"hub": "hub", "descriptor": ""}, MESSAGE_TYPE).encode()
    for body in (b"", b"{}", b"a.b.c", token):
        pair.stub.answer = lambda _, b=body: b
        with pytest.raises(Corrupt):
            pair.ask()


def test_a_new_key_of_the_hub_is_followed(pair: Pair) -> None:
    pair.stub.server.replace_key()
    pair.stub.descriptor = pair.stub.server.described()
    pair.stub.fields = {"revocations": NEWS, "sequence": 7}
    pair.ask()
    pair.ask()
    assert pair.sequence() == 7


@pytest.mark.parametrize("status", [401, 403, 409, 429, 500, 302])
def test_a_refusal_is_no_answer(pair: Pair, status: int) -> None:
    pair.stub.status = status
    with pytest.raises(MegagenomeError):
        pair.ask()
    with pytest.raises(Unavailable):
        pair.freshness.require()


def test_a_hub_that_was_rolled_back_is_heard_on(pair: Pair) -> None:
    """It was restored from a backup, and counts from further back: what it says anew must not be missed."""
    pair.stub.fields = {"revocations": NEWS, "sequence": 7}
    pair.ask()
    again = (Revocation(4, "p2", PermitState.REVOKED, NEWS[0].at),)
    pair.stub.fields = {"revocations": again, "sequence": 4}
    pair.ask()
    pair.stub.fields = {}
    pair.ask()
    assert pair.desk.taken == [*NEWS, *again]
    assert pair.stub.heard[-1].since == 4


def test_a_node_that_left_hears_nobody(pair: Pair) -> None:
    pair.ask()
    pair.freshness.require()
    with begin_writing(pair.node.engine) as connection:
        leave(connection)
    with pytest.raises(Unavailable, match="no permit"):
        pair.freshness.require()
    assert not pair.ask()
    assert len(pair.stub.heard) == 1


def test_a_node_whose_clock_is_set_back_still_sends_newer_messages(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.ask()
    back = clock.now() - timedelta(seconds=30)
    monkeypatch.setattr(clock, "now", lambda: back)
    pair.ask()
    first, second = pair.stub.heard
    assert second.sent_at > first.sent_at


def test_a_clock_that_was_ahead_and_came_back_makes_no_node_deaf(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.ask()
    with monkeypatch.context() as patched:
        ahead = clock.now() + timedelta(days=3650)
        patched.setattr(clock, "now", lambda: ahead)
        with pytest.raises(Corrupt, match="clocks"):
            pair.ask()
    pair.stub.fields = {"revocations": NEWS, "sequence": 7}
    pair.ask()
    last = pair.stub.heard[-1]
    assert abs(last.sent_at - clock.now()) < timedelta(seconds=30)
    assert pair.desk.taken == [*NEWS]


def test_a_busy_server_keeps_no_news_out(pair: Pair) -> None:
    pair.stub.fields = {"revocations": NEWS, "sequence": 7}
    freed = threading.Event()

    async def ask_while_all_threads_are_busy() -> None:
        running = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as threads:
            running.set_default_executor(threads)
            busy = running.run_in_executor(None, freed.wait, 20)
            try:
                async with connect(5) as client, asyncio.timeout(10):
                    await pair.exchange.ask_once(client)
            finally:
                freed.set()
            await busy

    asyncio.run(ask_while_all_threads_are_busy())
    assert pair.desk.taken == [*NEWS]


def run_for(pair: Pair, seconds: float, then: Callable[[], None] = lambda: None) -> None:
    async def run() -> None:
        async with pair.exchange.lifespan(None):
            await asyncio.sleep(seconds / 2)
            then()
            await asyncio.sleep(seconds / 2)

    asyncio.run(run())


def test_it_asks_on_and_ends_with_the_server(pair: Pair) -> None:
    run_for(pair, 2.0)
    asked = len(pair.stub.heard)
    assert 2 <= asked <= 5  # never oftener than each half second, however short the interval
    time.sleep(0.5)
    assert len(pair.stub.heard) == asked


def test_it_asks_less_often_while_nobody_answers_and_goes_on_after(pair: Pair) -> None:
    pair.stub.status = 500

    refused = 0

    def recover() -> None:
        nonlocal refused
        refused = len(pair.stub.heard)
        pair.stub.status = 200

    run_for(pair, 4.0, recover)
    assert refused <= 3  # at pauses of the same length it would have asked a fourth time in these two seconds
    pair.freshness.require()


def test_a_knock_makes_it_ask_at_once(pair: Pair) -> None:
    pair.exchange._settings = ExchangeSettings(interval_s=60, longest_interval_s=60)
    run_for(pair, 2.4, pair.exchange.call_now)
    assert len(pair.stub.heard) == 2
    pair.exchange.call_now()  # of a server that stopped: nothing


def test_a_proposal_for_another_hub_is_refused(pair: Pair) -> None:
    from tests.access.desks import proposal

    foreign = pair.stub.server.keys.sign(msgspec.to_builtins(proposal(hub="other")), "megagenome-permit+jwt")
    pair.stub.fields = {"proposals": (foreign,)}
    with pytest.raises(Corrupt, match="another hub"):
        pair.ask()
    assert module.SHORTEST_PAUSE_S == 0.5
