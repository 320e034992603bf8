# SPDX-License-Identifier: Apache-2.0
"""What is asked of every passport and visa alike, each fault as a reason: header, key, signature, times."""

from collections.abc import Collection

from megagenome.identity.model import SKEW_S, Code
from megagenome.kernel import signatures
from megagenome.kernel.errors import Corrupt, TooLarge
from megagenome.kernel.jwt import Token, read_token
from megagenome.kernel.public_keys import PublicKeys
from megagenome.kernel.signatures import NotSigned


class Refused(Exception):
    """Why a token does not count; caught in `clearinghouse` and made a reason."""

    def __init__(self, code: Code, says: str) -> None:
        super().__init__(says)
        self.code = code
        self.says = says


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
    try:
        signatures.check_header(token, types)
    except NotSigned as error:
        raise _refused(error) from None


def check_signature(token: Token, keys: PublicKeys | None) -> None:
    """That the one key of its issuer with its `kid` has signed it."""
    if token.header.kid and keys is None:
        raise Refused(Code.NO_KEYS, "The keys of its issuer could not be had; try again, or ask the operator.")
    try:
        signatures.check_signature(token, keys or {})
    except NotSigned as error:
        raise _refused(error) from None


def check_times(iat: int, nbf: int, exp: int, now: int) -> None:
    """That it holds now, give or take `SKEW_S`."""
    if now >= exp + SKEW_S:
        raise Refused(Code.EXPIRED, f"It ended {now - exp} s ago.")
    if (begins := max(iat, nbf)) > now + SKEW_S:
        raise Refused(Code.NOT_YET_VALID, f"It begins in {begins - now} s.")


def _refused(error: NotSigned) -> Refused:
    """A fault of the signature as a reason, whose code has the same name."""
    says = str(error)
    return Refused(Code(error.fault.value), f"{says[0].upper()}{says[1:]}.")
