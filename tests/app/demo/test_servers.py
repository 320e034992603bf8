# SPDX-License-Identifier: Apache-2.0
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from megagenome.app.demo import servers
from megagenome.app.demo.servers import require_free, start, stop, wait_healthy
from megagenome.kernel.errors import Conflict, Invalid, Unavailable


@contextlib.contextmanager
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_port_that_is_taken_is_named() -> None:
    with taken() as port, pytest.raises(Conflict, match=f"port {port} of 127.0.0.1 cannot be used"):
        require_free([port])
    require_free([port])


def test_ports_end_somewhere() -> None:
    with pytest.raises(Invalid, match="choose a --port up to 65533"):
        require_free([65534, 65535, 65536])


def test_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    started = start("hub", tmp_path / "nothing", 0)
    try:
        with pytest.raises(Unavailable, match="make one with `megagenome node init`"):
            wait_healthy([started])
    finally:
        stop([started])


def test_server_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(servers, "STOP_S", 0.2)
    process = subprocess.Popen(["sh", "-c", "trap '' TERM; echo; while :; do sleep 0.1; done"], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    stop([servers.Server("node", tmp_path, "http://127.0.0.1:1", process, tmp_path / "log")])
    assert process.returncode == -signal.SIGKILL
    process.stdout.close()


SCRIPT = """
import os, subprocess, time
from megagenome.app.demo.servers import _end_with_parent
child = subprocess.Popen(["sleep", "60"], preexec_fn=_end_with_parent(os.getpid()))
print(child.pid, flush=True)
time.sleep(60)
"""


def test_children_end_with_their_parent_however_it_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(30)
    assert psutil.wait_procs([child], 30)[1] == []
