# SPDX-License-Identifier: Apache-2.0
"""A load that is killed (SIGKILL) before any of its fsyncs or renames leaves the collection as it was.

A child process loads and kills itself before its n-th durable step; n grows until a load comes through.
"""

import signal
from pathlib import Path

from megagenome.collection import Collection, Use
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Region
from tests.faults.dying import run_child

CHILD = """
import sys
from pathlib import Path
import numpy as np
from megagenome.collection import Collection
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.people import YES, People, Person
from megagenome.standards.genotypes import Block, GenotypeSource
from tests.faults.dying import Death

folder, last, name = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
Death(last).at_files()
blocks = [
    Block(c, np.array([99], np.int64), ["A"], [("G",)], np.array([[[0, 1], [1, 1]]], np.int8)) for c in ("21", "22")
]
people = People([Person(f"P{s}", f"S{s}", consent=YES) for s in (1, 2)], {}, {})
collection = Collection.open_folder(folder, lambda curie: None)
source = GenotypeSource("test", ("S1", "S2"), {}, blocks)
load(collection, DatasetStatement(name, open=True, publish=True), people, [source], "GRCh38")
"""


def state(folder: Path) -> tuple[object, list[Path]]:
    """What a reader sees, and the files that the manifest names."""
    collection = Collection.open_folder(folder, lambda _curie: None)
    try:
        reading = collection.open(PUBLIC, Use.AGGREGATES)
        counts = [reading.count_alleles(Region("GRCh38", contig, 0, 1000)) for contig in ("21", "22")]
        seen = [(one.alleles, one.dataset.tolist(), one.ac.tolist(), one.an.tolist()) for one in counts]
        snapshot = collection.snapshot()
        return (snapshot.version, snapshot.individuals, reading.datasets, seen), sorted(folder.rglob("*.genotypes"))
    finally:
        collection.close()


def run(folder: Path, last: int, dataset: str) -> int:
    return run_child(CHILD, folder, last, dataset).returncode


def test_a_load_killed_at_any_step_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    Collection.create(folder, lambda _curie: None).close()
    assert run(folder, 0, "FIRST") == 0
    before, files = state(folder)
    killed = 0
    while (code := run(folder, killed + 1, "SECOND")) != 0:
        assert code == -signal.SIGKILL
        killed += 1
        assert state(folder)[0] == before
    # two contigs, two packs each: at least file, rename and folder for each of them
    assert killed >= 12
    after, more = state(folder)
    assert [d.id for d in after[2]] == ["FIRST", "SECOND"]
    assert len(more) == 2 * len(files)
    assert not [path for path in folder.rglob("*") if path.suffix == ".partial"]


def test_what_a_killed_load_left_is_swept(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    Collection.create(folder, lambda _curie: None).close()
    assert run(folder, 12, "FIRST") == -signal.SIGKILL
    assert [path for path in (folder / "genotypes").rglob("*") if path.is_file()]
    assert run(folder, 0, "FIRST") == 0
    assert len([path for path in (folder / "genotypes").rglob("*") if path.is_file()]) == 4
