# SPDX-License-Identifier: Apache-2.0
"""Cohorts that people saved at this hub: each its owner's alone, named by the cohort's own id.

They stand before any application, which freezes the definition in its first event: renaming or deleting a saved cohort
changes no application. The table is `access_cohort`, beside the people whose rows are erased with them.
"""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.case import World
from megagenome.access.needs import IdentifyCohort
from megagenome.access.projection import stamp
from megagenome.access.store import Store, Transaction
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Invalid, NotFound, TooLarge
from megagenome.standards.application import CohortRef, PersonKey
from megagenome.standards.saved_cohort import (
    NodeCount,
    RecountCohort,
    RenameCohort,
    SaveCohort,
    SavedCohort,
    SavedCohorts,
)

LARGEST_TOLD = 100_000
"""Characters of what nodes told, some 500 nodes: whoever can sign in may save, and a page of these is read at once."""

_row = t.cohort.c


class Cohorts:
    """The saved cohorts of everybody, of which each caller sees their own. Safe for threads; all is durable on return.

    Every function raises `Unauthenticated` for the public. What somebody else saved answers as what nobody did.
    """

    def __init__(self, store: Store, world: World) -> None:
        self.store = store
        self.world = world

    def list(self, caller: Caller, skip: int, limit: int) -> SavedCohorts:
        """The caller's; what was saved or recounted last stands first."""
        mine = t.person.c.subject == caller.require_subject()
        source = t.cohort.join(t.person, t.person.c.key == _row.owner)
        counted = sa.select(sa.func.count()).select_from(source).where(mine)
        asked = sa.select(t.cohort).select_from(source).where(mine).order_by(_row.saved.desc(), _row.id)
        with self.store.engine.connect() as connection:
            total = connection.execute(counted).scalar_one()
            rows = connection.execute(asked.offset(skip).limit(limit)).all()
        return SavedCohorts(total, skip, self.world.settings.saved_cohorts, tuple(map(_shown, rows)))

    def find(self, caller: Caller, cohort: str) -> SavedCohort:
        """One. Raises `NotFound`."""
        source = t.cohort.join(t.person, t.person.c.key == _row.owner)
        mine = (t.person.c.subject == caller.require_subject(), _row.id == cohort)
        with self.store.engine.connect() as connection:
            row = connection.execute(sa.select(t.cohort).select_from(source).where(*mine)).one_or_none()
        if row is None:
            raise _not_found(cohort)
        return _shown(row)

    def save(self, caller: Caller, order: SaveCohort) -> SavedCohort:
        """Save a cohort; one that the caller saved before stays as it is, with its first title and counts.

        Raises `Invalid` where id and definition do not agree, `TooLarge` for who saved as many as this hub keeps, and
        for counts of more nodes than a network has.
        """
        subject = caller.require_subject()
        ref = check_cohort(self.world.identify_cohort, order.cohort, order.definition)
        told = msgspec.json.encode(order.told).decode()
        if len(told) > LARGEST_TOLD:
            raise TooLarge(f"what the nodes told has over {LARGEST_TOLD:,} characters: save the cohort without it")
        texts = {"title": _one_line(order.title), "note": order.note.strip(), "question": order.question.strip()}
        _refuse_nul(*texts.values())
        with self.store.transaction() as transaction:
            transaction.begin_write()
            owner = transaction.person(subject, caller.name)
            known = _known(transaction, owner, ref.id)
            if known is None:
                self._require_room(transaction, owner)
                row = {**texts, "definition": ref.definition, "told": told, "saved": stamp(clock.now())}
                transaction.connection.execute(sa.insert(t.cohort).values(owner=owner, id=ref.id, **row))
                known = _known(transaction, owner, ref.id)
        return _shown(known)

    def rename(self, caller: Caller, cohort: str, order: RenameCohort) -> SavedCohort:
        """Replace title and note. Idempotent. Raises `NotFound`, `Invalid`."""
        subject, title, note = caller.require_subject(), _one_line(order.title), order.note.strip()
        _refuse_nul(title, note)
        with self.store.transaction() as transaction:
            transaction.begin_write()
            row = _require(transaction, subject, cohort)
            changed = sa.update(t.cohort).where(_row.owner == row.owner, _row.id == cohort)
            transaction.connection.execute(changed.values(title=title, note=note))
            return _shown(_known(transaction, row.owner, cohort))

    def recount(self, caller: Caller, cohort: str, order: RecountCohort) -> SavedCohort:
        """Replace what was told, and when. Raises `NotFound`."""
        subject, told = caller.require_subject(), msgspec.json.encode(order.told).decode()
        with self.store.transaction() as transaction:
            transaction.begin_write()
            row = _require(transaction, subject, cohort)
            changed = sa.update(t.cohort).where(_row.owner == row.owner, _row.id == cohort)
            transaction.connection.execute(changed.values(told=told, saved=stamp(clock.now())))
            return _shown(_known(transaction, row.owner, cohort))

    def delete(self, caller: Caller, cohort: str) -> SavedCohort:
        """Delete it; it as it was, so that it can be saved again. No application changes. Raises `NotFound`."""
        subject = caller.require_subject()
        with self.store.transaction() as transaction:
            transaction.begin_write()
            row = _require(transaction, subject, cohort)
            gone = sa.delete(t.cohort).where(_row.owner == row.owner, _row.id == cohort)
            transaction.connection.execute(gone)
        return _shown(row)

    def _require_room(self, transaction: Transaction, owner: PersonKey) -> None:
        most = self.world.settings.saved_cohorts
        counted = sa.select(sa.func.count()).select_from(t.cohort).where(_row.owner == owner)
        if transaction.connection.execute(counted).scalar_one() >= most:
            raise TooLarge(
                f"you have saved {most} cohorts, the most that this hub keeps for one person: delete one first"
            )


def saved_definition(transaction: Transaction, owner: PersonKey, cohort: str) -> str:
    """The definition of a cohort that this person saved. Raises `NotFound`."""
    row = _known(transaction, owner, cohort)
    if row is None:
        raise _not_found(cohort)
    return str(row.definition)


def check_cohort(identify: IdentifyCohort, cohort: str, definition: str) -> CohortRef:
    """A cohort whose id is that of its definition, in the one canonical text. Raises `Invalid` otherwise."""
    # the id is the digest of the canonical text: another that means the same could carry words that nobody reads
    written = "sha256:" + hashlib.sha256(definition.encode()).hexdigest()
    if not identify(definition) == cohort == written:
        raise Invalid(f"the cohort's definition is not that of {cohort}: count it anew")
    return CohortRef(cohort, definition)


def erase_cohorts(transaction: Transaction, owner: PersonKey) -> None:
    """Delete all that a person saved. Idempotent."""
    transaction.connection.execute(sa.delete(t.cohort).where(_row.owner == owner))


def _require(transaction: Transaction, subject: str, cohort: str) -> Any:
    owner = transaction.find_person(subject)
    row = _known(transaction, owner, cohort) if owner else None
    if row is None:
        raise _not_found(cohort)
    return row


def _known(transaction: Transaction, owner: PersonKey, cohort: str) -> Any:
    asked = sa.select(t.cohort).where(_row.owner == owner, _row.id == cohort)
    return transaction.connection.execute(asked).one_or_none()


def _shown(row: Any) -> SavedCohort:
    return SavedCohort(
        CohortRef(row.id, row.definition),
        row.title,
        row.note,
        row.question,
        datetime.fromisoformat(row.saved),
        msgspec.json.decode(row.told, type=tuple[NodeCount, ...]),
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _refuse_nul(*texts: str) -> None:
    if any("\0" in text for text in texts):
        raise Invalid("the text holds a NUL character; write it anew")


def _not_found(cohort: str) -> NotFound:
    return NotFound(f"you have saved no cohort {cohort[:80]!r}: count it, then save it")
