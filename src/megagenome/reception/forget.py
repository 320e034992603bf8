# SPDX-License-Identifier: Apache-2.0
"""What reception knows of a file that is shredded: nothing may be left by which it or its people could be told."""

import msgspec
import sqlalchemy as sa

from megagenome.kernel.errors import Conflict
from megagenome.kernel.jobs import enqueue
from megagenome.kernel.sealed_files import FileId
from megagenome.reception import rows, tables
from megagenome.standards.submission import OVER, Manifest, State
from megagenome.standards.validation_report import QualityControl, Report

_f, _p, _s = tables.file.c, tables.part.c, tables.submission.c


def require_over(engine: sa.Engine, file: FileId) -> None:
    """Raise `Conflict` where a file's sealed parts are still here, which its recipient key opens: of a submission that
    is not over, or was over a moment ago."""
    with engine.connect() as connection:
        found = _find(connection, file)
        if found is None:
            return
        row, _ = found
        if row.state not in OVER:
            raise Conflict(
                f"{file} is of submission {row.id}, which is {row.state}: a data steward rejects it, or its provider "
                "cancels it, and all of it is shredded"
            )
        if connection.scalar(sa.select(_p.key).where(_p.submission == row.id).limit(1)) is not None:
            raise Conflict(f"what was sent of {file} is being deleted: shred it in a minute")


def forget_file(connection: sa.Connection, file: FileId) -> None:
    """Overwrite what is noted of a file that is shredded by the same commit: its path becomes its id, and its samples
    and what was found of them go. A submission that is not over, as one of a restored database, ends; one that was not
    accepted keeps its report for as long as its provider may need it (`KEPT_DAYS`), and then goes whole. Idempotent."""
    found = _find(connection, file)
    if found is None or (found[0].state in OVER and found[0].state is not State.ACCEPTED):
        return
    row, path = found
    report = None if row.report is None else _without(msgspec.json.decode(row.report, type=Report), path, file)
    values = {
        "manifest": msgspec.json.encode(_renamed(row.manifest, path, file)).decode(),
        "report": None if report is None else msgspec.json.encode(report).decode(),
    }
    if row.state not in OVER:
        values |= {"state": State.REFUSED.value, "problem": f"{file} of it was shredded", "preview": None}
        enqueue(connection, "clear", row.id, {"submission": row.id})
    connection.execute(sa.update(tables.submission).where(_s.id == row.id).values(**values))


def _find(connection: sa.Connection, file: FileId) -> tuple[rows.Row, str] | None:
    """The submission that a file came with, and its path there."""
    mine = connection.execute(sa.select(_f.submission, _f.number).where(_f.file == file)).first()
    if mine is None:
        return None
    row = rows.find(connection, mine.submission)
    return row, row.manifest.files[mine.number].path


def _renamed(manifest: Manifest, path: str, name: str) -> Manifest:
    def of(each: str) -> str:
        return name if each == path else each

    files = []
    for each in manifest.files:
        changed = msgspec.structs.replace(each, path=of(each.path), index_of=each.index_of and of(each.index_of))
        files.append(msgspec.structs.replace(changed, samples=None) if each.path == path else changed)
    return msgspec.structs.replace(manifest, files=tuple(files), people=tuple(map(of, manifest.people)))


def _without(report: Report, path: str, name: str) -> Report:
    gone = {sample for each in report.files if each.name == path for sample in each.samples}
    left = {sample for each in report.files if each.name != path for sample in each.samples}
    files = tuple(
        msgspec.structs.replace(each, name=name, samples=(), messages=()) if each.name == path else each
        for each in report.files
    )
    # messages of the whole may name anybody
    qc = None if report.qc is None else _quality_without(report.qc, gone - left)
    return msgspec.structs.replace(report, files=files, messages=(), qc=qc)


def _quality_without(qc: QualityControl, gone: set[str]) -> QualityControl:
    return msgspec.structs.replace(
        qc,
        samples=tuple(each for each in qc.samples if each.sample not in gone),
        duplicates=tuple(each for each in qc.duplicates if not gone & {each.first, each.second}),
    )
