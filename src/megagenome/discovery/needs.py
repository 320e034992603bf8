# SPDX-License-Identifier: Apache-2.0
"""What discovery needs of the ontologies (`megagenome.reference` has it) and of the ledger; `app` wires both."""

from collections.abc import Callable, Iterable
from typing import Protocol

from megagenome.kernel.ids import Curie, DatasetId


class Ontology(Protocol):
    """A loaded ontology."""

    @property
    def prefix(self) -> str:
        """What its CURIEs begin with, without the colon."""

    @property
    def version(self) -> str:
        """The release that it is."""

    def canonical(self, term: str, /) -> Curie:
        """The term's current id, alternative ids mapped. Raises `Invalid` for an id that it does not have."""

    def label(self, term: str, /) -> str:
        """The name of a canonical term."""


class Reference(Protocol):
    """The ontologies that a node has loaded."""

    @property
    def ontologies(self) -> tuple[Ontology, ...]:
        """All of them."""

    def ontology_for(self, curie: str, /) -> Ontology | None:
        """The one that a CURIE's prefix names; None where it is not loaded."""


OntologyFor = Callable[[str], Ontology | None]

CountAggregate = Callable[[str | None, Iterable[DatasetId]], None]
"""Counts an answer to a caller (their subject, None for the public) out of each of some datasets, for the ledger. It
must not wait for anything: it is called in every request."""
