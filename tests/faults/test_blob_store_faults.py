# SPDX-License-Identifier: Apache-2.0
"""A blob is there whole or not at all: after kill -9 before each step, after power cuts that lose all that was not
synced, on a full disk and on one that fails."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from megagenome.kernel.errors import Conflict, NoRoom, NotFound, Unavailable
from megagenome.kernel.local_store import LocalStore
from megagenome.testing.blob_store import get, make_bytes, put
from tests.faults.dying import run_child
from tests.faults.lossy_disk import LossyDisk, PowerCut

KEY = "archive/mg/a.c4b"
CONTENT = make_bytes(3_000_000)

CHILD = """
import sys
from pathlib import Path
from megagenome.kernel.local_store import LocalStore
from megagenome.testing.blob_store import make_bytes
from tests.faults.dying import Death

store = LocalStore(Path(sys.argv[1]))
Death(int(sys.argv[2])).at_files()
if sys.argv[3] == "create":
    with store.create("archive/mg/a.c4b") as blob:
        blob.write(make_bytes(3_000_000))
else:
    store.delete("archive/mg/a.c4b")
"""


def found(store: LocalStore) -> bytes | None:
    """The blob, if it is there, in whichever way one looks."""
    try:
        content = get(store, KEY)
    except NotFound:
        assert not store.exists(KEY)
        assert list(store.keys()) == []
        return None
    assert list(store.keys()) == [KEY]
    assert store.size(KEY) == len(content)
    return content


def leftovers(root: Path) -> int:
    return len(list((root / ".writing").iterdir()))


def test_killed_before_each_step_of_writing(tmp_path: Path) -> None:
    outcomes = []
    for step in range(1, 20):
        root = tmp_path / str(step)
        code = run_child(CHILD, root, step, "create").returncode
        store = LocalStore(root)
        content = found(store)
        assert content in (None, CONTENT)
        outcomes.append((code, content is not None))
        left = leftovers(root)
        assert left <= 1
        assert store.sweep(0) == left
        assert leftovers(root) == 0
        if content is None:
            put(store, KEY, CONTENT)
        else:
            with pytest.raises(Conflict):
                put(store, KEY, CONTENT)
        assert found(store) == CONTENT
        if code == 0:
            break
    assert outcomes[-1] == (0, True)
    assert {(-9, False), (-9, True)} < set(outcomes)


def test_killed_before_each_step_of_deleting(tmp_path: Path) -> None:
    outcomes = []
    for step in range(1, 20):
        root = tmp_path / str(step)
        put(LocalStore(root), KEY, CONTENT)
        code = run_child(CHILD, root, step, "delete").returncode
        store = LocalStore(root)
        outcomes.append((code, found(store) is not None))
        assert found(store) in (None, CONTENT)
        store.delete(KEY)
        assert found(store) is None
        if code == 0:
            break
    assert outcomes[-1] == (0, False)
    assert {(-9, False), (-9, True)} < set(outcomes)


def power_cuts(tmp_path: Path, before: Callable[[LocalStore], Any], act: Callable[[LocalStore], Any]) -> list[Any]:
    """Of a cut before each step of `act`: whether it came so far, and what is found when the machine is up again."""
    outcomes: list[Any] = []
    for step in range(1, 40):
        disk = tmp_path / f"disk{step}"
        disk.mkdir()
        store = LocalStore(disk / "blobs")
        before(store)
        lossy = LossyDisk(disk)
        try:
            with lossy.cut_before(step):
                act(store)
            done = True
        except PowerCut:
            done = False
        after = tmp_path / f"after{step}"
        lossy.leave_at(after)
        again = LocalStore(after / "blobs")
        outcomes.append((done, found(again)))
        again.sweep(0)
        assert leftovers(after / "blobs") == 0
        if done:
            return outcomes
    raise AssertionError("it never ends")


def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    outcomes = power_cuts(tmp_path, lambda _: None, lambda store: put(store, KEY, CONTENT))
    assert outcomes[-1] == (True, CONTENT)
    assert {content for _, content in outcomes} == {None, CONTENT}
    assert len(outcomes) >= 6  # two folders, the file, its link, its folder, the end


def test_a_power_cut_brings_nothing_back_that_was_deleted(tmp_path: Path) -> None:
    outcomes = power_cuts(tmp_path, lambda store: put(store, KEY, CONTENT), lambda store: store.delete(KEY))
    assert outcomes[-1] == (True, None)
    assert outcomes[0] == (False, CONTENT)


def test_who_is_told_that_it_is_there_can_rely_on_it(tmp_path: Path) -> None:
    """The writer before was killed between the link and the folder's fsync; then the power goes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    store = LocalStore(disk / "blobs")
    put(store, "archive/mg/z", b"")  # so that the folders are durable
    lossy = LossyDisk(disk)
    with pytest.raises(PowerCut), lossy.cut_before(3):  # fsync of the file, link, here
        put(store, KEY, CONTENT)
    with pytest.raises(Conflict), lossy.cut_before(99):
        put(store, KEY, CONTENT)
    lossy.leave_at(tmp_path / "after")
    assert LocalStore(tmp_path / "after/blobs").exists(KEY)


def failing(monkeypatch: pytest.MonkeyPatch, step: str, code: int) -> list[int]:
    """Let one step of the system fail; the descriptors on which it was tried."""
    fsync, tried = os.fsync, []

    def fail(*arguments: Any) -> Any:
        tried.append(arguments[0])
        raise OSError(code, os.strerror(code))

    def fail_sync(descriptor: int) -> None:
        kind = "fsync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync file"
        (fail if kind == step else fsync)(descriptor)

    monkeypatch.setattr(
        os, step if step in ("write", "link", "open") else "fsync", fail if " " not in step else fail_sync
    )
    return tried


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("step", ["open", "write", "fsync file", "link", "fsync folder"])
def test_a_disk_that_fails_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int) -> None:
    store = LocalStore(tmp_path / "blobs")
    put(store, "archive/mg/z", b"")
    with monkeypatch.context() as patched:
        tried = failing(patched, step, code)
        with pytest.raises(Unavailable, match=f"blob {KEY}: {os.strerror(code)}") as caught:
            put(store, KEY, CONTENT)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == code
    assert isinstance(caught.value, NoRoom) is (code in (errno.ENOSPC, errno.EDQUOT))
    assert len(tried) == 1  # a failed fsync says nothing when it is tried again
    assert list(store.keys()) == ["archive/mg/z"]
    assert leftovers(tmp_path / "blobs") == 0
    put(store, KEY, CONTENT)
    assert get(store, KEY) == CONTENT


def test_a_disk_that_takes_little_at_a_time_gets_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, write, pread = LocalStore(tmp_path / "blobs"), os.write, os.pread
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:70_001]))
    monkeypatch.setattr(os, "pread", lambda descriptor, length, place: pread(descriptor, min(length, 70_001), place))
    put(store, KEY, CONTENT)
    assert found(store) == CONTENT


def test_who_swallows_a_failed_write_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path / "blobs")

    def swallow() -> None:
        with store.create(KEY) as blob:
            blob.write(CONTENT)
            with monkeypatch.context() as patched:
                failing(patched, "write", errno.EIO)
                with pytest.raises(Unavailable):
                    blob.write(CONTENT)
            blob.write(CONTENT)

    with pytest.raises(Unavailable, match="a piece could not be written"):
        swallow()
    assert found(store) is None


@pytest.mark.parametrize("act", ["read", "size", "delete", "keys", "free_bytes"])
def test_a_disk_that_cannot_be_read_is_no_absence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    store = LocalStore(tmp_path / "blobs")
    put(store, KEY, CONTENT)

    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EIO, "Input/output error")

    for name in ("pread", "scandir", "statvfs"):
        monkeypatch.setattr(os, name, fail)
    for name in ("stat", "unlink"):
        monkeypatch.setattr(Path, name, fail)
    acts: dict[str, Callable[[], Any]] = {
        "read": lambda: get(store, KEY),
        "size": lambda: store.size(KEY),
        "delete": lambda: store.delete(KEY),
        "keys": lambda: list(store.keys()),
        "free_bytes": store.free_bytes,
    }
    with pytest.raises(Unavailable, match="Input/output error"):
        acts[act]()


def test_files_are_for_reading_and_for_this_account_alone(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "blobs")
    put(store, KEY, CONTENT)
    assert stat.S_IMODE(store.path(KEY).stat().st_mode) == 0o400
    assert stat.S_IMODE((tmp_path / "blobs").stat().st_mode) == 0o700


def test_what_is_young_is_not_swept(tmp_path: Path) -> None:
    run_child(CHILD, tmp_path / "blobs", 4, "create")
    store = LocalStore(tmp_path / "blobs")
    assert leftovers(tmp_path / "blobs") == 1
    assert store.sweep(3600) == 0
    assert store.sweep(0) == 1
