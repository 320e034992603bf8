# SPDX-License-Identifier: Apache-2.0
"""Who a node or hub is, signed by its own key: `/.well-known/megagenome`. No outside standard.

A compact JSON Web Signature (RFC 7515; ES256, `typ` `megagenome-descriptor+jwt`, media type `application/jwt`) whose
claims are a `Descriptor`. Whoever pinned one of the keys verifies it with that key (`read_descriptor`), also after the
key was replaced. At the first meeting, nothing but possession of the keys is shown (`meet`): then something else, such
as an invitation, must say that it is the right one.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from megagenome.kernel.errors import Corrupt, TooLarge
from megagenome.kernel.jwt import read_token
from megagenome.kernel.keys import SigningKeys, successors
from megagenome.kernel.public_keys import PublicKeys, read_public_keys
from megagenome.kernel.signatures import verify
from megagenome.standards.service_info import ServiceType

PATH = "/.well-known/megagenome"
KEYS_PATH = "/.well-known/jwks.json"
MEDIA_TYPE = "application/jwt"
KEYS_MEDIA_TYPE = "application/jwk-set+json"
TYPE = "megagenome-descriptor+jwt"
LARGEST_BYTES = 64 * 1024
_SKEW_S = 60

_Text = Annotated[str, msgspec.Meta(max_length=1000)]
_Url = Annotated[str, msgspec.Meta(max_length=255, pattern=r"\Ahttps?://[!-~]+\Z")]


class DescribedService(msgspec.Struct, frozen=True):
    """A service and where it is."""

    type: ServiceType
    url: _Url


class Descriptor(msgspec.Struct, frozen=True):
    """A node or hub as it describes itself.

    id          its Beacon id, which never changes
    country     ISO 3166-1 alpha-2; "" for a hub
    url         its address, without a slash at the end
    version     of the software
    keys        its public keys as a JSON Web Key Set, newest first; the newest signs
    successors  each replaced key's signed word for the next, oldest first
    iat         when it was signed, in seconds since 1970: an older one may be somebody's copy
    """

    id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")]
    kind: Literal["node", "hub"]
    name: _Text
    country: Annotated[str, msgspec.Meta(pattern=r"\A([A-Z]{2})?\Z")]
    url: _Url
    version: _Text
    services: tuple[DescribedService, ...]
    keys: dict[str, Any]
    successors: tuple[str, ...]
    iat: int

    def key_set(self) -> PublicKeys:
        """Its keys, to pin."""
        return read_public_keys(self.keys)


def sign_descriptor(
    keys: SigningKeys,
    *,
    id: str,  # noqa: A002 - the claim's own name
    kind: Literal["node", "hub"],
    name: str,
    country: str,
    url: str,
    version: str,
    services: tuple[DescribedService, ...],
    iat: int,
) -> str:
    """What `/.well-known/megagenome` answers."""
    said = Descriptor(id, kind, name, country, url, version, services, keys.jwks(), keys.successors, iat)
    return keys.sign(msgspec.to_builtins(said), TYPE)


def read_descriptor(token: str | bytes, pinned: PublicKeys) -> Descriptor:
    """A descriptor signed by a pinned key, or by one that a pinned key named as its successor. Raises `Corrupt`."""
    statements = _unverified(token).successors
    return _verified(token, successors(pinned, statements))


def meet(token: str | bytes) -> Descriptor:
    """A descriptor signed by one of the keys that it names itself: who sent it has that key, and no more is known.

    Raises `Corrupt`."""
    return _verified(token, _unverified(token).key_set())


def is_newer(described: Descriptor, known: str | bytes, now: datetime) -> bool:
    """Whether a descriptor is to take the place of a known one: it was signed as late or later, and not at a time to
    come, which only a clock that was ahead shows. One that was signed then holds up no other."""
    soon_s, known_iat = now.timestamp() + _SKEW_S, meet(known).iat
    return described.iat <= soon_s and (described.iat >= known_iat or known_iat > soon_s)


def _verified(token: str | bytes, keys: PublicKeys) -> Descriptor:
    return _convert(verify(token, keys, TYPE, largest_bytes=LARGEST_BYTES))


def _unverified(token: str | bytes) -> Descriptor:
    """What it says, to find the keys that can verify it; nothing else of it is to be believed."""
    try:
        return _convert(read_token(token, LARGEST_BYTES).claims)
    except TooLarge as error:
        raise Corrupt(f"a descriptor is {error}") from None


def _convert(claims: object) -> Descriptor:
    try:
        return msgspec.convert(claims, Descriptor)
    except msgspec.ValidationError:
        raise Corrupt("a descriptor lacks what it must say, or says it in another way") from None
