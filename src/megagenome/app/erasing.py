# SPDX-License-Identifier: Apache-2.0
"""Erasing somebody, or an application, from a hub or a node: everything of them there by one commit, on the record.

Each part of the house erases its own rows in one transaction, so that the account, the applications and the ledger's
name for a person go together or not at all. Documents, which are files, go before the commit (`access.erasing`): who is
killed anywhere begins again, and finishes. The ledger gets an entry that does not say who.
"""

from collections.abc import Iterator

import msgspec

from megagenome.access.attachments import AttachmentFolder
from megagenome.access.erasing import erase_application, erase_from_desk, erase_person
from megagenome.access.needs import Attachments
from megagenome.access.store import Transaction
from megagenome.app.hub import ATTACHMENTS, Hub
from megagenome.app.node import Node
from megagenome.collection.erasing import erase_user
from megagenome.identity.erasing import erase_account
from megagenome.kernel import clock
from megagenome.kernel.callers import ERASED
from megagenome.kernel.database import begin_erasing
from megagenome.kernel.errors import NotFound
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.network.studies.erasing import erase_studies
from megagenome.reception.reception import erase_provider
from megagenome.standards.application import ApplicationId


class Erasure(msgspec.Struct, frozen=True):
    """What was there of a person at one server, and is erased.

    account       whether they had signed in
    sessions      that were open
    roles         that they were ever given; the history says "erased" in place of who
    tokens        of their programs
    studies       that they ran, with what was found
    applications  in which they took part
    documents     that they attached, or of an application all
    proposals     of permits in which a node's desk named them
    permits       that named them at a node
    genome        whether a genome was said to be theirs; the genome itself stays
    acts          on consents and tiers that stay without their name
    submissions   of files that they sent or decided on, which stay without their name
    ledger        whether the ledger had a name for them
    """

    account: bool = False
    sessions: int = 0
    roles: int = 0
    tokens: int = 0
    studies: int = 0
    applications: int = 0
    documents: int = 0
    proposals: int = 0
    permits: int = 0
    genome: bool = False
    acts: int = 0
    submissions: int = 0
    ledger: bool = False

    def found(self) -> Iterator[str]:
        """Each thing that was there, in words."""
        for name, value in msgspec.structs.asdict(self).items():
            if value:
                yield name if value is True else f"{name}: {value:,}"


class _Documents:
    """`access.needs.Attachments` that counts what is erased, and erases it where that is meant."""

    def __init__(self, stored: Attachments, *, really: bool) -> None:
        self.put, self.get, self.ids = stored.put, stored.get, stored.ids
        self._stored, self._really = stored, really
        self.erased = 0

    def erase(self, attachment: str, /) -> None:
        self.erased += 1
        if self._really:
            self._stored.erase(attachment)


def erase_person_at_hub(hub: Hub, ledger: Ledger, subject: str, by: str, *, really: bool) -> Erasure:
    """Erase a person from a hub, as the operator `by`; without `really` nothing changes, and it says what would.

    Durable and whole on return. Raises `NotFound` where nothing is known of them, also after they were erased;
    `Conflict` naming an application or a study of theirs that has not ended, and then nothing is erased.
    """
    documents = _documents(hub, really=really)
    with begin_erasing(hub.engine, really=really) as connection:
        applications = erase_person(Transaction(connection), documents, subject, clock.now())
        account = erase_account(connection, subject, by)
        studies = erase_studies(connection, subject)
        forgotten = ledger.forget(connection, subject)
        found = Erasure(*account, studies, applications or 0, documents.erased, ledger=forgotten)
        if applications is None:
            _require_some(found, subject)
        ledger.write(connection, Act(Kind.ERASURE, by, detail="person"))
    return found


def erase_person_at_node(node: Node, ledger: Ledger, subject: str, by: str, *, really: bool) -> Erasure:
    """Erase a person from a node, as `erase_person_at_hub`. Their genome, if they have one here, stays as it is.

    Raises `NotFound` likewise; `Conflict` naming a permit of theirs that is not over, or waits for a decision.
    """
    with begin_erasing(node.collection.engine, really=really) as connection:
        account = erase_account(connection, subject, by)
        user = erase_user(connection, subject)
        proposals = erase_from_desk(connection, subject, clock.now())
        submissions = erase_provider(connection, subject, ERASED)
        forgotten = ledger.forget(connection, subject)
        found = Erasure(
            *account,
            proposals=proposals,
            permits=user.permits,
            genome=user.linked,
            acts=user.acts,
            submissions=submissions,
            ledger=forgotten,
        )
        _require_some(found, subject)
        ledger.write(connection, Act(Kind.ERASURE, by, detail="person"))
    return found


def erase_application_at_hub(hub: Hub, ledger: Ledger, application: str, by: str, *, really: bool) -> Erasure:
    """Erase all that was written and attached in an application that has ended; likewise. Idempotent.

    Raises `NotFound`; `Conflict` where it has not ended.
    """
    documents = _documents(hub, really=really)
    with begin_erasing(hub.engine, really=really) as connection:
        erase_application(Transaction(connection), documents, ApplicationId(application))
        ledger.write(connection, Act(Kind.ERASURE, by, permit=application, detail="application"))
    return Erasure(applications=1, documents=documents.erased)


def _documents(hub: Hub, *, really: bool) -> _Documents:
    return _Documents(AttachmentFolder(hub.folder / ATTACHMENTS), really=really)


def _require_some(found: Erasure, subject: str) -> None:
    if found == Erasure():
        raise NotFound(f"nothing is known here of {subject[:300]!r}: `role people` shows who signed in")
