# SPDX-License-Identifier: Apache-2.0
"""A power cut: what was written and not yet fsynced is gone when the process dies, bytes and names alike.

It watches this process's `os` from `watch` on. A disk may keep more than that; a process that is only killed keeps all.
SQLite does its own writing and is not watched.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

_fsync, _open, _link, _unlink, _rename = os.fsync, os.open, os.link, os.unlink, os.rename


class PowerCut:
    """What a power cut at this moment would take back."""

    def __init__(self, graveyard: Path) -> None:
        """`graveyard`: a folder on the same file system, where removed files wait."""
        graveyard.mkdir()
        self._graveyard, self._buried = graveyard, 0
        self._unwritten: dict[tuple[int, int], int] = {}  # device and inode: a descriptor of our own
        self._names: list[tuple[Path, Callable[[], object]]] = []  # the folder, and how the name is taken back

    def watch(self) -> None:
        """Begin."""
        os.open, os.fsync = self._watched_open, self._watched_fsync
        os.link, os.unlink, os.rename = self._watched_link, self._watched_unlink, self._watched_rename

    def strike(self) -> None:
        """Take back what is not durable, the newest first."""
        for _, take_back in reversed(self._names):
            take_back()
        for descriptor in self._unwritten.values():
            os.ftruncate(descriptor, 0)

    def _watched_open(self, path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        descriptor = _open(path, flags, mode, **more)
        if flags & os.O_CREAT:
            found = os.fstat(descriptor)
            self._unwritten[found.st_dev, found.st_ino] = os.dup(descriptor)
            self._name(path, lambda: Path(path).unlink(missing_ok=True))
        return descriptor

    def _watched_fsync(self, descriptor: int) -> None:
        _fsync(descriptor)
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            folder = Path(f"/proc/self/fd/{descriptor}").readlink()
            self._names = [each for each in self._names if each[0] != folder]
        elif (mine := self._unwritten.pop((found.st_dev, found.st_ino), None)) is not None:
            os.close(mine)

    def _watched_link(self, source: Any, to: Any, **more: Any) -> None:
        _link(source, to, **more)
        self._name(to, lambda: _unlink(to))

    def _watched_unlink(self, path: Any, **more: Any) -> None:
        grave = self._bury(path)
        _unlink(path, **more)
        self._name(path, lambda: _link(grave, path))

    def _watched_rename(self, source: Any, to: Any, **more: Any) -> None:
        before = self._bury(to) if Path(to).exists() else None
        _rename(source, to, **more)

        def take_back() -> None:
            _rename(to, source)
            if before is not None:
                _link(before, to)

        self._name(to, take_back)

    def _bury(self, path: Any) -> Path:
        self._buried += 1
        grave = self._graveyard / str(self._buried)
        _link(path, grave)
        return grave

    def _name(self, path: Any, take_back: Callable[[], object]) -> None:
        self._names.append((Path(path).absolute().parent.resolve(), take_back))
