# SPDX-License-Identifier: Apache-2.0
"""Files of private keys: for their owner's account alone, and written by one process at a time."""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from megagenome.kernel.durable_files import fsync_folder, make_folder
from megagenome.kernel.errors import Conflict

_LARGEST_FILE_BYTES = 128 * 1024


@contextlib.contextmanager
def hold_privately(folder: Path) -> Iterator[None]:
    """Make `folder` for its owner alone, and keep other processes from making keys in it meanwhile.

    Raises `Conflict` where other accounts may enter it.
    """
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        fsync_folder(folder.parent)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _refuse_others(descriptor, folder, "700")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_privately(path: Path, most_bytes: int = _LARGEST_FILE_BYTES) -> bytes:
    """The file's content, up to `most_bytes`. Raises `Conflict` where other accounts may read it."""
    descriptor = os.open(path, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        _refuse_others(descriptor, path, "600")
        return file.read(most_bytes)


def _refuse_others(descriptor: int, path: Path, mode: str) -> None:
    found = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if found & 0o077:
        raise Conflict(
            f"{path}: accounts other than its owner's may use the private key (mode {found:04o}): chmod {mode} it, and "
            "replace the key if somebody may have read it"
        )
