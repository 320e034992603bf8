# SPDX-License-Identifier: Apache-2.0
"""What is set right after a kill, a power cut or a restored backup. `recover` asks the database alone and runs at every
start; `rebuild` looks at every blob, and makes the database's rows again from the sidecars where they are gone."""

import contextlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

import sqlalchemy as sa

from megagenome.archive import names, rows, shred, sidecars, tables
from megagenome.archive.ingest import sweep_attempt
from megagenome.archive.model import Kept, Parts, Recovery
from megagenome.kernel import clock
from megagenome.kernel.database import begin_erasing, begin_writing
from megagenome.kernel.errors import Corrupt, NotFound, TooLarge, Unavailable
from megagenome.kernel.sealed_files import FileId, FileState
from megagenome.standards.crypt4gh_segments import sealed_size

_ZOMBIE_ENDS = timedelta(days=30)
"""A worker whose lease is over may be stopped in the middle of a write, and go on with it this much later."""


def recover(parts: Parts) -> Recovery:
    """See `Archive.recover`."""
    parts.store.sweep(parts.settings.lease_s)
    newly = _sweep_attempts(parts)
    with parts.engine.connect() as connection:
        shredded = [kept.file.id for kept in shred.unfinished(connection)]
    for file in shredded:
        shred.finish_shredding(parts, file)
    return Recovery(swept=newly, shredded=tuple(shredded))


def rebuild(parts: Parts) -> Recovery:
    """See `Archive.rebuild`."""
    found: defaultdict[str, list[names.Blob]] = defaultdict(list)
    for key in parts.store.keys(names.ROOT):
        if (blob := names.read_key(key)) is not None:
            found[blob.stem].append(blob)
    unsigned = _bury(parts, found)
    first = recover(parts)
    adopted, removed, lost = _adopt(parts, found)
    missing = _mend(parts, found)
    return Recovery(first.swept, first.shredded, adopted, removed, missing, unsigned + lost)


def _sweep_attempts(parts: Parts) -> int:
    """How many attempts nobody may finish from now on. Of these, and of those before, the blobs are removed."""
    attempt, now = tables.attempt.c, clock.now()
    with parts.engine.connect() as connection:  # most often there is none, and nobody must wait to learn that
        if connection.execute(sa.select(attempt.stem).limit(1)).first() is None:
            return 0
    over = sa.and_(attempt.until < clock.stamp(now), attempt.given_up.is_(False))
    with begin_writing(parts.engine) as connection:
        newly = connection.execute(sa.update(tables.attempt).where(over).values(given_up=True)).rowcount
        all_given_up = list(connection.scalars(sa.select(attempt.stem).where(attempt.given_up)))
    for stem in all_given_up:
        sweep_attempt(parts, stem)
    forgotten = sa.and_(attempt.given_up, attempt.until < clock.stamp(now - _ZOMBIE_ENDS))
    with begin_writing(parts.engine) as connection:
        connection.execute(sa.delete(tables.attempt).where(forgotten, attempt.stem.in_(all_given_up)))
    return newly


def _bury(parts: Parts, found: dict[str, list[names.Blob]]) -> tuple[str, ...]:
    """What was shredded and is back in a database that was restored, or is not in it, is shredded again. Tombstones
    that this node did not sign bury nobody."""
    unsigned = []
    for stem in [stem for stem, blobs in found.items() if any(blob.kind == "shred" for blob in blobs)]:
        try:
            kept = shred.read_tombstone(parts, stem)
        except (Corrupt, TooLarge):
            unsigned.append(names.tombstone(stem))
            continue
        with begin_erasing(parts.engine) as connection:
            there = rows.find(connection, kept.file.id)
            if there is None:
                rows.insert_shredded(connection, kept)
                parts.forget(connection, kept.file.id)
            elif there.file.state is not FileState.SHREDDED:
                shred.begin_shredding(parts, connection, kept.file.id, None)
        shred.delete_blobs(parts, stem)
        del found[stem]
    return tuple(unsigned)


def _adopt(
    parts: Parts, found: dict[str, list[names.Blob]]
) -> tuple[tuple[FileId, ...], tuple[str, ...], tuple[str, ...]]:
    adopted: list[FileId] = []
    removed: list[str] = []
    lost: list[str] = []
    for stem, blobs in found.items():
        if _is_known(parts, stem):
            continue
        beside = [blob for blob in blobs if blob.kind == "c4h"] or _unlisted(parts, stem)
        if not beside:
            if any(blob.kind == "c4b" for blob in blobs):
                parts.store.delete(names.body(stem))
                removed.append(names.body(stem))
        elif _adopt_one(parts, stem, beside):
            adopted.append(names.file_of(stem))
        else:
            lost += [names.sidecar(stem, blob.recipient) for blob in beside]
    return tuple(adopted), tuple(removed), tuple(lost)


def _unlisted(parts: Parts, stem: str) -> list[names.Blob]:
    """Sidecars that are there all the same: what an object store lists may be of a moment ago, and a body is deleted
    only where there is none."""
    beside = (names.sidecar(stem, recipient) for recipient in parts.keys.names())
    return [blob for key in beside if parts.store.exists(key) and (blob := names.read_key(key)) is not None]


def _is_known(parts: Parts, stem: str) -> bool:
    file, attempt = tables.file.c.stem, tables.attempt.c.stem
    # in this order, because an attempt becomes a file and never the other way
    asked = (sa.select(attempt).where(attempt == stem), sa.select(file).where(file == stem))
    with parts.engine.connect() as connection:
        return any(connection.scalar(each) is not None for each in asked)


def _adopt_one(parts: Parts, stem: str, beside: Iterable[names.Blob]) -> bool:
    """Whether a file came of it. It is `ARCHIVED`: nobody knows who said that it may be given out."""
    read: dict[str, tuple[Kept, bytes]] = {}
    for blob in beside:
        with contextlib.suppress(Corrupt, NotFound, Unavailable):  # what was listed may be swept meanwhile
            read[blob.recipient] = sidecars.read(parts, stem, blob.recipient)
    if not read:
        return False
    kept = next(iter(read.values()))[0]
    if not _has_body(parts, kept):
        return False
    with begin_writing(parts.engine) as connection:
        if rows.find(connection, kept.file.id) is not None:
            return False
        (recipient, (_, header)), *more = read.items()
        rows.insert(connection, kept, recipient, header)
        for other, (_, another) in more:
            connection.execute(sa.insert(tables.header).values(file=kept.file.id, key=other, content=another))
        parts.ledger.write(connection, rows.act_of(kept.file, "adopted"))
    return True


def _has_body(parts: Parts, kept: Kept) -> bool:
    try:
        return parts.store.size(names.body(kept.stem)) == sealed_size(kept.file.size_bytes)
    except NotFound:
        return False


def _mend(parts: Parts, found: dict[str, list[names.Blob]]) -> tuple[FileId, ...]:
    """Files without a body. Of the others a header is taken from a sidecar, or a sidecar written, where it is gone."""
    missing = []
    with parts.engine.connect() as connection:
        alive = rows.select(connection, tables.file.c.state != FileState.SHREDDED.value)
    for kept in alive:
        if not _has_body(parts, kept):
            rows.note_suspect(parts.engine, parts.ledger, kept.file)
            missing.append(kept.file.id)
            continue
        _mend_headers(parts, kept, found.get(kept.stem, []))
    return tuple(missing)


def _mend_headers(parts: Parts, kept: Kept, blobs: Iterable[names.Blob]) -> None:
    with parts.engine.connect() as connection:
        headers = rows.headers(connection, kept.file.id)
    known, beside = parts.keys.names(), [blob.recipient for blob in blobs if blob.kind == "c4h"]
    mine = [name for name in known if name in headers]
    if not mine:  # keys rotated after the backup that was restored
        for recipient in set(beside).intersection(known):
            _take_header(parts, kept, recipient)
    elif not any(name in headers for name in beside):
        with begin_writing(parts.engine) as connection:  # whoever shreds it waits, and finds the sidecar to delete
            if rows.require(connection, kept.file.id).file.state is not FileState.SHREDDED:
                sidecars.write(parts, kept, mine[0], headers[mine[0]])


def _take_header(parts: Parts, kept: Kept, recipient: str) -> None:
    with contextlib.suppress(Corrupt, NotFound):  # then verifying says so
        header = sidecars.read(parts, kept.stem, recipient)[1]
        with begin_writing(parts.engine) as connection:
            if rows.require(connection, kept.file.id).file.state is not FileState.SHREDDED:
                connection.execute(sa.insert(tables.header).values(file=kept.file.id, key=recipient, content=header))
