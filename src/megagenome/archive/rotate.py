# SPDX-License-Identifier: Apache-2.0
"""New recipient keys for what is kept: each header is wrapped anew, no body is touched.

1. a new key; where an earlier rotation was not finished, its key
2. for each file, while nobody else writes, a sidecar for that key, its header held against the body
3. the commit of that header beside the older one
4. the older sidecars are deleted
5. when all have it, one commit without the older headers

A file can be read at every moment. Whoever is killed rotates again, which goes on where it stopped.
"""

import sqlalchemy as sa

from megagenome.archive import names, rows, sidecars, tables
from megagenome.archive.model import Kept, Parts, Rotation
from megagenome.archive.opened import key_of
from megagenome.kernel.database import begin_erasing, begin_writing
from megagenome.kernel.errors import Conflict
from megagenome.kernel.sealed_files import FileState
from megagenome.standards.crypt4gh import read_header, write_header
from megagenome.standards.crypt4gh_segments import SEALED_SEGMENT_BYTES, BodyKey


def rotate(parts: Parts) -> Rotation:
    """See `Archive.rotate`."""
    if not _waiting(parts, parts.keys.names()[0]):
        parts.keys.replace()
    newest, count = parts.keys.names()[0], 0
    for kept in _waiting(parts, newest):
        count += _rewrap(parts, kept, newest)
    with begin_erasing(parts.engine) as connection:
        connection.execute(sa.delete(tables.header).where(tables.header.c.key != newest, _has(newest)))
    return Rotation(newest, count, parts.keys.names()[1:])


def forget_retired(parts: Parts) -> tuple[str, ...]:
    """See `Archive.forget_retired`."""
    with begin_writing(parts.engine):  # no file is committed meanwhile
        newest, *retired = parts.keys.names()
        if waiting := _waiting(parts, newest):
            raise Conflict(f"{len(waiting):,} files are sealed for an older key still: rotate first")
        parts.keys.forget(frozenset(retired))
    return tuple(retired)


def _has(newest: str) -> sa.ColumnElement[bool]:
    other = tables.header.alias()
    return sa.exists().where(other.c.file == tables.header.c.file, other.c.key == newest)


def _waiting(parts: Parts, newest: str) -> list[Kept]:
    """Files that are not for the newest key alone."""
    header = tables.header.c
    older = sa.exists().where(header.file == tables.file.c.id, header.key != newest)
    with parts.engine.connect() as connection:
        return rows.select(connection, older, tables.file.c.state != FileState.SHREDDED.value)


def _rewrap(parts: Parts, kept: Kept, newest: str) -> bool:
    """Whether a header was written anew: one that was before a kill is used."""
    with begin_writing(parts.engine) as connection:  # whoever shreds it waits, and finds the sidecar to delete
        if rows.require(connection, kept.file.id).file.state is FileState.SHREDDED:
            return False
        headers = rows.headers(connection, kept.file.id)
        if is_new := newest not in headers:
            header = _header_for(parts, kept, headers, newest)
            sidecars.write(parts, kept, newest, header)
            header = sidecars.read(parts, kept.stem, newest)[1]  # of whoever was killed after writing it
            _require_opens(parts, kept, header, newest)
            connection.execute(sa.insert(tables.header).values(file=kept.file.id, key=newest, content=header))
    for older in headers.keys() - {newest}:
        parts.store.delete(names.sidecar(kept.stem, older))
    return is_new


def _header_for(parts: Parts, kept: Kept, headers: dict[str, bytes], newest: str) -> bytes:
    key = key_of(parts, kept, headers)
    return write_header([key], [parts.keys.find(newest).public_key()])


def _require_opens(parts: Parts, kept: Kept, header: bytes, newest: str) -> None:
    """That the new header opens the first segment, before the old one goes."""
    [key] = read_header(header, [parts.keys.find(newest)]).keys
    first = b"".join(parts.store.read(names.body(kept.stem), 0, SEALED_SEGMENT_BYTES))
    BodyKey(key, kept.prefix).open(first, 0)
