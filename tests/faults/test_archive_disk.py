# SPDX-License-Identifier: Apache-2.0
"""The archive on a disk that is full or fails, with a database that fails, and with other workers: what cannot be done
now is refused and can be done later; nothing is left over and nothing is there twice."""

import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from megagenome.archive import ingest as ingesting
from megagenome.archive.archive import Archive
from megagenome.archive.model import Recovery
from megagenome.kernel import clock, database
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import FileId, FileState
from tests.archive.archives import DESCRIBED, blobs, chunks, keep_ready, make_plain, open_archive, sealed, stated
from tests.faults.dying import ROOT

FILE = FileId("MGF-ABCDEFGHIJKLMNOP")
PLAIN = make_plain(3_000_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "node"


@pytest.fixture
def archive(folder: Path) -> Archive:
    return open_archive(folder)


class Failing:
    """Fails at the `last` of its calls, and works after that."""

    def __init__(self, act: Callable[..., Any], last: int, error: Exception) -> None:
        self._act, self._last, self._error, self.calls = act, last, error, 0

    def __call__(self, *args: Any, **more: Any) -> Any:
        self.calls += 1
        if self.calls == self._last:
            raise self._error
        return self._act(*args, **more)


def ingest(archive: Archive, attempt: int = 1) -> object:
    return archive.ingest(FILE, attempt, chunks(sealed(archive, PLAIN)), DESCRIBED, stated(PLAIN))


def assert_whole(archive: Archive, folder: Path) -> None:
    """The file is there once, and nothing else."""
    assert archive.verify(FILE).state in (FileState.VERIFIED, FileState.READY)
    assert b"".join(archive.open_inside(FILE, "test").read()) == PLAIN
    assert sorted(path.suffix for path in blobs(folder)) == [".c4b", ".c4h"]
    assert archive.rebuild() == Recovery()
    entries = [each.detail for each in archive._parts.ledger.items() if isinstance(each, Entry)]
    assert entries.count(f"archived:{FILE}") == 1
    assert archive._parts.ledger.verify().fine


@pytest.mark.parametrize(
    ("call", "error", "least"),
    [("write", "ENOSPC", 5), ("write", "EIO", 5), ("fsync", "EIO", 5), ("link", "EROFS", 2), ("open", "EMFILE", 2)],
)
def test_a_disk_that_fails_anywhere_keeps_nothing_and_the_next_attempt_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: str, least: int
) -> None:
    number, last, refused = getattr(errno, error), 0, 0
    while True:
        last += 1
        folder = tmp_path / str(last)
        archive = open_archive(folder)
        failing = Failing(getattr(os, call), last, OSError(number, os.strerror(number)))
        with monkeypatch.context() as patched:
            patched.setattr(os, call, failing)
            try:
                ingest(archive)
            except Unavailable:
                refused += 1
                assert archive.find(FILE) is None
        archive.recover()
        if archive.find(FILE) is None:
            assert blobs(folder) == []
            ingest(archive, 2)
        assert_whole(archive, folder)
        archive._parts.engine.dispose()
        if failing.calls < last:
            break
    assert refused >= least


def test_a_database_that_fails_keeps_nothing_or_all(tmp_path: Path) -> None:
    last = 0
    while True:
        last += 1
        folder = tmp_path / str(last)
        archive = open_archive(folder)
        full = sa.exc.OperationalError("COMMIT", {}, Exception("database or disk is full"))
        failing = Failing(lambda _connection: None, last, full)
        sa.event.listen(archive._parts.engine, "commit", failing)
        try:
            ingest(archive)
        except sa.exc.OperationalError:
            assert archive.find(FILE) is None
            assert blobs(folder) == []
        finally:
            sa.event.remove(archive._parts.engine, "commit", failing)
        ingest(archive, 2)
        assert_whole(archive, folder)
        archive._parts.engine.dispose()
        if failing.calls < last:
            break
    assert last > 2


def test_a_commit_whose_answer_is_lost_counts(archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = ingesting._commit

    def silent(*given: Any) -> None:
        commit(*given)
        raise sa.exc.OperationalError("COMMIT", {}, Exception("the server closed the connection"))

    monkeypatch.setattr(ingesting, "_commit", silent)
    assert ingest(archive) == archive.find(FILE)
    assert_whole(archive, folder)


def test_a_database_that_somebody_holds_for_long_keeps_nothing_and_the_next_attempt_does(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, other, real = sealed(archive, PLAIN), open_archive(folder), clock.now
    monkeypatch.setattr(database, "_PATIENCE_MS", 20)
    archive._parts.engine.dispose()
    with contextlib.ExitStack() as holding:

        def source() -> Iterator[bytes]:
            holding.enter_context(database.begin_writing(other._parts.engine))
            yield sent

        with pytest.raises(sa.exc.OperationalError, match="locked"):
            archive.ingest(FILE, 1, source, DESCRIBED, stated(PLAIN))
        assert archive.find(FILE) is None
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=1))
    assert archive.recover().swept == 1
    assert blobs(folder) == []
    ingest(archive, 2)
    assert_whole(archive, folder)


def test_a_disk_that_fails_while_shredding_is_shredded_at_the_next_start(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(archive)
    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", Failing(os.unlink, 2, OSError(errno.EIO, "Input/output error")))
        with pytest.raises(Unavailable):
            archive.shred(FILE, "operator")
    assert archive.recover().shredded == (FILE,)
    assert [path.suffix for path in blobs(folder)] == [".shred"]


def test_a_disk_that_fails_while_rotating_is_rotated_by_doing_it_again(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(archive)
    keep_ready(archive, PLAIN)
    for last in range(1, 7):
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", Failing(os.fsync, last, OSError(errno.EIO, "Input/output error")))
            with contextlib.suppress(Unavailable, OSError):
                archive.rotate()
        for file in archive.files_of():
            assert b"".join(archive.open_inside(file.id, "test").read()) == PLAIN
    archive.rotate()
    archive.forget_retired()
    assert len(blobs(folder)) == 4
    assert archive.rebuild() == Recovery()


WORKER = """
import sys
from pathlib import Path
from tests.faults.test_archive_disk import ingest
from tests.archive.archives import open_archive
archive = open_archive(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(ingest(archive, int(sys.argv[2])).sha256, flush=True)
"""


def test_of_four_processes_on_one_file_one_keeps_it_and_all_are_told_so(archive: Archive, folder: Path) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), str(number)],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(1, 5)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    told = [worker.communicate(timeout=120)[0] for worker in workers]
    assert told == [f"{stated(PLAIN).sha256}\n"] * 4
    assert_whole(archive, folder)
