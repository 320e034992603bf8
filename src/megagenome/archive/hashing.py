# SPDX-License-Identifier: Apache-2.0
"""Checksums that are computed beside what else is done with the bytes."""

import hashlib
from concurrent.futures import Executor, Future


class Hashing:
    """One checksum in another thread: hashlib leaves the interpreter to others meanwhile, as encrypting does not.

    At most one piece waits, so bytes are held no longer than until the next `update` or `wait` returns.
    """

    __slots__ = ("_hash", "_pool", "_waiting")

    def __init__(self, pool: Executor, name: str) -> None:
        """`name`: as hashlib has it."""
        self._hash = hashlib.new(name, usedforsecurity=False)
        self._pool = pool
        self._waiting: Future[None] | None = None

    def update(self, piece: bytes | bytearray | memoryview) -> None:
        """Begin to take in a piece, which must not change before the next `update` or `wait` returns."""
        self.wait()
        self._waiting = self._pool.submit(self._hash.update, piece)

    def wait(self) -> None:
        """Return once all pieces are taken in."""
        if self._waiting is not None:
            self._waiting.result()
            self._waiting = None

    def hexdigest(self) -> str:
        """The checksum of all pieces."""
        self.wait()
        return self._hash.hexdigest()
