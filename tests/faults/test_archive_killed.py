# SPDX-License-Identifier: Apache-2.0
"""The archive, killed (SIGKILL) or without power before each fsync, link, removal and commit of whatever it does, and
after the last one: a file is absent and can be sent again, or is whole; nothing is left over, nothing is there twice,
and the ledger is whole. With records on PostgreSQL the same before each commit: what lies between is the disk's."""

import functools
import itertools
import os
import shutil
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.archive.archive import Archive
from megagenome.archive.model import Recovery
from megagenome.archive.rows import note_suspect
from megagenome.kernel import clock
from megagenome.kernel.database import begin_erasing, begin_writing
from megagenome.kernel.errors import NotFound
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState
from tests.archive.archives import (
    DESCRIBED,
    Admitted,
    blobs,
    chunks,
    keep_ready,
    make_plain,
    open_archive,
    sealed,
    stated,
)
from tests.faults.dying import Death, run_child
from tests.faults.lossy_disk import LossyDisk
from tests.kernel.records import are_files, copy_records, lose_records, open_records

RECORDS = "node.sqlite"
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


def restore(archive: Archive) -> object:
    """Verify a file that was let out, was suspect, and is whole."""
    return archive.verify(FILE)


def let_out(archive: Archive) -> object:
    with begin_writing(archive._parts.engine) as connection:
        archive.make_ready(connection, [FILE], "operator")


def withdraw(archive: Archive) -> object:
    with begin_writing(archive._parts.engine) as connection:
        archive.withdraw(connection, [FILE], "operator")


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


def check_restore(archive: Archive, folder: Path, came_through: bool) -> None:
    """Nobody reads it, or it is let out as it was before."""
    assert found(archive).state in ((FileState.READY,) if came_through else (FileState.SUSPECT, FileState.READY))
    assert archive.verify(FILE).state is FileState.READY
    assert b"".join(archive.open(FILE, Admitted()).read()) == PLAIN
    assert details(archive).count(f"restored:{FILE}") == 1
    assert len(blobs(folder)) == 4


def check_let_out(archive: Archive, _folder: Path, came_through: bool) -> None:
    """Let out, and entered, or neither."""
    check_moved(archive, "ready", FileState.VERIFIED, FileState.READY, came_through)
    let_out(archive)
    assert details(archive).count(f"ready:{FILE}") == 1
    assert b"".join(archive.open(FILE, Admitted()).read()) == PLAIN


def check_withdraw(archive: Archive, folder: Path, came_through: bool) -> None:
    check_moved(archive, "withdrawn", FileState.READY, FileState.WITHDRAWN, came_through)
    withdraw(archive)
    assert details(archive).count(f"withdrawn:{FILE}") == 1
    with pytest.raises(NotFound):
        archive.open(FILE, Admitted())
    assert len(blobs(folder)) == 4


def check_moved(archive: Archive, word: str, before: FileState, after: FileState, came_through: bool) -> None:
    state, entries = found(archive).state, details(archive).count(f"{word}:{FILE}")
    assert (state, entries) in (((after, 1),) if came_through else ((before, 0), (after, 1)))


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
    if act in (shred, rotate, restore, let_out, withdraw):
        archive.verify(FILE)
    if act in (shred, rotate, restore, withdraw):
        let_out(archive)
    if act is restore:
        note_suspect(archive._parts.engine, archive._parts.ledger, found(archive))
    archive._parts.engine.dispose()
    if act is rebuild:
        lose_records(folder / RECORDS)
        open_records(folder / RECORDS).dispose()


def make_unfinished(archive: Archive, folder: Path) -> None:
    """A shredding of which only the first half is done, and an ingest that died when all was written but the row."""
    third = keep_ready(archive, make_plain(50_000, 2))
    with begin_erasing(archive._parts.engine) as connection:
        archive.begin_shredding(connection, third.id, "operator")
    archive._parts.engine.dispose()
    for last in itertools.count(1):
        copy = copied(folder, f"{folder}-dying")
        if fork(lambda copy=copy, last=last: act_and_die(copy, ingest, last, powerless=False)) == 0:
            break
        if sum(path.suffix in (".c4b", ".c4h") for path in blobs(copy)) == 6:
            shutil.rmtree(folder)
            copied(copy, str(folder))
            return
        shutil.rmtree(copy)
    raise AssertionError("no ingest died when both of its blobs were there")


def copied(folder: Path, to: str) -> Path:
    """A copy, with its records, of a node that nobody has open."""
    copy = Path(shutil.copytree(folder, to))
    copy_records(folder / RECORDS, copy / RECORDS)
    return copy


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
    if are_files():
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
        copy = copied(folder, f"{folder}-{died}")
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


def count_dead(call: str, *server: sa.URL) -> int:
    """What a function answers of how many died, called in a process of its own, with records on this server."""
    done = run_child(call, *(each.render_as_string(hide_password=False) for each in server))
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1])


ON_POSTGRESQL = """
import sys
import sqlalchemy as sa
from {module} import *
from tests.kernel.records import kept_on
with kept_on(sa.make_url(sys.argv[1])):
    print({call})
"""


STEPS = {
    "ingest": (10, 3),
    "verify": (2, 2),
    "restore": (2, 2),
    "let_out": (2, 2),
    "withdraw": (2, 2),
    "shred": (10, 3),
    "rotate": (10, 4),
    "rebuild": (2, 3),
    "recover": (8, 4),
}
"""How many die at least: before each step, and before each commit alone."""


@pytest.mark.parametrize("how", ["", "powerless=True", "times=2"], ids=["killed", "powerless", "killed-twice"])
@pytest.mark.parametrize("name", STEPS)
def test_killed_anywhere_nothing_is_lost_left_or_twofold(tmp_path: Path, name: str, how: str) -> None:
    folder = tmp_path / "node"
    call = f"until_it_comes_through(Path({str(folder)!r}), {name!r}, {how})"
    assert count_dead(f"from {__name__} import *; print({call})") >= STEPS[name][0]


@pytest.mark.postgres
@pytest.mark.parametrize("name", STEPS)
def test_killed_before_any_commit_on_postgresql_alike(postgres_server: sa.URL, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "node"
    call = f"until_it_comes_through(Path({str(folder)!r}), {name!r})"
    assert count_dead(ON_POSTGRESQL.format(module=__name__, call=call), postgres_server) >= STEPS[name][1]
    assert not (folder / RECORDS).exists()
