# SPDX-License-Identifier: Apache-2.0
"""The hub: what it adds to its slowest node, and what a question costs it."""

import contextlib
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import msgspec

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.http_load import Answers, get, open_loop
from benchmarks.harness.measure import cpu_s
from megagenome.standards.federation import VariantAnswer

DELAYS_MS = (50.0,) * 10
"""What each stub node waits before it answers. All alike, because then all answers come at once."""
QUESTIONS = 300
RATE = 10.0
"""Questions a second; each is ten at the nodes."""


def claims(seed: int) -> list[Claim]:
    """Ten stub nodes of fixed delay, asked through a hub over HTTP."""
    questions = _questions(seed, QUESTIONS)
    with _network() as (port, hub):
        open_loop(port, questions[:20], rate=RATE)  # connections and first gene tables are warm from here on
        before = cpu_s(hub)
        told = open_loop(port, questions, rate=RATE)
        spent_ms = (cpu_s(hub) - before) * 1000 / len(questions)
    slowest = max(DELAYS_MS)
    workload = f"hub over {len(DELAYS_MS)} stub nodes of {slowest:g} ms, {RATE:g} questions/s"
    equal = _all_summed(told)
    return [
        claim(
            f"{workload}: p50 above the slowest node",
            "ms",
            told.quantile_ms(0.5) - slowest,
            bar="ours <= 50",
            equal=equal,
        ),
        claim(f"{workload}: p99 above the slowest node", "ms", told.quantile_ms(0.99) - slowest, equal=equal),
        claim(f"{workload}: processor time of the hub for a question", "ms", spent_ms, equal=equal),
    ]


def _questions(seed: int, count: int) -> list[bytes]:
    chosen = random.Random(seed)
    return [
        get(f"/api/variant?q=22-{chosen.randrange(16_100_000, 50_000_000)}-A-G&assembly=GRCh38") for _ in range(count)
    ]


def _all_summed(told: Answers) -> bool:
    """Every node is in every answer, and the sum is the nodes' sum."""
    answers = [msgspec.json.decode(body, type=VariantAnswer) for body in told.bodies]
    counts = {answer.frequencies[0].allele_count for answer in answers if answer.frequencies}
    return told.wrong == 0 and counts == {500 * len(DELAYS_MS)} and all(answer.frequencies for answer in answers)


@contextlib.contextmanager
def _network() -> Iterator[tuple[int, int]]:
    """Port and process id of a hub over stub nodes, which run in a process of their own."""
    parts = [sys.executable, "-m", "benchmarks.harness.network_parts"]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        nodes = stack.enter_context(_started([*parts, "nodes", *map(str, DELAYS_MS)]))
        ports = _line(nodes.stdout).split()
        hub = stack.enter_context(_started([*parts, "hub", folder, *ports]))
        yield int(_line(hub.stderr).rpartition(":")[2]), hub.pid


@contextlib.contextmanager
def _started(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def _line(stream: object) -> str:
    line = str(stream.readline()) if hasattr(stream, "readline") else ""
    if not line:
        raise RuntimeError("a part of the network did not start")
    return line
