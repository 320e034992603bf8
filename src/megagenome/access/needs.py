# SPDX-License-Identifier: Apache-2.0
"""What access needs of its neighbours; `app` wires it."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from megagenome.kernel.callers import Role
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ledger import Act
from megagenome.kernel.public_keys import PublicKeys
from megagenome.standards.application import DatasetRef
from megagenome.standards.desk import DeskEnvironment
from megagenome.standards.permit import CountryDecision, PermitDocument, Revocation


class Directory(Protocol):
    """For whom people act here, role by role, as this server's operator recorded it. A role that was granted without a
    place has none: nobody signs for every organisation or decides for every country."""

    def organisations(self, subject: str, role: Role, /) -> frozenset[str]:
        """Organisations for which the person has the role: a researcher applies, a signing official signs for one."""

    def countries(self, subject: str, role: Role, /) -> frozenset[str]:
        """Countries (ISO 3166) for which the person has the role."""


class Attachments(Protocol):
    """Documents by an id that the process made; unchanging until erased."""

    def put(self, attachment: str, content: bytes, /) -> None:
        """Store durably. Idempotent for the same content."""

    def get(self, attachment: str, /) -> bytes:
        """The content. Raises `NotFound` when it was erased."""

    def erase(self, attachment: str, /) -> None:
        """Remove it. Idempotent."""

    def ids(self) -> list[str]:
        """All that are stored."""


Knock = Callable[[Collection[str]], None]
"""Makes nodes, by their ids, ask at once what is new for them. Whether it reaches them is not known."""


def knock_nowhere(_nodes: Collection[str], /) -> None:
    """For a hub without nodes that joined."""


Enter = Callable[[sa.Connection, Sequence[Act]], object]
"""Enters acts in this server's ledger, by the connection's commit."""


def enter_nowhere(_connection: sa.Connection, _acts: Sequence[Act], /) -> None:
    """For a server without a ledger."""


AgainstDatasets = Callable[[Sequence[DatasetRef]], Invalid | None]
"""Why nobody can apply for all of these datasets, which then is raised; None where somebody can. May take seconds."""


def all_published(_datasets: Sequence[DatasetRef], /) -> None:
    """For a hub that asks no nodes."""


class BelievedNode(NamedTuple):
    """A node that joined, and the keys by which it is believed."""

    id: str
    country: str
    keys: PublicKeys


class Members(Protocol):
    """The nodes that joined this hub."""

    def find(self, node: str, descriptor: str = "", /) -> BelievedNode | None:
        """A node that belongs to the network now. `descriptor` is its own newest, from which a key's successor and a
        new address are taken; "" where it is not at hand."""

    def note_message(self, node: str, sent_at: datetime, /) -> bool:
        """Note a message, durably; False where one as new was noted before."""


class NodePermits(Protocol):
    """Where a node keeps the permits that it countersigned, and enforces them; all by the connection's commit."""

    def grant(
        self, connection: sa.Connection, document: PermitDocument, datasets: tuple[str, ...], countersignature: str, /
    ) -> None:
        """These datasets may be read by the permit from now on: `countersignature` is this node's signed decision."""

    def take_back(self, connection: sa.Connection, permit: str, datasets: tuple[str, ...], reason: str, /) -> None:
        """These may no longer, whatever the hub says."""

    def undo(self, connection: sa.Connection, permit: str, datasets: tuple[str, ...], /) -> None:
        """What was granted of these does not hold, as if it had never been; it may be granted again."""

    def obey(self, connection: sa.Connection, revocation: Revocation, /) -> None:
        """What the hub says of a permit, which need not be known here (yet)."""

    def environments(self, connection: sa.Connection, permit: str, /) -> tuple[DeskEnvironment, ...]:
        """Where its data may go, also where they went before."""


IdentifyCohort = Callable[[str], str]
"""The id of the cohort that a definition (JSON text) describes. Raises `Invalid` for what is no definition."""

VerifyDecision = Callable[[str], CountryDecision]
"""What a signed decision (compact JWS) says, once its signature is that of a key of the node that it names, pinned when
the node joined, and the node is of the country that it names. Raises `NotEntitled` otherwise."""
