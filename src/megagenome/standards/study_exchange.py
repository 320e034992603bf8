# SPDX-License-Identifier: Apache-2.0
"""What nodes and their hub tell each other of studies: `POST /studies/exchange` of the hub. No outside standard.

Only the node calls. A message says what the node is at and brings at most one reply; the answer brings at most one
task. With nothing to say, the hub holds its answer back until there is, or until the node's patience is over.

Both are a frame: the length of a compact JWS (ES256; `typ` below) in four bytes, big endian, the JWS, and a payload, of
which the JWS states size and SHA-256. So a receiver knows who sent it before it reads more than the JWS. Keys,
descriptors, nonce and time are as in `standards.exchange`; of a node's messages each is newer than the one before.

A payload is its parts one after another, each of the size that is stated for it:
    of an answer's task     the study document, the parameters (`study_arrays.pack`), the sites' keys (JSON)
    of a reply with sums    the masked vector (uint64, little endian), the opened arrays (`study_arrays.pack`)
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple, TypeVar

import msgspec

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.jwt import read_token
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import PublicKeys
from megagenome.kernel.signatures import LARGEST_TOKEN_BYTES, verify
from megagenome.standards.study_masks import SignedKey

PATH = "/studies/exchange"
MEDIA_TYPE = "application/vnd.megagenome.study"
MESSAGE_TYPE = "megagenome-study-message+jwt"
ANSWER_TYPE = "megagenome-study-answer+jwt"
HEAD_BYTES = 4
LARGEST_PAYLOAD_BYTES = 512 << 20
LONGEST_WAIT_S = 25.0
MOST_HELD = 100
PEOPLE_STEP = "people"
PEOPLE_COUNTS = ("people", "incomplete", "held_back", "duplicates", "first_degree", "second_degree", "not_compared")
"""The step before each method's own: the sums of how many `people` there are, of how many were `incomplete`, left out
because something that the study asks of them is not recorded, of how many were `held_back`, so that no two studies at a
node differ by a few people; of pairs of `duplicates` within a node, and among those who are in it of the `first_degree`
and `second_degree`; and of how many people their node has `not_compared`."""

T = TypeVar("T")
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
_Nonce = Annotated[str, msgspec.Meta(min_length=16, max_length=64)]
_Time = Annotated[datetime, msgspec.Meta(tz=True)]
_Count = Annotated[int, msgspec.Meta(ge=0)]
_Reason = Annotated[str, msgspec.Meta(max_length=300)]
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class Stage(StrEnum):
    """What a site does at a place of a run."""

    CHECK = "check"  # whether its rules let it take part
    KEYS = "keys"  # it makes a key for the round's masks
    SUMS = "sums"  # it computes and sends its vector under masks, and what is opened


class Place(msgspec.Struct, frozen=True):
    """Where in a run something belongs. `run` is the hub's id of one run of a study; `epoch` is raised each time the
    run begins again, or a round under new keys."""

    run: _Id
    epoch: _Count
    round: _Count
    stage: Stage


class Summed(msgspec.Struct, frozen=True):
    """An array that is asked as part of a sum, with `bits` binary digits after the point (`standards.ring`)."""

    name: _Id
    shape: Annotated[tuple[_Count, ...], msgspec.Meta(max_length=4)]
    bits: Annotated[int, msgspec.Meta(ge=0, le=60)]


class Task(msgspec.Struct, frozen=True):
    """What one site is asked.

    digest   of the study document
    subject, name   who runs the study, as the hub knows them and as its permit names them
    sites    nodes that take part in this epoch, sorted
    step, sums, opened   what the method's site side computes, of which arrays a sum is opened, which are opened as
             they are
    document_bytes   0 where the node said that it holds the run
    """

    place: Place
    digest: str
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
    name: str
    sites: Annotated[tuple[_Id, ...], msgspec.Meta(min_length=1, max_length=100)]
    step: str
    sums: tuple[Summed, ...]
    opened: tuple[str, ...]
    document_bytes: _Count
    parameters_bytes: _Count
    keys_bytes: _Count


class Terms(msgspec.Struct, frozen=True):
    """What a node demands of what all sites' sums tell; of several nodes' terms the strictest hold. None where all that
    it lends to the study is declared open.

    least_people        fewest people over all sites
    least_cell          smallest group or table cell, other than 0, that is told
    least_allele_count  of the rarer allele, over all sites
    most_parameters     at most so many fitted parameters for each person, over all sites
    self_test           how far the node was off when it computed the method on planted people; None where it did not.
                        Not a demand: of several nodes' terms it is none
    """

    least_people: _Count
    least_cell: _Count
    least_allele_count: _Count
    most_parameters: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    self_test: Annotated[float, msgspec.Meta(ge=0)] | None = None


NO_TERMS = Terms(0, 0, 0)


class Agreed(msgspec.Struct, frozen=True, tag="agreed"):
    """The node's rules let it take part, on these terms."""

    terms: Terms


class Keyed(msgspec.Struct, frozen=True, tag="keyed"):
    """The node's key for the round."""

    key: SignedKey


class Sent(msgspec.Struct, frozen=True, tag="sent"):
    """The round's vector and opened arrays are the payload."""

    masked_bytes: _Count
    opened_bytes: _Count


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """A rule of the node is against it, or is from now on (a permit that ended)."""

    reason: _Reason


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It could not be computed. The reason is for the study's holder and tells of no person."""

    reason: _Reason


class Changed(msgspec.Struct, frozen=True, tag="changed"):
    """Somebody who was in the study at this node is so no more."""


class Forgot(msgspec.Struct, frozen=True, tag="forgot"):
    """The node has no key for this round any more: it was restarted."""


Said = Agreed | Keyed | Sent | Refused | Failed | Changed | Forgot


class Reply(msgspec.Struct, frozen=True):
    """What a node says of a place of a run; also unasked, when people or permits change."""

    place: Place
    said: Said


class Message(msgspec.Struct, frozen=True):
    """What a node tells its hub.

    holds      runs that it keeps something of
    at_work    places that it is computing: they need not be sent again
    wait_s     how long the hub may hold its answer back
    """

    node: _Id
    hub: _Id
    nonce: _Nonce
    sent_at: _Time
    descriptor: str
    holds: Annotated[tuple[_Id, ...], msgspec.Meta(max_length=MOST_HELD)]
    at_work: Annotated[tuple[Place, ...], msgspec.Meta(max_length=MOST_HELD)]
    wait_s: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_WAIT_S)]
    reply: Reply | None
    payload_bytes: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_PAYLOAD_BYTES)]
    payload_sha256: _Sha256


class Answer(msgspec.Struct, frozen=True):
    """What the hub answers one message, which it took.

    over  of the runs that the node holds, those that are over
    """

    hub: _Id
    node: _Id
    nonce: _Nonce
    sent_at: _Time
    descriptor: str
    task: Task | None
    over: tuple[_Id, ...]
    payload_bytes: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_PAYLOAD_BYTES)]
    payload_sha256: _Sha256


class Stated(NamedTuple):
    """What a token says of its sender before anything is verified: only to find the keys that can."""

    sender: str
    descriptor: str


def sign_message(keys: SigningKeys, message: Message) -> str:
    """The message's token."""
    return keys.sign(msgspec.to_builtins(message), MESSAGE_TYPE)


def sign_answer(keys: SigningKeys, answer: Answer) -> str:
    """The answer's token."""
    return keys.sign(msgspec.to_builtins(answer), ANSWER_TYPE)


def stated(token: bytes, sender: str) -> Stated:
    """Who says to have sent it: `sender` is `node` for a message, `hub` for an answer.

    Raises `Corrupt` and `TooLarge`."""
    claims = read_token(token, LARGEST_TOKEN_BYTES).claims
    found, described = claims.get(sender), claims.get("descriptor")
    if not isinstance(found, str) or not isinstance(described, str):
        raise Corrupt(f"a token that does not say of which {sender} it is")
    return Stated(found, described)


def read_message(token: bytes, keys: PublicKeys) -> Message:
    """A message that one of these keys signed; its payload is still to be compared. Raises `Corrupt`."""
    return _convert(verify(token, keys, MESSAGE_TYPE), Message)


def read_answer(token: bytes, keys: PublicKeys) -> Answer:
    """An answer that one of these keys signed; its payload is still to be compared. Raises `Corrupt`."""
    return _convert(verify(token, keys, ANSWER_TYPE), Answer)


def frame(token: str, payload: bytes) -> bytes:
    """As it travels."""
    return len(token).to_bytes(HEAD_BYTES, "big") + token.encode("ascii") + payload


def token_size(head: bytes) -> int:
    """How long the token is that follows these `HEAD_BYTES`. Raises `Corrupt` for more than is taken."""
    size = int.from_bytes(head, "big")
    if len(head) != HEAD_BYTES or not 0 < size <= LARGEST_TOKEN_BYTES:
        raise Corrupt("not a frame of a study's exchange")
    return size


def unframe(content: bytes) -> tuple[bytes, memoryview]:
    """Token and payload. Raises `Corrupt`."""
    size = token_size(content[:HEAD_BYTES])
    if len(content) < HEAD_BYTES + size:
        raise Corrupt("a frame of a study's exchange ends in its token")
    return content[HEAD_BYTES : HEAD_BYTES + size], memoryview(content)[HEAD_BYTES + size :]


def sha256(payload: bytes | memoryview) -> str:
    """As tokens state it."""
    return hashlib.sha256(payload).hexdigest()


def require_payload(stated: Message | Answer, payload: bytes | memoryview) -> None:
    """Raise `Corrupt` where a payload is not the one that was signed."""
    if len(payload) != stated.payload_bytes or sha256(payload) != stated.payload_sha256:
        raise Corrupt("the payload is not the one that was signed")


def split(payload: bytes | memoryview, sizes: Sequence[int]) -> list[bytes]:
    """The parts of a payload. Raises `Corrupt` where they do not fill it."""
    if sum(sizes) != len(payload):
        raise Corrupt(f"a payload of {len(payload)} bytes, of parts of {sum(sizes)}")
    parts, begin = [], 0
    for size in sizes:
        parts.append(bytes(payload[begin : begin + size]))
        begin += size
    return parts


def encode_keys(keys: dict[str, SignedKey]) -> bytes:
    """The sites' keys of a round, as a task's payload has them."""
    return msgspec.json.encode(keys, order="sorted")


def decode_keys(content: bytes) -> dict[str, SignedKey]:
    """The sites' keys of a round; nothing of them is verified yet. Raises `Corrupt`."""
    try:
        return msgspec.json.decode(content, type=dict[str, SignedKey])
    except (msgspec.DecodeError, RecursionError):
        raise Corrupt("not the keys of a round") from None


def _convert(claims: dict[str, object], kind: type[T]) -> T:
    try:
        return msgspec.convert(claims, kind)
    except msgspec.ValidationError as error:
        raise Corrupt(f"not what it must be: {error}") from None
