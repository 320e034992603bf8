# SPDX-License-Identifier: Apache-2.0
"""What access needs of its neighbours; `app` wires it."""

from collections.abc import Callable
from typing import Protocol

from megagenome.kernel.callers import Role
from megagenome.standards.permit import CountryDecision


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


IdentifyCohort = Callable[[str], str]
"""The id of the cohort that a definition (JSON text) describes. Raises `Invalid` for what is no definition."""

VerifyDecision = Callable[[str], CountryDecision]
"""What a signed decision (compact JWS) says, once its signature is that of a key of the node that it names, pinned when
the node joined, and the node is of the country that it names. Raises `NotEntitled` otherwise."""
