# SPDX-License-Identifier: Apache-2.0
"""Load over HTTP in an open loop: requests fall due at their times, however slow the server is.

A request's time counts from when it was due, so a server that stalls is charged for all that waited meanwhile
(Tene: coordinated omission). Raw sockets, because a client library would take more processor than a server.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple


class Answers(NamedTuple):
    """What a load gave.

    times_s     seconds from due to answered, sorted; of every request
    bodies      the answers' bodies, in the order of the requests
    wrong       how many had another status than 200
    elapsed_s   from the first due time to the last answer
    """

    times_s: list[float]
    bodies: list[bytes]
    wrong: int
    elapsed_s: float

    def quantile_ms(self, share: float) -> float:
        """Milliseconds that this share of the requests did not exceed (nearest rank)."""
        rank = max(1, -(-len(self.times_s) * share // 1))
        return self.times_s[int(rank) - 1] * 1000


def get(path: str, headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """A GET request, ready to send. `headers` may say another host."""
    sent = {"Host": "localhost", "Accept": "application/json", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


def open_loop(port: int, requests: Sequence[bytes], *, rate: float, connections: int = 32) -> Answers:
    """Send `requests` at `rate` per second over connections that stay open, to a server on this machine."""
    return asyncio.run(_open_loop(port, requests, rate, connections))


async def _open_loop(port: int, requests: Sequence[bytes], rate: float, connections: int) -> Answers:
    waiting: asyncio.Queue[tuple[int, float] | None] = asyncio.Queue()
    times_s, bodies, statuses = [0.0] * len(requests), [b""] * len(requests), [b""] * len(requests)

    async def converse() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while task := await waiting.get():
            number, due = task
            writer.write(requests[number])
            statuses[number], bodies[number] = await _answer(reader)
            times_s[number] = time.perf_counter() - due
        writer.close()
        await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(converse())
        start = time.perf_counter()
        for number, due in enumerate(_due_times(start, len(requests), rate)):
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            waiting.put_nowait((number, due))
        for _ in range(connections):
            waiting.put_nowait(None)
    elapsed_s = time.perf_counter() - start
    return Answers(sorted(times_s), bodies, sum(status != b"200" for status in statuses), elapsed_s)


def _due_times(start: float, count: int, rate: float) -> Iterable[float]:
    return (start + number / rate for number in range(count))


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Status and body of the next answer, which must state its length."""
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    for line in head:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return head[0].split(b" ")[1], await reader.readexactly(int(value))
    raise ValueError(f"an answer without content-length: {head[0]!r}")
