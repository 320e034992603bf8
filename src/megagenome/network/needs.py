# SPDX-License-Identifier: Apache-2.0
"""What the hub, and a node's exchange with it, need of others; `app` wires it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from megagenome.kernel.callers import Caller
from megagenome.standards.beacon import BeaconQuery
from megagenome.standards.exchange import Receipt
from megagenome.standards.federation import Resolved
from megagenome.standards.permit import Proposal, Revocation
from megagenome.standards.study_exchange import Place, Reply, Task

SpeakFor = Callable[[Caller], Callable[[str], str] | None]
"""What makes a token of somebody for the node at an address; None where the public asks."""


def as_the_public(_caller: Caller, /) -> None:
    """For a hub that tells its nodes nothing of who asks."""


class NodeDesk(Protocol):
    """Where a node's country decides. What is taken is taken by the commit of the connection, and twice is as once."""

    def undelivered(self, most: int, /) -> tuple[str, ...]:
        """Signed decisions that the hub has not acknowledged, oldest first."""
        ...

    def acknowledge(self, connection: sa.Connection, receipts: Sequence[Receipt], /) -> None:
        """The hub recorded these decisions, or refused them for good."""
        ...

    def take_proposals(self, connection: sa.Connection, hub: str, proposals: Sequence[tuple[str, Proposal]], /) -> None:
        """What the hub asks this node's country: each as the hub signed it, and what it says."""
        ...

    def take_revocations(self, connection: sa.Connection, revocations: Sequence[Revocation], /) -> None:
        """What the hub says of permits, oldest first."""
        ...


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


class StudyDesk(Protocol):
    """Where a node takes part in studies. Safe for threads; everything returns at once."""

    def listen(self, wake: Callable[[], None], /) -> None:
        """Call `wake`, from any thread, whenever there is something to say."""
        ...

    def holds(self) -> tuple[str, ...]:
        """Runs that something is kept of."""
        ...

    def at_work(self) -> tuple[Place, ...]:
        """What is being computed, or waits to be said."""
        ...

    def next_reply(self) -> tuple[Reply, bytes] | None:
        """What is to be said next, with its payload. It stays so until the hub took it."""
        ...

    def taken(self, reply: Reply, /) -> None:
        """The hub took it."""
        ...

    def give(self, task: Task, payload: bytes, /) -> None:
        """A task of the hub's. One that is being worked on already changes nothing."""
        ...

    def forget(self, runs: Sequence[str], /) -> None:
        """These runs are over."""
        ...
