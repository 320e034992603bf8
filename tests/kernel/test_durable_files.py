# SPDX-License-Identifier: Apache-2.0
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from megagenome.kernel import durable_files

STEPS = ["fsync file", "rename", "fsync folder"]


class Disk:
    """Stands before `os.fsync` and `Path.rename`, notes each step, and fails at one of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails_at: str | None = None) -> None:
        self.steps: list[str] = []
        fsync, rename = os.fsync, Path.rename

        def take(step: str, act: Callable[[], object]) -> object:
            self.steps.append(step)
            if step == fails_at:
                raise OSError(28, "No space left on device")
            return act()

        def noted_fsync(descriptor: int) -> None:
            is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            take("fsync folder" if is_folder else "fsync file", lambda: fsync(descriptor))

        monkeypatch.setattr(os, "fsync", noted_fsync)
        monkeypatch.setattr(Path, "rename", lambda old, new: take("rename", lambda: rename(old, new)))


def test_clean_exit_writes_in_the_durable_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    with durable_files.write_durably(tmp_path / "tile") as file:
        file.write(b"whole")
        assert not (tmp_path / "tile").exists()
    assert disk.steps == STEPS
    assert [path.name for path in tmp_path.iterdir()] == ["tile"]
    assert (tmp_path / "tile").read_bytes() == b"whole"


@pytest.mark.parametrize("step", STEPS)
def test_failure_at_any_step_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    Disk(monkeypatch, fails_at=step)
    with pytest.raises(OSError, match="No space"), durable_files.write_durably(tmp_path / "tile") as file:
        file.write(b"whole")
    assert list(tmp_path.iterdir()) == []


def test_failure_of_the_writer_leaves_nothing(tmp_path: Path) -> None:
    def write_half() -> None:
        with durable_files.write_durably(tmp_path / "tile") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", STEPS)
def test_failed_replacement_leaves_one_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    tile = tmp_path / "tile"
    tile.write_bytes(b"old")
    Disk(monkeypatch, fails_at=step)
    with pytest.raises(OSError, match="No space"), durable_files.write_durably(tile) as file:
        file.write(b"new")
    assert list(tmp_path.iterdir()) == [tile]
    assert tile.read_bytes() == (b"new" if step == "fsync folder" else b"old")


KILLED = """
import os, stat, sys
from pathlib import Path
from megagenome.kernel import durable_files

def die(*_):
    os.kill(os.getpid(), 9)

fsync = os.fsync
def fsync_or_die(descriptor):
    kind = "fsync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync file"
    die() if kind == sys.argv[1] else fsync(descriptor)

os.fsync = fsync_or_die
if sys.argv[1] == "rename":
    Path.rename = die
with durable_files.write_durably(Path(sys.argv[2])) as file:
    file.write(b"whole")
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed_writer_leaves_no_half_file(tmp_path: Path, step: str) -> None:
    tile = tmp_path / "tile"
    done = subprocess.run([sys.executable, "-c", KILLED, step, str(tile)], check=False, timeout=60)
    assert done.returncode == -9
    assert tile.exists() == (step == "fsync folder")
    assert not tile.exists() or tile.read_bytes() == b"whole"

    with durable_files.write_durably(tile) as file:  # what was left behind is in nobody's way
        file.write(b"again")
    assert [path.name for path in tmp_path.iterdir()] == ["tile"]
    assert tile.read_bytes() == b"again"


def test_each_missing_folder_is_made_durable_in_its_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(durable_files, "fsync_folder", synced.append)
    durable_files.make_folder(tmp_path / "a" / "b")
    durable_files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert synced == [tmp_path, tmp_path / "a"]
