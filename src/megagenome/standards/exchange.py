# SPDX-License-Identifier: Apache-2.0
"""What a node and its hub tell each other, again and again: `POST /access/exchange` of the hub. No outside standard.

Only the node calls. It sends one signed `Message` (compact JWS, ES256, `typ` `megagenome-message+jwt`) and gets one
signed `Answer` (`megagenome-answer+jwt`), both as `application/jwt`. Either side verifies with the keys that it pinned
when the node joined, and follows the other to a new key or address by the descriptor in the token. The nonce ties an
answer to the one message that it answers; `sent_at` must be near the reader's clock, and of a node's messages each is
newer than the one before. So an old answer, an answer for another node and a message that is sent twice are refused.

`POST /access/knock` of the node, without content and by anybody, makes the node call at once. It tells nothing.
"""

from datetime import datetime, timedelta
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from megagenome.kernel.errors import Corrupt, TooLarge
from megagenome.kernel.jwt import read_token
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import PublicKeys
from megagenome.kernel.signatures import verify
from megagenome.standards.permit import PERMIT_TYPE, Moment, Proposal, Revocation, digest

PATH = "/access/exchange"
KNOCK_PATH = "/access/knock"
MEDIA_TYPE = "application/jwt"
MESSAGE_TYPE = "megagenome-message+jwt"
ANSWER_TYPE = "megagenome-answer+jwt"
LARGEST_MESSAGE_BYTES = 2 << 20
LARGEST_ANSWER_BYTES = 16 << 20
LARGEST_PROPOSAL_BYTES = 4 << 20
SKEW = timedelta(seconds=60)
"""How far the clocks of node and hub may be apart."""
MOST_DECISIONS = 50
"""In one message; the others wait for the next."""

T = TypeVar("T")

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
_Nonce = Annotated[str, msgspec.Meta(min_length=16, max_length=64)]


class Message(msgspec.Struct, frozen=True):
    """What a node tells its hub.

    nonce       drawn at random for this message
    since       sequence of the newest news that the node took; 0 for none
    decisions   its country's signed decisions that were not acknowledged yet, oldest first
    descriptor  its own, signed
    """

    node: _Id
    hub: _Id
    nonce: _Nonce
    sent_at: Moment
    since: Annotated[int, msgspec.Meta(ge=0)]
    decisions: Annotated[tuple[str, ...], msgspec.Meta(max_length=MOST_DECISIONS)]
    descriptor: str


class Receipt(msgspec.Struct, frozen=True):
    """What became of one decision, named by the SHA-256 of its token: recorded, or refused for a reason."""

    decision: str
    refusal: str = ""


class Answer(msgspec.Struct, frozen=True):
    """What the hub answers one message.

    nonce        the message's
    sequence     of the newest news in it, from where the next message asks on
    complete     False where there is more to ask for at once
    proposals    what this node's country is asked, each a `standards.permit.Proposal` signed by the hub
    revocations  what the hub says of permits with datasets of this node, oldest first
    receipts     of the message's decisions; one that is missing is to be sent again
    descriptor   the hub's own, signed
    """

    hub: _Id
    node: _Id
    nonce: _Nonce
    sent_at: Moment
    sequence: Annotated[int, msgspec.Meta(ge=0)]
    complete: bool
    proposals: tuple[str, ...]
    revocations: tuple[Revocation, ...]
    receipts: tuple[Receipt, ...]
    descriptor: str


class Stated(NamedTuple):
    """What a token says of its sender before anything is verified: only to find the keys that can."""

    sender: str
    descriptor: str


def sign_message(keys: SigningKeys, message: Message) -> str:
    """The message on its way."""
    return keys.sign(msgspec.to_builtins(message), MESSAGE_TYPE)


def sign_answer(keys: SigningKeys, answer: Answer) -> str:
    """The answer on its way."""
    return keys.sign(msgspec.to_builtins(answer), ANSWER_TYPE)


def sign_proposal(keys: SigningKeys, proposal: Proposal) -> str:
    """A proposal as it stands in an answer, and as the node keeps it."""
    return keys.sign(msgspec.to_builtins(proposal), PERMIT_TYPE)


def stated_message(token: bytes) -> Stated:
    """Who says to have sent a message. Raises `Corrupt`."""
    return _stated(token, "node", LARGEST_MESSAGE_BYTES)


def stated_answer(token: bytes) -> Stated:
    """Who says to have sent an answer. Raises `Corrupt`."""
    return _stated(token, "hub", LARGEST_ANSWER_BYTES)


def read_message(token: bytes, keys: PublicKeys) -> Message:
    """A message that one of these keys signed. Raises `Corrupt`."""
    return _convert(verify(token, keys, MESSAGE_TYPE, largest_bytes=LARGEST_MESSAGE_BYTES), Message)


def read_answer(token: bytes, keys: PublicKeys) -> Answer:
    """An answer that one of these keys signed. Raises `Corrupt`."""
    return _convert(verify(token, keys, ANSWER_TYPE, largest_bytes=LARGEST_ANSWER_BYTES), Answer)


def read_proposal(token: str, keys: PublicKeys) -> Proposal:
    """A proposal that one of these keys signed, whose digest is that of its document. Raises `Corrupt`."""
    proposal = _convert(verify(token, keys, PERMIT_TYPE, largest_bytes=LARGEST_PROPOSAL_BYTES), Proposal)
    if digest(proposal.document) != proposal.digest:
        raise Corrupt(f"the digest of permit {proposal.document.id[:40]} is not that of its document")
    return proposal


def is_near(sent_at: datetime, now: datetime) -> bool:
    """Whether the sender's clock agrees with the reader's."""
    return abs(sent_at - now) <= SKEW


def _stated(token: bytes, sender: str, largest_bytes: int) -> Stated:
    try:
        claims = read_token(token, largest_bytes).claims
    except TooLarge as error:
        raise Corrupt(f"a token is {error}") from None
    found, described = claims.get(sender), claims.get("descriptor")
    if not isinstance(found, str) or not isinstance(described, str):
        raise Corrupt(f"a token that does not say of which {sender} it is")
    return Stated(found, described)


def _convert(claims: dict[str, object], kind: type[T]) -> T:
    try:
        return msgspec.convert(claims, kind)
    except msgspec.ValidationError as error:
        raise Corrupt(f"not what it must be: {error}") from None
