# SPDX-License-Identifier: Apache-2.0
"""Stub nodes to measure a hub by: `python -m benchmarks.parts.stub_nodes DELAY_MS ...`, one node for each delay.

Each answers any question with the same Beacon answer after its delay. Their ports go to standard output in one line.
"""

import asyncio
import json
import sys
from typing import Any

CELLS = 9
"""Cells of an answer: the total, and populations of the node's own."""
ALLELE_COUNT, ALLELE_NUMBER = 500, 5000


def node_id(number: int) -> str:
    """The Beacon id of a stub node."""
    return f"node.{number}"


def answer(number: int) -> bytes:
    """What a stub node tells of any allele: one dataset, `CELLS` cells."""
    share = {"alleleFrequency": 0.1, "alleleCount": ALLELE_COUNT, "alleleNumber": ALLELE_NUMBER}
    labels = ["Total", *(f"C{number}:P{place}" for place in range(1, CELLS))]
    frequencies = {"source": "stub", "frequencies": [{"population": label, **share} for label in labels]}
    record: dict[str, Any] = {"variantInternalId": "x", "variation": {"variantType": "SNP", "alternateBases": "G"}}
    record["frequencyInPopulations"] = [frequencies]
    result_set = {"id": f"D{number}", "setType": "dataset", "exists": True, "resultsCount": 1, "results": [record]}
    return json.dumps(
        {
            "meta": {"beaconId": node_id(number), "apiVersion": "v2.2.0"},
            "responseSummary": {"exists": True, "numTotalResults": 1, "countPrecision": "exact"},
            "response": {"resultSets": [result_set]},
        }
    ).encode()


async def serve(delays_ms: list[float]) -> None:
    """Serve until killed."""
    servers = [await _serve_one(answer(number), delay_ms / 1000) for number, delay_ms in enumerate(delays_ms)]
    print(*(server.sockets[0].getsockname()[1] for server in servers), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _serve_one(body: bytes, delay_s: float) -> asyncio.Server:
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


if __name__ == "__main__":
    asyncio.run(serve([float(delay_ms) for delay_ms in sys.argv[1:]]))
