# SPDX-License-Identifier: Apache-2.0
"""Whether what is stored of a file is what was stored: read again from the disk, whole, by its sidecar and not by the
database's header, so that both are known to open it."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from megagenome.archive import names, rows, sidecars
from megagenome.archive.hashing import Hashing
from megagenome.archive.model import Kept, Parts
from megagenome.archive.opened import key_of, plain_text, recipient_of
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Corrupt, NotFound, Unavailable
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState
from megagenome.standards.crypt4gh import read_header
from megagenome.standards.crypt4gh_segments import (
    AT_ONCE,
    ROOM_BYTES,
    SEALED_SEGMENT_BYTES,
    BodyKey,
    sealed_size,
    whole_segments,
)


def verify(parts: Parts, file: FileId, pace: Callable[[int], object] = lambda _size_bytes: None) -> ArchivedFile:
    """See `Archive.verify`. `pace` is told of each piece how long it is, and may wait, or raise to end it."""
    kept, headers = _stored(parts, file)
    try:
        key = key_of(parts, kept, headers)
        _check_sidecar(parts, kept, headers, key)
        body_sha256 = _check_body(parts, kept, key, pace)
    except (Corrupt, NotFound) as error:
        rows.note_suspect(parts.engine, parts.ledger, kept.file)
        raise Corrupt(f"{file} is not what was archived: {error}; restore its blobs from the backup") from None
    return _passed(parts, file, body_sha256)


def _stored(parts: Parts, file: FileId) -> tuple[Kept, dict[str, bytes]]:
    with parts.engine.connect() as connection:
        kept, headers = rows.require(connection, file), rows.headers(connection, file)
    if kept.file.state is FileState.SHREDDED:
        raise Conflict(f"{file} was shredded: there is nothing to verify")
    return kept, headers


def _check_sidecar(parts: Parts, kept: Kept, headers: dict[str, bytes], key: bytes) -> None:
    recipient = recipient_of(parts, kept.file, headers)
    try:
        beside, header = sidecars.read(parts, kept.stem, recipient)
    except NotFound:
        headers_now = _stored(parts, kept.file.id)[1]
        if headers_now.keys() == headers.keys():
            raise
        return _check_sidecar(parts, kept, headers_now, key)  # recipient keys are being rotated
    if read_header(header, [parts.keys.find(recipient)]).keys != (key,):
        raise Corrupt("its sidecar has the key of another body")
    if (beside.file.sha256, beside.file.size_bytes) != (kept.file.sha256, kept.file.size_bytes):
        raise Corrupt("its sidecar states another checksum than the database")
    return None


def _check_body(parts: Parts, kept: Kept, key: bytes, pace: Callable[[int], object]) -> str:
    """The checksum of the body as it is stored."""
    name, file = names.body(kept.stem), kept.file
    if (found := parts.store.size(name)) != sealed_size(file.size_bytes):
        raise Corrupt(f"its body has {found:,} bytes ({plain_text(found)})")
    if (path := parts.store.path(name)) is not None:
        _leave_memory(path)
    body, room = BodyKey(key, kept.prefix), bytearray(ROOM_BYTES)
    with ThreadPoolExecutor(2, "hashing") as pool:
        sha256, body_sha256 = Hashing(pool, "sha256"), Hashing(pool, "sha256")
        for number, piece in enumerate(whole_segments(parts.store.read(name), SEALED_SEGMENT_BYTES)):
            body_sha256.update(piece)
            sha256.wait()  # the next piece comes in the same memory
            sha256.update(body.open(piece, number * AT_ONCE, room))
            body_sha256.wait()
            pace(len(piece))
        stored = body_sha256.hexdigest()
        if sha256.hexdigest() != file.sha256 or file.body_sha256 not in (None, stored):
            raise Corrupt("its checksum is another")
        return stored


def _leave_memory(path: Path) -> None:
    """Have the next reading come from the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be opened: {error.strerror}; see to the disk and repeat it") from error


def _passed(parts: Parts, file: FileId, body_sha256: str) -> ArchivedFile:
    with begin_writing(parts.engine) as connection:
        before = rows.require(connection, file).file
        rows.note_verified(connection, file, body_sha256)
        if before.state is FileState.SUSPECT:
            parts.ledger.write(connection, rows.act_of(before, "restored"))
        return rows.require(connection, file).file
