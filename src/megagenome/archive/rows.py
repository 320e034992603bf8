# SPDX-License-Identifier: Apache-2.0
"""Rows of the archive as what they mean, and back."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from megagenome.archive import tables
from megagenome.archive.model import Kept
from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState

_file, _header, _attempt = tables.file.c, tables.header.c, tables.attempt.c
_FIND = sa.select(tables.file).where(_file.id == sa.bindparam("file"))
_HEADERS = sa.select(_header.key, _header.content).where(_header.file == sa.bindparam("file"))
"""Made once, because to make a query takes longer than to ask it."""


def find(connection: sa.Connection, file: FileId) -> Kept | None:
    """A file; None where there is none."""
    row = connection.execute(_FIND, {"file": file}).first()
    return None if row is None else _kept(row)


def require(connection: sa.Connection, file: FileId) -> Kept:
    """A file. Raises `NotFound`."""
    kept = find(connection, file)
    if kept is None:
        raise NotFound(f"there is no file {file} in this archive")
    return kept


def select(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Kept]:
    """Files by when they were archived."""
    rows = connection.execute(sa.select(tables.file).where(*where).order_by(_file.created, _file.id))
    return [_kept(row) for row in rows]


def headers(connection: sa.Connection, file: FileId) -> dict[str, bytes]:
    """The headers of a file's body, by the fingerprint of the recipient key."""
    rows = connection.execute(_HEADERS, {"file": file})
    return {row.key: row.content for row in rows}


def insert(connection: sa.Connection, kept: Kept, recipient: str, header: bytes) -> None:
    """Put down a file with its header."""
    connection.execute(sa.insert(tables.file).values(_values(kept)))
    connection.execute(sa.insert(tables.header).values(file=kept.file.id, key=recipient, content=header))


def insert_shredded(connection: sa.Connection, kept: Kept) -> None:
    """Put down a file of which only that it was shredded is known."""
    connection.execute(sa.insert(tables.file).values(_values(kept)))


def set_state(
    connection: sa.Connection, file: FileId, before: Sequence[FileState], after: FileState, **more: Any
) -> bool:
    """Move a file that is in one of these states; whether it was."""
    where = (_file.id == file, _file.state.in_([each.value for each in before]))
    return connection.execute(sa.update(tables.file).where(*where).values(state=after.value, **more)).rowcount > 0


def withdraw(connection: sa.Connection, file: FileId) -> bool:
    """Let a file that was verified once not be given out; whether anything changed. A suspect one stays that, and is
    withdrawn once it verifies."""
    suspect = _file.state == FileState.SUSPECT.value
    alive = _file.state.in_((FileState.VERIFIED.value, FileState.READY.value, FileState.SUSPECT.value))
    becomes = {
        "state": sa.case((suspect, FileState.SUSPECT.value), else_=FileState.WITHDRAWN.value),
        "state_before": sa.case((suspect, FileState.WITHDRAWN.value)),
    }
    where = (_file.id == file, alive, sa.func.coalesce(_file.state_before, "") != FileState.WITHDRAWN.value)
    return connection.execute(sa.update(tables.file).where(*where).values(becomes)).rowcount > 0


def note_verified(connection: sa.Connection, file: FileId, body_sha256: str) -> None:
    """A file is what was archived: one that was not known to be becomes verified, or what it was before it became
    suspect; the others stay what they are."""
    again = _file.state_before.in_((FileState.READY.value, FileState.WITHDRAWN.value))
    state = sa.case(
        (_file.state == FileState.ARCHIVED.value, FileState.VERIFIED.value),
        (_file.state != FileState.SUSPECT.value, _file.state),
        (again, _file.state_before),
        else_=FileState.VERIFIED.value,
    )
    verified = clock.stamp(clock.now())
    found = {"state": state, "state_before": None, "verified": verified, "body_sha256": body_sha256}
    where = (_file.id == file, _file.state != FileState.SHREDDED.value)
    connection.execute(sa.update(tables.file).where(*where).values(found))


def note_suspect(engine: sa.Engine, ledger: Ledger, file: ArchivedFile) -> None:
    """Let nothing more be read of a file, and enter it."""
    alive = (FileState.ARCHIVED, FileState.VERIFIED, FileState.READY, FileState.WITHDRAWN)
    with begin_writing(engine) as connection:
        if set_state(connection, file.id, alive, FileState.SUSPECT, state_before=_file.state):
            ledger.write(connection, act_of(file, "suspect"))


def act_of(file: ArchivedFile, what: str, kind: Kind = Kind.FILE, subject: str | None = None) -> Act:
    """That something was done with a file, for the ledger: `what` of at most 19 letters, and the file's id."""
    return Act(kind, subject, dataset=file.dataset, detail=f"{what}:{file.id}")


def begin_attempt(connection: sa.Connection, stem: str, file: FileId, now: datetime, lease_s: int) -> None:
    """Say that blobs of this stem will be written, before any is."""
    until = clock.stamp(now + timedelta(seconds=lease_s))
    connection.execute(sa.insert(tables.attempt).values(stem=stem, file=file, until=until, given_up=False))


def extend_attempt(connection: sa.Connection, stem: str, now: datetime, lease_s: int) -> bool:
    """Say that it is still being worked on; False where it was given up."""
    until = clock.stamp(now + timedelta(seconds=lease_s))
    alive = (_attempt.stem == stem, _attempt.given_up.is_(False))
    return connection.execute(sa.update(tables.attempt).where(*alive).values(until=until)).rowcount > 0


def end_attempt(connection: sa.Connection, stem: str) -> bool:
    """Say that its blobs belong to a file now; False where it was given up, and they do not."""
    alive = (_attempt.stem == stem, _attempt.given_up.is_(False))
    return connection.execute(sa.delete(tables.attempt).where(*alive)).rowcount > 0


def _values(kept: Kept) -> dict[str, Any]:
    values = msgspec.structs.asdict(kept.file)
    samples = msgspec.json.encode(values["samples"]).decode()
    return values | {"samples": samples, "stem": kept.stem, "prefix": kept.prefix.hex()}


def _kept(row: Any) -> Kept:
    file = ArchivedFile(
        id=FileId(row.id),
        dataset=DatasetId(row.dataset),
        name=row.name,
        format=row.format,
        samples=msgspec.json.decode(row.samples, type=tuple[str, ...]),
        index_of=row.index_of,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        md5=row.md5,
        body_sha256=row.body_sha256,
        state=FileState(row.state),
        created=row.created,
        verified=row.verified,
    )
    return Kept(file, row.stem, bytes.fromhex(row.prefix))
