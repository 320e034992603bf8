# SPDX-License-Identifier: Apache-2.0
"""Files that an operator lets out, or withdraws. That a steward accepted a file is in the database alone: what a
rebuild finds again of a lost one waits for the operator's word, and so does what the operator withdrew."""

from collections.abc import Sequence

import sqlalchemy as sa

from megagenome.collection.file_admission import people_of
from megagenome.collection.publication import read_row
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState
from megagenome.reception import tables
from megagenome.reception.needs import Keeps
from megagenome.standards.submission import State

_CAME_WITH = sa.select(tables.submission.c.id, tables.submission.c.state, tables.file.c.file).join_from(
    tables.file, tables.submission
)
_NAMED_AT_MOST = 5


def let_out(engine: sa.Engine, archive: Keeps, files: Sequence[FileId], by: str) -> None:
    """Let all of these files and their indexes be given out, or none, on behalf of the subject `by`; durable, and in
    the ledger, on return. Idempotent.

    What no steward accepted is not let out: raises `Conflict` for a file of a submission that was not accepted, and for
    one of an unknown submission that has samples which its dataset has not; `Conflict` also for one that is neither
    verified nor withdrawn; `NotFound` where there is no such file, or no dataset of it.
    """
    found = [_require(archive, file) for file in files]
    with begin_writing(engine) as connection:
        for each in found:
            if not _require_no_other_says(connection, each.id):
                _require_samples(connection, each)
        archive.make_ready(connection, files, by)


def withdraw(engine: sa.Engine, archive: Keeps, files: Sequence[FileId], by: str) -> None:
    """Let none of these files and their indexes be given out, on behalf of the subject `by`; durable, and in the
    ledger, on return. `let_out` undoes it. Idempotent.

    Raises `Conflict` for a file of a submission that is not accepted, which a steward rejects, and for one that nobody
    verified or that was shredded; `NotFound`.
    """
    with begin_writing(engine) as connection:
        for file in files:
            _require_no_other_says(connection, file)
        archive.withdraw(connection, files, by)


def waiting_for_the_operator(engine: sa.Engine, archive: Keeps, dataset: DatasetId | None = None) -> list[ArchivedFile]:
    """Files, of a dataset or of all, that are archived or verified, and that nobody but the operator lets out: no
    submission that is under way brings them."""
    with engine.connect() as connection:  # before the files, of which those of new submissions are not yet there then
        accepted = tables.submission.c.state == State.ACCEPTED.value
        others = {row.file for row in connection.execute(_CAME_WITH.where(~accepted))}
    kept = (FileState.ARCHIVED, FileState.VERIFIED)
    return [each for each in archive.files_of(dataset) if each.state in kept and each.id not in others]


def _require(archive: Keeps, file: FileId) -> ArchivedFile:
    found = archive.find(file)
    if found is None:
        raise NotFound(f"there is no file {file} in this archive; `megagenome node archive list` shows what there is")
    return found


def _require_no_other_says(connection: sa.Connection, file: FileId) -> bool:
    """Whether a submission is known that brought it, which must have been accepted."""
    row = connection.execute(_CAME_WITH.where(tables.file.c.file == file)).first()
    if row is not None and row.state != State.ACCEPTED.value:
        raise Conflict(f"{file} is of submission {row.id}, which is {row.state}: a data steward decides on that")
    return row is not None


def _require_samples(connection: sa.Connection, file: ArchivedFile) -> None:
    number = int(read_row(connection, file.dataset).number)
    unknown = sorted(set(file.samples) - people_of(connection, number, file.samples).keys())
    if unknown:
        raise Conflict(
            f"{file.id} has samples that are nobody's in {file.dataset}: {', '.join(unknown[:_NAMED_AT_MOST])}"
            f"{' and others' if len(unknown) > _NAMED_AT_MOST else ''}; restore or load its people first"
        )
