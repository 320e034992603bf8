# SPDX-License-Identifier: Apache-2.0
"""Blobs as files on this machine. What is acknowledged survives a power cut."""

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from megagenome.kernel import clock
from megagenome.kernel.blob_store import CHUNK_BYTES, BlobWriter, clip, parse_key
from megagenome.kernel.durable_files import TEMPORARY_SUFFIX, fsync_folder, make_folder
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NoRoom, NotFound, Unavailable

_WRITING = ".writing"  # no key begins so
_FULL = (errno.ENOSPC, errno.EDQUOT)


class LocalStore:
    """Blobs as files below a folder, by their keys, 0400. Durable: write, fsync, link, fsync the folder."""

    def __init__(self, root: Path) -> None:
        """Make `root`, for this account alone, where it is missing."""
        if not root.is_dir():
            make_folder(root)
            root.chmod(0o700)
        self._root = root
        make_folder(root / _WRITING)

    @contextlib.contextmanager
    def create(self, key: str) -> Iterator[BlobWriter]:
        """See `BlobStore`."""
        path = self._path(key)
        with _told(key):
            self._make_folders(path.parent, key)
        self._refuse_second(path, key)
        # the key is in its name for `sweep`, which makes a name durable that was linked by a writer who was killed then
        partial = self._root / _WRITING / f"{key.replace('/', ',')}.{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        with _told(key):
            writer = _LocalWriter(key, os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400))
        try:
            yield writer
            with _told(key):
                writer.finish()
                self._publish(partial, path, key)
        finally:
            writer.close()
            partial.unlink(missing_ok=True)

    def _publish(self, partial: Path, path: Path, key: str) -> None:
        try:
            os.link(partial, path)  # unlike a rename it replaces nothing
        except FileExistsError:
            self._refuse_second(path, key)
            raise  # it was deleted at this moment
        try:
            fsync_folder(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def _make_folders(self, folder: Path, key: str) -> None:
        try:
            make_folder(folder)
        except Invalid as error:
            if any(parent.is_file() for parent in (folder, *folder.parents)):
                raise Conflict(f"blob {key}: there is a blob at the beginning of its key; choose another") from None
            raise (error.__context__ or error) from None  # the system's error, which `_told` tells

    def _refuse_second(self, path: Path, key: str) -> None:
        if path.exists():
            with _told(key):
                fsync_folder(path.parent)  # whoever linked it may have been killed before this
            raise Conflict(f"blob {key} is there already, and no blob changes; write under another key")

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """See `BlobStore`. It reads an open file: who deletes the blob meanwhile takes nothing from it."""
        clip(start, end, 0)
        chunks = self._chunks(key, start, end)
        next(chunks)  # opens the file, so that what is missing is missing now
        return chunks

    def _chunks(self, key: str, start: int, end: int | None) -> Iterator[bytes]:
        with _told(key), _found(key), self._path(key).open("rb", buffering=0) as file:
            place, end = clip(start, end, os.fstat(file.fileno()).st_size)
            yield b""
            while place < end:
                chunk = os.pread(file.fileno(), min(CHUNK_BYTES, end - place), place)
                if not chunk:
                    raise Corrupt(f"blob {key} ends at byte {place:,}, though its file is longer; see the disk's log")
                place += len(chunk)
                yield chunk

    def size(self, key: str) -> int:
        """See `BlobStore`."""
        path = self._path(key)
        with _told(key), _found(key):
            if path.is_dir():  # of longer keys
                raise IsADirectoryError
            return path.stat().st_size

    def exists(self, key: str) -> bool:
        """See `BlobStore`."""
        with _told(key):
            return self._path(key).is_file()

    def delete(self, key: str) -> None:
        """See `BlobStore`. Its folders stay."""
        path = self._path(key)
        with _told(key), contextlib.suppress(NotADirectoryError, IsADirectoryError):
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                fsync_folder(path.parent)  # whoever deleted it before may have been killed before this

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See `BlobStore`."""
        with _told(prefix):
            yield from _keys(self._root, "", prefix)

    def path(self, key: str) -> Path:
        """See `BlobStore`."""
        self.size(key)
        return self._path(key)

    def free_bytes(self) -> int:
        """See `BlobStore`."""
        with _told("of all"):
            return shutil.disk_usage(self._root).free

    def sweep(self, older_than_s: float) -> int:
        """See `BlobStore`. A writer at work holds a lock, so even one that is slower than that is spared."""
        with _told("that is unfinished"):
            return sum(self._swept(partial, older_than_s) for partial in (self._root / _WRITING).iterdir())

    def _swept(self, partial: Path, older_than_s: float) -> bool:
        try:
            if clock.now().timestamp() - partial.stat().st_mtime < older_than_s:
                return False
            with partial.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file.fileno()).st_nlink > 1:
                    fsync_folder((self._root / partial.name.rsplit(".", 2)[0].replace(",", "/")).parent)
                partial.unlink()
        except (FileNotFoundError, BlockingIOError):
            return False
        return True

    def _path(self, key: str) -> Path:
        return self._root / parse_key(key)


class _LocalWriter:
    """Writes to an open file, all of which is on the disk after `finish`."""

    def __init__(self, key: str, descriptor: int) -> None:
        self._key, self._descriptor, self._whole = key, descriptor, True
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """See `BlobWriter`."""
        rest = memoryview(content).cast("B")
        whole, self._whole = self._whole, False  # stays so when writing fails, whoever catches it
        with _told(self._key):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        self._whole = whole

    def finish(self) -> None:
        """Make it durable. A failed fsync is not tried again: the system may have forgotten what it could not write."""
        if not self._whole:
            raise Unavailable(f"blob {self._key}: a piece could not be written, so nothing is kept; write it again")
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file, once."""
        os.close(self._descriptor)


@contextlib.contextmanager
def _told(key: str) -> Iterator[None]:
    """The system's errors as ours."""
    try:
        yield
    except OSError as error:
        condition = NoRoom if error.errno in _FULL else Unavailable
        raise condition(f"blob {key}: {error.strerror}; see to the disk and repeat it") from error


@contextlib.contextmanager
def _found(key: str) -> Iterator[None]:
    """What is not there, as ours."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise NotFound(f"there is no blob {key}") from error


def _keys(folder: Path, above: str, prefix: str) -> Iterator[str]:
    """In the order of whole keys, in which a folder's name has a slash at its end."""
    with os.scandir(folder) as found:
        names = sorted(entry.name + "/" * entry.is_dir() for entry in found if not entry.name.startswith("."))
    for name in names:
        key = above + name
        if not name.endswith("/"):
            if key.startswith(prefix):
                yield key
        elif key.startswith(prefix) or prefix.startswith(key):
            yield from _keys(folder / name, key, prefix)
