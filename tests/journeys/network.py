# SPDX-License-Identifier: Apache-2.0
"""Real nodes and hubs in processes of their own, on free ports of this machine, ended with the test."""

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx

from megagenome.app.demo.servers import _end_with_parent
from megagenome.app.hub import init_hub
from megagenome.network.add_node import add_node

PORTS = range(11_000, 29_000)
"""Of which the kernel gives none to somebody who asks for any."""


def free_ports(number: int) -> int:
    """The first of so many ports in a row that nothing listens on. Runs at the same time hardly ever try the same."""
    for _ in range(100):
        first = secrets.choice(PORTS)
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(first, first + number):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return first
    raise AssertionError("no free ports")


def megagenome(*arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The command line, as a person calls it."""
    command = [sys.executable, "-m", "megagenome", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert not check or done.returncode == 0, done.stderr
    return done


class Served:
    """A node or hub that answers."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder, self.process = folder, process
        self.said: list[str] = []
        assert process.stderr
        for line in process.stderr:
            self.said.append(line)
            if found := re.fullmatch(r"ready on (http://\S+)\n", line):
                self.url = found[1]
                break
        else:
            raise AssertionError(f"{folder} was not served: {''.join(self.said)}")
        # nobody may wait on a full pipe
        threading.Thread(target=lambda: self.said.extend(process.stderr or []), daemon=True).start()
        self.client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def get(self, path: str, **query: str | int) -> Any:
        """What it answers, as JSON."""
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, (path, query, answer.text)
        return answer.json()

    def post(self, path: str, content: object) -> Any:
        """What it answers, as JSON."""
        answer = self.client.post(path, json=content)
        assert answer.status_code == 200, (path, content, answer.text)
        return answer.json()


@contextlib.contextmanager
def serving(role: str, folders: Sequence[Path], port: int = 0, *, own_ports: bool = False) -> Iterator[list[Served]]:
    """Serve some folders; they start at once. Each on a free port, one on `port`, or where their settings say."""
    where = [] if own_ports else ["--port", str(port)]
    command = [sys.executable, "-m", "megagenome", role, "serve"]
    with contextlib.ExitStack() as ending:
        processes = []
        for folder in folders:
            process = subprocess.Popen(
                [*command, str(folder), *where],
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=_end_with_parent(os.getpid()),  # noqa: PLW1509 - also when the tests are killed
            )
            ending.callback(_end, process)
            processes.append(process)
        served = [Served(folder, process) for folder, process in zip(folders, processes, strict=True)]
        for each in served:
            ending.callback(each.client.close)
        yield served


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(30)
    if process.stderr:
        process.stderr.close()


@contextlib.contextmanager
def hub_over(folder: Path, addresses: Sequence[str], settings: str = "") -> Iterator[Served]:
    """A hub over running nodes, given by their addresses. `settings` go below `[network]`."""
    init_hub(folder, name="Test network", identity="org.example.hub", port=0, assembly="GRCh38")
    path = folder / "hub.toml"
    path.write_text(path.read_text().replace("[network]\n", f"[network]\n{settings}\n"))
    for address in addresses:
        add_node(folder, address)
    with serving("hub", [folder]) as [hub]:
        yield hub


def beacon_query(granularity: str = "record", **query: object) -> dict[str, object]:
    """The body of a Beacon request."""
    return {
        "meta": {"apiVersion": "v2.0"},
        "query": {"requestedGranularity": granularity, "includeResultsetResponses": "ALL", **query},
    }
