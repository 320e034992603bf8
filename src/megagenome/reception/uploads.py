# SPDX-License-Identifier: Apache-2.0
"""Taking in what a provider sends: a manifest, then of each file its first part and the others in any order, as often
as it takes, then the word that all is there.

Order of durability: a part's blob, then its row; so what the node says that it has, it has. A blob without a row, of
who was killed between the two, goes with the submission.
"""

import hashlib
import secrets

import sqlalchemy as sa

from megagenome.kernel.callers import Caller
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Invalid, MegagenomeError, RateLimited, TooLarge
from megagenome.kernel.ids import parse_dataset_id
from megagenome.kernel.jobs import enqueue
from megagenome.reception import rows, tables
from megagenome.reception.parts import Parts, find_own, require_provider
from megagenome.reception.plainly import told_plainly
from megagenome.reference import assembly
from megagenome.standards.crypt4gh import MAGIC
from megagenome.standards.crypt4gh_segments import sealed_size
from megagenome.standards.submission import (
    LARGEST_PART_BYTES,
    OVER,
    Manifest,
    Part,
    State,
    Submission,
    check_manifest,
)

INBOX = "inbox/"
"""What the keys of all blobs begin with that reception keeps."""

MOST_VAIN_A_DAY = 50
"""Submissions of one provider, begun within a day, that were cancelled or refused; then none is begun."""

LEAST_PART_BYTES = 1 << 16
"""Parts may be smaller, but a file has no more of them than of this size: each takes a row and a file on the disk."""

_HEADER_ROOM_BYTES = 1 << 20
"""How much longer than a header of one recipient a sealed file may be, with a header for many."""


def begin(parts: Parts, caller: Caller, manifest: Manifest) -> Submission:
    """Open a submission. Durable on return.

    Raises `NotEntitled` for who is no data provider for its dataset, `Invalid` for a manifest that no submission can
    fulfil, `TooLarge` by the node's settings, `Conflict` where the provider has too many open, `RateLimited` where too
    many came to nothing within a day, `NoRoom` where there is none for it.
    """
    parse_dataset_id(manifest.dataset)
    subject = require_provider(parts, caller, manifest.dataset)
    check_manifest(manifest)
    if manifest.assembly:
        assembly(manifest.assembly)
    largest = max(manifest.files, key=lambda file: file.size_bytes)
    if largest.size_bytes > (most := parts.settings.largest_file_bytes):
        raise TooLarge(f"{largest.path} has {largest.size_bytes:,} bytes: this node takes up to {most:,}")
    ident = rows.new_id()
    with told_plainly(ident):  # what was sent stays until the archive has it
        parts.archive.require_room(2 * sum(sealed_size(file.size_bytes) for file in manifest.files))
    with begin_writing(parts.engine) as connection:
        _require_few(parts, connection, subject)
        rows.insert(connection, ident, manifest, subject, caller.name)
        return rows.shown(connection, rows.find(connection, ident))


def require_welcome(parts: Parts, caller: Caller, dataset: str) -> None:
    """Raise what `begin` would before the files are known, so that nobody reads terabytes to be told: who asks, for
    which dataset, and what they began before."""
    parse_dataset_id(dataset)
    subject = require_provider(parts, caller, dataset)
    with parts.engine.connect() as connection:
        _require_few(parts, connection, subject)


def require_wanted(parts: Parts, caller: Caller, ident: str, file: int, number: int) -> None:
    """Raise what `put_part` would, as far as it is seen before the part is read: who asks, and for what."""
    _require_place(_require_open(parts, caller, ident).manifest, file, number)


def put_part(
    parts: Parts, caller: Caller, ident: str, file: int, number: int, content: bytes, sha256: str
) -> tuple[Part, bool]:
    """Take a part of a file; whether it is new. Whole and durable on return; the same part again changes nothing.

    Raises `Invalid` where the content has another SHA-256 than is stated, `Conflict` where the submission is not open
    or the part has another content already, `TooLarge`, `NotFound`, `NoRoom`, and `Unavailable` where the node's disk
    fails.
    """
    row = _require_open(parts, caller, ident)
    _require_place(row.manifest, file, number)
    if not content or len(content) > LARGEST_PART_BYTES:
        raise TooLarge(f"a part has 1 to {LARGEST_PART_BYTES:,} bytes, not {len(content):,}")
    if hashlib.sha256(content).hexdigest() != sha256:
        path = row.manifest.files[file].path
        raise Invalid(f"part {number} of {path} has another SHA-256 than its Content-Digest says: send it again")
    part = Part(number, len(content), sha256)
    with parts.engine.connect() as connection:
        if _is_there(connection, row, file, part):
            return part, False
        _require_sealed(connection, row, file, part, content)
    key = f"{folder(ident)}{file}/{number:06d}-{secrets.token_hex(4)}"
    with told_plainly(ident):
        parts.archive.require_room(len(content))
        with parts.store.create(key) as blob:
            blob.write(content)
    try:
        with begin_writing(parts.engine) as connection:
            rows.change(connection, ident, [State.OPEN])
            there = _is_there(connection, row, file, part)
            if not there:
                _require_size(connection, row, file, part)
                rows.insert_part(connection, ident, file, part, key)
    except MegagenomeError:
        parts.store.delete(key)
        raise  # after any other error nobody knows whether the row is there; a blob without one goes in the end
    if there:
        parts.store.delete(key)
    return part, not there


def complete(parts: Parts, caller: Caller, ident: str, counts: tuple[int, ...]) -> Submission:
    """Note that all was sent, and let the node's work on it begin. Idempotent.

    Raises `Conflict` naming the first part that is missing.
    """
    with begin_writing(parts.engine) as connection:
        row = find_own(connection, caller, ident)
        require_provider(parts, caller, row.manifest.dataset)
        if row.state is State.OPEN:
            if len(counts) != len(row.manifest.files):
                files = len(row.manifest.files)
                raise Invalid(f"the manifest has {files} files, and parts of {len(counts)} are stated")
            for number, count in enumerate(counts):
                _require_all(connection, row, number, count)
            rows.state_parts(connection, ident, counts)
            rows.change(connection, ident, [State.OPEN], State.PROCESSING)
            enqueue(connection, "validate", ident, {"submission": ident})
        elif row.state is State.CANCELLED:
            raise Conflict(f"submission {ident} was cancelled")
        return rows.shown(connection, rows.find(connection, ident))


def cancel(parts: Parts, caller: Caller, ident: str) -> None:
    """End a submission that nobody accepted yet; nothing of it is kept. Idempotent."""
    with begin_writing(parts.engine) as connection:
        row = find_own(connection, caller, ident)
        if row.state is State.CANCELLED:
            return
        if row.state in OVER or row.state is State.LOADING:
            raise Conflict(f"submission {ident} is {row.state}: there is nothing to cancel any more")
        close(connection, ident, State.CANCELLED)


def close(connection: sa.Connection, ident: str, state: State, problem: str = "", **values: str) -> None:
    """End a submission of which nothing is to be kept, by the caller's commit; a job deletes what is here. What would
    have become public goes at once, for its counts are exact."""
    before = [each for each in State if each not in OVER and each is not State.LOADING]
    rows.change(connection, ident, before, state, problem=problem, preview=None, **values)
    enqueue(connection, "clear", ident, {"submission": ident})


def folder(ident: str) -> str:
    """What the keys of a submission's blobs begin with."""
    return f"{INBOX}{ident.lower()}/"


def _require_few(parts: Parts, connection: sa.Connection, subject: str) -> None:
    """Each takes up to 4 MiB for its manifest, and nobody is to fill the database with them."""
    t = tables.submission.c
    open_ = sa.select(t.id).where(t.subject == subject, t.state == State.OPEN.value).order_by(t.created, t.id)
    mine = connection.scalars(open_).all()
    if len(mine) >= parts.settings.most_open:
        raise Conflict(f"you have {len(mine)} open submissions here: finish or cancel one, such as {mine[0]}")
    vain = t.state.in_([State.CANCELLED.value, State.REFUSED.value])
    if rows.count(connection, t.subject == subject, vain, t.created > rows.time_text(days_ago=1)) >= MOST_VAIN_A_DAY:
        raise RateLimited(
            f"{MOST_VAIN_A_DAY} submissions that you began within a day were cancelled or refused: validate files "
            "before you send them (`megagenome node validate`), and go on tomorrow"
        )


def _require_open(parts: Parts, caller: Caller, ident: str) -> rows.Row:
    with parts.engine.connect() as connection:
        row = find_own(connection, caller, ident)
    require_provider(parts, caller, row.manifest.dataset)
    if row.state is not State.OPEN:
        raise Conflict(f"submission {ident} is {row.state}: no more is taken for it")
    return row


def _require_place(manifest: Manifest, file: int, number: int) -> None:
    if not 0 <= file < len(manifest.files):
        raise Invalid(f"there is no file {file}: the manifest has {len(manifest.files)}, counted from 0")
    if not 0 <= number < 1_000_000:
        raise Invalid(f"part {number}: parts are numbered from 0 to 999,999")


def _is_there(connection: sa.Connection, row: rows.Row, file: int, part: Part) -> bool:
    known = rows.find_part(connection, row.id, file, part.number)
    if known is not None and known.sha256 != part.sha256:
        path = row.manifest.files[file].path
        raise Conflict(f"part {part.number} of {path} is here already with another content: nothing was changed")
    return known is not None


def _require_sealed(connection: sa.Connection, row: rows.Row, file: int, part: Part, content: bytes) -> None:
    """Nothing plain comes to the disk by mistake: the begin of a sealed file says what it is, and comes first."""
    path = row.manifest.files[file].path
    if part.number == 0 and not content.startswith(MAGIC):
        raise Invalid(f"{path} is not sealed as Crypt4GH: seal it for the node's key first; nothing of it was kept")
    if part.number > 0 and rows.find_part(connection, row.id, file, 0) is None:
        raise Conflict(f"part 0 of {path} is not here yet: send it first, for by it one sees that the file is sealed")


def _require_size(connection: sa.Connection, row: rows.Row, file: int, part: Part) -> None:
    """Refuse bytes that no file of the stated size has, before they fill the disk."""
    stated = row.manifest.files[file]
    most = sealed_size(stated.size_bytes) + _HEADER_ROOM_BYTES
    if part.number > most // LEAST_PART_BYTES:
        raise Invalid(
            f"{stated.path}: part {part.number:,} of so small parts; send parts of {LEAST_PART_BYTES:,} bytes or more"
        )
    here = rows.received_bytes(connection, row.id, file)
    if here + part.size_bytes > most:
        raise TooLarge(f"{stated.path}: more was sent than a file of the stated {stated.size_bytes:,} bytes can have")


def _require_all(connection: sa.Connection, row: rows.Row, file: int, count: int) -> None:
    here = {each.part.number for each in rows.parts_of(connection, row.id, file)}
    path = row.manifest.files[file].path
    missing = next((number for number in range(count) if number not in here), None)
    if missing is not None:
        raise Conflict(f"{path}: part {missing} of {count} is not here yet; send what is missing")
    if count < 1 or len(here) != count:
        raise Conflict(f"{path}: {len(here)} parts are here, and {count} are stated")
