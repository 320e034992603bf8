# SPDX-License-Identifier: Apache-2.0
"""A power cut that loses all that it may: bytes that were not synced, and names in folders that were not.

A disk may keep more than that; a process that is only killed keeps all.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from unittest.mock import patch

_fsync = os.fsync


class PowerCut(BaseException):
    """Nothing that is done after it lasts."""


class LossyDisk:
    """Looks on at what is done below `root`, and knows what of it a power cut would leave at the worst."""

    def __init__(self, root: Path, but: str = "") -> None:
        """`but`: the names of files in `root` that are left as they are, for SQLite syncs them unseen."""
        self._root, self._but = root, but
        self._names: dict[int, dict[str, tuple[int, int]]] = {}  # of a folder: inodes and modes
        self._contents: dict[int, bytes] = {}
        self._held: list[int] = []  # descriptors: so the number of what is removed is not given to another file
        self._steps_left = 0
        for folder in (root, *root.rglob("*")):
            self._keep(folder)

    def watch(self) -> None:
        """Look on from now on, in a process that a test makes to die."""
        os.fsync = self._synced

    @contextmanager
    def cut_before(self, step: int) -> Iterator[None]:
        """Below, cut the power before the `step`-th fsync, link or removal; raises `PowerCut` where it comes so far."""
        self._steps_left = step
        link, unlink = os.link, Path.unlink

        def synced(descriptor: int) -> None:
            self._step()
            self._synced(descriptor)

        def linked(*arguments: Any) -> None:
            self._step()
            link(*arguments)

        def unlinked(path: Path, missing_ok: bool = False) -> None:
            self._step()
            unlink(path, missing_ok=missing_ok)

        with patch("os.fsync", synced), patch("os.link", linked), patch("pathlib.Path.unlink", unlinked):
            yield

    def _step(self) -> None:
        self._steps_left -= 1
        if self._steps_left <= 0:
            raise PowerCut

    def _synced(self, descriptor: int) -> None:
        _fsync(descriptor)
        self._keep(Path(f"/proc/self/fd/{descriptor}"))  # which may be open for writing only

    def _keep(self, path: Path) -> None:
        inode = path.stat().st_ino
        if path.is_dir():
            found = {each.name: each.stat() for each in path.iterdir()}
            self._names[inode] = {name: (each.st_ino, each.st_mode) for name, each in found.items()}
        else:
            self._contents[inode] = path.read_bytes()
        self._held.append(os.open(path, os.O_PATH))

    def leave_at(self, target: Path) -> None:
        """Write down what is on the disk after the cut."""
        self._leave(self._root.stat().st_ino, target)
        for path in self._root.glob(self._but) if self._but else ():
            shutil.copyfile(path, target / path.name)
        while self._held:
            os.close(self._held.pop())

    def _leave(self, inode: int, target: Path) -> None:
        target.mkdir()
        for name, (below, mode) in self._names.get(inode, {}).items():
            if stat.S_ISDIR(mode):
                self._leave(below, target / name)
            elif not fnmatch(name, self._but):
                (target / name).write_bytes(self._contents.get(below, b""))
            else:
                continue
            (target / name).chmod(stat.S_IMODE(mode))
