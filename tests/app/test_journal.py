# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.app.journal import LedgerJournal
from megagenome.app.ledger import open_ledger
from megagenome.app.node import open_node
from megagenome.collection.model import Use
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Unavailable
from megagenome.kernel.ids import DatasetId, PermitId

READ = (Caller("a@https://x", "A"), PermitId("p"), DatasetId("EE-1"), Use.RESEARCH, 3)


def test_a_reading_is_in_the_ledger(folder: Path) -> None:
    collection = open_node(folder).collection
    ledger = open_ledger(folder, collection.engine, "node.ee")
    LedgerJournal(ledger).enter_read(*READ)
    [entry] = ledger.items()
    assert not isinstance(entry, str)
    assert (entry.kind, entry.dataset, entry.permit, entry.detail, entry.count) == ("read", "EE-1", "p", "research", 3)
    collection.close()


def test_what_cannot_be_entered_cannot_be_read(folder: Path) -> None:
    collection = open_node(folder).collection
    journal = LedgerJournal(open_ledger(folder, collection.engine, "node.ee"))
    with collection.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE ledger_entry"))
    with pytest.raises(Unavailable, match="ledger"):
        journal.enter_read(*READ)
    collection.close()
