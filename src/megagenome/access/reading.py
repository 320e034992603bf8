# SPDX-License-Identifier: Apache-2.0
"""Reading applications: every way that shows one asks the table first (`look`, `read`), and answers a stranger as if
there were none. Two readings are for the server itself: proposals for nodes, and the states of permits."""

from typing import NamedTuple

import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.case import World
from megagenome.access.fold import fold
from megagenome.access.model import Application, Attachment
from megagenome.access.rules import may, roles_of
from megagenome.access.shown import show
from megagenome.access.store import Store, Transaction, not_found
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import NotEntitled, NotFound
from megagenome.standards.application import (
    ApplicationId,
    ApplicationShown,
    ClockKind,
    PartState,
    PersonKey,
    ProcessRole,
    State,
    Verb,
)
from megagenome.standards.permit import PermitDocument, PermitState, Proposal, decode_permit


class Document(NamedTuple):
    """An attachment as it is handed out."""

    name: str
    kind: str
    content: bytes


class GrantedPermit(NamedTuple):
    """A permit's document, its state at the hub, and (node, dataset) of what countries granted and have not taken
    back."""

    document: PermitDocument
    state: PermitState
    datasets: frozenset[tuple[str, str]]


class Reader:
    """Reads for callers and for the server. Safe for threads."""

    def __init__(self, store: Store, world: World) -> None:
        self.store = store
        self.world = world

    def application(self, caller: Caller, application: str) -> ApplicationShown:
        """The application as the caller may see it. Raises `Unauthenticated`, `NotFound`."""
        with self.store.transaction() as transaction:
            person, view, roles = self._looked(transaction, caller, application, Verb.LOOK)
            longest = self.world.settings.longest_permit_days
            return show(transaction, view, transaction.events(view.id), person, roles, longest)

    def attachment(self, caller: Caller, application: str, attachment: str) -> Document:
        """A document: the applicant's side reads those of the draft, desks those that were submitted.

        Raises `NotFound` for another and for an erased one, `NotEntitled` for who may look but not read.
        """
        with self.store.transaction() as transaction:
            _, view, roles = self._looked(transaction, caller, application, Verb.READ)
            found = next((a for a in _attachments_for(view, roles) if a.id == attachment), None)
            if found is None:
                raise NotFound("there is no such attachment, or it is not for you")
            name = transaction.texts([found.name]).get(found.name, "")
        return Document(name, found.kind, self.world.attachments.get(attachment))

    def permit(self, caller: Caller, application: str) -> PermitDocument:
        """The proposed permit's document. Raises `NotFound` where there is none, or it was erased."""
        with self.store.transaction() as transaction:
            _, view, _ = self._looked(transaction, caller, application, Verb.READ)
            return _document(transaction, view)

    def proposals_of(self, transaction: Transaction, application: ApplicationId, node: str) -> tuple[Proposal, ...]:
        """What one node's countries have to decide of an application: to be sent to the node, which answers with a
        signed decision. Empty where nothing of it waits any more."""
        view = transaction.view(application)
        waits = view.state in (State.NATIONAL_WINDOW, State.ACTIVE, State.SUSPENDED)
        return tuple(_proposals(transaction, view, node)) if waits else ()

    def granted(self, permit: str) -> "GrantedPermit | None":
        """A permit that countries were asked for, as it stands now; None where there is none with this id, or its
        document was erased. For the server itself."""
        asked = sa.select(t.application.c.id, t.application.c.permit_state).where(t.application.c.permit == permit)
        with self.store.transaction() as transaction:
            row = transaction.connection.execute(asked).one_or_none()
            if row is None or row.permit_state is None:
                return None
            view = transaction.view(ApplicationId(row.id))
            try:
                document = _document(transaction, view)
            except NotFound:
                return None
        approved = frozenset((p.dataset.node, p.dataset.dataset) for p in view.parts if p.state is PartState.APPROVED)
        return GrantedPermit(document, PermitState(row.permit_state), approved)

    def _looked(
        self, transaction: Transaction, caller: Caller, application: str, verb: Verb
    ) -> tuple[PersonKey | None, Application, frozenset[ProcessRole]]:
        subject = caller.require_subject()
        events = transaction.events(ApplicationId(application))
        if not events:
            raise not_found(application)
        view = fold(ApplicationId(application), events)
        person = transaction.find_person(subject)
        roles = roles_of(caller, person, view, self.world.directory)
        if not any(may(Verb.LOOK, role, view.state) for role in roles):
            raise not_found(application)
        if not any(may(verb, role, view.state) for role in roles):
            raise NotEntitled("you may see that this application is, and not what it says")
        return person, view, roles


def _attachments_for(view: Application, roles: frozenset[ProcessRole]) -> tuple[Attachment, ...]:
    is_own = bool(roles & {ProcessRole.APPLICANT, ProcessRole.MEMBER})
    return (*view.attachments, *view.submitted_attachments) if is_own else view.submitted_attachments


def _document(transaction: Transaction, view: Application) -> PermitDocument:
    permit = view.recommendation.permit if view.recommendation else None
    text = transaction.texts([permit.text]).get(permit.text) if permit else None
    if text is None:
        raise NotFound(f"application {view.id} has no permit, or its document was erased")
    return decode_permit(text)


def _proposals(transaction: Transaction, view: Application, node: str) -> list[Proposal]:
    document, permit = _document(transaction, view), view.recommendation and view.recommendation.permit
    windows = {c.country: c.due for c in view.clocks if c.kind is ClockKind.WINDOW}
    asked = [p for p in view.parts if p.dataset.node == node and p.state is PartState.REQUESTED]
    found = []
    for country in sorted({part.dataset.country for part in asked}):
        parts = [part for part in asked if part.dataset.country == country]
        since, until = parts[0].requested, windows.get(country)
        if permit and since and until:
            datasets = tuple(part.dataset.dataset for part in parts)
            found.append(Proposal(document, permit.digest, country, datasets, since, until))
    return found
