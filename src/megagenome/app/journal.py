# SPDX-License-Identifier: Apache-2.0
"""What the collection's journal enters is in the ledger."""

import logging
from collections.abc import Sequence

import sqlalchemy as sa

from megagenome.app.ledger import open_ledger
from megagenome.app.node import Node
from megagenome.collection.model import Use
from megagenome.collection.needs import Actor
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.kernel.ledger import Act, Kind, Ledger

_log = logging.getLogger(__name__)


def keep_journal(node: Node) -> None:
    """Have what is done with an open node's collection from now on be entered in the node's ledger."""
    ledger = open_ledger(node.folder, node.collection.engine, node.settings.node.id)
    node.collection.journal = LedgerJournal(ledger)


class LedgerJournal:
    """`megagenome.collection.needs.Journal` over a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def enter_read(self, caller: Caller, permit: PermitId, dataset: DatasetId, use: Use, records: int, /) -> None:
        """Enter a reading by permit; durable on return. Raises `Unavailable` where it cannot be entered."""
        self._enter(
            Act(Kind.READ, caller.subject, caller.name, dataset=dataset, permit=permit, detail=use.value, count=records)
        )

    def enter_slice(self, caller: Caller, permit: PermitId, dataset: DatasetId, word: str, people: int, /) -> None:
        """Enter a slice of genotypes; as `enter_read`. Those of open data, which know no end, are added up by the
        minute (`Ledger.append_often`)."""
        act = Act(Kind.SLICE, caller.subject, caller.name, dataset=dataset, permit=permit, detail=word, count=people)
        self._enter(act, often=not permit)

    def _enter(self, act: Act, *, often: bool = False) -> None:
        try:
            if often:
                self._ledger.append_often(act)
            else:
                self._ledger.append(act)
        except sa.exc.SQLAlchemyError as error:
            _log.error("readings by permit are refused, because the ledger cannot be written: %s", error)
            raise Unavailable("this cannot be read now, because it cannot be entered in the ledger") from None

    def enter_state(self, connection: sa.Connection, by: Actor, dataset: DatasetId, before: str, after: str, /) -> None:
        """Enter who moved a dataset from a state to another, by the caller's commit."""
        self._ledger.write(connection, Act(Kind.PUBLICATION, *by, dataset=dataset, detail=f"{before}:{after}"))

    def enter_consent(self, connection: sa.Connection, by: str, act: str, datasets: Sequence[DatasetId], /) -> None:
        """Enter that somebody of these datasets said something about their consent, by the caller's commit."""
        self._ledger.write(connection, *(Act(Kind.WITHDRAWAL, by, dataset=each, detail=act) for each in datasets))
