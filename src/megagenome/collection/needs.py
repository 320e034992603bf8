# SPDX-License-Identifier: Apache-2.0
"""What the collection needs of an ontology; `megagenome.reference` has it, `app` wires it."""

from collections.abc import Callable
from typing import Protocol

from megagenome.kernel.ids import Curie


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
