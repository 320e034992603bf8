# SPDX-License-Identifier: Apache-2.0
"""Where sealed files lie: bytes under keys, written once and whole, on this machine's disk or in an object store.

`megagenome.testing.blob_store` has the suite that every store must pass.
"""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from megagenome.kernel.errors import Invalid

CHUNK_BYTES = 1 << 20
"""No piece of a reading is longer."""

_KEY = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_LONGEST_KEY = 200


class BlobWriter(Protocol):
    """A blob that is being written."""

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """Put this after what was written before. Best in pieces of a megabyte. `Unavailable`: the blob will not be."""


class BlobStore(Protocol):
    """Bytes under keys. A blob is whole and never changes, or it is not there; there is nothing between.

    A key is names of `[a-z0-9][a-z0-9._-]*` with `/` between, at most 200 characters and without `..`: `Invalid` for
    any other. No key stands below another one: there is no `a/b` beside `a`. Where the store does not answer or fails,
    each method raises `Unavailable` (`NoRoom`, where it says that it is full), whose cause is the store's own error.
    Safe to use from many threads and processes.
    """

    def create(self, key: str) -> AbstractContextManager[BlobWriter]:
        """Write a new blob. On a clean exit it is whole and durable at `key`; on an error nothing is there. Only an
        object store that falls silent at the very end leaves that open: repeated, `create` may then say `Conflict`.

        `Conflict` when there is one already, which is then durable and stays as it is; it is raised at the beginning
        where that is known and else at the end, so of several who write one key at once exactly one succeeds.
        Until the end nobody sees anything of it. After a kill or a power cut at any moment the blob is there whole, or
        not at all; what is left of it otherwise `sweep` removes.
        """

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, without, `end`, in pieces of at most `CHUNK_BYTES`, none of them empty.

        An `end` beyond the blob's is its end; there is nothing from a `start` at or beyond that, nor where `end` is not
        above `start`.

        Raises `NotFound` at the call and not at the first piece, `Invalid` for a negative place, and `Corrupt` when
        the blob ends before its size. A blob that is deleted meanwhile is read to its end or ends in `NotFound`.
        """

    def size(self, key: str) -> int:
        """How many bytes it has. Raises `NotFound`."""

    def exists(self, key: str) -> bool:
        """Whether there is such a blob."""

    def delete(self, key: str) -> None:
        """Let there be no such blob; durable on return, also where there was none. The key may be written again."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """The keys of all blobs that begin with `prefix`, in the order of their bytes. What is written or deleted
        meanwhile may be among them or not."""

    def path(self, key: str) -> Path | None:
        """The file on this machine that has exactly the blob's bytes; None where there is none. Raises `NotFound`."""

    def free_bytes(self) -> int | None:
        """How much more fits; None where nobody can say."""

    def sweep(self, older_than_s: float) -> int:
        """Remove what writers left that were killed so long ago, and say of how many. Writers at work are spared."""


def parse_key(key: str) -> str:
    """The key, if it is one. Raises `Invalid`."""
    if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
        raise Invalid(f"{key[:60]!r} is no key of a blob: up to {_LONGEST_KEY} of a-z 0-9 . _ - with / between names")
    return key


def clip(start: int, end: int | None, size: int) -> tuple[int, int]:
    """The range of a blob of `size` bytes that is read: inside it, and empty rather than backwards."""
    if start < 0 or (end is not None and end < 0):
        raise Invalid(f"bytes {start} to {end} are no range: both count from the beginning")
    start = min(start, size)
    return start, max(start, size if end is None else min(end, size))
