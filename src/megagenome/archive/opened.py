# SPDX-License-Identifier: Apache-2.0
"""An opened file: its bytes, each with the proof that it is the one that belongs there."""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Iterator

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from megagenome.archive import names, rows
from megagenome.archive.model import Kept, Parts
from megagenome.kernel.errors import Corrupt, Invalid, NotEntitled, NotFound, Unavailable
from megagenome.kernel.sealed_files import ArchivedFile, FileState
from megagenome.standards.crypt4gh import read_header, write_header
from megagenome.standards.crypt4gh_segments import (
    AT_ONCE,
    NONCE_BYTES,
    PREFIX_BYTES,
    ROOM_BYTES,
    SEALED_SEGMENT_BYTES,
    SEGMENT_BYTES,
    BodyKey,
    Stored,
    plain_size,
    sealed_size,
    segments_of,
    whole_segments,
)

_ASK_AGAIN_S = 0.2
_AT_ONCE_BYTES = AT_ONCE * SEGMENT_BYTES

READABLE = frozenset({FileState.ARCHIVED, FileState.VERIFIED, FileState.READY})
"""States in which the node itself reads a file; others read `READY` ones only."""


def recipient_of(parts: Parts, file: ArchivedFile, headers: dict[str, bytes]) -> str:
    """The newest of the node's keys that one of these headers is for. Raises `Corrupt` where there is no header,
    `Unavailable` where the key is not here."""
    if not headers:
        raise Corrupt(f"{file.id} has no header any more: rebuild the archive from its sidecars")
    found = next((name for name in parts.keys.names() if name in headers), None)
    if found is None:
        raise Unavailable(f"{file.id} is sealed for a key that is not here: restore the keys, or rebuild the archive")
    return found


def key_of(parts: Parts, kept: Kept, headers: dict[str, bytes]) -> bytes:
    """The data key of a file's body. Raises `Corrupt`, `Unavailable`. Cost: 0.1 ms."""
    name = recipient_of(parts, kept.file, headers)
    try:
        found = read_header(headers[name], [parts.keys.find(name)])
    except (Invalid, NotEntitled):
        raise Corrupt(f"the header of {kept.file.id} was changed: rebuild the archive from its sidecars") from None
    if len(found.keys) != 1 or found.edits is not None:
        raise Corrupt(f"the header of {kept.file.id} is another file's")
    return found.keys[0]


class SealedFile:
    """A file that may be read now. Safe to use from many threads; each reading is its own.

    Whatever is read is checked: that each segment is the one of this file and place, unchanged, and that none is
    missing. Where one is not, the file becomes suspect, nothing more of it is read, and `Corrupt` is raised. Before the
    first byte, and five times a second, it is asked whether reading is still allowed.
    """

    __slots__ = ("_kept", "_key", "_parts", "_require", "_states")

    def __init__(
        self, parts: Parts, kept: Kept, key: bytes, require: Callable[[], None], states: frozenset[FileState]
    ) -> None:
        """For `Archive.open` and `Archive.open_inside`; `states` in which it stays readable."""
        self._parts, self._kept, self._key, self._require, self._states = parts, kept, key, require, states

    @property
    def file(self) -> ArchivedFile:
        """What it is, as it was when it was opened."""
        return self._kept.file

    def read(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The plain bytes from `start` up to, without, `end`, in pieces of at most 1 MiB; beyond its end there is
        nothing. Raises `Corrupt`, `NotEntitled` as soon as reading is not allowed any more, `Unavailable`."""
        if start < 0 or (end is not None and end < start):
            raise Invalid(f"bytes {start} to {end} are no range of a file")
        size = self.file.size_bytes
        end = size if end is None else min(end, size)
        return self._watched(self._plain(min(start, end), end))

    def header(self, recipient: X25519PublicKey) -> bytes:
        """The header with which a recipient reads `body`: always the same one for the same recipient, so that header
        and body are one file of which ranges can be asked for. Cost: 0.1 ms."""
        return write_header([self._key], [recipient], secret=self._key + self.file.id.encode())

    def body(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The body as it is stored, or bytes `start` up to, without, `end` of it, in pieces of about 1 MiB. That each
        segment stands in its place is checked by its nonce, and the size; that it was not changed is for whoever opens
        it: a changed one does not open."""
        size = sealed_size(self.file.size_bytes)
        end = size if end is None else min(end, size)
        return self._watched(self._sealed(min(start, end), end))

    def headed(self, recipient: X25519PublicKey, beginning: bytes) -> bytes:
        """The header and first segments of a Crypt4GH file that has `beginning` for its first bytes, and goes on with
        any segments of `body`: always the same ones for the same bytes and recipient. They have a key of their own, so
        that the recipient learns nothing of what they stand for. `beginning` ends where a segment does, or the file.
        Cost: 0.2 ms, and sealing it."""
        digest = hashlib.sha256(beginning).digest()
        key = hmac.digest(self._key, b"beginning" + self.file.id.encode() + digest, "sha256")
        header = write_header([key, self._key], [recipient], secret=self._key + self.file.id.encode())
        return header + bytes(BodyKey(key, digest[:PREFIX_BYTES]).seal(beginning, 0))

    def composed(
        self, recipient: X25519PublicKey, pieces: Iterable[bytes | Stored], *, has_stored: bool
    ) -> Iterator[bytes]:
        """A Crypt4GH file for a recipient of bytes, sealed with a key that was never used, and segments of this file as
        they are stored. These must not be its last one, must follow on whole segments of bytes, and are checked as in
        `body`; only where there may be some (`has_stored`) does the recipient get this file's key. Cost: 0.3 s of
        processor for each GiB of bytes, 0.1 s of segments as they are stored. Nonces have the place of their segment
        in the whole, by which whoever reads notices what is left out before the last bytes."""
        key, prefix = BodyKey.new()
        yield write_header([self._key, key] if has_stored else [key], [recipient])
        fresh, number, waiting = BodyKey(key, prefix), 0, bytearray()
        for piece in pieces:
            if isinstance(piece, Stored):
                if len(waiting) % SEGMENT_BYTES or not has_stored:
                    raise AssertionError("segments as they are stored follow on whole ones, for whom has their key")
                if waiting:
                    yield bytes(fresh.seal(bytes(waiting), number))
                number += len(waiting) // SEGMENT_BYTES + piece.last - piece.first
                waiting.clear()
                yield from self.body(piece.first * SEALED_SEGMENT_BYTES, piece.last * SEALED_SEGMENT_BYTES)
                continue
            waiting += piece
            for _ in range(len(waiting) // _AT_ONCE_BYTES):
                yield bytes(fresh.seal(bytes(waiting[:_AT_ONCE_BYTES]), number))
                number += AT_ONCE
                del waiting[:_AT_ONCE_BYTES]
        if waiting:
            yield bytes(fresh.seal(bytes(waiting), number))

    def __repr__(self) -> str:
        return f"SealedFile({self.file.id})"

    def _plain(self, start: int, end: int) -> Iterator[bytes]:
        wanted = segments_of(start, end)
        body, number, room = BodyKey(self._key, self._kept.prefix), wanted.first, bytearray(ROOM_BYTES)
        skip, left = wanted.skip_bytes, wanted.size_bytes
        for piece in self._pieces(wanted.first, wanted.last):
            plain = body.open(piece, number, room)[skip : skip + left]
            number, skip, left = number + AT_ONCE, 0, left - len(plain)
            yield bytes(plain)
        if left:
            raise Corrupt(f"the body ends {left:,} bytes early")

    def _sealed(self, start: int, end: int) -> Iterator[bytes]:
        first, last = start // SEALED_SEGMENT_BYTES, -(-end // SEALED_SEGMENT_BYTES)
        number, place = first, first * SEALED_SEGMENT_BYTES
        for piece in self._pieces(first, last):
            for at in range(0, len(piece), SEALED_SEGMENT_BYTES):
                if piece[at : at + NONCE_BYTES] != self._kept.prefix + number.to_bytes(
                    NONCE_BYTES - PREFIX_BYTES, "big"
                ):
                    raise Corrupt(f"segment {number:,} is not in its place")
                number += 1
            yield bytes(piece[max(0, start - place) : end - place])
            place += len(piece)
        if number != last:
            raise Corrupt(f"the body ends before segment {number:,}")

    def _pieces(self, first: int, last: int) -> Iterator[memoryview]:
        """Segments `first` to `last` as they are stored, 16 at a time."""
        key, size = names.body(self._kept.stem), sealed_size(self.file.size_bytes)
        if (found := self._parts.store.size(key)) != size:
            raise Corrupt(f"the body has {found:,} bytes ({plain_text(found)}), and should have {size:,}")
        end = min(last * SEALED_SEGMENT_BYTES, size)
        return whole_segments(self._parts.store.read(key, first * SEALED_SEGMENT_BYTES, end), SEALED_SEGMENT_BYTES)

    def _watched(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        ask_at = 0.0
        while True:
            if time.monotonic() >= ask_at:
                self._require_allowed()
                ask_at = time.monotonic() + _ASK_AGAIN_S
            try:
                piece = next(pieces)
            except StopIteration:
                return
            except (Corrupt, NotFound) as error:
                rows.note_suspect(self._parts.engine, self._parts.ledger, self.file)
                raise Corrupt(
                    f"{self.file.id}: {error}; nothing more is read of it: verify it, restore its body"
                ) from None
            yield piece

    def _require_allowed(self) -> None:
        self._require()
        with self._parts.engine.connect() as connection:
            kept = rows.find(connection, self.file.id)
        if kept is None or kept.file.state not in self._states:
            raise NotFound(f"there is no file {self.file.id} to be read any more")


def plain_text(sealed_bytes: int) -> str:
    """How a size that is wrong is wrong, in words."""
    try:
        return f"{plain_size(sealed_bytes):,} plain ones"
    except Corrupt as error:
        return str(error)
