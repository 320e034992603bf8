# SPDX-License-Identifier: Apache-2.0
"""A real server of S3 in a process of its own, on a free port of this machine, ended with the tests."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx

from megagenome.app.demo.servers import _end_with_parent
from megagenome.kernel.blob_settings import BlobSettings
from megagenome.kernel.secret import Secret
from tests.journeys.network import free_ports

BUCKET = "genomes"


@contextlib.contextmanager
def serving_objects() -> Iterator[str]:
    """A server with one empty bucket; its address."""
    port = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, preexec_fn=_end_with_parent(os.getpid()), **quiet)  # noqa: PLW1509 - no thread yet
    try:
        _wait_for(address, process)
        assert httpx.put(f"{address}/{BUCKET}", trust_env=False).status_code == 200
        yield address
    finally:
        process.kill()
        process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(address, trust_env=False)
            return
        time.sleep(0.05)
    raise AssertionError("the object store did not start: is moto[server] installed?")


def settings_for(address: str) -> BlobSettings:
    """As an operator would write them."""
    return BlobSettings(endpoint=address, region="eu-north-1", access_key_id="key", secret_access_key=Secret("secret"))
