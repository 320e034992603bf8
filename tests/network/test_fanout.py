# SPDX-License-Identifier: Apache-2.0
"""The fan-out: whatever one node does, the others' answers come, and its own outcome says what it did."""

import asyncio
import contextlib
import socket
import threading
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.network.fanout import Network, Outcome, Question, one_line
from megagenome.network.settings import NetworkSettings, Node
from megagenome.standards.federation import NodeStatus
from tests.network import stubs
from tests.network.stubs import Behaviour, Stub, running, says

QUESTION = Question("/g_variants", b'{"meta":{}}')
SETTINGS = NetworkSettings(deadline_s=1.0, connect_timeout_s=1.0, connections_per_node=4, max_answer_bytes=100_000)


class Number(msgspec.Struct):
    number: int


def read(node: Node, body: bytes) -> int:
    number = msgspec.json.decode(body, type=Number).number
    if number < 0:
        raise Corrupt("a negative number")
    return number


async def ask(
    *behaviours: Behaviour, config: NetworkSettings = SETTINGS
) -> tuple[tuple[Outcome[int], ...], list[Stub]]:
    async with contextlib.AsyncExitStack() as stack:
        running_stubs = [await stack.enter_async_context(running(behave)) for behave in behaviours]
        nodes = [stub.node(f"N{i}") for i, stub in enumerate(running_stubs)]
        network = await stack.enter_async_context(Network(nodes, config))
        return await network.ask(QUESTION, read), running_stubs


def one(behave: Behaviour) -> Outcome[int]:
    return asyncio.run(ask(behave))[0][0]


def test_every_node_is_asked_the_question_and_answers_stand_in_the_order_of_the_nodes() -> None:
    outcomes, asked = asyncio.run(ask(says({"number": 1}, delay_s=0.05), says({"number": 2})))
    assert [(o.status, o.answer, o.message) for o in outcomes] == [
        (NodeStatus.ANSWERED, 1, ""),
        (NodeStatus.ANSWERED, 2, ""),
    ]
    assert [(a.method, a.path, a.body) for stub in asked for a in stub.asked] == [
        ("POST", "/beacon/v2/g_variants", b'{"meta":{}}')
    ] * 2
    assert outcomes[0].elapsed_ms >= 50
    assert outcomes[1].elapsed_ms > 0


DEEP = b'{"x":' + b"[" * 40_000 + b"]" * 40_000 + b"}"
ELSEWHERE = says({}, status=302, more="location: http://127.0.0.1:1/\r\n")
MISBEHAVIOURS: dict[str, tuple[Behaviour, NodeStatus, str]] = {
    "hangs": (stubs.hangs, NodeStatus.LATE, "no whole answer within 1 s"),
    "trickles": (stubs.trickles, NodeStatus.LATE, "no whole answer within 1 s"),
    "trickles headers": (stubs.trickles_headers, NodeStatus.LATE, "no whole answer within 1 s"),
    "floods": (stubs.floods, NodeStatus.FAULTY, "longer than 100000 bytes"),
    "announces too much": (says(b" " * 100_001), NodeStatus.FAULTY, "longer than 100000 bytes"),
    "dies": (stubs.dies, NodeStatus.UNREACHABLE, "the connection broke"),
    "closes": (stubs.closes, NodeStatus.UNREACHABLE, "the connection broke"),
    "500": (says({"detail": "out of order"}, status=500), NodeStatus.FAULTY, "HTTP 500"),
    "204": (says(b"{}", status=204), NodeStatus.FAULTY, "HTTP 204"),
    "HTML": (says(b"<h1>hello</h1>", kind="text/html"), NodeStatus.FAULTY, "it answers text/html, not JSON"),
    "HTML called JSON": (says(b"<h1>hello</h1>"), NodeStatus.FAULTY, "JSON is malformed"),
    "nothing": (says(b""), NodeStatus.FAULTY, "its answer is not what it must be"),
    "wrong shape": (says([1]), NodeStatus.FAULTY, "its answer is not what it must be"),
    "a lie": (says({"number": -1}), NodeStatus.FAULTY, "a negative number"),
    "NaN": (says(b'{"number":NaN}'), NodeStatus.FAULTY, "its answer is not what it must be"),
    "deep JSON": (says(DEEP), NodeStatus.FAULTY, "nested too deep"),
    "not UTF-8": (says(b'{"x":"\xff\xfe"}'), NodeStatus.FAULTY, "its answer is not what it must be"),
    "compressed": (says({"number": 1}, more="content-encoding: gzip\r\n"), NodeStatus.FAULTY, "compressed"),
    "redirects": (ELSEWHERE, NodeStatus.FAULTY, "write that one in hub.toml"),
    "400": (says({"error": {"errorMessage": "no such\nfilter"}}, status=400), NodeStatus.REFUSED, "no such filter"),
    "403": (says({"title": "Forbidden", "detail": "not you"}, status=403), NodeStatus.REFUSED, "not you"),
    "404 page": (says(b"<h1>", status=404), NodeStatus.REFUSED, "HTTP 404"),
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_a_misbehaving_node_is_named_and_the_other_answers(name: str) -> None:
    behave, status, message = MISBEHAVIOURS[name]
    outcomes, _ = asyncio.run(ask(behave, says({"number": 7})))
    assert outcomes[0].status is status
    assert message in outcomes[0].message
    assert outcomes[0].answer is None
    assert (outcomes[1].status, outcomes[1].answer) == (NodeStatus.ANSWERED, 7)
    assert outcomes[0].elapsed_ms >= (1000 * SETTINGS.deadline_s if status is NodeStatus.LATE else 0)


def test_an_answer_without_a_content_type_is_read() -> None:
    async def bare(asked: stubs.Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{"number":3}')

    assert one(bare).answer == 3


def test_a_node_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

        async def run() -> Outcome[int]:
            async with Network([Node(id="FI", url=f"http://127.0.0.1:{port}")], SETTINGS) as network:
                return (await network.ask(QUESTION, read))[0]

        outcome = asyncio.run(run())
    assert outcome.status is NodeStatus.UNREACHABLE
    assert outcome.message.startswith("no connection")


def test_a_host_that_does_not_exist_is_unreachable() -> None:
    async def run() -> Outcome[int]:
        async with Network([Node(id="FI", url="http://node.invalid")], NetworkSettings(deadline_s=5)) as network:
            return (await network.ask(QUESTION, read))[0]

    assert asyncio.run(run()).status in (NodeStatus.UNREACHABLE, NodeStatus.LATE)


def test_connections_are_kept_and_used_again() -> None:
    async def run() -> int:
        async with running(says({"number": 1})) as stub, Network([stub.node()], SETTINGS) as network:
            for _ in range(5):
                await network.ask(QUESTION, read)
            return stub.connections

    assert asyncio.run(run()) == 1


def test_a_node_that_closes_kept_connections_is_asked_again_on_a_new_one() -> None:
    async def answers_once(asked: stubs.Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(stubs.response(b'{"number":1}'))
        await writer.drain()
        writer.close()

    async def run() -> list[Any]:
        async with running(answers_once) as stub, Network([stub.node()], SETTINGS) as network:
            return [(await network.ask(QUESTION, read))[0].status for _ in range(20)]

    assert asyncio.run(run()) == [NodeStatus.ANSWERED] * 20


def test_leaving_closes_what_still_waits_and_the_network_goes_on() -> None:
    async def run() -> None:
        async with running(stubs.hangs) as slow, running(says({"number": 1})) as quick:
            config = NetworkSettings(deadline_s=60, connections_per_node=2)
            async with Network([slow.node("A"), quick.node("B")], config) as network:
                for _ in range(6):  # more often than there are connections: none may leak
                    slow.left.clear()
                    slow.began.clear()
                    asking = asyncio.ensure_future(network.ask(QUESTION, read))
                    await asyncio.wait_for(slow.began.wait(), 5)
                    asking.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await asking
                    await asyncio.wait_for(slow.left.wait(), 5)
                outcome = await network.ask_one(network.nodes[1], QUESTION, read)
                assert outcome.answer == 1

    asyncio.run(run())


def test_a_node_that_hangs_fills_its_own_connections_only() -> None:
    async def run() -> None:
        async with running(stubs.hangs) as slow, running(says({"number": 1})) as quick:
            config = NetworkSettings(deadline_s=60, connections_per_node=2)
            async with Network([slow.node("A"), quick.node("B")], config) as network:
                to_slow, to_quick = network.nodes
                waiting = [asyncio.ensure_future(network.ask_one(to_slow, QUESTION, read)) for _ in range(12)]
                await asyncio.wait_for(slow.began.wait(), 5)
                answers = await asyncio.gather(*(network.ask_one(to_quick, QUESTION, read) for _ in range(12)))
                assert [outcome.answer for outcome in answers] == [1] * 12
                assert slow.connections <= 2
                assert not any(task.done() for task in waiting)
                for task in waiting:
                    task.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(run())


def test_a_name_server_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    real, release = socket.getaddrinfo, threading.Event()

    def look_up(host: str | bytes, *rest: Any, **more: Any) -> Any:
        if host in ("slow.invalid", b"slow.invalid"):
            release.wait(30)
            raise socket.gaierror("no such name")
        return real(host, *rest, **more)

    async def run() -> None:
        async with running(says({"number": 1})) as quick:
            nodes = [Node(id="A", url="http://slow.invalid"), Node(id="B", url=f"http://localhost:{quick.port}")]
            async with Network(nodes, NetworkSettings(deadline_s=60)) as network:
                waiting = [asyncio.ensure_future(network.ask_one(nodes[0], QUESTION, read)) for _ in range(30)]
                await asyncio.sleep(0.2)
                outcome = await network.ask_one(nodes[1], QUESTION, read)
                release.set()
                assert outcome.answer == 1
                await asyncio.gather(*waiting)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    asyncio.run(run())


def test_memory_is_bounded_when_nodes_flood() -> None:
    async def run() -> int:
        async with contextlib.AsyncExitStack() as stack:
            flooding = [await stack.enter_async_context(running(stubs.floods)) for _ in range(4)]
            nodes = [stub.node(f"N{i}") for i, stub in enumerate(flooding)]
            config = NetworkSettings(deadline_s=5, max_answer_bytes=1_000_000)
            network = await stack.enter_async_context(Network(nodes, config))
            tracemalloc.start()
            outcomes = await network.ask(QUESTION, read)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert {o.status for o in outcomes} == {NodeStatus.FAULTY}
            return peak

    assert asyncio.run(run()) < 4 * 5_000_000


def test_neither_cookies_nor_redirects_nor_foreign_addresses() -> None:
    async def run() -> list[dict[str, str]]:
        async with running(says({"number": 1}, more="set-cookie: a=b\r\n")) as stub:
            async with Network([stub.node()], SETTINGS) as network:
                await network.ask(QUESTION, read)
                await network.ask(QUESTION, read)
            return [asked.headers for asked in stub.asked]

    asked = asyncio.run(run())
    assert len(asked) == 2
    for headers in asked:
        assert "cookie" not in headers
        assert headers["accept-encoding"] == "identity"


def test_a_large_answer_is_read() -> None:
    config = NetworkSettings(deadline_s=5)
    outcomes, _ = asyncio.run(ask(says({"x": " " * 1_000_000, "number": 5}), config=config))
    assert outcomes[0].answer == 5


@given(body=st.binary(max_size=200) | st.text(max_size=100).map(lambda t: t.encode("utf-8", "surrogatepass")))
@settings(max_examples=25)
def test_no_body_whatsoever_breaks_the_hub(body: bytes) -> None:
    assert one(says(body)).status in (NodeStatus.FAULTY, NodeStatus.ANSWERED)


def test_a_node_listed_twice_stops_the_start() -> None:
    node = Node(id="FI", url="http://127.0.0.1:1")
    with pytest.raises(Invalid, match="stands twice"):
        Network([node, node], SETTINGS)


@given(st.text())
def test_what_machines_say_becomes_one_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert len(line) <= 300


def test_slow_nodes_are_asked_at_the_same_time() -> None:
    began = 0
    all_began = asyncio.Event()

    async def waits_for_the_others(asked: stubs.Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal began
        began += 1
        if began == 8:
            all_began.set()
        await all_began.wait()
        writer.write(stubs.response(b'{"number":1}'))

    outcomes, _ = asyncio.run(ask(*[waits_for_the_others] * 8, config=NetworkSettings()))
    assert [outcome.answer for outcome in outcomes] == [1] * 8
