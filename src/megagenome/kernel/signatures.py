# SPDX-License-Identifier: Apache-2.0
"""What is asked of every signed token alike, whoever wrote it: its header, its key, its signature.

The one way in which the house verifies a JSON Web Signature (RFC 7515; RFC 8725): node descriptors, messages, permits,
decisions and heads of ledgers by `verify`, of which the signer's keys are known beforehand; passports, visas and
identity tokens by the same steps one at a time, because what they say leads to the issuer whose keys are to be asked.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Any

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from megagenome.kernel.errors import Corrupt, TooLarge
from megagenome.kernel.jwt import Token, read_token
from megagenome.kernel.public_keys import ALGORITHMS, PublicKey, PublicKeys, each_key

OWN_ALGORITHM = "ES256"
"""What nodes and hubs sign by."""

LARGEST_TOKEN_BYTES = 128 * 1024

OWN_KEY_PARAMETERS = frozenset({"jwk", "x5c", "x5u"})
"""Headers that bring a key, or an address of one, of the sender's choice."""

MEANING_PARAMETERS = frozenset({"b64", "crit", "enc", "zip"})
"""Headers that change what is signed, or that must be understood: of these we understand none."""

_REFUSED_PARAMETERS = OWN_KEY_PARAMETERS | MEANING_PARAMETERS

_ALGORITHMS = {name: JWSRegistry.algorithms[name] for name in ALGORITHMS}
_KEY_TYPES = {"ES256": "EC", "RS256": "RSA"}


class Fault(StrEnum):
    """What of a token's header, key or signature is not as it must be."""

    ALGORITHM = "algorithm"
    WRONG_TYP = "wrong-typ"
    FOREIGN_KEY = "foreign-key"
    NO_KID = "no-kid"
    UNKNOWN_KID = "unknown-kid"
    AMBIGUOUS_KID = "ambiguous-kid"
    BAD_SIGNATURE = "bad-signature"


class NotSigned(Corrupt):
    """A token that is not signed as it must be. Its text says why in one line; foreign words in it are short and
    quoted, and none is a claim."""

    def __init__(self, fault: Fault, says: str) -> None:
        super().__init__(says)
        self.fault = fault


def short_ascii(text: str) -> str:
    """A foreign word fit to be shown: short, ASCII, without control characters."""
    return ascii(text if len(text) <= 120 else text[:119] + "~")[1:-1]


def quoted(word: object) -> str:
    """A foreign word for a message, in quotes; anything else than a text is an empty one."""
    return f"'{short_ascii(word) if isinstance(word, str) else ''}'"


def check_header(token: Token, types: Collection[str], algorithms: Collection[str] = ALGORITHMS) -> None:
    """Algorithm, kind of token (`types` as `Header.media_type` has them), and nothing in the header that would choose
    another key or meaning. Raises `NotSigned`."""
    header = token.header
    if header.alg not in algorithms or header.alg not in _ALGORITHMS:
        raise NotSigned(Fault.ALGORITHM, f"its algorithm {quoted(header.alg)} is not one of {', '.join(algorithms)}")
    if header.media_type not in types:
        raise NotSigned(Fault.WRONG_TYP, f"its typ {quoted(header.typ)} is another kind of token")
    if found := _REFUSED_PARAMETERS & token.parameters.keys():
        names = ", ".join(sorted(found))
        says = f"its header has {names}, by which a sender would choose what it is judged by"
        raise NotSigned(Fault.FOREIGN_KEY, says)


def check_signature(token: Token, keys: PublicKeys, *, nameless: bool = False) -> None:
    """That the one key of its issuer with its `kid` has signed it. Raises `NotSigned`.

    With `nameless`, a token without `kid` counts where its issuer has one key for its algorithm. `check_header` comes
    first. Cost: about 0.1 ms.
    """
    key = _key(token, keys, nameless=nameless)
    # the algorithm itself, and not joserfc's reader: what we have read is what is verified, with no second opinion
    algorithm = _ALGORITHMS[token.header.alg]
    try:
        algorithm.check_key(key)
        good = algorithm.verify(token.signed, token.signature, key)
    except JoseError:  # the key is for another algorithm
        good = False
    if not good:
        raise NotSigned(Fault.BAD_SIGNATURE, f"its issuer's key {quoted(key.kid)} has not signed it")


def verify(
    token: str | bytes,
    keys: PublicKeys,
    typ: str,
    *,
    algorithms: Collection[str] = (OWN_ALGORITHM,),
    largest_bytes: int = LARGEST_TOKEN_BYTES,
) -> dict[str, Any]:
    """The claims of a token that one of `keys` signed as `typ`, by one of `algorithms`.

    Times (`exp`, `nbf`, `iat`) and names (`iss`, `aud`) are the caller's to judge. Raises `TooLarge` before anything is
    decoded, else `Corrupt`, with one line that quotes no claim. Cost: about 0.2 ms.
    """
    try:
        read = read_token(token, largest_bytes)
        check_header(read, {typ}, algorithms)
        check_signature(read, keys)
    except TooLarge:
        raise TooLarge(f"a signed token of {len(token):,} bytes ({typ}): {largest_bytes:,} are taken") from None
    except Corrupt as error:
        raise Corrupt(f"not a signed token ({typ}): {error}") from None
    return read.claims


def _key(token: Token, keys: PublicKeys, *, nameless: bool) -> PublicKey:
    kid = token.header.kid
    if kid:
        named = keys.get(kid, ())
    elif nameless:
        kind = _KEY_TYPES[token.header.alg]
        named = tuple(key for key in each_key(keys) if key.key_type == kind)
    else:
        raise NotSigned(Fault.NO_KID, "its header names no key (kid)")
    if not named:
        raise NotSigned(Fault.UNKNOWN_KID, f"its issuer has no key {quoted(kid)} that can be used")
    if len(named) > 1:
        raise NotSigned(Fault.AMBIGUOUS_KID, f"its issuer has more than one key {quoted(kid)}")
    return named[0]
