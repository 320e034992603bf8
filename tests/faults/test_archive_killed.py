# SPDX-License-Identifier: Apache-2.0
"""The archive, killed (SIGKILL) or without power before each fsync, link, removal and commit of whatever it does, and
after the last one: a file is absent and can be sent again, or is whole; nothing is left over, nothing is there twice,
and the ledger is whole."""

import functools
import itertools
import os
import shutil
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from megagenome.archive.archive import Archive
from megagenome.archive.model import Recovery
from megagenome.kernel import clock
from megagenome.kernel.database import begin_erasing
from megagenome.kernel.errors import NotFound
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState
from tests.archive.archives import (
    DESCRIBED,
    Admitted,
    blobs,
    chunks,
    copy_database,
    keep_ready,
    make_plain,
    open_archive,
    sealed,
    stated,
)
from tests.faults.dying import Death, run_child
from tests.faults.lossy_disk import LossyDisk

FILE = FileId("MGF-ABCDEFGHIJKLMNOP")
PLAIN = make_plain(2_000_000)
OTHER = make_plain(70_000, 1)

Act = Callable[[Archive], object]


def ingest(archive: Archive) -> object:
    source = chunks(sealed(archive, PLAIN))
    return archive.ingest(FILE, 1, source, DESCRIBED, stated(PLAIN))


def verify(archive: Archive) -> object:
    return archive.verify(FILE)


def shred(archive: Archive) -> object:
    return archive.shred(FILE, "operator")


def rotate(archive: Archive) -> object:
    return archive.rotate()


def rebuild(archive: Archive) -> object:
    return archive.rebuild()


def recover(archive: Archive) -> object:
    return archive.recover()


def details(archive: Archive) -> list[str]:
    return [each.detail for each in archive._parts.ledger.items() if isinstance(each, Entry)]


def read(archive: Archive, file: FileId) -> bytes:
    return b"".join(archive.open_inside(file, "test").read())


def found(archive: Archive) -> ArchivedFile:
    file = archive.find(FILE)
    assert file is not None
    return file


def check_ingest(archive: Archive, folder: Path, came_through: bool) -> None:
    """Absent or whole; then the same again makes it whole, once."""
    assert came_through is False or archive.find(FILE) is not None
    if archive.find(FILE) is not None:
        assert read(archive, FILE) == PLAIN
    else:
        assert len(blobs(folder)) == 2  # the other file's
    ingest(archive)
    assert archive.verify(FILE).state is FileState.VERIFIED
    assert read(archive, FILE) == PLAIN
    assert sorted(path.suffix for path in blobs(folder)) == [".c4b", ".c4b", ".c4h", ".c4h"]
    assert details(archive).count(f"archived:{FILE}") == 1


def check_verify(archive: Archive, folder: Path, came_through: bool) -> None:
    assert found(archive).state is (FileState.VERIFIED if found(archive).verified else FileState.ARCHIVED)
    assert came_through is False or found(archive).verified
    assert archive.verify(FILE).state is FileState.VERIFIED
    assert len(blobs(folder)) == 4


def check_shred(archive: Archive, folder: Path, came_through: bool) -> None:
    """All of it is there, or nothing but the proof that nothing is."""
    if found(archive).state is FileState.READY:
        assert came_through is False
        assert b"".join(archive.open(FILE, Admitted()).read()) == PLAIN
        archive.shred(FILE, "operator")
    assert sorted(path.suffix for path in blobs(folder)) == [".c4b", ".c4h", ".shred"]
    assert archive.finish_shredding(FILE).count(".") == 2
    assert details(archive).count(f"shredded:{FILE}") == 1
    with pytest.raises(NotFound):
        read(archive, FILE)


def check_rotate(archive: Archive, folder: Path, came_through: bool) -> None:
    """Every file can be read, whatever key it is for; rotating again ends with one key for all."""
    assert read(archive, FILE) == PLAIN
    assert archive.verify(FILE).state is FileState.READY
    if not came_through:
        archive.rotate()
    archive.forget_retired()
    [newest] = archive.keys.names()
    assert {path.name.split(".")[1] for path in blobs(folder) if path.suffix == ".c4h"} == {newest}
    assert len(blobs(folder)) == 4
    assert read(archive, FILE) == PLAIN


def check_rebuild(archive: Archive, folder: Path, _came_through: bool) -> None:
    archive.rebuild()
    assert {file.sha256 for file in archive.files_of()} == {stated(PLAIN).sha256, stated(OTHER).sha256}
    assert archive.verify(FILE).state is FileState.VERIFIED
    assert read(archive, FILE) == PLAIN
    assert len(blobs(folder)) == 4


def check_recover(archive: Archive, folder: Path, _came_through: bool) -> None:
    """Recovering that was killed is finished by recovering: `archive.recover()` was called by now."""
    assert archive.find(FILE) is None
    assert sorted(path.suffix for path in blobs(folder)) == [".c4b", ".c4h", ".shred"]
    assert ingest(archive) == archive.find(FILE)
    assert archive.verify(FILE).state is FileState.VERIFIED


def make(folder: Path, act: Act) -> None:
    """What is there before the act: another file that must stay as it is, and mostly the file itself."""
    archive = open_archive(folder)
    keep_ready(archive, OTHER)
    if act is recover:
        make_unfinished(archive, folder)
    elif act is not ingest:
        ingest(archive)
    if act in (shred, rotate):
        archive.verify(FILE)
        with archive._parts.engine.begin() as connection:
            archive.make_ready(connection, [FILE], "operator")
    archive._parts.engine.dispose()
    if act is rebuild:
        copy_database(archive, folder / "nowhere", folder)


def make_unfinished(archive: Archive, folder: Path) -> None:
    """A shredding of which only the first half is done, and an ingest that died when all was written but the row."""
    third = keep_ready(archive, make_plain(50_000, 2))
    with begin_erasing(archive._parts.engine) as connection:
        archive.begin_shredding(connection, third.id, "operator")
    archive._parts.engine.dispose()
    for last in itertools.count(1):
        copy = Path(shutil.copytree(folder, f"{folder}-dying"))
        if fork(lambda copy=copy, last=last: act_and_die(copy, ingest, last, powerless=False)) == 0:
            break
        if sum(path.suffix in (".c4b", ".c4h") for path in blobs(copy)) == 6:
            shutil.rmtree(folder)
            copy.rename(folder)
            return
        shutil.rmtree(copy)
    raise AssertionError("no ingest died when both of its blobs were there")


def fork(act: Callable[[], object]) -> int:
    """How a process ended that did this."""
    child = os.fork()
    if child == 0:
        act()
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code


def act_and_die(folder: Path, act: Act, last: int, *, powerless: bool) -> None:
    death = Death(last)
    if powerless:
        disk = LossyDisk(folder, but="node.sqlite*")
        disk.watch()
        death.before_dying = lambda: disk.leave_at(Path(f"{folder}-left"))
    death.at_files()
    archive = open_archive(folder)
    death.at_commits(archive._parts.engine)
    act(archive)
    death.step()


def until_it_comes_through(folder: Path, name: str, *, powerless: bool = False, times: int = 1) -> int:
    """How many died, `times` in a row, after each of whom all was found as it must be. Forks, so it runs in a process
    without threads."""
    act, check = globals()[name], globals()[f"check_{name}"]
    make(folder, act)
    died, real = 0, clock.now
    while True:
        copy = Path(shutil.copytree(folder, f"{folder}-{died}"))
        clock.now = lambda: real() + timedelta(hours=act is recover)
        dying = functools.partial(act_and_die, copy, act, died + 1, powerless=powerless)
        codes = [fork(dying) for _ in range(times)]
        clock.now = lambda: real() + timedelta(hours=2)  # leases are over
        left = Path(f"{copy}-left") if powerless and codes[-1] else copy
        archive = open_archive(left)
        archive.recover()
        check(archive, left, codes[-1] == 0)
        assert archive.recover() == archive.rebuild() == Recovery()
        assert not list((left / "blobs").rglob("*.partial"))
        other = next(file for file in archive.files_of() if file.sha256 == stated(OTHER).sha256)
        assert read(archive, other.id) == OTHER
        assert archive._parts.ledger.verify().fine
        archive._parts.engine.dispose()
        clock.now = real
        shutil.rmtree(copy)
        shutil.rmtree(left, ignore_errors=True)
        if codes[0] == 0:
            return died
        died += 1


@pytest.mark.parametrize("how", ["", "powerless=True", "times=2"], ids=["killed", "powerless", "killed-twice"])
@pytest.mark.parametrize(
    ("name", "least"), [("ingest", 10), ("verify", 1), ("shred", 10), ("rotate", 10), ("rebuild", 2), ("recover", 8)]
)
def test_killed_anywhere_nothing_is_lost_left_or_twofold(tmp_path: Path, name: str, least: int, how: str) -> None:
    folder = tmp_path / "node"
    call = f"until_it_comes_through(Path({str(folder)!r}), {name!r}, {how})"
    code = f"from {__name__} import *; print({call})"
    done = run_child(code)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) >= least
