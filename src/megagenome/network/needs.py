# SPDX-License-Identifier: Apache-2.0
"""What the hub needs of others; `app` wires it."""

from typing import Protocol

from megagenome.standards.federation import Resolved


class Resolve(Protocol):
    """Says what a text names (`megagenome.reference.resolve`).

    `assembly` is the one that it must be on; `default` the one to take where neither the text nor `assembly` says.
    Raises `Invalid` or `TooLarge` with one line that says why a text has no meaning, or more than one.
    """

    def __call__(self, text: str, assembly: str | None = None, *, default: str | None = None) -> Resolved:
        """What `text` names."""
        ...
