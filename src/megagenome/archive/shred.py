# SPDX-License-Identifier: Apache-2.0
"""Crypto-shredding: without its data key a body is noise, wherever copies of it are.

1. one commit: the file is shredded, its headers, its name and its samples are gone, and the ledger has it
2. a signed tombstone beside the blobs, so that an older database that is restored learns of it
3. every sidecar is deleted, then the body; durable
4. a receipt is signed and kept: nothing is left here by which the file could be read

Whoever is killed after step 1 is finished by `recover`, or by shredding again. What holds an index says much of what it
is an index of: the indexes of a file go with it.
"""

import contextlib

import msgspec
import sqlalchemy as sa

from megagenome.archive import names, rows, tables
from megagenome.archive.model import RECEIPT_TYPE, TOMBSTONE_TYPE, Kept, Parts
from megagenome.kernel import clock
from megagenome.kernel.database import begin_erasing, begin_writing
from megagenome.kernel.errors import Conflict, Corrupt
from megagenome.kernel.ledger import Kind
from megagenome.kernel.sealed_files import FileId, FileState
from megagenome.kernel.signatures import verify

_ALIVE = tuple(state for state in FileState if state is not FileState.SHREDDED)


def shred(parts: Parts, file: FileId, by: str) -> str:
    """See `Archive.shred`."""
    with begin_erasing(parts.engine) as connection:
        begin_shredding(parts, connection, file, by)
    return finish_shredding(parts, file)


def begin_shredding(parts: Parts, connection: sa.Connection, file: FileId, by: str | None) -> None:
    """See `Archive.begin_shredding`."""
    asked = rows.require(connection, file)
    for kept in [*rows.select(connection, tables.file.c.index_of == file), asked]:
        if rows.set_state(connection, kept.file.id, _ALIVE, FileState.SHREDDED, name="", samples="[]"):
            connection.execute(sa.delete(tables.header).where(tables.header.c.file == kept.file.id))
            parts.forget(connection, kept.file.id)
            parts.ledger.write(connection, rows.act_of(kept.file, "shredded", Kind.ERASURE, by))


def finish_shredding(parts: Parts, file: FileId) -> str:
    """See `Archive.finish_shredding`."""
    with parts.engine.connect() as connection:
        kept = rows.require(connection, file)
        indexes = rows.select(connection, tables.file.c.index_of == file)
        receipt = _receipt(connection, file)
    if kept.file.state is not FileState.SHREDDED:
        raise Conflict(f"{file} is {kept.file.state}: it was not shredded")
    for index in indexes:
        _finish_one(parts, index)
    return receipt or _finish_one(parts, kept)


def unfinished(connection: sa.Connection) -> list[Kept]:
    """Files of which something may be left though they were shredded."""
    return rows.select(connection, tables.file.c.state == FileState.SHREDDED.value, tables.file.c.receipt.is_(None))


def read_tombstone(parts: Parts, stem: str) -> Kept:
    """The shredded file that a tombstone stands for. Raises `Corrupt` for one that this node did not sign."""
    claims = verify(b"".join(parts.store.read(names.tombstone(stem))), parts.signing.key_set(), TOMBSTONE_TYPE)
    try:
        kept = msgspec.convert(claims.get("kept"), Kept)
    except msgspec.ValidationError:
        raise Corrupt(f"the tombstone of {names.file_of(stem)} is of another version") from None
    if kept.stem != stem:
        raise Corrupt(f"the tombstone of {names.file_of(stem)} is another file's")
    return kept


def _finish_one(parts: Parts, kept: Kept) -> str:
    with parts.engine.connect() as connection:
        if (receipt := _receipt(connection, kept.file.id)) is not None:
            return receipt
    with (
        contextlib.suppress(Conflict),  # whoever was killed before wrote it
        parts.store.create(names.tombstone(kept.stem)) as writer,
    ):
        writer.write(parts.signing.sign({"kept": msgspec.to_builtins(kept)}, TOMBSTONE_TYPE).encode())
    delete_blobs(parts, kept.stem)
    return _sign(parts, kept)


def delete_blobs(parts: Parts, stem: str) -> None:
    """Delete a file's sidecars, then its body; durable. Idempotent. Sidecars that a key of ours opens are deleted by
    their names: what an object store lists may be of a moment ago."""
    for recipient in parts.keys.names():
        parts.store.delete(names.sidecar(stem, recipient))
    for key in list(parts.store.keys(names.folder(stem) + stem)):
        if (blob := names.read_key(key)) is not None and blob.kind == "c4h":
            parts.store.delete(key)
    parts.store.delete(names.body(stem))


def _sign(parts: Parts, kept: Kept) -> str:
    now = clock.now()
    claims = {
        "iss": parts.ledger.issuer,
        "iat": int(now.timestamp()),
        "file": kept.file.id,
        "dataset": kept.file.dataset,
        "size_bytes": kept.file.size_bytes,
        "body_sha256": kept.file.body_sha256,
    }
    receipt = parts.signing.sign(claims, RECEIPT_TYPE)
    with begin_writing(parts.engine) as connection:
        mine = (tables.file.c.id == kept.file.id, tables.file.c.receipt.is_(None))
        if connection.execute(sa.update(tables.file).where(*mine).values(receipt=receipt)).rowcount:
            return receipt
        return _receipt(connection, kept.file.id) or receipt


def _receipt(connection: sa.Connection, file: FileId) -> str | None:
    return connection.scalar(sa.select(tables.file.c.receipt).where(tables.file.c.id == file))
