# SPDX-License-Identifier: Apache-2.0
"""A power cut that loses all that it may: bytes that were not synced, and names in folders that were not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch


class PowerCut(BaseException):
    """Nothing that is done after it lasts."""


class LossyDisk:
    """Looks on at what is done below `root`, and knows what of it a power cut would leave at the worst."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: dict[int, dict[str, tuple[int, bool]]] = {}  # of a folder: inodes, and whether of a folder
        self._contents: dict[int, bytes] = {}
        self._steps_left: int | None = None
        for folder in (root, *root.rglob("*")):
            self._keep(folder)

    @contextmanager
    def cut_before(self, step: int) -> Iterator[None]:
        """Below, cut the power before the `step`-th fsync, link or removal; raises `PowerCut` where it comes so far."""
        self._steps_left = step
        fsync, link, unlink = os.fsync, os.link, Path.unlink

        def synced(descriptor: int) -> None:
            self._step()
            fsync(descriptor)
            self._keep(Path(f"/proc/self/fd/{descriptor}"))  # which may be open for writing only

        def linked(*arguments: Any) -> None:
            self._step()
            link(*arguments)

        def unlinked(path: Path, missing_ok: bool = False) -> None:
            self._step()
            unlink(path, missing_ok=missing_ok)

        with patch("os.fsync", synced), patch("os.link", linked), patch("pathlib.Path.unlink", unlinked):
            yield

    def _step(self) -> None:
        assert self._steps_left is not None
        self._steps_left -= 1
        if self._steps_left <= 0:
            raise PowerCut

    def _keep(self, path: Path) -> None:
        inode = path.stat().st_ino
        if path.is_dir():
            self._names[inode] = {each.name: (each.stat().st_ino, each.is_dir()) for each in path.iterdir()}
        else:
            self._contents[inode] = path.read_bytes()

    def leave_at(self, target: Path) -> None:
        """Write down what is on the disk after the cut."""
        self._leave(self._root.stat().st_ino, target)

    def _leave(self, inode: int, target: Path) -> None:
        target.mkdir()
        for name, (below, is_folder) in self._names.get(inode, {}).items():
            if is_folder:
                self._leave(below, target / name)
            else:
                (target / name).write_bytes(self._contents.get(below, b""))
