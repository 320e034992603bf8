# SPDX-License-Identifier: Apache-2.0
"""Durable local files: write, fsync, rename, fsync the folder. What is acknowledged survives a power cut."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from megagenome.kernel.errors import Invalid, NoRoom

TEMPORARY_SUFFIX = ".partial"
"""A file with this ending is unfinished and belongs to nobody: what a killed process leaves."""


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_free(folder: Path, least_bytes: int) -> None:
    """Raise `NoRoom` where the disk of a folder has less free than so many bytes."""
    free = shutil.disk_usage(folder).free
    if free < least_bytes:
        raise NoRoom(f"the disk of {folder} has {free:,} bytes free, and {least_bytes:,} must stay so; make room")


@contextlib.contextmanager
def write_durably(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a new file to write; on a clean exit it is at `path`, whole and durable, with `mode` less the umask.

    When writing fails there is nothing at `path`, or what stood there before. A kill or power cut may also come between
    the rename and the last fsync: then the new file, whole, may be there though nobody was told so. A file that is
    replaced is replaced atomically. Missing parent folders are made, durably. One writer to a path at a time.
    """
    make_folder(path.parent)
    partial = path.with_name(path.name + TEMPORARY_SUFFIX)
    replacing = path.exists()
    try:
        partial.unlink(missing_ok=True)  # what a killed process left has its own permissions
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    try:
        fsync_folder(path.parent)
    except BaseException:
        if not replacing:
            path.unlink(missing_ok=True)
        raise


def make_folder(folder: Path) -> None:
    """Make `folder` and its missing parents, durably. Idempotent. Raises `Invalid` where none can be made."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise Invalid(f"{folder}: no folder can be made here: {error.strerror}; choose another place") from None
    fsync_folder(folder.parent)
