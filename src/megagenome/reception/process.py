# SPDX-License-Identifier: Apache-2.0
"""What a node does with a submission that is complete: validate all of it, then archive file by file, then report.

1. `validate`  each file from its sealed parts through memory into a process that can do nothing, held against the
               manifest: size, SHA-256, format, samples. One that is not what it should be refuses the submission, and
               nothing of it was ever kept but its sealed parts.
2. `ingest`    of each file: the archive compares every stated checksum again, seals it with a key of its own, and
               reads it back from the disk. The samples that it notes are those found in the file.
3. `report`    the receipt is signed, what would become public is worked out, and a data steward may decide.
4. `clear`     of what ended otherwise: sealed parts are deleted, archived files are shredded.

Each step is a job, done again when it is killed; each looks first whether its submission still waits for it. A
submission's files are archived one after the other, each put down by the one before, so that others get their turn.
"""

import logging
from collections.abc import Callable, Iterator, Sequence

import msgspec
import sqlalchemy as sa

from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NotEntitled, NotFound, TooLarge, Unavailable
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.jobs import enqueue
from megagenome.kernel.sealed_files import Described, Expected, FileId
from megagenome.kernel.worker import Effects, Lease, Perform
from megagenome.reception import rows, tables
from megagenome.reception.contents import LOST, Content, asked, joined
from megagenome.reception.model import Expectations, Submitted
from megagenome.reception.parts import Parts
from megagenome.reception.preview import preview_people
from megagenome.reception.receipt import sign_receipt
from megagenome.reception.steward import load_accepted
from megagenome.reception.uploads import close, folder
from megagenome.reception.validate import timed, validate
from megagenome.standards.submission import GENOME_FORMATS, OVER, Manifest, State, SubmittedFile
from megagenome.standards.validation_report import FileReport, Level, Message, Report, Result

LOAD = "load"
"""The kind of job of which a collection takes one at a time; to another one it says `Conflict`."""

_REFUSED = (Invalid, Corrupt, NotEntitled, TooLarge)
_HOPELESS = (*_REFUSED, NotFound)
_log = logging.getLogger(__name__)


def performing(parts: Parts) -> dict[str, Perform]:
    """What does each kind of job, for a `kernel.worker.Worker`."""
    kinds: dict[str, Callable[[Parts, Lease, str], Effects | None]] = {
        "validate": _validate,
        "ingest": _ingest,
        "report": _report,
        LOAD: load_accepted,
        "clear": _clear,
    }
    return {kind: _noting(parts, perform) for kind, perform in kinds.items()}


def _noting(parts: Parts, perform: Callable[[Parts, Lease, str], Effects | None]) -> Perform:
    """Let people see that they wait for what is tried again and again, and wait for nothing that is not. Why is told to
    data stewards alone (`Reception.show`)."""

    def performed(lease: Lease) -> Effects | None:
        ident = str(lease.job.arguments["submission"])
        try:
            return perform(parts, lease, ident)
        except Conflict:
            raise
        except _HOPELESS as error:
            if lease.job.kind == "clear":  # what is to be deleted is, however long it takes
                raise Unavailable(str(error)) from error
            problem = str(error)
            return lambda connection: _give_up(connection, ident, problem)
        except Exception as error:
            says = error if isinstance(error, Unavailable) else f"a fault of the node's own ({type(error).__name__})"
            t, waiting = tables.submission.c, [each.value for each in rows.WAITING]
            mine = sa.update(tables.submission).where(t.id == ident, t.state.in_(waiting))
            with begin_writing(parts.engine) as connection:
                connection.execute(mine.values(problem=f"waits, and is tried again: {says}"))
            raise

    return performed


def _validate(parts: Parts, lease: Lease, ident: str) -> Effects | None:
    row = _of(parts, ident)
    if row.state is not State.PROCESSING or row.report is not None:
        return None
    manifest = row.manifest
    contents = [_content(parts, lease, row, number) for number in range(len(manifest.files))]
    submitted = [
        Submitted(file.path, content, file.size_bytes) for file, content in zip(manifest.files, contents, strict=True)
    ]
    stated = [file.samples for file in manifest.files if file.format in GENOME_FORMATS]
    samples = None if not stated or None in stated else frozenset(name for each in stated for name in each or ())
    expected = Expectations(manifest.assembly, samples, bool(manifest.people), parts.ontologies)
    report = validate(submitted, expected, parts.settings)
    report = _held_against(report, manifest, contents)

    def told(connection: sa.Connection) -> None:
        text = msgspec.json.encode(report).decode()
        if report.result is Result.FAILED:
            close(connection, ident, State.REFUSED, "it did not pass validation; see the report", report=text)
            return
        rows.change(connection, ident, [State.PROCESSING], report=text, problem="")
        _put_down_ingest(connection, ident, 0)

    return told


def _ingest(parts: Parts, lease: Lease, ident: str) -> Effects | None:
    row, number = _of(parts, ident), int(lease.job.arguments["file"])
    if row.state is not State.PROCESSING:  # an attempt before this one may have archived it after all was cleared
        return lambda connection: _clear_again(connection, ident, number)
    stated, report = row.manifest.files[number], _report_of(row)
    with parts.engine.connect() as connection:
        ids = rows.archive_ids(connection, ident)
        stored = rows.parts_of(connection, ident, number)
    described = _described(row.manifest, stated, report, ids)
    size = sum(each.part.size_bytes for each in stored)
    expected = Expected(stated.sha256, size, stated.md5)
    sealed = joined(parts.store.read, [each.key for each in stored])

    def source() -> Iterator[bytes]:
        return asked(sealed(), lease.require)

    try:
        parts.archive.ingest(ids[number], lease.job.attempt, source, described, expected)
    except _REFUSED as error:
        problem = f"{stated.path}: {error}"
        return lambda connection: _refuse_archived(connection, ident, number, problem)
    try:
        parts.archive.verify(ids[number])
    except Corrupt as error:
        _log.error("submission %s: what was archived is not what lies on the disk: %s", ident, error)
        problem = f"{stated.path}: {LOST}"
        return lambda connection: _refuse_archived(connection, ident, number, problem)

    def archived(connection: sa.Connection) -> None:
        if rows.find(connection, ident).state is not State.PROCESSING:  # it was cancelled meanwhile
            _clear_again(connection, ident, number)
        elif rows.note_archived(connection, ident, number) == 0:
            enqueue(connection, "report", ident, {"submission": ident})
        elif number + 1 < len(row.manifest.files):
            _put_down_ingest(connection, ident, number + 1)

    return archived


def _put_down_ingest(connection: sa.Connection, ident: str, number: int) -> None:
    enqueue(connection, "ingest", f"{ident}/{number}", {"submission": ident, "file": number})


def _refuse_archived(connection: sa.Connection, ident: str, number: int, problem: str) -> None:
    _refuse(connection, ident, problem)
    _clear_again(connection, ident, number)


def _clear_again(connection: sa.Connection, ident: str, number: int) -> None:
    """What is over was perhaps cleared before this file of it was archived."""
    enqueue(connection, "clear", f"{ident}/{number}", {"submission": ident})


def _report(parts: Parts, lease: Lease, ident: str) -> Effects | None:
    row = _of(parts, ident)
    if row.state is not State.PROCESSING:
        return None
    preview = msgspec.json.encode(preview_people(parts, row, _report_of(row))).decode()
    lease.require()
    receipt = sign_receipt(parts, row)

    def reported(connection: sa.Connection) -> None:
        values = {"preview": preview, "receipt": receipt, "problem": ""}
        rows.change(connection, ident, [State.PROCESSING], State.REPORTED, **values)

    return reported


def _clear(parts: Parts, lease: Lease, ident: str) -> Effects | None:
    """Delete the sealed parts of what is over; of what was not accepted, shred what was archived. Idempotent."""
    row = _of(parts, ident)
    if row.state not in OVER:
        return None
    for key in list(parts.store.keys(folder(ident))):
        lease.require()
        parts.store.delete(key)
    if row.state is not State.ACCEPTED:
        with parts.engine.connect() as connection:
            ids = rows.archive_ids(connection, ident)
        for file in ids:
            if parts.archive.find(file) is not None:
                parts.archive.shred(file, row.decided_by or row.subject)
    return lambda connection: rows.delete_parts(connection, ident)


def _of(parts: Parts, ident: str) -> rows.Row:
    with parts.engine.connect() as connection:
        return rows.find(connection, ident)


def _report_of(row: rows.Row) -> Report:
    return msgspec.json.decode(row.report or "", type=Report)


def _content(parts: Parts, lease: Lease, row: rows.Row, number: int) -> Content:
    with parts.engine.connect() as connection:
        stored = rows.parts_of(connection, row.id, number)
    sealed = joined(parts.store.read, [each.key for each in stored])
    return Content(row.manifest.files[number], sealed, parts.archive.keys, lease.require)


def _described(manifest: Manifest, stated: SubmittedFile, report: Report, ids: Sequence[FileId]) -> Described:
    paths, found = [each.path for each in manifest.files], {each.name: each for each in report.files}
    index_of = None if stated.index_of is None else ids[paths.index(stated.index_of)]
    of = found[stated.index_of or stated.path]  # an index tells of those in its file
    samples = of.samples if of.format in GENOME_FORMATS else ()
    kind = found[stated.path].format.upper()
    return Described(DatasetId(manifest.dataset), stated.path, kind, samples, index_of)


def _give_up(connection: sa.Connection, ident: str, problem: str) -> None:
    """What cannot be done however often it is tried: nobody may wait for it for ever."""
    _refuse(connection, ident, problem)
    if rows.find(connection, ident).state is State.LOADING:
        rows.change(connection, ident, [State.LOADING], State.REPORTED, problem=f"the load failed: {problem}")


def _refuse(connection: sa.Connection, ident: str, problem: str) -> None:
    if rows.find(connection, ident).state is State.PROCESSING:
        close(connection, ident, State.REFUSED, problem)


def _held_against(report: Report, manifest: Manifest, contents: Sequence[Content]) -> Report:
    """The report with what only the manifest shows."""
    files = tuple(
        _with_stated(found, stated, content)
        for found, stated, content in zip(report.files, manifest.files, contents, strict=True)
    )
    failed = report.result is Result.FAILED or any(each.result is Result.FAILED for each in files)
    return msgspec.structs.replace(report, files=files, result=Result.FAILED if failed else Result.PASSED)


def _with_stated(found: FileReport, stated: SubmittedFile, content: Content) -> FileReport:
    # what reading ended with is not what the process says that was left without the rest
    messages = () if content.cut else found.messages
    wrong = [content.problem] if content.problem else []
    # JSON that could not be read through was not told apart
    if not content.cut and found.format not in ("", "json", stated.format):
        wrong.append(f"is {found.format}, and the manifest states {stated.format}")
    if not content.cut and stated.samples is not None and found.format in GENOME_FORMATS:
        if more := sorted(set(found.samples) - set(stated.samples)):
            wrong.append(f"has {', '.join(more[:5])}, which the manifest does not name for it")
        if less := sorted(set(stated.samples) - set(found.samples)):
            wrong.append(f"does not have {', '.join(less[:5])}, which the manifest names for it")
    if not wrong:
        return found
    messages = timed((*messages, *(Message(Level.ERROR, text) for text in wrong)))
    return msgspec.structs.replace(found, result=Result.FAILED, messages=messages)
