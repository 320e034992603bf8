# SPDX-License-Identifier: Apache-2.0
"""What running studies needs of others at the hub; `app` wires it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from megagenome.kernel.ledger import Act
from megagenome.standards.permit import PermitState


class KnownPermit(NamedTuple):
    """A permit as the hub knows it now.

    people    subjects of those whom it names
    datasets  (node, dataset) that a country approved and has not taken back, as far as the hub was told
    starts, ends  days on which it may be used, both included
    """

    state: PermitState
    people: frozenset[str]
    datasets: frozenset[tuple[str, str]]
    uses: frozenset[str]
    starts: date
    ends: date


class Permits(Protocol):
    """The permits that this hub's countries were asked for."""

    def find(self, permit: str, /) -> KnownPermit | None:
        """A permit; None where there is none with this id."""
        ...


Enter = Callable[[sa.Connection, Sequence[Act]], object]
"""Enters acts in the hub's ledger, by the connection's commit."""
