# SPDX-License-Identifier: Apache-2.0
"""A hub harvests a FAIR Data Point with 1,000 datasets, by its own command: at first, and when nothing changed."""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.measure import Spent, run
from benchmarks.parts.stub_catalogue import dataset_name
from megagenome.app.hub import init_hub, open_hub
from megagenome.catalogue.harvest.find import Finder, Question

DATASETS = 1_000
_COMMAND = (sys.executable, "-m", "megagenome", "hub", "harvest")


def claims(_seed: int) -> Iterator[Claim]:
    """Seconds of wall clock and of processor, reading processes included; every dataset is found with what it says."""
    with tempfile.TemporaryDirectory() as made, _serving() as address:
        folder = Path(made) / "hub"
        init_hub(folder, name="Hub", identity="org.example.hub", port=0, assembly="GRCh38")
        first = run([*_COMMAND, folder, "--add", address, "--now"])
        equal = _is_whole(folder)
        again = run([*_COMMAND, folder, "--now"])
        yield from _claims(first, "harvest of a catalogue", equal=equal)
        yield from _claims(again, "harvest of a catalogue in which nothing changed", equal=equal and _is_whole(folder))


def _claims(spent: Spent, words: str, *, equal: bool) -> Iterator[Claim]:
    whole = f"{words}, {DATASETS:,} datasets with two distributions each"
    yield claim(whole, "s", spent.wall_s, bar="ours < 20", equal=equal)
    yield claim(whole, "CPU s", spent.cpu_s, equal=equal)


def _is_whole(folder: Path) -> bool:
    """Whether each dataset is there, once, with its people, its terms and two ways."""
    hub = open_hub(folder)
    finder = Finder(hub.engine)
    found = [line for skip in range(0, DATASETS, 100) for line in finder.find(Question(), skip, 100).datasets]
    views = [finder.view(line.id) for line in found]
    hub.engine.dispose()
    names = sorted(line.identifier for line in found)
    fine = all((v.described.people, len(v.described.ways), len(v.described.uses)) == (40, 2, 3) for v in views)
    return fine and names == [dataset_name(number) for number in range(DATASETS)]


@contextlib.contextmanager
def _serving() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.parts.stub_catalogue", str(DATASETS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        yield f"http://127.0.0.1:{port}/fairdp"
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
