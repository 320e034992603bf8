# SPDX-License-Identifier: Apache-2.0
"""A file that was sent becomes one that is kept: opened once, compared with what its submitter said, sealed anew.

1. a commit says which blobs will be written
2. the body: decrypted, hashed, encrypted with a new key; compared with every checksum before it is there; durable
3. its sidecar; durable
4. one commit: the file, its header, the ledger's entry, and the blobs are nobody's attempt any more

Whoever is killed anywhere leaves either no file, and blobs that `recover` sweeps when the lease of step 1 is over, or a
whole file. Nothing is ever written under a name that was used before.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import sqlalchemy as sa

from megagenome.archive import names, rows, sidecars, tables
from megagenome.archive.hashing import Hashing
from megagenome.archive.model import Kept, Parts
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.durable_files import require_free
from megagenome.kernel.errors import Conflict, Invalid, NoRoom, NotEntitled, Unavailable
from megagenome.kernel.sealed_files import ArchivedFile, Described, Expected, FileId, FileState
from megagenome.standards.crypt4gh import write_header
from megagenome.standards.crypt4gh_keys import RECIPIENT_PATH
from megagenome.standards.crypt4gh_segments import AT_ONCE, ROOM_BYTES, SEGMENT_BYTES, BodyKey, whole_segments
from megagenome.standards.crypt4gh_stream import unseal

Source = Callable[[], Iterable[bytes]]
"""Begins to read the Crypt4GH file that was sent, in pieces of any size; best of a megabyte."""

_LOOK_EVERY = 64
"""Pieces of 1 MiB after which lease and room are looked at again."""


class _Stored(NamedTuple):
    """A body that was written, and what was found of it."""

    key: bytes
    prefix: bytes
    size_bytes: int


def require_room(parts: Parts, size_bytes: int = 0) -> None:
    """Raise `NoRoom` where storing so many bytes would leave less room than the settings want, or where the node's own
    folder, with its database, has less."""
    if parts.folder is not None:
        require_free(parts.folder, parts.settings.least_free_bytes)
    free = parts.store.free_bytes()
    if free is not None and free - size_bytes < parts.settings.least_free_bytes:
        raise NoRoom(
            f"the archive has no room for {size_bytes:,} bytes more: {free:,} are free, and "
            f"{parts.settings.least_free_bytes:,} must stay so; make room, or tell the node's operator"
        )


def ingest(
    parts: Parts, file: FileId, attempt: int, source: Source, described: Described, expected: Expected
) -> ArchivedFile:
    """See `Archive.ingest`."""
    if (there := _find(parts, file)) is not None:
        return _same(there, expected)
    require_room(parts, expected.sealed_size_bytes)
    stem = names.new_stem(file, attempt)
    with begin_writing(parts.engine) as connection:
        rows.begin_attempt(connection, stem, file, clock.now(), parts.settings.lease_s)
    try:
        stored = _store_body(parts, stem, source, expected)
        recipient, public = parts.keys.newest()
        header = write_header([stored.key], [public])
        kept = _kept(file, stem, described, expected, stored)
        sidecars.write(parts, kept, recipient, header)
        _commit(parts, kept, recipient, header)
    except BaseException as error:
        _give_up(parts, stem)
        if isinstance(error, Conflict | sa.exc.DatabaseError) and (there := _find(parts, file)) is not None:
            return _same(there, expected)  # another worker was faster, or the commit came through after all
        raise
    return kept.file


def sweep_attempt(parts: Parts, stem: str) -> None:
    """Remove what an attempt wrote that was given up. Idempotent."""
    for key in list(parts.store.keys(names.folder(stem) + stem)):
        parts.store.delete(key)


def _find(parts: Parts, file: FileId) -> ArchivedFile | None:
    with parts.engine.connect() as connection:
        kept = rows.find(connection, file)
    return None if kept is None else kept.file


def _same(there: ArchivedFile, expected: Expected) -> ArchivedFile:
    """The file that is there already, if it is the one that is expected."""
    if there.state is FileState.SHREDDED:
        raise Conflict(f"{there.id} was shredded; what is sent again gets a new id")
    if there.sha256 != expected.sha256:
        raise Conflict(f"{there.id} is archived already, with another sha256: {there.sha256}")
    return there


def _store_body(parts: Parts, stem: str, source: Source, expected: Expected) -> _Stored:
    with ThreadPoolExecutor(2, "hashing") as pool, parts.store.create(names.body(stem)) as writer:
        plain = _opened(parts, _counted(source(), expected.sealed_size_bytes))
        sha256 = Hashing(pool, "sha256")
        md5 = Hashing(pool, "md5") if expected.md5 else None
        key, prefix = BodyKey.new()
        body, size, look, room = BodyKey(key, prefix), 0, _Look(parts, stem), bytearray(ROOM_BYTES)
        for number, piece in enumerate(whole_segments(plain, SEGMENT_BYTES)):
            look(number)
            sha256.update(piece)
            if md5:
                md5.update(piece)
            writer.write(body.seal(piece, number * AT_ONCE, room))
            size += len(piece)
            sha256.wait()  # the next piece comes in the same memory
            if md5:
                md5.wait()
        _compare("sha256", expected.sha256, sha256)
        if md5:
            _compare("md5", expected.md5, md5)
        return _Stored(key, prefix, size)


def _opened(parts: Parts, pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        return unseal(pieces, parts.keys.readers())
    except NotEntitled:
        raise NotEntitled(
            f"the file is not encrypted for this node, whose key is {parts.keys.names()[0]}: encrypt it for the one "
            f"at {RECIPIENT_PATH}"
        ) from None


def _counted(chunks: Iterable[bytes], stated_bytes: int) -> Iterator[bytes]:
    """The same, all of it and no more than was stated."""
    left = stated_bytes
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise Invalid(f"more came than the {stated_bytes:,} bytes that were stated")
        yield chunk
    if left:
        raise Invalid(f"{left:,} of the {stated_bytes:,} bytes that were stated did not come; send it again")


def _compare(name: str, stated: str | None, found: Hashing) -> None:
    if found.hexdigest() != stated:
        raise Invalid(
            f"the file decrypted has another {name} than stated: {found.hexdigest()}, not {stated}; nothing of it is "
            "kept: send it again"
        )


class _Look:
    """Looks now and then whether the attempt may go on."""

    def __init__(self, parts: Parts, stem: str) -> None:
        self._parts, self._stem = parts, stem
        self._extend_at = time.monotonic() + parts.settings.lease_s / 3

    def __call__(self, number: int) -> None:
        """Before the piece of this number. Raises `NoRoom` where there is none, `Conflict` for a zombie."""
        if number % _LOOK_EVERY:
            return
        require_room(self._parts)
        if time.monotonic() > self._extend_at:
            with begin_writing(self._parts.engine) as connection:
                if not rows.extend_attempt(connection, self._stem, clock.now(), self._parts.settings.lease_s):
                    raise _given_up(self._stem)
            self._extend_at = time.monotonic() + self._parts.settings.lease_s / 3


def _given_up(stem: str) -> Conflict:
    return Conflict(f"this attempt at {names.file_of(stem)} was given up, because nothing was heard of it for too long")


def _kept(file: FileId, stem: str, described: Described, expected: Expected, stored: _Stored) -> Kept:
    archived = ArchivedFile(
        id=file,
        dataset=described.dataset,
        name=described.name,
        format=described.format,
        samples=described.samples,
        index_of=described.index_of,
        size_bytes=stored.size_bytes,
        sha256=expected.sha256,
        md5=expected.md5,
        body_sha256=None,
        state=FileState.ARCHIVED,
        created=clock.stamp(clock.now()),
        verified=None,
    )
    return Kept(archived, stem, stored.prefix)


def _commit(parts: Parts, kept: Kept, recipient: str, header: bytes) -> None:
    try:
        with begin_writing(parts.engine) as connection:
            if not rows.end_attempt(connection, kept.stem):
                raise _given_up(kept.stem)
            parts.keys.find(recipient)  # which may have been retired and forgotten meanwhile
            _require_alive(connection, kept.file.index_of)
            rows.insert(connection, kept, recipient, header)
            parts.ledger.write(connection, rows.act_of(kept.file, "archived"))
    except sa.exc.IntegrityError:
        raise Conflict(f"{kept.file.id} was archived by another worker meanwhile") from None


def _require_alive(connection: sa.Connection, file: FileId | None) -> None:
    """That nothing is kept as the index of a file that was shredded meanwhile."""
    of = None if file is None else rows.find(connection, file)
    if of is not None and of.file.state is FileState.SHREDDED:
        raise Conflict(f"{file} was shredded, so no index of it is kept")


def _give_up(parts: Parts, stem: str) -> None:
    """Leave nothing behind, as far as that can be done now; the rest `recover` does."""
    mine = tables.attempt.c.stem == stem
    try:
        with begin_writing(parts.engine) as connection:
            if connection.scalar(sa.select(tables.file.c.id).where(tables.file.c.stem == stem)) is not None:
                return  # it was committed, though nobody heard of it
            connection.execute(sa.update(tables.attempt).where(mine).values(given_up=True))
        sweep_attempt(parts, stem)
        with begin_writing(parts.engine) as connection:
            connection.execute(sa.delete(tables.attempt).where(mine))
    except (Unavailable, sa.exc.DatabaseError):
        return
