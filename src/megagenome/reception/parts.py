# SPDX-License-Identifier: Apache-2.0
"""What reception is made of, for its own modules."""

from typing import NamedTuple

import sqlalchemy as sa

from megagenome.collection import Collection
from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import NotEntitled
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.ledger import Ledger
from megagenome.reception import rows
from megagenome.reception.needs import CountsTold, Keeps, MaySend, Sign
from megagenome.reception.settings import ReceptionSettings


class Parts(NamedTuple):
    """The same for as long as a node runs.

    store       where parts lie until they are archived
    node        the node's id, which receipts state
    ontologies  the folder of packed ontologies
    """

    collection: Collection
    store: BlobStore
    archive: Keeps
    ledger: Ledger
    sign: Sign
    may_send: MaySend
    counts_told: CountsTold
    node: str
    ontologies: str
    settings: ReceptionSettings

    @property
    def engine(self) -> sa.Engine:
        """The node's records."""
        return self.collection.engine


def require_provider(parts: Parts, caller: Caller, dataset: str) -> str:
    """The subject of who asks, who may send for this dataset. Raises `Unauthenticated`, `NotEntitled`."""
    subject = caller.require_subject()
    if not parts.may_send(subject, DatasetId(dataset)):
        raise NotEntitled(f"you are no data provider for {dataset} here: the node's operator gives that role")
    return subject


def is_steward(caller: Caller) -> bool:
    """Whether who asks reviews what providers send."""
    return caller.subject is not None and Role.DATA_STEWARD in caller.roles


def find_own(connection: sa.Connection, caller: Caller, ident: str) -> rows.Row:
    """A submission of who asks. Raises `Unauthenticated`; `NotFound`, in the same words, where it is another's: that
    there is one is nobody else's business."""
    return _find(connection, caller, ident, also=False)


def find_seen(connection: sa.Connection, caller: Caller, ident: str) -> rows.Row:
    """The same, of those that who asks may look at: a data steward sees all."""
    return _find(connection, caller, ident, also=is_steward(caller))


def _find(connection: sa.Connection, caller: Caller, ident: str, *, also: bool) -> rows.Row:
    subject = caller.require_subject()
    row = rows.find(connection, ident)
    if row.subject != subject and not also:
        raise rows.missing(ident)
    return row
