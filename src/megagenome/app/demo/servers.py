# SPDX-License-Identifier: Apache-2.0
"""The demo's servers: each node and the hub as a process of its own, as it would run anywhere."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx

from megagenome.kernel.errors import Conflict, Invalid, Unavailable

HOST = "127.0.0.1"
START_S = 60.0
STOP_S = 5.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Server(NamedTuple):
    """A server that was started. What it says goes to `log`."""

    role: str
    folder: Path
    url: str
    process: subprocess.Popen[bytes]
    log: Path


def require_free(ports: Sequence[int]) -> None:
    """Raise `Conflict`, naming it, for a port that something listens on, before minutes of work are lost to it."""
    if ports[-1] > 65535:
        raise Invalid(f"port {ports[-1]}: choose a --port up to {65536 - len(ports)}")
    for port in ports:
        try:
            socket.create_server((HOST, port)).close()
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise Conflict(
                f"port {port} of {HOST} cannot be used ({reason}); the demo takes {len(ports)} ports from --port "
                "upward: stop what listens there or choose another --port"
            ) from None


def start(role: str, folder: Path, port: int, settings: Mapping[str, str] | None = None) -> Server:
    """Start `megagenome ROLE serve FOLDER`, with further `settings` in its environment."""
    program = ["-m", "megagenome", role, "serve", str(folder), "--port", str(port)]
    return start_program(role, folder, f"http://{HOST}:{port}", program, settings=settings)


def start_program(
    role: str,
    folder: Path,
    url: str,
    program: Sequence[str],
    *,
    settings: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> Server:
    """Start a program of this Python that will serve `url`; it ends when this process does, however that ends."""
    log = folder.with_name(f"{folder.name}.log")
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *program],
            env={**os.environ, **(settings or {})},
            stdin=stdin,
            stdout=file,
            stderr=file,
            process_group=0,  # Ctrl-C is for the demo, which then stops them in order
            preexec_fn=_end_with_parent(os.getpid()),  # noqa: PLW1509 - it calls the kernel and takes no lock
        )
    return Server(role, folder, url, process, log)


def _end_with_parent(parent: int) -> Callable[[], None]:
    """For a child before it becomes another program: the kernel will end it when its parent is gone."""

    def ask_kernel() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def wait_healthy(servers: Sequence[Server]) -> None:
    """Return once all answer. Raises `Unavailable` with what a server said last, when it ends or takes too long."""
    deadline = time.monotonic() + START_S
    with httpx.Client(trust_env=False, timeout=1.0) as client:
        for server in servers:
            while not _is_healthy(client, server):
                if server.process.poll() is not None or time.monotonic() > deadline:
                    raise Unavailable(f"the {server.role} of {server.folder} did not start: {_last_words(server)}")
                time.sleep(0.05)


def _is_healthy(client: httpx.Client, server: Server) -> bool:
    try:
        path = "/.well-known/openid-configuration" if server.role == "provider" else "/health"
        return client.get(server.url + path).status_code == 200
    except httpx.HTTPError:
        return False


def _last_words(server: Server) -> str:
    lines = server.log.read_text(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"


def stop(servers: Sequence[Server]) -> None:
    """End all that still run, and return when they have."""
    for server in servers:
        server.process.terminate()
    deadline = time.monotonic() + STOP_S
    for server in servers:
        try:
            server.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
