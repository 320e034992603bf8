# SPDX-License-Identifier: Apache-2.0
"""A release, a withdrawal and a permit's end that are killed (SIGKILL) at any durable step happen whole or not at all,
and what was acknowledged is still there after a restart.

A child process kills itself before its n-th durable step (fsync, rename, commit); n grows until it comes through.
"""

import shutil
import signal
from pathlib import Path

import pytest

from megagenome.collection import Collection, Use
from megagenome.collection.load import load
from megagenome.collection.people import YES
from megagenome.collection.permits import read_permits, store_permit
from megagenome.collection.release import release
from megagenome.kernel.callers import Caller
from megagenome.kernel.coordinates import Region
from tests.collection import clocks
from tests.collection.clocks import CLOSED, OPEN
from tests.faults.dying import run_child

FILES = 2 * 2 * 2
"""Of two datasets and contigs the genotypes and the counts."""

CHILD = """
import os, signal, sys
from pathlib import Path
from megagenome.collection import Collection
from megagenome.collection.acts import Act, say
from megagenome.collection.permits import change_permit
from megagenome.collection.release import release
from megagenome.standards.permit import PermitState
from tests.faults.dying import Death

folder, last, act = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
death = Death(last)
death.at_files()
collection = Collection.open_folder(folder, lambda curie: None)
death.at_commits(collection.engine)
if act == "release":
    release(collection)
elif act == "withdraw":
    say(collection, "I4", Act.WITHDRAW, by="desk", longest_delay_days=30)
else:
    with collection.engine.begin() as connection:
        change_permit(connection, "permit-1", PermitState.REVOKED, "a breach", sequence=1)
print("acknowledged", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """People in two datasets, one of whom withdrew, and a permit."""
    collection = Collection.create(tmp_path / "node", lambda _curie: None)
    for dataset, people in ((OPEN, range(20)), (CLOSED, range(20, 60))):
        table = clocks.table(dict.fromkeys(people, YES))
        load(collection, clocks.statement(dataset), table, [clocks.source_of(people)], "GRCh38")
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(datasets=[OPEN]))
    collection.close()
    assert run(tmp_path / "node", 0, "withdraw") == "acknowledged\n"
    return tmp_path / "node"


def run(folder: Path, last: int, act: str) -> str:
    """What the child said before it killed itself."""
    done = run_child(CHILD, folder, last, act)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout


def state(folder: Path) -> object:
    """What the public and the permit's people read, and how the permit stands."""
    collection = Collection.open_folder(folder, lambda _curie: None)
    try:
        reading = collection.open(Caller("carol", registered=True), Use.AGGREGATES)
        counts = [reading.count_alleles(Region("GRCh38", contig, 0, 10_000_000)) for contig in ("22", "X")]
        public = [(one.ac.tolist(), one.an.tolist()) for one in counts]
        with collection.engine.connect() as connection:
            [permit] = read_permits(connection)
            live = connection.exec_driver_sql("SELECT * FROM member_set WHERE kind = 'consent' ORDER BY 1, 2, 3").all()
        return public, reading.count_people().members.tolist(), permit.state, list(map(tuple, live))
    finally:
        collection.close()


@pytest.mark.parametrize(("act", "least"), [("release", 9), ("withdraw", 1), ("revoke", 1)])
def test_it_is_whole_or_absent(folder: Path, tmp_path: Path, act: str, least: int) -> None:
    if act == "withdraw":  # of the one who withdrew already nothing would change
        collection = Collection.open_folder(folder, lambda _curie: None)
        with collection.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE individual SET id = 'I-4' WHERE id = 'I4'")
            connection.exec_driver_sql("UPDATE individual SET id = 'I4' WHERE id = 'I5'")
        collection.close()
    before = state(folder)
    killed = 0
    while True:
        copy = Path(shutil.copytree(folder, tmp_path / f"killed{killed}"))
        if run(copy, killed + 1, act):
            break
        killed += 1
        assert state(copy) == before
    assert killed >= least
    after = state(copy)
    assert after != before
    collection = Collection.open_folder(copy, lambda _curie: None)
    for _ in range(2):  # each sweeps what the one before left
        release(collection)
    collection.close()
    assert act != "release" or state(copy) == after
    assert len([path for path in (copy / "genotypes").rglob("*") if path.is_file()]) == FILES
