# SPDX-License-Identifier: Apache-2.0
"""What the hub needs of others; `app` wires it."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from megagenome.standards.beacon import BeaconQuery
from megagenome.standards.federation import Resolved


class Resolve(Protocol):
    """Says what a text names (`megagenome.reference.resolve`).

    `assembly` is the one that it must be on; `default` the one to take where neither the text nor `assembly` says.
    Raises `Invalid` or `TooLarge` with one line that says why a text has no meaning, or more than one.
    """

    def __call__(self, text: str, assembly: str | None = None, *, default: str | None = None) -> Resolved:
        """What `text` names."""
        ...


class Defined(NamedTuple):
    """A cohort as an application names it: its id, and its canonical definition as JSON text."""

    id: str
    definition: str


Define = Callable[[BeaconQuery], Defined]
"""The cohort that a question of people asks for. Raises `Invalid`."""
