# SPDX-License-Identifier: Apache-2.0
"""What nobody read for long is read again, the oldest first, and what is wrong is found."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.archive import scrub, tables
from megagenome.archive.archive import Archive
from megagenome.kernel import clock
from megagenome.kernel.sealed_files import ArchivedFile, FileState
from tests.archive.archives import SETTINGS, blobs, keep, keep_ready, make_plain, open_archive
from tests.kernel.ledgers import Clock, clock_at

NEVER = threading.Event()


@pytest.fixture(autouse=True)
def clock_() -> Iterator[Clock]:
    with clock_at() as stepped:
        yield stepped


@pytest.fixture
def three(archive: Archive, clock_: Clock) -> list[ArchivedFile]:
    """Files that were verified a day after each other, and one that was archived last and is young."""
    files = []
    for seed in range(3):
        files.append(keep_ready(archive, make_plain(1000, seed)))
        clock_.step(days=1)
    keep(archive, make_plain(1000, 9))
    return files


def found(archive: Archive) -> list[tuple[str, str]]:
    return [tuple(each) for each in archive.scrub(NEVER)]


def test_what_was_verified_longest_ago_comes_first(archive: Archive, three: list[ArchivedFile], clock_: Clock) -> None:
    assert found(archive) == []
    clock_.step(days=28, seconds=1)
    assert found(archive) == [(three[0].id, ""), (three[1].id, "")]
    assert found(archive) == []
    again = archive.find(three[0].id)
    assert again is not None
    assert again.verified is not None
    assert again.verified.startswith(f"{clock.now():%Y-%m-%dT%H}")
    assert again.state is FileState.READY
    clock_.step(days=2)
    assert next(file for file, _ in found(archive)) == three[2].id
    assert {each.state for each in archive.files_of()} == {FileState.READY, FileState.VERIFIED}


def test_what_is_damaged_becomes_suspect_and_the_rest_is_read(
    archive: Archive, folder: Path, three: list[ArchivedFile], clock_: Clock
) -> None:
    body = next(path for path in blobs(folder) if path.name.startswith(three[0].id.lower()) and path.suffix == ".c4b")
    content = body.read_bytes()
    body.unlink()
    body.write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    clock_.step(days=40)
    first, *rest = found(archive)
    assert first[0] == three[0].id
    assert "segment 0 was changed" in first[1]
    assert [wrong for _, wrong in rest] == ["", "", ""]
    assert next(each.state for each in archive.files_of()) is FileState.SUSPECT
    clock_.step(days=40)
    assert len(found(archive)) == 3, "what is known to be wrong is nobody's to read"


def test_what_is_verified_is_asked_of_the_disk_before_it_is_read(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = keep(archive, make_plain(1000))
    [body] = [path for path in blobs(folder) if path.suffix == ".c4b"]
    steps: list[tuple[str, int, int, int]] = []
    read = archive._parts.store.read

    def advised(descriptor: int, start: int, length: int, advice: int) -> None:
        steps.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), start, length, advice))

    def reading(name: str, *more: int) -> Iterator[bytes]:
        if name.endswith(body.name):
            steps.append(("read", 0, 0, 0))
        return read(name, *more)

    monkeypatch.setattr(os, "posix_fadvise", advised)
    monkeypatch.setattr(archive._parts.store, "read", reading)
    archive.verify(file.id)
    assert steps == [(str(body), 0, 0, os.POSIX_FADV_DONTNEED), ("read", 0, 0, 0)]


def test_what_cannot_be_read_now_holds_up_nobody(
    archive: Archive, three: list[ArchivedFile], clock_: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_.step(days=29)
    with monkeypatch.context() as patched:
        opened, refused = os.open, []

        def refuse(path: object, *more: int, **named: int) -> int:
            if not refused:
                refused.append(path)
                raise OSError(5, "Input/output error")
            return opened(path, *more, **named)

        patched.setattr(os, "open", refuse)
        first, second = found(archive)
    assert (first[0], second) == (three[0].id, (three[1].id, ""))
    assert "Input/output error" in first[1]
    assert archive.find(three[0].id) == three[0]
    assert found(archive) == [(three[0].id, "")]


def test_who_stops_ends_it_in_the_middle_of_a_file(archive: Archive, clock_: Clock) -> None:
    file = keep_ready(archive, make_plain(5 << 20))
    clock_.step(days=31)
    stopping = threading.Event()
    stopping.set()
    assert list(archive.scrub(stopping)) == []
    assert archive.find(file.id) == file


def test_no_more_is_read_in_a_second_than_is_said(
    archive: Archive, clock_: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_ready(archive, make_plain(3 << 20))
    clock_.step(days=31)
    now, waited = [0.0], []

    class Waiting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0)
            now[0] += max(0, timeout or 0)
            return False

    monkeypatch.setattr(scrub.time, "monotonic", lambda: now[0])
    assert len(list(archive.scrub(Waiting()))) == 1
    sealed = (3 << 20) + 48 * 28
    assert sum(waited) == pytest.approx(sealed / scrub.MOST_BYTES_PER_S)


def test_a_file_that_is_shredded_meanwhile_is_passed_over(
    archive: Archive, three: list[ArchivedFile], clock_: Clock
) -> None:
    clock_.step(days=29)
    checking = archive.scrub(NEVER)
    assert next(checking).file == three[0].id
    archive.shred(three[1].id, "operator")
    assert list(checking) == []


def test_nothing_is_read_where_the_settings_say_never(folder: Path, clock_: Clock) -> None:
    keep(archive := open_archive(folder, settings=type(SETTINGS)(verify_days=0)), b"x")
    clock_.step(days=10_000)
    assert found(archive) == []
    assert archive.count_overdue() == 0


def test_what_stays_unread_is_counted(archive: Archive, three: list[ArchivedFile], clock_: Clock) -> None:
    clock_.step(days=57, seconds=1)
    assert archive.count_overdue() == 1
    with archive._parts.engine.begin() as connection:
        connection.execute(sa.update(tables.file).values(state="suspect"))
    assert archive.count_overdue() == 0
    assert len(three) == 3
