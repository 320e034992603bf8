# SPDX-License-Identifier: Apache-2.0
"""Tickets: that somebody may fetch one object, or one slice of it, for some minutes.

A ticket is signed by the node, and good for its object, slice, permit, use, recipient key and caller alone. It travels
in the header `Authorization`, never in an address. It opens nothing by itself: at each use permit, consent, dataset,
file and environment are looked at anew, so whoever lost the permit since gets nothing by it.
"""

from collections.abc import Sequence

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from megagenome.delivery.needs import Sign
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Corrupt, TooLarge, Unauthenticated
from megagenome.kernel.public_keys import PublicKeys
from megagenome.kernel.signatures import verify
from megagenome.standards.htsget import Slice

TICKET_TYPE = "megagenome-ticket+jwt"
LARGEST_BYTES = 32 * 1024
"""A server takes 64 KiB of headers."""

_SKEW_S = 60


class Ticket(msgspec.Struct, frozen=True):
    """What is granted.

    subject      who fetches it; None for anybody's
    object       the id of a file, or of a dataset with its assembly (`DATASET/GRCh38`)
    format       of the slice: `BAM`, `CRAM`, `VCF`, `BCF`; empty for the whole file
    header_only  only the header of it
    slices       parts of it; None for all of it
    permit, use  by which; empty for open data
    recipient    the key that it is sealed for, in hexadecimal; empty where it is plain
    """

    subject: str | None
    object: str
    format: str = ""
    header_only: bool = False
    slices: Sequence[Slice] | None = None
    permit: str = ""
    use: str = ""
    recipient: str = ""

    @property
    def caller(self) -> Caller:
        """Who fetches."""
        return Caller(self.subject)

    @property
    def recipient_key(self) -> X25519PublicKey | None:
        """The key that it is sealed for."""
        return X25519PublicKey.from_public_bytes(bytes.fromhex(self.recipient)) if self.recipient else None


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    iat: int
    exp: int
    ticket: Ticket


class Tickets:
    """Makes one node's tickets and reads them. Safe for threads; nothing is kept."""

    def __init__(self, sign: Sign, keys: PublicKeys, issuer: str, ticket_s: int) -> None:
        """`keys` are the node's own, those that it replaced among them."""
        self._sign, self._keys, self._issuer, self._ticket_s = sign, keys, issuer, ticket_s

    def make(self, ticket: Ticket) -> str:
        """A signed ticket. Raises `TooLarge` for more regions than fit in a header. Cost: 0.1 ms."""
        now = int(clock.now().timestamp())
        claims = _Claims(self._issuer, now, now + self._ticket_s, ticket)
        token = self._sign(msgspec.to_builtins(claims), TICKET_TYPE)
        if len(token) > LARGEST_BYTES:
            raise TooLarge("more regions than one ticket holds: ask for fewer at once, about a thousand")
        return token

    def read(self, token: str) -> Ticket:
        """What a ticket grants. Raises `Unauthenticated` for one that is not this node's, or not good any more. Cost:
        0.2 ms."""
        try:
            found = msgspec.convert(verify(token, self._keys, TICKET_TYPE, largest_bytes=LARGEST_BYTES), _Claims)
        except (Corrupt, TooLarge, msgspec.ValidationError):
            raise Unauthenticated("this is no ticket of this node: ask for a new one") from None
        now = clock.now().timestamp()
        if found.iss != self._issuer or not found.iat - _SKEW_S <= now < found.exp:
            raise Unauthenticated("the ticket is not good any more: ask for a new one")
        return found.ticket
