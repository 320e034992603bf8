# SPDX-License-Identifier: Apache-2.0
"""What the collection needs of others: an ontology, which `megagenome.reference` has, and a journal. `app` wires
both."""

from collections.abc import Callable, Sequence
from typing import Protocol

import sqlalchemy as sa

from megagenome.collection.model import Use
from megagenome.kernel.callers import Caller
from megagenome.kernel.ids import Curie, DatasetId, PermitId


class Ontology(Protocol):
    """A loaded ontology. Its terms are CURIEs of one prefix, such as `HP`."""

    @property
    def prefix(self) -> str:
        """What its CURIEs begin with, without the colon."""

    def canonical(self, term: str, /) -> Curie:
        """The term's current id, alternative ids mapped. Raises `Invalid` for an id that it does not have."""

    def ancestors(self, term: str, /) -> frozenset[Curie]:
        """All terms above a canonical one, and itself."""

    def label(self, term: str, /) -> str:
        """The name of a canonical term."""


OntologyFor = Callable[[Curie], Ontology | None]
"""The loaded ontology that a CURIE's prefix names; None where that ontology is not loaded."""


class Journal(Protocol):
    """Where each reading by permit is entered."""

    def enter_read(self, caller: Caller, permit: PermitId, dataset: DatasetId, use: Use, records: int, /) -> None:
        """Enter durably, before anything leaves, that so many records of a dataset are about to be read:
        individuals, or answers that count them."""

    def enter_consent(self, connection: sa.Connection, by: str, act: str, datasets: Sequence[DatasetId], /) -> None:
        """Enter, by the commit of the transaction in which it happens, that a person of these datasets said something
        about their consent: `act`, not who they are."""
