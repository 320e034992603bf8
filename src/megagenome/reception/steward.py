# SPDX-License-Identifier: Apache-2.0
"""What a data steward decides of a submission, and the load that follows a yes.

A load's commit is the one moment at which people and genotypes are in the dataset, its files may be given out, and the
submission is accepted. The dataset stays in the state that it has: a new one is a draft, and nobody is told of it.
"""

import msgspec
import sqlalchemy as sa

from megagenome.collection.datasets import state_dataset
from megagenome.collection.load import load
from megagenome.collection.version import raise_version
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NotEntitled, NotFound, TooLarge
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.jobs import enqueue
from megagenome.kernel.ledger import Act, Kind
from megagenome.kernel.worker import Effects, Lease
from megagenome.reception import rows
from megagenome.reception.parts import Parts
from megagenome.reception.preview import statement_of
from megagenome.reception.read_archived import Archived, archived_files, archived_sources, read_archived_people
from megagenome.reception.uploads import close
from megagenome.standards.submission import (
    GENOTYPE_FORMATS,
    LONGEST_REASONS,
    PEOPLE_FORMATS,
    Decision,
    Preview,
    State,
    Submission,
)


def decide(parts: Parts, caller: Caller, ident: str, decision: Decision) -> Submission:
    """Accept a reported submission, or reject it with reasons. Durable and in the ledger on return.

    Nobody decides on what they sent themselves. Raises `Unauthenticated`, `NotEntitled`, `Invalid`, `NotFound`;
    `TooLarge` for reasons of more than `LONGEST_REASONS`; `Conflict` where it does not wait for a decision.
    """
    steward = caller.require(Role.DATA_STEWARD)
    if not decision.accept and not decision.reasons.strip():
        raise Invalid("write the reasons: a no without reasons helps nobody to send it right")
    reasons = decision.reasons.strip()
    if len(reasons) > LONGEST_REASONS:
        raise TooLarge(f"reasons have at most {LONGEST_REASONS:,} characters, these {len(reasons):,}: shorten them")
    with begin_writing(parts.engine) as connection:
        row = rows.find(connection, ident)
        if row.subject == steward:
            raise NotEntitled("somebody else decides on what you sent yourself")
        if row.state is not State.REPORTED:
            raise Conflict(f"submission {ident} is {row.state}: it does not wait for a decision")
        told = {"reasons": reasons, "decided_by": steward}
        if decision.accept:
            number = row.decisions + 1
            rows.change(connection, ident, [State.REPORTED], State.LOADING, problem="", decisions=number, **told)
            enqueue(connection, "load", f"{ident}/{number}", {"submission": ident})
        else:
            close(connection, ident, State.REJECTED, **told)
        word = f"{'accepted' if decision.accept else 'rejected'}:{ident}"
        act = Act(Kind.DECISION, steward, caller.name, row.manifest.dataset, detail=word)
        parts.ledger.write(connection, act)
        return rows.shown(connection, rows.find(connection, ident))


def preview(parts: Parts, caller: Caller, ident: str) -> Preview:
    """What would become public. For data stewards. Raises `Unauthenticated`, `NotEntitled`, `NotFound`, `Conflict`
    where it is not known yet."""
    caller.require(Role.DATA_STEWARD)
    with parts.engine.connect() as connection:
        row = rows.find(connection, ident)
    if row.preview is None:
        raise Conflict(f"submission {ident} is {row.state}: what would become public is not known yet")
    return msgspec.json.decode(row.preview, type=Preview)


def load_accepted(parts: Parts, lease: Lease, ident: str) -> Effects | None:
    """The job `load`: a load of all of a submission's files, or its way back to the steward with the reason."""
    with parts.engine.connect() as connection:
        row = rows.find(connection, ident)
    files = archived_files(parts, row)
    if row.state is State.LOADING:
        try:
            _load(parts, lease, row, files)
        except (Invalid, Corrupt, Conflict, NotFound) as error:
            lease.require()  # where a stop ended the load, another attempt is made
            problem = f"the load was refused: {error}"
            return lambda connection: rows.change(connection, ident, [State.LOADING], State.REPORTED, problem=problem)
    elif row.state is not State.ACCEPTED:
        return None
    counted = _with_alleles(parts, row)
    return lambda connection: rows.change(connection, ident, [State.ACCEPTED], preview=counted)


def _load(parts: Parts, lease: Lease, row: rows.Row, files: list[Archived]) -> None:
    def accepted(connection: sa.Connection) -> None:
        rows.change(connection, row.id, [State.LOADING], State.ACCEPTED)
        parts.archive.make_ready(connection, [each.file for each in files], row.decided_by)
        enqueue(connection, "clear", row.id, {"submission": row.id})

    if not any(each.format in (*PEOPLE_FORMATS, *GENOTYPE_FORMATS) for each in files):
        with begin_writing(parts.engine) as connection:  # reads alone: nothing of them is counted
            raise_version(connection)
            state_dataset(connection, statement_of(row.manifest))
            accepted(connection)
        return
    parts.archive.require_room()
    people = read_archived_people(parts, files, "load")
    sources = archived_sources(parts, files, lease.require)
    load(parts.collection, statement_of(row.manifest), people, sources, row.manifest.assembly, also=accepted)


def _with_alleles(parts: Parts, row: rows.Row) -> str | None:
    if row.preview is None:
        return None
    found = parts.counts_told(DatasetId(row.manifest.dataset))
    before = msgspec.json.decode(row.preview, type=Preview)
    if found is None:
        return row.preview
    after = msgspec.structs.replace(before, alleles=found.told, alleles_held_back=found.held_back)
    return msgspec.json.encode(after).decode()
