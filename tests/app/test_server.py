# SPDX-License-Identifier: Apache-2.0
import contextlib
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from megagenome.app import bodies, reception, server
from megagenome.delivery import streams
from megagenome.discovery.wide import MOST_WIDE
from megagenome.kernel.database import CONNECTIONS
from megagenome.kernel.errors import Conflict, Invalid

SCRIPT = """
import sys, threading, time
from pathlib import Path
from litestar import Litestar, Response, get, post
from litestar.params import JSONBody
from megagenome.app import bodies, server
from megagenome.kernel.errors import Unavailable

@get("/", sync_to_thread=True)
def index() -> str:
    return "here"

@get("/slow", sync_to_thread=True)
def slow() -> str:
    time.sleep(60)

together = threading.Barrier(server.THREADS)

@get("/together", sync_to_thread=True)
def meet() -> None:
    together.wait(20)

@post("/", sync_to_thread=True)
def count(data: JSONBody[dict[str, str]]) -> int:
    return len(data)

def fail(app):
    raise RuntimeError("no collection here")

folder, port, *options = sys.argv[1:]
server.IDLE_S = 1
bodies.MOST_BYTES = 16 << 20
app = Litestar(
    [index, slow, count, meet],
    on_startup=[fail] if "fail" in options else [],
    exception_handlers={Unavailable: lambda _, error: Response(str(error), status_code=503)},
    openapi_config=None,
)
server.serve(app, host="127.0.0.1", port=int(port), folder=Path(folder))
"""


class Served:
    """A server in a process of its own, ready."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stderr
        line = process.stderr.readline()
        found = re.fullmatch(r"ready on (http://127\.0\.0\.1:(\d+))\n", line)
        assert found, line + process.stderr.read()
        self.url, self.port = found[1], int(found[2])

    def stop(self, signum: int) -> tuple[int, str]:
        """Exit code, and what it wrote after it was ready."""
        self.process.send_signal(signum)
        return self.process.wait(30), self.process.stderr.read() if self.process.stderr else ""


@contextlib.contextmanager
def started(folder: Path, port: int = 0, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SCRIPT, str(folder), str(port), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("node")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with started(folder) as process:
        yield Served(process)


def test_there_are_connections_for_all_threads() -> None:
    jobs = 2 * (1 + reception.THREADS)  # those that do them, one of them loads, and those that keep their leases
    assert 2 * (server.THREADS + streams.THREADS + jobs) <= CONNECTIONS


def test_one_process_answers(served: Served) -> None:
    assert httpx.get(served.url).text == "here"
    assert psutil.Process(served.process.pid).children(recursive=True) == []


def test_as_many_threads_are_left_as_wide_regions_take(served: Served) -> None:
    assert server.THREADS >= 2 * MOST_WIDE
    with ThreadPoolExecutor(server.THREADS) as threads:
        asked = [threads.submit(httpx.get, served.url + "/together", timeout=30) for _ in range(server.THREADS)]
        assert {each.result().status_code for each in asked} == {200}


def test_second_server_on_the_port_is_refused(served: Served, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match=f"port {served.port} of 127.0.0.1 is in use"):
        server.serve(None, host="127.0.0.1", port=served.port, folder=tmp_path)
    assert httpx.get(served.url).text == "here"


def test_second_server_on_the_folder_is_refused(served: Served, folder: Path) -> None:
    with pytest.raises(Conflict, match=f"served already, by process {served.process.pid}:"):
        server.serve(None, host="127.0.0.1", port=0, folder=folder)
    assert httpx.get(served.url).text == "here"


def test_port_that_its_owner_would_share_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(Conflict):
            server.serve(None, host="127.0.0.1", port=other.getsockname()[1], folder=tmp_path)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 80000), ("127.0.0.1", -1), ("192.0.2.1", 8600), ("", 8600)])
def test_address_that_cannot_be_is_used_wrongly(tmp_path: Path, host: str, port: int) -> None:
    with pytest.raises(Invalid):
        server.serve(None, host=host, port=port, folder=tmp_path)


def test_body_too_large_is_413_and_head_too_large_431(served: Served) -> None:
    assert httpx.post(served.url, content=b'{"a":"' + bytes(10 << 20) + b'"}').status_code == 413
    chunks = (bytes(1 << 16) for _ in range(160))
    assert httpx.post(served.url, content=chunks).status_code == 413
    assert httpx.get(served.url, headers={"x": "x" * 2 * server.HEAD_BYTES}).status_code == 431
    assert httpx.post(served.url, content=b'{"a":"b"}').text == "1"


def test_bodies_that_stop_before_their_end_fill_no_memory(served: Served) -> None:
    """Each has 900 kB, below what a route takes, and never its last byte."""
    memory = psutil.Process(served.process.pid).memory_info
    before, held, bodies_in_room = memory().rss, [], (16 << 20) // (900_000 - bodies.SHORT_BYTES)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900001\r\n\r\n"
    try:
        for _ in range(400):
            held.append(socket.create_connection(("127.0.0.1", served.port), timeout=10))
            with contextlib.suppress(OSError):  # refused in the middle
                held[-1].sendall(head + bytes(900_000))
        # Which of them found room is chance; the server reads many at once.
        refused = select.select(held, [], [], 10)[0]
        while len(refused) < len(held) - bodies_in_room:
            time.sleep(0.1)
            refused = select.select(held, [], [], 0)[0]
        assert all(each.recv(12) == b"HTTP/1.1 503" for each in refused)
        assert memory().rss - before < 120 << 20  # of 360
        assert httpx.post(served.url, content=b'{"a":"b"}').text == "1"
    finally:
        for each in held:
            each.close()


@pytest.mark.parametrize("begun", [b"", b"GET / HTT"])
def test_idle_connection_is_closed(served: Served, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(begun)
        assert connection.recv(1) == b""


def test_hundreds_of_open_connections_keep_nobody_out(served: Served) -> None:
    with contextlib.ExitStack() as open_connections:
        for _ in range(300):
            connection = open_connections.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            connection.sendall(b"GET / HT")
        assert httpx.get(served.url).text == "here"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_stop_is_clean_and_frees_port_and_folder(tmp_path: Path, signum: int) -> None:
    with started(tmp_path) as process:
        first = Served(process)
        with httpx.Client(base_url=first.url) as client:  # its connection stays open
            assert client.get("/").text == "here"
            assert first.stop(signum) == (0, "")
    with started(tmp_path, first.port) as process:
        assert httpx.get(Served(process).url).text == "here"


def test_request_without_end_does_not_hold_the_stop(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        slow = Served(process)
        with socket.create_connection(("127.0.0.1", slow.port)) as connection:
            connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            assert httpx.get(slow.url).text == "here"  # so the slow one has begun
            code, said = slow.stop(signal.SIGTERM)
    assert (code, said.count("\n")) == (0, 1)
    assert "cut off" in said


def test_killed_server_leaves_the_folder_free(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        Served(process).stop(signal.SIGKILL)
    with started(tmp_path) as process:
        assert httpx.get(Served(process).url).text == "here"


def test_application_that_does_not_start_ends_the_server(tmp_path: Path) -> None:
    with started(tmp_path, 0, "fail") as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "no collection here" in said
    assert "Unavailable: the server did not start" in said
    assert "ready" not in said
