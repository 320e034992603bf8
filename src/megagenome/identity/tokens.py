# SPDX-License-Identifier: Apache-2.0
"""What is asked of every signed token alike: its header, its key, its signature, its times."""

from collections.abc import Collection

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from megagenome.identity.model import SKEW_S, Code
from megagenome.identity.public_keys import PublicKeys
from megagenome.kernel.errors import Corrupt, TooLarge
from megagenome.standards.jwt import Token, read_token
from megagenome.standards.passport import ALGORITHMS

OWN_KEY_PARAMETERS = frozenset({"jwk", "x5c", "x5u"})
"""Headers that bring a key, or an address of one, of the sender's choice."""

MEANING_PARAMETERS = frozenset({"b64", "crit", "enc", "zip"})
"""Headers that change what is signed, or that must be understood: of these we understand none."""

_REFUSED_PARAMETERS = OWN_KEY_PARAMETERS | MEANING_PARAMETERS

_ALGORITHMS = {name: JWSRegistry.algorithms[name] for name in ALGORITHMS}


class Refused(Exception):
    """Why a token does not count; caught in `clearinghouse` and made a reason."""

    def __init__(self, code: Code, says: str) -> None:
        super().__init__(says)
        self.code = code
        self.says = says


def printable(text: str) -> str:
    """A foreign word fit to be shown: short, ASCII, without control characters."""
    return ascii(text if len(text) <= 120 else text[:119] + "~")[1:-1]


def quoted(word: object) -> str:
    """A foreign word for a message, in quotes; anything else than a text is an empty one."""
    return f"'{printable(word) if isinstance(word, str) else ''}'"


def read(text: str, most_bytes: int) -> Token:
    """The token, unverified."""
    try:
        return read_token(text, most_bytes)
    except TooLarge as error:
        raise Refused(Code.TOO_LARGE, f"It is {error}.") from None
    except Corrupt as error:
        raise Refused(Code.MALFORMED, f"It cannot be read in one way only: {error}.") from None


def check_header(token: Token, types: Collection[str]) -> None:
    """Algorithm, kind of token, and nothing in the header that would choose another key or meaning."""
    header = token.header
    if header.alg not in ALGORITHMS:
        raise Refused(Code.ALGORITHM, f"Its algorithm {quoted(header.alg)} is not one of {', '.join(ALGORITHMS)}.")
    if header.media_type not in types:
        raise Refused(Code.WRONG_TYP, f"Its typ {quoted(header.typ)} is another kind of token.")
    if found := _REFUSED_PARAMETERS & token.parameters.keys():
        names = ", ".join(sorted(found))
        raise Refused(Code.FOREIGN_KEY, f"Its header has {names}, by which a sender would choose what it is judged by.")


def check_signature(token: Token, keys: PublicKeys | None) -> None:
    """That the one key of its issuer with its `kid` has signed it."""
    kid = token.header.kid
    if not kid:
        raise Refused(Code.NO_KID, "Its header names no key (kid).")
    if keys is None:
        raise Refused(Code.NO_KEYS, "The keys of its issuer could not be had; try again, or ask the operator.")
    named = keys.get(kid, ())
    if not named:
        raise Refused(Code.UNKNOWN_KID, f"Its issuer has no key {quoted(kid)}.")
    if len(named) > 1:
        raise Refused(Code.AMBIGUOUS_KID, f"Its issuer has more than one key {quoted(kid)}.")
    # the algorithm itself, and not joserfc's reader: what we have read is what is verified, with no second opinion
    algorithm = _ALGORITHMS[token.header.alg]
    try:
        algorithm.check_key(named[0])
        good = algorithm.verify(token.signed, token.signature, named[0])
    except JoseError:  # the key is for another algorithm
        good = False
    if not good:
        raise Refused(Code.BAD_SIGNATURE, f"Its issuer's key {quoted(kid)} has not signed it.")


def check_times(iat: int, nbf: int, exp: int, now: int) -> None:
    """That it holds now, give or take `SKEW_S`."""
    if now >= exp + SKEW_S:
        raise Refused(Code.EXPIRED, f"It ended {now - exp} s ago.")
    if (begins := max(iat, nbf)) > now + SKEW_S:
        raise Refused(Code.NOT_YET_VALID, f"It begins in {begins - now} s.")
