# SPDX-License-Identifier: Apache-2.0
"""The bytes of submitted files, as they lie here: sealed in parts, opened in memory on their way to who reads them."""

import hashlib
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from megagenome.kernel.errors import Corrupt, Invalid, NotEntitled, NotFound, TooLarge
from megagenome.reception.needs import Readers
from megagenome.standards.crypt4gh_stream import unseal
from megagenome.standards.submission import SubmittedFile

Sealed = Callable[[], Iterator[bytes]]
"""The bytes of a file as they were sent, from the begin, as often as it is called."""

LOST = "this node did not keep it whole, which is no fault of yours: send it again"

_log = logging.getLogger(__name__)
_PROVIDERS_FAULT = (Invalid, Corrupt, NotEntitled, TooLarge)


class Content:
    """The plain bytes of a submitted file, held against its manifest while somebody reads them.

    problem  what is wrong with what was sent, once it was read so far; "" else
    cut      whether its bytes ended there, so that whatever their reader says of them counts for nothing
    """

    def __init__(self, file: SubmittedFile, sealed: Sealed, keys: Readers, require: Callable[[], None]) -> None:
        """`require` raises where nobody needs the bytes any more."""
        self._file, self._sealed, self._keys, self._require = file, sealed, keys, require
        self.problem, self.cut = "", False

    def __call__(self) -> Iterator[bytes]:
        """The bytes, as far as they are right. Whoever stops before the end learns nothing of the checksums.

        Raises what is no fault of the provider's, such as `Unavailable`: then they are to be read again.
        """
        try:
            yield from self._plain()
        except _PROVIDERS_FAULT as error:
            self.problem, self.cut = str(error), True

    def _plain(self) -> Iterator[bytes]:
        file, size, sha256 = self._file, 0, hashlib.sha256()
        for piece in unseal(asked(self._sealed(), self._require), self._keys.readers()):
            size += len(piece)
            if size > file.size_bytes:
                raise Invalid(f"holds more than the {file.size_bytes:,} bytes that the manifest states")
            sha256.update(piece)
            yield piece
        if size < file.size_bytes:
            self.problem = f"holds {size:,} bytes, and the manifest states {file.size_bytes:,}: it was cut short"
        elif sha256.hexdigest() != file.sha256:
            self.problem = f"has the SHA-256 {sha256.hexdigest()}, and the manifest states {file.sha256}"


def as_file(pieces: Iterator[bytes]) -> io.BufferedReader:
    """Bytes that come in pieces as a file that is read once, from its begin."""
    return io.BufferedReader(_Pieces(pieces), 1 << 20)


class _Pieces(io.RawIOBase):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        room = memoryview(buffer).cast("B")
        taken = min(len(room), len(self._rest))
        room[:taken], self._rest = self._rest[:taken], self._rest[taken:]
        return taken


def joined(read: Callable[[str], Iterator[bytes]], keys: Sequence[str]) -> Sealed:
    """The blobs of these keys, one after the other. Raises `Corrupt`, in words for who sent them, where one is lost."""

    def pieces() -> Iterator[bytes]:
        try:
            for key in keys:
                yield from read(key)
        except (Corrupt, NotFound) as error:
            _log.error("a part that was received is not whole any more: %s", error)
            raise Corrupt(LOST) from error

    return pieces


def asked(pieces: Iterator[bytes], require: Callable[[], None]) -> Iterator[bytes]:
    """The same; `require` is called before each, and raises where nobody needs them any more."""
    for piece in pieces:
        require()
        yield piece
