# SPDX-License-Identifier: Apache-2.0
"""Serves an ASGI application with granian, in this one process.

Granian's embedded server: beside its supervisor and worker it took 52 MB PSS instead of 66, one process instead of two,
and the same CPU per request (0.2 to 0.3 ms; granian 2.8.7, Python 3.11). HTTP/1.1 only: a proxy that speaks TLS and
HTTP/2 stands in front of a public node, and ends bodies that trickle.
"""

import asyncio
import contextlib
import errno
import fcntl
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server
from litestar.types import ASGIApp

from megagenome.app.bodies import Bodies
from megagenome.kernel.errors import Conflict, Invalid, Unavailable

STOP_S = 1.5
"""How long running requests may go on after a stop signal."""

IDLE_S = 10
"""How long a connection may stay open without a whole request head."""

HEAD_BYTES = 64 * 1024
"""Room for a request line and its headers; twice as much is always answered 431."""

THREADS = 16
"""Requests that may take long at once. Python's own choice is four more than there are processors, which fewer wide
regions than `discovery.wide.MOST_WIDE` would hold for seconds while everybody else waits."""

BACKLOG = 1024
OPEN_FILES = 8192

LOCK = ".lock"


def serve(app: ASGIApp, *, host: str, port: int, folder: Path) -> None:
    """Serve `app` until SIGTERM or SIGINT; then finish what runs, at most `STOP_S`, and return.

    folder    the node's or hub's own; no second server can serve it meanwhile
    port      0 takes a free one

    Writes `ready on http://host:port` to standard error once it answers. Raises `Conflict` when another server has the
    port or the folder, `Invalid` when the address is not one of this machine, `Unavailable` when the application does
    not start. A request still running after `STOP_S` is cut off with the process: what it was to make durable then is
    either whole or absent, as after a power cut. Must run in the main thread.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with _hold(folder), _listen(host, port) as listener:
        cutting = threading.Timer(STOP_S, _cut_off)
        cutting.daemon = True
        try:
            asyncio.run(_serve(app, listener, cutting))
        finally:
            cutting.cancel()


@contextlib.contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; the system lets go of it when the process ends, however it ends."""
    with (folder / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Conflict(f"{folder} is served already, by process {lock.read().strip()}: stop that first") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket of our own: granian's would silently share a port that another server has."""
    if not 0 <= port <= 65535:
        raise Invalid(f"port {port}: choose one from 1 to 65535, or 0 for a free one")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Conflict(f"port {port} of {host} is in use: stop what listens there or choose another port") from None
        reason = (error.strerror or str(error)).partition(" (while")[0]
        raise Invalid(
            f"cannot listen on {host!r} port {port}: {reason}; choose an address of this machine (--host)"
        ) from None
    listener.setblocking(False)
    return listener


class _Embedded(Server):
    """Granian on a socket that is bound already."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        super().__init__(
            target=app,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=IDLE_S * 1000, max_buffer_size=HEAD_BYTES),
            websockets=False,
            backlog=BACKLOG,
            # Each connection takes one, idle or not; half of the files stay for the application.
            backpressure=_allow_files() // 2,
            log_level=LogLevels.error,  # into the log of the process; a warning says only that embedding is new
            log_dictconfig={"handlers": {}, "loggers": {}},
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        holder = SocketHolder(self._listener.detach(), False, BACKLOG)  # type: ignore[call-arg]  # granian's stub has no constructor
        self._shd = holder  # type: ignore[assignment]  # granian declares it None


async def _serve(app: ASGIApp, listener: socket.socket, cutting: threading.Timer) -> None:
    address = listener.getsockname()[:2]
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "request"))
    server = _Embedded(Bodies(app), listener)
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    serving = asyncio.create_task(server.serve())
    announcing = asyncio.create_task(_announce(*address))
    stopping = asyncio.create_task(stop.wait())
    gc.freeze()  # else a full collection looks through all that was imported: 60 ms in which nobody is answered
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    announcing.cancel()
    if serving.done():
        stopping.cancel()
        raise Unavailable(
            "the server did not start, or ended by itself; the log above says why"
        ) from serving.exception()
    cutting.start()
    server.stop()  # type: ignore[no-untyped-call]  # granian's is untyped
    await serving


async def _announce(host: str, port: int) -> None:
    """Say that the server is ready once it answers anything, be it 400 to what is no HTTP."""
    answer = b""
    while not answer:
        # The kernel accepts connections before granian does, so connecting alone shows nothing.
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"?\r\n\r\n")
            answer = await reader.read(1)
            writer.close()
    shown = f"[{host}]" if ":" in host else host
    sys.stderr.write(f"ready on http://{shown}:{port}\n")
    sys.stderr.flush()


def _allow_files() -> int:
    """Raise this process's limit of open files as far as useful and allowed; the limit that holds then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    if soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def _cut_off() -> None:
    sys.stderr.write(f"stopped; what still ran {STOP_S} s after the signal was cut off\n")
    sys.stderr.flush()
    os._exit(0)
