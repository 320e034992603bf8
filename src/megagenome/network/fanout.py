# SPDX-License-Identifier: Apache-2.0
"""One question to every node at once: each with its own connections, its own deadline and its own outcome.

Nothing that one node does (hang, trickle, die, send a gigabyte, lie) reaches the others: every node has a connection
pool of its own, an answer is read up to a size and a time, and what comes of it is an `Outcome`, never an exception.
Cancelling the call closes every connection that still waits.
"""

import asyncio
import copy
import functools
import http.cookiejar
import logging
import ssl
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Generic, NamedTuple, Self, TypeVar

import httpx
import msgspec

from megagenome.kernel.errors import Corrupt
from megagenome.network.settings import NetworkSettings, Node, check_nodes
from megagenome.standards.beacon import decode_error_message
from megagenome.standards.federation import NodeStatus
from megagenome.standards.problem import decode_detail

T = TypeVar("T")

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would note each request of each question

_ERROR_BYTES = 64 * 1024
"""As much of a refusal is read to find its message."""
_LARGE_BYTES = 256 * 1024
"""Answers from here on are read in a thread, so that the event loop goes on serving others."""
_KEEP_ALIVE_S = 8.0
"""Our nodes close a connection that was idle for 10 s."""
_THREADS = 256
_MESSAGE_LENGTH = 300


@functools.cache
def tls() -> ssl.SSLContext:
    """Trust in the certificate authorities of this machine; 30 ms to make, so it is made once."""
    return ssl.create_default_context()


Token = Callable[[str], str]
"""Makes a token that says who asks, for the node at an address and for no other."""


class Question(NamedTuple):
    """What is asked: a path below the node's Beacon root, and the JSON body of a POST, or None for a GET."""

    path: str
    body: bytes | None = None


class Outcome(NamedTuple, Generic[T]):
    """What came of asking one node. `answer` is there exactly when `status` is ANSWERED; else `message` says why."""

    node: Node
    status: NodeStatus
    elapsed_ms: float
    message: str
    answer: T | None


class NodeFault(Exception):
    """Ends the exchange with one node; becomes its outcome and never leaves this package."""

    def __init__(self, status: NodeStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Network:
    """The nodes and the connections to them. Use as an asynchronous context; one per event loop.

    Only the configured addresses are ever asked: redirects are not followed, cookies are not kept, and proxies of
    the environment are not used.
    """

    def __init__(self, nodes: Sequence[Node], settings: NetworkSettings, joined: Collection[Node] = ()) -> None:
        """`joined` are those of `nodes` that may learn who asks."""
        check_nodes(nodes)
        self.nodes = tuple(nodes)
        self.joined = frozenset(joined)
        self.token: Token | None = None
        self.settings = settings
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._left: list[httpx.AsyncClient] = []
        self.loop: asyncio.AbstractEventLoop
        """In which it is asked; there is one while the context is entered."""

    async def __aenter__(self) -> Self:
        # Names are looked up in threads, where nothing can cancel them. Six, as a small machine has by default, would
        # soon all wait for the one node whose name server hangs.
        self.loop = asyncio.get_running_loop()
        self.loop.set_default_executor(ThreadPoolExecutor(_THREADS, "network"))
        self._clients = {node.id: self._connect() for node in self.nodes}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in (*self._clients.values(), *self._left):
            await client.aclose()
        self._clients, self._left = {}, []

    def speaking_for(self, token: Token | None) -> "Network":
        """The same network, whose questions bring a token to each node that joined, and to no other. None: the public
        asks."""
        speaking = copy.copy(self)
        speaking.token = token
        return speaking

    def replace_nodes(self, nodes: Sequence[Node], joined: Collection[Node] = ()) -> None:
        """Ask these nodes from the next question on; those that are asked now are asked to the end.

        To be called in the event loop. Raises `Invalid` where a node stands twice; then nothing changes.
        """
        check_nodes(nodes)
        kept = {node.id: self._clients.get(node.id) or self._connect() for node in nodes}
        # a question that is under way may still use the others, so they are closed with the network
        self._left += [client for node, client in self._clients.items() if node not in kept]
        self._clients = kept
        self.nodes, self.joined = tuple(nodes), frozenset(joined)

    def _connect(self) -> httpx.AsyncClient:
        most = self.settings.connections_per_node
        return httpx.AsyncClient(
            verify=tls(),
            trust_env=False,
            cookies=http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(None, connect=self.settings.connect_timeout_s),
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most, keepalive_expiry=_KEEP_ALIVE_S),
            # identity: a compressed gigabyte must not unfold in memory
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "megagenome-hub"},
        )

    async def ask(self, question: Question, read: Callable[[Node, bytes], T]) -> tuple[Outcome[T], ...]:
        """Ask every node; outcomes in the order of `nodes`, after the slowest answer or the deadline.

        `read` makes an answer of a body and raises `Corrupt` or `msgspec.DecodeError` where it is not what it must be.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.ask_one(node, question, read)) for node in self.nodes]
        return tuple(task.result() for task in tasks)

    async def ask_one(self, node: Node, question: Question, read: Callable[[Node, bytes], T]) -> Outcome[T]:
        """Ask one node, within the deadline."""
        began = time.perf_counter()
        status, message, answer = NodeStatus.ANSWERED, "", None
        try:
            async with asyncio.timeout(self.settings.deadline_s):
                body = await self._exchange(node, question)
                answer = await _read(node, body, read)
        except NodeFault as fault:
            status, message = fault.status, str(fault)
        except TimeoutError:
            status, message = NodeStatus.LATE, f"no whole answer within {self.settings.deadline_s:g} s"
        return Outcome(node, status, (time.perf_counter() - began) * 1000, message, answer)

    async def _exchange(self, node: Node, question: Question) -> bytes:
        client = self._clients.get(node.id)
        if client is None:
            raise NodeFault(NodeStatus.UNREACHABLE, "it left the network")
        url = node.beacon_url + question.path
        try:
            try:
                return await self._send(client, node, url, question)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # A kept connection may be closed by its other end just as we write on it. Questions change nothing,
                # so asking once more is safe; a node that breaks twice is broken.
                return await self._send(client, node, url, question)
        except httpx.ConnectTimeout:
            limit = f"{self.settings.connect_timeout_s:g} s"
            raise NodeFault(NodeStatus.UNREACHABLE, f"accepted no connection within {limit}") from None
        except httpx.ConnectError as error:
            raise NodeFault(NodeStatus.UNREACHABLE, f"no connection: {one_line(str(error))}") from None
        except (httpx.RemoteProtocolError, httpx.NetworkError) as error:
            raise NodeFault(NodeStatus.UNREACHABLE, f"the connection broke: {one_line(str(error))}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NodeFault(NodeStatus.FAULTY, f"not HTTP as it must be: {one_line(str(error))}") from None

    async def _send(self, client: httpx.AsyncClient, node: Node, url: str, question: Question) -> bytes:
        method = "GET" if question.body is None else "POST"
        headers = {} if question.body is None else {"content-type": "application/json"}
        if self.token is not None and node in self.joined:
            headers["authorization"] = f"Bearer {self.token(node.url)}"
        async with client.stream(method, url, content=question.body, headers=headers) as response:
            if response.status_code == 200:
                _require_json(response)
                return await _take(response, self.settings.max_answer_bytes)
            raise await _refusal(response)


async def _take(response: httpx.Response, most: int) -> bytes:
    too_long = NodeFault(NodeStatus.FAULTY, f"its answer is longer than {most} bytes")
    declared = response.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > most:
        raise too_long
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise too_long
    return bytes(body)


def _require_json(response: httpx.Response) -> None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise NodeFault(NodeStatus.FAULTY, f"it answers {one_line(kind)}, not JSON")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise NodeFault(NodeStatus.FAULTY, "it answers compressed, though it was asked not to")


async def _refusal(response: httpx.Response) -> NodeFault:
    code = response.status_code
    if 300 <= code < 400:
        return NodeFault(NodeStatus.FAULTY, "it sends us to another address: write that one in hub.toml")
    if not 400 <= code < 500:
        return NodeFault(NodeStatus.FAULTY, f"HTTP {code}")
    try:
        body = await _take(response, _ERROR_BYTES)
    except NodeFault:
        body = b""  # the code alone says enough
    said = decode_error_message(body) or decode_detail(body)
    return NodeFault(NodeStatus.REFUSED, one_line(said) or f"HTTP {code}")


async def _read(node: Node, body: bytes, read: Callable[[Node, bytes], T]) -> T:
    try:
        if len(body) < _LARGE_BYTES:
            return read(node, body)
        return await asyncio.to_thread(read, node, body)
    except (Corrupt, msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else one_line(str(error))
        raise NodeFault(NodeStatus.FAULTY, f"its answer is not what it must be: {why}") from None


def one_line(text: str) -> str:
    """What another machine said, fit for a message: one printable line of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _MESSAGE_LENGTH]).split())
    return line if len(line) <= _MESSAGE_LENGTH else line[: _MESSAGE_LENGTH - 1] + "…"
