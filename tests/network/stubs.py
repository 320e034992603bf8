# SPDX-License-Identifier: Apache-2.0
"""Stub nodes: tiny raw HTTP servers on loopback that behave, or misbehave, exactly as a test says."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

from megagenome.network.settings import Node


class Asked(NamedTuple):
    """One request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


class Stub:
    """A running stub: its address, what it was asked, and how many of its connections callers closed on it."""

    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.asked: list[Asked] = []
        self.connections = 0
        self.left = asyncio.Event()
        self.began = asyncio.Event()
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def node(self, id_: str = "FI", country: str = "FI") -> Node:
        return Node(id=id_, name=f"Node {id_}", country=country, url=self.url)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        ahead = b""
        try:
            while (asked := await _receive(reader, ahead)) is not None:
                self.asked.append(asked)
                self.began.set()
                behaving = asyncio.ensure_future(self.behave(asked, writer))
                listening = asyncio.ensure_future(reader.read(1))
                try:
                    await asyncio.wait({behaving, listening}, return_when=asyncio.FIRST_COMPLETED)
                    if listening.done() and not listening.result():
                        self.left.set()
                    if self.left.is_set() and not behaving.done():
                        return
                    await behaving
                    ahead = listening.result() if listening.done() else b""
                finally:
                    behaving.cancel()
                    listening.cancel()
                    await asyncio.gather(behaving, listening, return_exceptions=True)
                if writer.is_closing():
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self.serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _receive(reader: asyncio.StreamReader, ahead: bytes) -> Asked | None:
    try:
        head = (ahead + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines if line)}
    return Asked(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


@contextlib.asynccontextmanager
async def running(behave: Behaviour) -> AsyncIterator[Stub]:
    """A stub that serves on a port of its own until the block ends."""
    stub = Stub(behave)
    server = await asyncio.start_server(stub.accept, "127.0.0.1", 0)
    stub.port = server.sockets[0].getsockname()[1]
    try:
        yield stub
    finally:
        server.close()
        await stub.stop()
        await server.wait_closed()


def response(body: bytes, status: int = 200, kind: str = "application/json", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def says(
    content: Any, status: int = 200, kind: str = "application/json", delay_s: float = 0, more: str = ""
) -> Behaviour:
    """Answers every request with the same document (bytes as they are, anything else as JSON)."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(delay_s)
        writer.write(response(body, status, kind, more))
        await writer.drain()

    return behave


def routes(table: dict[str, Any]) -> Behaviour:
    """Answers by path (without its query string); 404 elsewhere."""

    async def behave(asked: Asked, writer: asyncio.StreamWriter) -> None:
        path = asked.path.partition("?")[0]
        if path not in table:
            writer.write(response(b'{"error":{"errorCode":404,"errorMessage":"no such path"}}', 404))
        else:
            found = table[path]
            content = found(asked) if callable(found) else found
            writer.write(response(json.dumps(content).encode()))
        await writer.drain()

    return behave


async def hangs(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Accepts, reads the question, never answers."""
    await asyncio.sleep(3600)


async def trickles(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Sends the beginning of an answer a byte at a time, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def trickles_headers(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Sends its headers a byte at a time, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.02)


async def floods(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Sends without end, as fast as it is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    while True:
        writer.write(chunk)
        await writer.drain()


async def dies(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Dies in the middle of its answer."""
    writer.write(response(b'{"meta":{"beaconId":"FI"}}')[:-10])
    await writer.drain()
    writer.close()


async def closes(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Closes without a word."""
    writer.close()
