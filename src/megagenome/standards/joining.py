# SPDX-License-Identifier: Apache-2.0
"""How a node joins a network: an invitation, and `POST /api/join` of the hub. No outside standard.

The hub's operator hands an invitation to a node's, by a way that both trust. It is one line of text:

    https://hub.example.org#<secret>.<thumbprint>

The secret lets one node in, once. The thumbprint (RFC 7638) is that of the key that signs the hub's descriptor, so the
node knows whom it joins. What stands after `#` is never sent as part of an address.
"""

import re
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import msgspec

from megagenome.kernel.addresses import is_loopback
from megagenome.kernel.errors import Corrupt, Invalid

PATH = "/api/join"
LARGEST_BYTES = 96 * 1024

_INVITATION = re.compile(
    r"(?P<hub>https?://[!-~]{1,255}?)/?#(?P<secret>[\w-]{43})\.(?P<thumbprint>[\w-]{43})", re.ASCII
)


class Invitation(NamedTuple):
    """What is in an invitation. `secret` and `thumbprint` are 256 bits in base64url."""

    hub: str
    secret: str
    thumbprint: str

    def text(self) -> str:
        """The line that is handed over."""
        return f"{self.hub}#{self.secret}.{self.thumbprint}"

    def __repr__(self) -> str:
        return f"Invitation({self.hub})"  # the secret belongs in no log


class JoinRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the node sends: the invitation's secret, and its signed descriptor (`standards.descriptor`)."""

    secret: Annotated[str, msgspec.Meta(min_length=43, max_length=43)]
    descriptor: str


class JoinAnswer(msgspec.Struct, frozen=True):
    """What the hub answers once it pinned the node's keys: the same for the same node, however often it asks."""

    hub: str
    node: str
    country: str


def read_invitation(text: str) -> Invitation:
    """An invitation as it was handed over. Raises `Invalid`, which quotes nothing of it."""
    found = _INVITATION.fullmatch(text.strip())
    if found is None:
        raise Invalid("this is no invitation: copy the whole line that `megagenome hub invite` printed, in quotes")
    invitation = Invitation(found["hub"], found["secret"], found["thumbprint"])
    require_private(invitation.hub)
    return invitation


def require_private(url: str) -> None:
    """Raise `Invalid` unless what is sent to `url` can be read there only: https, or this very machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        fine = parts.port is None or parts.port > 0
    except ValueError:
        raise Invalid(f"{url[:200]!r} is no address of a server") from None
    if not fine or not host or parts.query or parts.username is not None:
        raise Invalid(f"{url[:200]!r} is no address of a server")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise Invalid(f"{url[:200]}: node and hub speak https to each other; http is for servers of one machine")


def decode_answer(content: bytes) -> JoinAnswer:
    """The hub's answer. Raises `Corrupt`."""
    try:
        return msgspec.json.decode(content, type=JoinAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Corrupt("what answers there is no hub of this version") from None
