# SPDX-License-Identifier: Apache-2.0
"""What the collection needs of others: a journal. `app` wires it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from megagenome.collection.model import Use
from megagenome.kernel.callers import Caller
from megagenome.kernel.ids import DatasetId, PermitId


class Actor(NamedTuple):
    """Who did something: their subject, or an office and account of this machine; and their name, if there is one."""

    subject: str
    name: str = ""


class Journal(Protocol):
    """Where each reading by permit is entered."""

    def enter_read(self, caller: Caller, permit: PermitId, dataset: DatasetId, use: Use, records: int, /) -> None:
        """Enter durably, before anything leaves, that so many records of a dataset are about to be read:
        individuals, or answers that count them."""

    def enter_slice(self, caller: Caller, permit: PermitId, dataset: DatasetId, word: str, people: int, /) -> None:
        """Enter durably, before anything leaves, that a slice of so many people's genotypes is about to be read: by a
        permit for the use `word`, or without one where that is `open`."""

    def enter_state(self, connection: sa.Connection, by: Actor, dataset: DatasetId, before: str, after: str, /) -> None:
        """Enter, by the commit of the transaction in which it happens, who moved a dataset from one state to another;
        `before` is `new` where there was none."""

    def enter_consent(self, connection: sa.Connection, by: str, act: str, datasets: Sequence[DatasetId], /) -> None:
        """Enter, by the commit of the transaction in which it happens, that a person of these datasets said something
        about their consent: `act`, not who they are."""
