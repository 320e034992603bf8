# SPDX-License-Identifier: Apache-2.0
"""What the collection's journal enters is in the ledger."""

from collections.abc import Sequence

import sqlalchemy as sa

from megagenome.collection.model import Use
from megagenome.kernel.callers import Caller
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.kernel.ledger import Act, Kind, Ledger


class LedgerJournal:
    """`megagenome.collection.needs.Journal` over a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def enter_read(self, caller: Caller, permit: PermitId, dataset: DatasetId, use: Use, records: int, /) -> None:
        """Enter a reading by permit; durable on return."""
        act = Act(
            Kind.READ, caller.subject, caller.name, dataset=dataset, permit=permit, detail=use.value, count=records
        )
        self._ledger.append(act)

    def enter_consent(self, connection: sa.Connection, by: str, act: str, datasets: Sequence[DatasetId], /) -> None:
        """Enter that somebody of these datasets said something about their consent, by the caller's commit."""
        self._ledger.write(connection, *(Act(Kind.WITHDRAWAL, by, dataset=each, detail=act) for each in datasets))
