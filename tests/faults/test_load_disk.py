# SPDX-License-Identifier: Apache-2.0
"""A load on a disk that is full or fails at any write or fsync, and with a database that is full, by itself and by a
data steward's yes: the collection is as it was, no file is left over, and the same load succeeds afterwards."""

import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from megagenome.archive.model import Recovery
from megagenome.collection import Collection
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.people import YES, People, Person
from megagenome.kernel import clock
from megagenome.kernel.ids import DatasetId, IndividualId, SampleId
from megagenome.kernel.sealed_files import FileState
from megagenome.reception import process
from megagenome.standards.genotypes import Block, GenotypeSource
from megagenome.standards.submission import State
from tests.faults.test_load_killed import state
from tests.faults.test_reception_killed import check_accept, close, make
from tests.reception.receptions import PROVIDER, open_house, passing

FAULTS = [("write", "ENOSPC"), ("write", "EIO"), ("fsync", "ENOSPC"), ("fsync", "EIO"), ("commit", "ENOSPC")]


class Fault:
    """Fails before the `last` of what a disk is asked to do; when it is full, from then on."""

    def __init__(self, error: str, last: int) -> None:
        self._number, self._last, self.calls = getattr(errno, error), last, 0

    def step(self, *_: object) -> None:
        """The disk is asked once more."""
        self.calls += 1
        if self.calls == self._last or (self.calls > self._last and self._number == errno.ENOSPC):
            raise OSError(self._number, os.strerror(self._number))

    @property
    def came(self) -> bool:
        """Whether it has failed."""
        return self.calls >= self._last


class _FailingFile(io.FileIO):
    def __init__(self, descriptor: int, fault: Fault) -> None:
        super().__init__(descriptor, "wb")
        self._fault = fault

    def write(self, content: Any, /) -> int:
        self._fault.step()
        return super().write(content)


@contextmanager
def failing(call: str, fault: Fault, engine: sa.Engine) -> Iterator[None]:
    """Below, each write to a file of a load, each fsync or each commit may fail."""
    fsync = os.fsync

    def buffered(descriptor: int, _mode: str) -> io.BufferedWriter:
        return io.BufferedWriter(_FailingFile(descriptor, fault), 256)  # so that little is written together

    def synced(descriptor: int) -> None:
        fault.step()
        fsync(descriptor)

    def full(_connection: sa.Connection) -> None:
        try:
            fault.step()
        except OSError as error:
            raise sa.exc.OperationalError("COMMIT", {}, Exception("database or disk is full")) from error

    with pytest.MonkeyPatch.context() as patched:
        match call:
            case "write":
                patched.setattr(os, "fdopen", buffered)
            case "fsync":
                patched.setattr(os, "fsync", synced)
            case "commit":
                sa.event.listen(engine, "commit", full)
        try:
            yield
        finally:
            if call == "commit":
                sa.event.remove(engine, "commit", full)


def load_two_contigs(collection: Collection, dataset: str) -> None:
    calls = np.array([[[0, 1], [1, 1]]], np.int8)
    blocks = [Block(contig, np.array([99], np.int64), ["A"], [("G",)], calls) for contig in ("21", "22")]
    persons = [Person(IndividualId(f"P{s}"), SampleId(f"S{s}"), consent=YES) for s in (1, 2)]
    source = GenotypeSource("test", ("S1", "S2"), {}, blocks)
    statement = DatasetStatement(DatasetId(dataset), open=True, publish=True)
    load(collection, statement, People(persons, {}, {}), [source], "GRCh38")


def opened(folder: Path) -> Collection:
    return Collection.open_folder(folder, lambda _curie: None)


def attempt(folder: Path, act: Callable[[Collection], None]) -> None:
    collection = opened(folder)
    try:
        act(collection)
    finally:
        collection.close()


def files_in(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in (folder / "genotypes").rglob("*") if path.is_file())


@pytest.mark.parametrize(("call", "error"), FAULTS)
def test_a_load_that_fails_anywhere_changes_nothing_and_the_next_succeeds(
    tmp_path: Path, call: str, error: str
) -> None:
    before = tmp_path / "before"
    Collection.create(before, lambda _curie: None).close()
    attempt(before, lambda collection: load_two_contigs(collection, "FIRST"))
    seen, files = state(before)[0], files_in(before)
    failed = 0
    while True:
        folder, fault = tmp_path / str(failed), Fault(error, failed + 1)
        shutil.copytree(before, folder)

        def act(collection: Collection, fault: Fault = fault) -> None:
            with failing(call, fault, collection.engine):
                load_two_contigs(collection, "SECOND")

        if came_through(folder, act):
            assert not fault.came
            break
        failed += 1
        assert (state(folder)[0], files_in(folder)) == (seen, files)
        attempt(folder, lambda collection: load_two_contigs(collection, "SECOND"))
        after = state(folder)[0]
        assert [each.id for each in after[2]] == ["FIRST", "SECOND"]
        assert len(files_in(folder)) == 2 * len(files)
        shutil.rmtree(folder)
    # two contigs, two packs each: at least a write, and an fsync of the file and its folder
    assert failed >= {"write": 4, "fsync": 8, "commit": 1}[call]


def came_through(folder: Path, act: Callable[[Collection], None]) -> bool:
    try:
        attempt(folder, act)
    except (OSError, sa.exc.OperationalError):
        return False
    return True


@pytest.mark.parametrize(("call", "error"), FAULTS)
def test_a_yes_whose_load_fails_anywhere_waits_and_is_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: str
) -> None:
    """By any fault the submission is as before, or accepted with all that belongs to it."""
    monkeypatch.setattr(process, "validate", passing)
    before, real = tmp_path / "node", clock.now
    ident = make(before, "accept")
    failed = waited = 0
    while True:
        folder, fault = tmp_path / str(failed), Fault(error, failed + 1)
        shutil.copytree(before, folder)
        house = open_house(folder)
        with failing(call, fault, house.parts.engine):
            try:
                house.do_jobs()
            except sa.exc.OperationalError:  # where nothing can be noted, not even that it failed
                assert call == "commit"
        house.collection.refresh()
        if house.reception.show(PROVIDER, ident).state is State.LOADING:
            waited += 1
            assert files_in(folder) == []
            assert (house.collection.snapshot().datasets, house.collection.snapshot().loads) == ((), 0)
            assert {each.state for each in house.archive.files_of()} == {FileState.VERIFIED}
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=2))  # leases are over
        house.do_jobs()
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=4))  # and so is the wait that follows
        check_accept(house, ident)
        assert house.archive.rebuild() == Recovery()
        assert house.parts.ledger.verify().fine
        close(house)
        monkeypatch.setattr(clock, "now", real)
        shutil.rmtree(folder)
        if not fault.came:
            break
        failed += 1
    assert waited >= (1 if call == "commit" else 4)
