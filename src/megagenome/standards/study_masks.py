# SPDX-License-Identifier: Apache-2.0
"""How sites of a study agree on masks: each signs a key of one round's, which the hub passes on. No outside standard.

A `RoundKey` travels as a compact JWS (ES256, `typ` `megagenome-study-key+jwt`) by the node's signing key. The public
part of that comes along and proves itself: its thumbprint is the one that the study document names for the node.
"""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

import msgspec

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import each_key, read_public_keys
from megagenome.kernel.signatures import verify

KEY_TYPE = "megagenome-study-key+jwt"


class Round(NamedTuple):
    """One sum of a study.

    study   digest of its document
    epoch   raised each time the study begins again, or goes on with fewer sites
    number  of the sum in the epoch
    sites   nodes whose vectors are added, sorted; two or more
    """

    study: str
    epoch: int
    number: int
    sites: tuple[str, ...]


class RoundKey(msgspec.Struct, frozen=True):
    """A node's X25519 public key for one round (`public`, 64 hexadecimal digits)."""

    study: str
    epoch: int
    number: int
    sites: tuple[str, ...]
    node: str
    public: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class SignedKey(msgspec.Struct, frozen=True):
    """A signed `RoundKey`, and the JSON Web Key that verifies it."""

    token: Annotated[str, msgspec.Meta(max_length=8192)]
    jwk: dict[str, str]


def sign_key(keys: SigningKeys, turn: Round, node: str, public: bytes) -> SignedKey:
    """A node's key for a round, on its way to the other sites."""
    said = RoundKey(*turn, node, public.hex())
    return SignedKey(keys.sign(msgspec.to_builtins(said), KEY_TYPE), keys.jwks()["keys"][0])


def read_keys(signed: Mapping[str, SignedKey], turn: Round, thumbprints: Mapping[str, str]) -> dict[str, bytes]:
    """The X25519 public key of every site of the round. `signed` and `thumbprints` are by node.

    Raises `Corrupt` where a site's key is missing, is not signed by the key that the document names for it, or is of
    another study, epoch, round, list of sites or node; and where two sites have one key.
    """
    if set(signed) != set(turn.sites):
        raise Corrupt("the keys of a round are not those of its sites")
    found = {node: read_key(signed[node], turn, node, thumbprints[node]) for node in turn.sites}
    if len(set(found.values())) < len(found):
        raise Corrupt("two sites of a round have one key")
    return found


def read_key(signed: SignedKey, turn: Round, node: str, thumbprint: str) -> bytes:
    """The X25519 public key of one site of the round. Raises `Corrupt` as `read_keys` does."""
    keys = read_public_keys({"keys": [signed.jwk]})
    if [key.thumbprint() for key in each_key(keys)] != [thumbprint]:
        raise Corrupt(f"the key of {node[:100]} is not signed by the key that the study names")
    try:
        said = msgspec.convert(verify(signed.token, keys, KEY_TYPE), RoundKey)
    except msgspec.ValidationError as error:
        raise Corrupt(f"the key of {node[:100]}: {error}") from None
    if (Round(said.study, said.epoch, said.number, said.sites), said.node) != (turn, node):
        raise Corrupt(f"the key of {node[:100]} is of another round")
    return bytes.fromhex(said.public)
