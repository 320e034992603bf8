# SPDX-License-Identifier: Apache-2.0
"""A caller of a served hub leaves: no node is asked any longer."""

import asyncio
import sys
from pathlib import Path

from megagenome.app.hub import init_hub
from tests.network import stubs

REQUESTS = {
    "GET": b"GET /api/variant?q=22-100000-A-G HTTP/1.1\r\nHost: hub\r\n\r\n",
    "POST": b"POST /beacon/v2/g_variants HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\n{}",
}


def test_when_the_caller_leaves_the_nodes_are_let_go(tmp_path: Path) -> None:
    async def run() -> None:
        async with stubs.running(stubs.hangs) as node:
            init_hub(tmp_path / "hub", name="Hub", identity="hub", port=0, assembly="GRCh38")
            with (tmp_path / "hub" / "hub.toml").open("a") as file:
                file.write(f'\n[[nodes]]\nid = "FI"\nurl = "{node.url}"\n')
            command = [sys.executable, "-m", "megagenome", "hub", "serve", str(tmp_path / "hub"), "--port", "0"]
            hub = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
            try:
                assert hub.stderr is not None
                ready = await asyncio.wait_for(hub.stderr.readline(), 30)
                for request in REQUESTS.values():
                    await ask_and_leave(int(ready.rpartition(b":")[2]), request, node)
            finally:
                hub.terminate()
                await hub.communicate()

    asyncio.run(run())


async def ask_and_leave(port: int, request: bytes, node: stubs.Stub) -> None:
    node.began.clear()
    node.left.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await asyncio.wait_for(node.began.wait(), 10)
    writer.close()
    await writer.wait_closed()
    # the hub would wait 5 s for the node; it lets go of it long before
    await asyncio.wait_for(node.left.wait(), 3)
