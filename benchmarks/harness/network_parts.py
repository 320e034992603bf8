# SPDX-License-Identifier: Apache-2.0
"""Processes of a network to measure: `nodes` answers as several stub nodes after a fixed delay each, `hub` asks them.

python -m benchmarks.harness.network_parts nodes DELAY_MS ...   prints one port for each delay
python -m benchmarks.harness.network_parts hub FOLDER PORT ...  serves a hub over nodes on these ports
"""

import asyncio
import json
import sys
from pathlib import Path

FREQUENCIES = 9
"""Cells of a node's answer: a country and its sexes, the totals, some populations."""


def node_id(number: int) -> str:
    """The Beacon id of a stub node."""
    return f"node.{number}"


def answer(number: int) -> bytes:
    """What a stub node tells of any allele: one dataset, `FREQUENCIES` cells."""
    cells = [{"population": "Total", "alleleFrequency": 0.1, "alleleCount": 500, "alleleNumber": 5000}]
    cells += [cells[0] | {"population": f"C{number}:P{place}"} for place in range(1, FREQUENCIES)]
    record = {"variantInternalId": "x", "variation": {"variantType": "SNP", "alternateBases": "G"}}
    record["frequencyInPopulations"] = [{"source": "stub", "frequencies": cells}]
    result_set = {"id": f"D{number}", "setType": "dataset", "exists": True, "resultsCount": 1, "results": [record]}
    return json.dumps(
        {
            "meta": {"beaconId": node_id(number), "apiVersion": "v2.2.0"},
            "responseSummary": {"exists": True, "numTotalResults": 1, "countPrecision": "exact"},
            "response": {"resultSets": [result_set]},
        }
    ).encode()


async def serve_nodes(delays_ms: list[float]) -> None:
    """Serve until killed; the ports go to standard output in one line."""
    servers = [await _serve_node(number, delay_ms / 1000) for number, delay_ms in enumerate(delays_ms)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _serve_node(number: int, delay_s: float) -> asyncio.Server:
    body = answer(number)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await _head(reader):
            await reader.readexactly(_length(request))
            await asyncio.sleep(delay_s)
            writer.write(head + body)
        writer.close()

    return await asyncio.start_server(converse, "127.0.0.1", 0)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def serve_hub(folder: Path, ports: list[int]) -> None:
    """Serve a hub over stub nodes, as `megagenome hub serve` does, without pages."""
    from litestar import Litestar

    from megagenome.app.server import serve
    from megagenome.network.routes import hub_routes
    from megagenome.network.settings import HubIdentity, NetworkSettings, Node
    from megagenome.reference import resolve

    nodes = [Node(id=node_id(number), url=f"http://127.0.0.1:{port}") for number, port in enumerate(ports)]
    parts = hub_routes(HubIdentity("hub", "Hub"), NetworkSettings(), nodes, resolve)
    app = Litestar([parts.router], lifespan=[parts.lifespan], openapi_config=None, logging_config=None)
    serve(app, host="127.0.0.1", port=0, folder=folder)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["nodes", *delays_ms]:
            asyncio.run(serve_nodes([float(delay) for delay in delays_ms]))
        case ["hub", folder, *ports]:
            serve_hub(Path(folder), [int(port) for port in ports])
        case _:
            sys.exit(__doc__)
