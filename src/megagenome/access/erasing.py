# SPDX-License-Identifier: Apache-2.0
"""Erasing what is personal, for the operator. Events stay, and with them the state of every application.

A person is erased from the table of people, with all that they wrote or attached, the cohorts that they saved, the
permits that name them and the decisions that they signed; an application with all that anybody wrote in it. Neither
while an application of theirs still runs: its permit names them, and a node could not say any more who may read. A
draft, which nobody waits for, is withdrawn. Who only dealt with applications at a desk is erased at any time, and these
go on.

Documents are erased before the commit: a process that is killed between leaves names of documents that are gone, which
the next erasing finds. The other way it would leave documents that nothing leads to.
"""

from datetime import datetime

import msgspec
import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.cohorts import erase_cohorts
from megagenome.access.desk_rows import find_held, show_item, without_person
from megagenome.access.events import Actor, Attached, Decided, Event, Withdrawn
from megagenome.access.model import ENDED, Application, Attachment, TextId
from megagenome.access.needs import Attachments
from megagenome.access.projection import project
from megagenome.access.store import Store, Transaction, not_found
from megagenome.kernel.errors import Conflict
from megagenome.standards.application import ApplicationId, PersonKey, ProcessRole, State

_COMMAND = "erase"
"""In place of a client's id of the command by which a draft was withdrawn."""


def erase_person(transaction: Transaction, attachments: Attachments, subject: str, now: datetime) -> int | None:
    """Erase a person, by the caller's commit; in how many applications they took part, None for nobody known.

    Raises `Conflict` naming an application of theirs that has not ended.
    """
    transaction.begin_write()
    person = transaction.find_person(subject)
    if person is None:
        return None
    views = [_ended(transaction, view, person, now) for view in _applications_of(transaction, person)]
    for view in views:
        for attachment in _attached(transaction, view.id):
            if attachment.by == person:
                attachments.erase(attachment.id)
        _erase_permits(transaction, view)
    for text in _written_by(transaction, person) | _signed_by(transaction, person):
        transaction.erase_text(text)
    erase_cohorts(transaction, person)
    gone = sa.update(t.person).where(t.person.c.key == person).values(subject=None, name="")
    transaction.connection.execute(gone)
    for view in views:
        project(transaction.connection, view)
    return len(views)


def erase_application(transaction: Transaction, attachments: Attachments, application: ApplicationId) -> None:
    """Erase all that was written and attached in an application that has ended, by the caller's commit. Idempotent.

    Raises `NotFound`, or `Conflict` where it has not ended.
    """
    if not transaction.lock(application):
        raise not_found(application)
    view = transaction.view(application)
    _require_ended(view)
    for attachment in _attached(transaction, application):
        attachments.erase(attachment.id)
    for text in list(transaction.connection.scalars(sa.select(t.text.c.id).where(t.text.c.application == view.id))):
        transaction.erase_text(TextId(text))
    project(transaction.connection, view)


def erase_from_desk(connection: sa.Connection, subject: str, now: datetime) -> int:
    """Erase a person from what a node's country was asked, by the caller's commit; from how many proposals. Idempotent.

    What the country decided stays as it signed it. Raises `Conflict` naming a proposal that waits for a decision.
    """
    named = 0
    for permit in list(connection.scalars(sa.select(t.proposal.c.permit))):
        held = find_held(connection, permit)
        if held is None or subject not in {person.subject for person in held.proposal.document.people}:
            continue
        if show_item(held, now).waits:
            raise Conflict(f"permit {permit} names them and waits for a decision: let it be withdrawn at the hub first")
        without_person(connection, held, subject)
        named += 1
    return named


def sweep_attachments(store: Store, attachments: Attachments) -> int:
    """Erase documents that a killed process left; how many. Before serving, never during.

    They are those that no event names, and those whose name was erased already.
    """
    stored = attachments.ids()
    if not stored:
        return 0
    with store.transaction() as transaction:
        attached = [a for application in store.applications() for a in _attached(transaction, application)]
        names = transaction.texts(attachment.name for attachment in attached)
    kept = {attachment.id for attachment in attached if attachment.name in names}
    unknown = [attachment for attachment in stored if attachment not in kept]
    for attachment in unknown:
        attachments.erase(attachment)
    return len(unknown)


def _ended(transaction: Transaction, view: Application, person: PersonKey, now: datetime) -> Application:
    if view.state is State.DRAFT and view.applicant == person:
        applicant = Actor(person, ProcessRole.APPLICANT, view.organisation)
        return transaction.append(view, applicant, _COMMAND, [Withdrawn()], now)
    _require_ended(view)
    return view


def _applications_of(transaction: Transaction, person: PersonKey) -> list[Application]:
    asked = sa.select(t.participant.c.application).where(t.participant.c.person == person)
    return [transaction.view(ApplicationId(each)) for each in transaction.connection.scalars(asked)]


def _require_ended(view: Application) -> None:
    if view.state not in ENDED:
        raise Conflict(f"application {view.id} is {view.state}: withdraw, close or revoke it first")


def _attached(transaction: Transaction, application: ApplicationId) -> list[Attachment]:
    """Those that were ever attached."""
    bodies = [event.body for event in transaction.events(application)]
    return [body.attachment for body in bodies if isinstance(body, Attached)]


def _written_by(transaction: Transaction, person: PersonKey) -> set[TextId]:
    """What somebody wrote, without the permits that they proposed at their desk: these speak of others, who need them,
    and were erased before where they speak of this person."""
    row = t.text.c
    written = transaction.connection.execute(sa.select(row.id, row.application).where(row.author == person)).all()
    views = [transaction.view(ApplicationId(each)) for each in {row.application for row in written}]
    proposed = {view.recommendation.permit.text for view in views if view.recommendation and view.recommendation.permit}
    return {TextId(row.id) for row in written} - proposed


def _signed_by(transaction: Transaction, person: PersonKey) -> set[TextId]:
    """The decisions that somebody took for a country, as their node signed them, with their subject: the node keeps its
    own, and the events what was decided and its digest."""
    row = t.event.c
    asked = sa.select(row.body).where(row.body.contains(f'"decided_by":"{person}"', autoescape=True))
    bodies = [msgspec.json.decode(body, type=Event).body for body in transaction.connection.scalars(asked)]
    return {body.token for body in bodies if isinstance(body, Decided) and body.decided_by == person}


def _erase_permits(transaction: Transaction, view: Application) -> None:
    if view.recommendation and view.recommendation.permit:
        transaction.erase_text(view.recommendation.permit.text)
