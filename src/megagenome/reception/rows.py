# SPDX-License-Identifier: Apache-2.0
"""Rows of reception as what they mean, and back."""

import base64
import re
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.sealed_files import FileId, new_file_id
from megagenome.reception import tables
from megagenome.standards.submission import OVER, FileShown, Manifest, Part, State, Submission

_SUBMISSION = re.compile(r"MGS-[A-Z2-7]{16}")
MOST_LISTED_CHARACTERS = 16 << 20
"""Of the manifests of a list together; one alone has up to 4 MiB."""
_s, _f, _p = tables.submission.c, tables.file.c, tables.part.c


WAITING = (State.PROCESSING, State.LOADING)
"""States in which the node's own work is waited for."""


class Row(NamedTuple):
    """A submission as it is recorded."""

    id: str
    subject: str
    name: str
    state: State
    manifest: Manifest
    created: str
    changed: str
    problem: str
    reasons: str
    decided_by: str
    decisions: int
    report: str | None
    preview: str | None
    receipt: str | None


class Stored(NamedTuple):
    """A part, with the key of its blob."""

    key: str
    part: Part


def new_id() -> str:
    """An id that no submission has: 80 random bits."""
    return "MGS-" + base64.b32encode(secrets.token_bytes(10)).decode()


def time_text(days_ago: int = 0) -> str:
    """Now, or so many days ago, as the tables have it; texts sort as times."""
    return (clock.now() - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def insert(connection: sa.Connection, ident: str, manifest: Manifest, subject: str, name: str) -> None:
    """Put down a new submission, and draw the ids of its files."""
    now = time_text()
    row = {
        "id": ident,
        "dataset": manifest.dataset,
        "subject": subject,
        "name": name,
        "state": State.OPEN.value,
        "manifest": msgspec.json.encode(manifest).decode(),
        "created": now,
        "changed": now,
        "problem": "",
        "reasons": "",
        "decided_by": "",
        "decisions": 0,
    }
    connection.execute(sa.insert(tables.submission).values(row))
    files = [{"submission": ident, "number": k, "file": new_file_id()} for k in range(len(manifest.files))]
    connection.execute(sa.insert(tables.file), files)


def find(connection: sa.Connection, ident: str) -> Row:
    """A submission. Raises `NotFound`."""
    row = None
    if _SUBMISSION.fullmatch(ident):
        row = connection.execute(sa.select(tables.submission).where(_s.id == ident)).first()
    if row is None:
        raise missing(ident)
    return _row(row)


def missing(ident: str) -> NotFound:
    """What is said of a submission that there is not, and of another's."""
    return NotFound(f"there is no submission {ident[:40]!r} of yours")


def select(connection: sa.Connection, *where: sa.ColumnElement[bool], limit: int = 1000) -> list[Row]:
    """Submissions, newest first."""
    newest = sa.select(tables.submission).where(*where).order_by(_s.created.desc(), _s.id).limit(limit)
    return [_row(row) for row in connection.execute(newest)]


def listed(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Row]:
    """The same for a list: without reports, previews and receipts, and of long manifests fewer."""
    long = ("report", "preview", "receipt")
    columns = [sa.null().label(each.name) if each.name in long else each for each in tables.submission.c]
    newest = sa.select(*columns).where(*where).order_by(_s.created.desc(), _s.id).limit(1000)
    found: list[Row] = []
    size = 0
    with connection.execute(newest.execution_options(yield_per=10)) as rows:  # PostgreSQL keeps the rest until it ends
        for row in rows:
            size += len(row.manifest)
            if found and size > MOST_LISTED_CHARACTERS:
                break
            found.append(_row(row))
    return found


def count(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> int:
    """How many submissions."""
    return int(connection.scalar(sa.select(sa.func.count()).select_from(tables.submission).where(*where)) or 0)


def change(
    connection: sa.Connection, ident: str, before: Collection[State], after: State | None = None, **values: Any
) -> None:
    """Change a submission that is in one of these states. Raises `Conflict` where it is in another one."""
    if after is not None:
        values["state"] = after.value
    where = (_s.id == ident, _s.state.in_([each.value for each in before]))
    done = connection.execute(sa.update(tables.submission).where(*where).values(changed=time_text(), **values))
    if not done.rowcount:
        state = find(connection, ident).state
        raise Conflict(f"submission {ident} is {state}; this is done while it is {' or '.join(before)}")


def forget_ended(connection: sa.Connection, until: str) -> int:
    """Delete what ended before that time without being accepted, by the caller's commit, once nothing of its files is
    left; how many."""
    ended = _s.state.in_([each.value for each in OVER if each is not State.ACCEPTED])
    cleared = ~sa.exists().where(_p.submission == _s.id)
    forgotten = connection.scalars(sa.select(_s.id).where(ended, _s.changed < until, cleared).limit(1000)).all()
    for ident in forgotten:
        connection.execute(sa.delete(tables.file).where(_f.submission == ident))
        connection.execute(sa.delete(tables.submission).where(_s.id == ident))
    return len(forgotten)


def parts_of(connection: sa.Connection, ident: str, file: int) -> list[Stored]:
    """What is here of a file, by number."""
    mine = sa.select(tables.part).where(_p.submission == ident, _p.file == file).order_by(_p.number)
    return [Stored(row.key, Part(row.number, row.size_bytes, row.sha256)) for row in connection.execute(mine)]


def find_part(connection: sa.Connection, ident: str, file: int, number: int) -> Part | None:
    """A part that is here."""
    where = (_p.submission == ident, _p.file == file, _p.number == number)
    row = connection.execute(sa.select(tables.part).where(*where)).first()
    return None if row is None else Part(row.number, row.size_bytes, row.sha256)


def received_bytes(connection: sa.Connection, ident: str, file: int) -> int:
    """How many bytes of a file are here."""
    summed = sa.select(sa.func.sum(_p.size_bytes)).where(_p.submission == ident, _p.file == file)
    return int(connection.scalar(summed) or 0)


def insert_part(connection: sa.Connection, ident: str, file: int, part: Part, key: str) -> None:
    """Put down a part whose blob is durable."""
    values = msgspec.structs.asdict(part)
    connection.execute(sa.insert(tables.part).values(submission=ident, file=file, key=key, **values))


def delete_parts(connection: sa.Connection, ident: str) -> None:
    """Forget all parts of a submission."""
    connection.execute(sa.delete(tables.part).where(_p.submission == ident))


def files_of(connection: sa.Connection, ident: str) -> list[sa.Row[Any]]:
    """Number, archive id, how many parts, and when it was archived, of each file, in the manifest's order."""
    return list(connection.execute(sa.select(tables.file).where(_f.submission == ident).order_by(_f.number)))


def state_parts(connection: sa.Connection, ident: str, counts: Iterable[int]) -> None:
    """Note of how many parts each file is."""
    for number, count in enumerate(counts):
        where = (_f.submission == ident, _f.number == number)
        connection.execute(sa.update(tables.file).where(*where).values(parts=count))


def note_archived(connection: sa.Connection, ident: str, number: int) -> int:
    """Note that a file is archived and verified; how many of the submission's are not yet."""
    mine = _f.submission == ident
    connection.execute(sa.update(tables.file).where(mine, _f.number == number).values(archived=time_text()))
    left = sa.select(sa.func.count()).where(mine, _f.archived.is_(None))
    return int(connection.scalar(left) or 0)


def shown(connection: sa.Connection, row: Row, *, with_parts: bool = True) -> Submission:
    """As its provider and data stewards see it."""
    here: defaultdict[int, list[Part]] = defaultdict(list)
    if with_parts:
        parts = sa.select(tables.part).where(_p.submission == row.id).order_by(_p.file, _p.number)
        for each in connection.execute(parts):
            here[each.file].append(Part(each.number, each.size_bytes, each.sha256))
    files = tuple(
        FileShown(each.number, tuple(here[each.number]), each.file if each.archived else "")
        for each in files_of(connection, row.id)
    )
    return Submission(
        row.id,
        row.state,
        row.manifest,
        files,
        row.created,
        row.changed,
        row.name,
        row.problem,
        row.reasons,
        row.decided_by,
    )


def archive_ids(connection: sa.Connection, ident: str) -> list[FileId]:
    """The ids of the files in the archive, in the manifest's order."""
    return [FileId(each.file) for each in files_of(connection, ident)]


def _row(row: sa.Row[Any]) -> Row:
    return Row(
        row.id,
        row.subject,
        row.name,
        State(row.state),
        msgspec.json.decode(row.manifest, type=Manifest),
        row.created,
        row.changed,
        row.problem,
        row.reasons,
        row.decided_by,
        row.decisions,
        row.report,
        row.preview,
        row.receipt,
    )
