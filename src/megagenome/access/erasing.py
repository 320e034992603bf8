# SPDX-License-Identifier: Apache-2.0
"""Erasing what is personal, for the operator. Events stay, and with them the state of every application.

A person is erased from the table of people, with all that they wrote or attached, the cohorts that they saved and the
permits that name them; an application with all that anybody wrote in it. Neither while an application of theirs still
runs: its permit names them, and a node could not say any more who may read.
"""

import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.case import World
from megagenome.access.cohorts import erase_cohorts
from megagenome.access.events import Attached
from megagenome.access.model import ENDED, Application, Attachment, TextId
from megagenome.access.projection import project
from megagenome.access.store import Store, Transaction, not_found
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.standards.application import ApplicationId, PersonKey


def erase_person(store: Store, world: World, subject: str) -> int:
    """Erase a person; in how many applications they took part. Durable and complete on return.

    Raises `NotFound` for nobody known, `Conflict` naming an application of theirs that has not ended.
    """
    attachments: list[str] = []
    with store.transaction() as transaction:
        transaction.begin_write()
        person = transaction.find_person(subject)
        if person is None:
            raise NotFound("nobody is known here by this subject")
        views = _applications_of(transaction, person)
        for view in views:
            _require_ended(view)
            attachments += [a.id for a in _attached(transaction, view.id) if a.by == person]
            _erase_permits(transaction, view)
        texts = sa.select(t.text.c.id).where(t.text.c.author == person)
        for text in list(transaction.connection.scalars(texts)):
            transaction.erase_text(TextId(text))
        erase_cohorts(transaction, person)
        gone = sa.update(t.person).where(t.person.c.key == person).values(subject=None, name="")
        transaction.connection.execute(gone)
        for view in views:
            project(transaction.connection, view)
    for attachment in attachments:
        world.attachments.erase(attachment)
    return len(views)


def erase_application(store: Store, world: World, application: ApplicationId) -> None:
    """Erase all that was written and attached in an application that has ended. Idempotent.

    Raises `NotFound`, or `Conflict` where it has not ended.
    """
    with store.transaction() as transaction:
        if not transaction.lock(application):
            raise not_found(application)
        view = transaction.view(application)
        _require_ended(view)
        for text in list(transaction.connection.scalars(sa.select(t.text.c.id).where(t.text.c.application == view.id))):
            transaction.erase_text(TextId(text))
        project(transaction.connection, view)
        attachments = [attachment.id for attachment in _attached(transaction, application)]
    for attachment in attachments:
        world.attachments.erase(attachment)


def sweep_attachments(store: Store, world: World) -> int:
    """Erase documents that a killed process left; how many. Before serving, never during.

    They are those that no event names, and those whose name was erased already.
    """
    with store.transaction() as transaction:
        attached = [a for application in store.applications() for a in _attached(transaction, application)]
        names = transaction.texts(attachment.name for attachment in attached)
    kept = {attachment.id for attachment in attached if attachment.name in names}
    unknown = [attachment for attachment in world.attachments.ids() if attachment not in kept]
    for attachment in unknown:
        world.attachments.erase(attachment)
    return len(unknown)


def _applications_of(transaction: Transaction, person: PersonKey) -> list[Application]:
    asked = sa.select(t.participant.c.application).where(t.participant.c.person == person)
    return [transaction.view(ApplicationId(each)) for each in transaction.connection.scalars(asked)]


def _require_ended(view: Application) -> None:
    if view.state not in ENDED:
        raise Conflict(f"application {view.id} is {view.state}: withdraw, close or revoke it first")


def _attached(transaction: Transaction, application: ApplicationId) -> list[Attachment]:
    bodies = [event.body for event in transaction.events(application)]
    return [body.attachment for body in bodies if isinstance(body, Attached)]


def _erase_permits(transaction: Transaction, view: Application) -> None:
    if view.recommendation and view.recommendation.permit:
        transaction.erase_text(view.recommendation.permit.text)
