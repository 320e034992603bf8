# SPDX-License-Identifier: Apache-2.0
"""Reception, killed (SIGKILL) or without power before each fsync, link, rename, removal and commit of a step: the same
again, by whoever comes, ends as if nothing had happened, and nothing is left over or there twice. With records on
PostgreSQL the same before each commit."""

import functools
import hashlib
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.archive.model import Recovery
from megagenome.collection import tables
from megagenome.collection.manifest import pack_paths
from megagenome.collection.model import DatasetState
from megagenome.kernel import clock
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import FileState
from megagenome.reception import process, rows
from megagenome.standards.submission import Decision, State, read_receipt
from tests.faults.dying import Death
from tests.faults.lossy_disk import LossyDisk
from tests.faults.test_archive_killed import ON_POSTGRESQL, RECORDS, copied, count_dead, fork
from tests.kernel.records import are_files
from tests.reception.handing_in import DATASET
from tests.reception.receptions import PROVIDER, STEWARD, House, files_of, manifest_of, open_house, passing, put

Act = Callable[[House, str], object]


def upload(house: House, ident: str) -> object:
    sealed = (house.folder / "sealed").read_bytes()
    return put(house, ident, 0, 0, sealed[:300]), put(house, ident, 0, 1, sealed[300:])


def process_(house: House, _ident: str) -> object:
    return house.do_jobs()


accept = refuse = process_


def whole_parts(house: House, ident: str) -> list[int]:
    """The parts that the node says it has, each of which it has whole."""
    with house.parts.engine.connect() as connection:
        stored = rows.parts_of(connection, ident, 0)
    for each in stored:
        assert hashlib.sha256(b"".join(house.parts.store.read(each.key))).hexdigest() == each.part.sha256
    return [each.part.number for each in stored]


def check_upload(house: House, ident: str) -> None:
    assert whole_parts(house, ident) in ([], [0], [0, 1])
    upload(house, ident)
    assert whole_parts(house, ident) == [0, 1]
    [first, _] = house.reception.show(PROVIDER, ident).files
    assert [part.number for part in first.parts] == [0, 1]
    assert len({part.sha256 for part in first.parts}) == 2
    # what was killed between blob and row goes with the submission
    house.reception.cancel(PROVIDER, ident)
    house.do_jobs()
    assert house.blobs() == []


def check_process_(house: House, ident: str) -> None:
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.REPORTED
    receipt = read_receipt(house.reception.receipt(PROVIDER, ident), house.keys().key_set())
    assert {each.file for each in receipt.files} == {each.id for each in house.archive.files_of()}
    assert {each.state for each in house.archive.files_of()} == {FileState.VERIFIED}
    assert {house.archive.verify(each.id).state for each in house.archive.files_of()} == {FileState.VERIFIED}
    assert len([name for name in house.blobs() if name.endswith(".c4b")]) == 2


def check_packs(house: House) -> None:
    """What the manifest of the collection names is there whole."""
    pack = tables.pack.c
    named = sa.select(pack.load, pack.assembly, pack.contig, pack.counted_by, pack.genotypes_sha256, pack.counts_sha256)
    with house.parts.engine.connect() as connection:
        for row in connection.execute(named).all():
            paths = pack_paths(house.folder, *row[:4])
            assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths] == list(row[4:])


def check_accept(house: House, ident: str) -> None:
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.ACCEPTED
    house.collection.refresh()
    snapshot = house.collection.snapshot()
    assert [(each.id, each.state) for each in snapshot.datasets] == [(DATASET, DatasetState.DRAFT)]
    assert snapshot.loads == 1
    assert {each.state for each in house.archive.files_of()} == {FileState.READY}
    assert [name for name in house.blobs() if name.startswith("inbox/")] == []
    assert len(list((house.folder / "genotypes").rglob("*.genotypes"))) == 1
    check_packs(house)


def check_refuse(house: House, ident: str) -> None:
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.REJECTED
    assert house.blobs() == []
    assert {each.state for each in house.archive.files_of()} == {FileState.SHREDDED}


def make(folder: Path, name: str) -> str:
    """What is there before the step."""
    house = open_house(folder)
    files = files_of(folder.parent / "files")
    if name == "upload":
        ident = house.reception.begin(PROVIDER, manifest_of(files)).id
        (folder / "sealed").write_bytes(house.sealed(files["cohort.vcf.gz"]))
    else:
        ident = house.send(files)
        if name != "process_":
            house.do_jobs()
            yes = name == "accept"
            house.reception.decide(STEWARD, ident, Decision(yes, "" if yes else "no"))
    close(house)
    return ident


def close(house: House) -> None:
    house.collection.close()
    house.parts.ledger.engine.dispose()


def act_and_die(folder: Path, act: Act, ident: str, last: int, *, powerless: bool) -> None:
    death = Death(last)
    if powerless:
        disk = LossyDisk(folder, but="node.sqlite*")
        disk.watch()
        death.before_dying = lambda: disk.leave_at(Path(f"{folder}-left"))
    if are_files():
        death.at_files()
    house = open_house(folder)
    death.at_commits(house.parts.engine)
    death.at_commits(house.parts.ledger.engine)
    act(house, ident)
    death.step()


def until_it_comes_through(folder: Path, name: str, *, powerless: bool = False) -> int:
    """How many died, after each of whom all was found as it must be. Forks, so it runs in a process without threads."""
    process.validate = passing
    ident = make(folder, name)
    act, check = globals()[name], globals()[f"check_{name}"]
    died, real = 0, clock.now
    while True:
        copy = copied(folder, f"{folder}-{died}")
        code = fork(functools.partial(act_and_die, copy, act, ident, died + 1, powerless=powerless))
        left = Path(f"{copy}-left") if powerless and code else copy
        house = open_house(left)
        clock.now = lambda: real() + timedelta(hours=2)  # leases are over
        house.do_jobs()
        clock.now = lambda: real() + timedelta(hours=4)  # and so is the wait that follows
        house.archive.recover()
        check(house, ident)
        house.reception.tidy()
        assert house.archive.rebuild() == Recovery()
        assert house.parts.ledger.verify().fine
        entries = [each.detail for each in house.parts.ledger.items() if isinstance(each, Entry)]
        for what in ("archived", "shredded"):
            assert all(entries.count(f"{what}:{each.id}") <= 1 for each in house.archive.files_of())
        close(house)
        clock.now = real
        shutil.rmtree(copy)
        shutil.rmtree(left, ignore_errors=True)
        if code == 0:
            return died
        died += 1


STEPS = {"upload": (8, 3), "process_": (25, 12), "accept": (15, 7), "refuse": (15, 6)}
"""How many die at least: before each step, and before each commit alone."""


@pytest.mark.parametrize("powerless", [False, True], ids=["killed", "powerless"])
@pytest.mark.parametrize("name", STEPS)
def test_killed_anywhere_it_ends_as_if_nothing_had_happened(tmp_path: Path, name: str, powerless: bool) -> None:
    folder = tmp_path / "node"
    call = f"until_it_comes_through(Path({str(folder)!r}), {name!r}, powerless={powerless})"
    assert count_dead(f"from {__name__} import *; print({call})") >= STEPS[name][0]


@pytest.mark.postgres
@pytest.mark.parametrize("name", STEPS)
def test_killed_before_any_commit_on_postgresql_alike(postgres_server: sa.URL, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "node"
    call = f"until_it_comes_through(Path({str(folder)!r}), {name!r})"
    assert count_dead(ON_POSTGRESQL.format(module=__name__, call=call), postgres_server) >= STEPS[name][1]
    assert not (folder / RECORDS).exists()
