# SPDX-License-Identifier: Apache-2.0
"""The reception of a node: everything that others do with it."""

import msgspec
import sqlalchemy as sa

from megagenome.kernel.callers import Caller
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.worker import Perform
from megagenome.reception import rows, steward, tables, uploads
from megagenome.reception.parts import Parts, find_seen, is_steward
from megagenome.reception.process import performing
from megagenome.standards.submission import (
    KEPT_DAYS,
    OVER,
    Decision,
    Manifest,
    Part,
    Preview,
    State,
    Submission,
    Submissions,
)


class Reception:
    """Submissions from their manifest to the dataset. Safe to use from many threads and processes on one database.

    A submission is seen by who sends it and by data stewards; to everybody else it is as if there were none.
    """

    def __init__(self, parts: Parts) -> None:
        """For `app`, which has all the parts."""
        self._parts = parts

    def begin(self, caller: Caller, manifest: Manifest) -> Submission:
        """Open a submission; see `uploads.begin`."""
        return uploads.begin(self._parts, caller, manifest)

    def require_welcome(self, caller: Caller, dataset: str) -> None:
        """Raise what `begin` would without a manifest; see `uploads.require_welcome`."""
        uploads.require_welcome(self._parts, caller, dataset)

    def require_wanted(self, caller: Caller, submission: str, file: int, number: int) -> None:
        """Raise what `put_part` would without the part; see `uploads.require_wanted`."""
        uploads.require_wanted(self._parts, caller, submission, file, number)

    def put_part(
        self, caller: Caller, submission: str, file: int, number: int, content: bytes, sha256: str
    ) -> tuple[Part, bool]:
        """Take a part of a file, and say whether it is new; see `uploads.put_part`."""
        return uploads.put_part(self._parts, caller, submission, file, number, content, sha256)

    def complete(self, caller: Caller, submission: str, parts: tuple[int, ...]) -> Submission:
        """All was sent: let the node's work on it begin; see `uploads.complete`."""
        return uploads.complete(self._parts, caller, submission, parts)

    def cancel(self, caller: Caller, submission: str) -> None:
        """End one's own submission before it is accepted; see `uploads.cancel`."""
        uploads.cancel(self._parts, caller, submission)

    def decide(self, caller: Caller, submission: str, decision: Decision) -> Submission:
        """Accept or reject what was reported; see `steward.decide`."""
        return steward.decide(self._parts, caller, submission, decision)

    def preview(self, caller: Caller, submission: str) -> Preview:
        """What would become public; see `steward.preview`."""
        return steward.preview(self._parts, caller, submission)

    def all(self, caller: Caller) -> Submissions:
        """One's own submissions; a data steward's: all. Newest first, without their parts; at most 1,000,
        and fewer of long manifests."""
        subject = caller.require_subject()
        where = () if is_steward(caller) else (tables.submission.c.subject == subject,)
        with self._parts.engine.connect() as connection:
            found = rows.listed(connection, *where)
            return Submissions(tuple(_as_told(caller, rows.shown(connection, row, with_parts=False)) for row in found))

    def show(self, caller: Caller, submission: str) -> Submission:
        """One submission, with the parts that are here. Raises `NotFound`."""
        with self._parts.engine.connect() as connection:
            return _as_told(caller, rows.shown(connection, find_seen(connection, caller, submission)))

    def report(self, caller: Caller, submission: str) -> str:
        """What validation found, as JSON. Raises `NotFound`; `Conflict` where it is not known yet."""
        row = self._seen(caller, submission)
        if row.report is None:
            raise Conflict(f"submission {submission} is {row.state}: there is no report yet")
        return row.report

    def receipt(self, caller: Caller, submission: str) -> str:
        """The signed receipt (`standards.submission.read_receipt`). Raises `NotFound`; `Conflict` before it is."""
        row = self._seen(caller, submission)
        if row.receipt is None:
            raise Conflict(f"submission {submission} is {row.state}: there is no receipt of it")
        return row.receipt

    def performing(self) -> dict[str, Perform]:
        """What does reception's jobs, for a `kernel.worker.Worker`."""
        return performing(self._parts)

    def tidy(self) -> int:
        """Cancel submissions that nobody went on with, forget those that ended long ago without being accepted, and
        delete what killed uploads left of those that are over; how many were cancelled. Idempotent; for every start and
        now and then."""
        t, days = tables.submission.c, self._parts.settings.keep_open_days
        stale = (t.state == State.OPEN.value, t.changed < rows.time_text(days))
        with begin_writing(self._parts.engine) as connection:
            found = rows.select(connection, *stale)
            for row in found:
                uploads.close(connection, row.id, State.CANCELLED, f"nothing was sent for {days} days")
            rows.forget_ended(connection, rows.time_text(KEPT_DAYS))
        self._sweep()
        return len(found)

    def _sweep(self) -> None:
        store, known = self._parts.store, ""
        delete = False
        for key in list(store.keys(uploads.INBOX)):
            ident = key.removeprefix(uploads.INBOX).partition("/")[0].upper()
            if ident != known:
                known, delete = ident, self._is_over(ident)
            if delete:
                store.delete(key)

    def _is_over(self, ident: str) -> bool:
        try:
            with self._parts.engine.connect() as connection:
                return rows.find(connection, ident).state in OVER
        except NotFound:
            return True

    def _seen(self, caller: Caller, submission: str) -> rows.Row:
        with self._parts.engine.connect() as connection:
            return find_seen(connection, caller, submission)


def _as_told(caller: Caller, shown: Submission) -> Submission:
    """Some problems are for data stewards alone, who tell what they see fit: why a load was refused, which may say what
    other providers recorded of the same people, and what the node itself lacks."""
    if not shown.problem or is_steward(caller) or shown.state not in (State.REPORTED, *rows.WAITING):
        return shown
    told = "a load was refused; a data steward sees why, and decides again"
    if shown.state is not State.REPORTED:
        told = f"waits, and is tried again: this node cannot go on now; its operator's log says why, under {shown.id}"
    return msgspec.structs.replace(shown, problem=told)


def erase_provider(connection: sa.Connection, subject: str, instead: str) -> int:
    """Take a person's name from what they sent or decided, by the caller's commit; in how many submissions it stood.
    What they sent stays what it is."""
    t = tables.submission
    sent = connection.execute(sa.update(t).where(t.c.subject == subject).values(subject=instead, name=""))
    decided = connection.execute(sa.update(t).where(t.c.decided_by == subject).values(decided_by=instead))
    return sent.rowcount + decided.rowcount
