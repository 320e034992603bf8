# SPDX-License-Identifier: Apache-2.0
"""The hub: what it adds to its slowest node, and what a question costs it."""

import contextlib
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.http_load import Answers, get, open_loop
from benchmarks.harness.measure import cpu_s
from benchmarks.parts.stub_nodes import ALLELE_COUNT, node_id
from megagenome.app.hub import init_hub
from megagenome.standards.federation import VariantAnswer

NODES = 10
DELAY_MS = 50.0
"""What every stub node waits before it answers; all alike, because then all answers come at once."""
QUESTIONS = 300
WARM_UP = 20
RATE = 10.0
"""Questions a second; each is one at every node."""


def claims(seed: int) -> list[Claim]:
    """A hub over stub nodes of fixed delay, asked over HTTP for random alleles."""
    chosen = random.Random(seed)
    places = [chosen.randrange(16_100_000, 50_000_000) for _ in range(QUESTIONS)]
    questions = [get(f"/api/variant?q=22-{place}-A-G&assembly=GRCh38") for place in places]
    with _network() as (port, hub):
        open_loop(port, questions[:WARM_UP], rate=RATE)
        before = cpu_s(hub)
        told = open_loop(port, questions, rate=RATE)
        spent_ms = (cpu_s(hub) - before) * 1000 / QUESTIONS
    workload = f"hub over {NODES} nodes of {DELAY_MS:g} ms, {RATE:g} questions/s"
    p50, p99 = (told.quantile_ms(share) - DELAY_MS for share in (0.5, 0.99))
    equal = _is_summed(told)
    return [
        claim(f"{workload}: p50 above the nodes", "ms", p50, bar="ours <= 50", equal=equal),
        claim(f"{workload}: p99 above the nodes", "ms", p99),
        claim(f"{workload}: processor time of a question", "ms", spent_ms),
    ]


def _is_summed(told: Answers) -> bool:
    """Whether every answer is the sum over all nodes."""
    answers = [msgspec.json.decode(body, type=VariantAnswer) for body in told.bodies]
    totals = {answer.frequencies[0].allele_count if answer.frequencies else 0 for answer in answers}
    return told.wrong == 0 and totals == {NODES * ALLELE_COUNT}


@contextlib.contextmanager
def _network() -> Iterator[tuple[int, int]]:
    """Port and process of a hub over stub nodes, which are in a process of their own."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()), "hub")
        delays = [str(DELAY_MS)] * NODES
        nodes = stack.enter_context(_started("benchmarks.parts.stub_nodes", *delays))
        _make_hub(folder, _line(nodes.stdout).split())
        hub = stack.enter_context(_started("megagenome", "hub", "serve", str(folder), "--port", "0"))
        yield int(_line(hub.stderr).rpartition(":")[2]), hub.pid


def _make_hub(folder: Path, ports: list[str]) -> None:
    init_hub(folder, name="Hub", identity="hub", port=0, assembly="GRCh38")
    with (folder / "hub.toml").open("a", encoding="utf-8") as file:
        for number, port in enumerate(ports):
            file.write(f'\n[[nodes]]\nid = "{node_id(number)}"\nurl = "http://127.0.0.1:{port}"\n')


@contextlib.contextmanager
def _started(*command: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-m", *command], stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _line(stream: IO[str] | None) -> str:
    line = stream.readline() if stream is not None else ""
    if not line:
        raise RuntimeError("a part of the network did not start")
    return line
