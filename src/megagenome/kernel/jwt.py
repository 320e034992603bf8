# SPDX-License-Identifier: Apache-2.0
"""JSON Web Tokens as signed compact text, read before any key is known.

RFC 7515 (JWS, https://www.rfc-editor.org/rfc/rfc7515), RFC 7519 (JWT), RFC 8725 (best current practices). Nothing here
verifies anything: what a header or a claim says is what whoever wrote the token wants us to read; `signatures` judges.
Every token that comes into the house is read here, so that nothing is verified that another parser understands
otherwise. Stricter than the RFCs where two readers could understand one text differently: names may not repeat within
an object, base64url has one spelling of each value, text is UTF-8.
"""

import binascii
import json
import math
import re
from typing import Any, NamedTuple

import msgspec

from megagenome.kernel.errors import Corrupt, TooLarge

MAX_HEADER_BYTES = 4096
MAX_NESTING = 32

# Texts whole, so that theirs are not counted; also one that never ends, else it were looked through from each quote.
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_COMPACT = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")
_LAST = {1: b"AEIMQUYcgkosw048", 2: b"AQgw"}
"""Characters that may stand last, by how many are missing to a multiple of four: two or four spare bits are zero."""


class Header(msgspec.Struct, frozen=True):
    """The parameters of a token's header that are ever read, as they are; empty where absent."""

    alg: str
    typ: str = ""
    kid: str = ""
    jku: str = ""

    @property
    def media_type(self) -> str:
        """`typ` in one spelling: media types know no case and may leave out `application/` (RFC 7515, 4.1.9)."""
        return self.typ.lower().removeprefix("application/")


class Token(NamedTuple):
    """An unverified token.

    header      what is read of its header
    parameters  its whole header, also what nobody here understands
    claims      its claims
    signed      header and payload as they were sent, which is what the signature is over
    signature   empty where it is not signed
    """

    header: Header
    parameters: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def read_token(text: str | bytes, most_bytes: int) -> Token:
    """Take a compact token apart, unverified.

    Raises `TooLarge` above `most_bytes`, before anything is looked at, and `Corrupt` for anything that is not exactly
    one signed token of JSON objects. Linear in the text's length.
    """
    if len(text) > most_bytes:
        raise TooLarge(f"longer than the {most_bytes:,} bytes that are read")
    content = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if _COMPACT.fullmatch(content) is None:
        raise Corrupt("not three base64url segments joined by dots")
    signed, _, signature = content.rpartition(b".")
    head, _, payload = signed.partition(b".")
    if len(head) > MAX_HEADER_BYTES:
        raise TooLarge(f"its header is longer than {MAX_HEADER_BYTES} bytes")
    parameters = decode_object(_decode_segment(head), "header")
    try:
        header = msgspec.convert(parameters, Header)
    except msgspec.ValidationError:
        raise Corrupt("its header is not one of a signed token") from None
    claims = decode_object(_decode_segment(payload), "claims")
    return Token(header, parameters, claims, signed, _decode_segment(signature))


def decode_object(content: bytes, what: str) -> dict[str, Any]:
    """One JSON object of which every reader has the same idea.

    Raises `Corrupt`, which names `what`, for other JSON, names that repeat, NaN, lone surrogates, and nesting beyond
    all use.
    """
    if _is_deep(content):
        raise Corrupt(f"its {what} are nested too deep")
    try:
        found = _JSON.decode(content.decode())
    except ValueError as error:  # of UTF-8, of JSON, of a number
        why = str(error) if isinstance(error, _AmbiguousError) else "no JSON in UTF-8"
        raise Corrupt(f"its {what}: {why}") from None
    if not isinstance(found, dict):
        raise Corrupt(f"its {what} are no JSON object")
    if _SURROGATE.search(content) and not _is_text(found):
        raise Corrupt(f"its {what}: half a character, which is no text")
    return found


class _AmbiguousError(ValueError):
    """What parsers understand differently."""


def _is_deep(content: bytes) -> bool:
    """Whether more than `MAX_NESTING` arrays and objects are open at once."""
    if content.count(b"[") + content.count(b"{") <= MAX_NESTING:
        return False
    depth = deepest = 0
    for mark in _BRACKET.finditer(content):
        if mark[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark[0] in b"]}":
            depth -= 1
    return deepest > MAX_NESTING


def _is_text(found: dict[str, Any]) -> bool:
    """Whether all texts are UTF-8, as databases and signers want them."""
    try:
        msgspec.json.encode(found)
    except UnicodeEncodeError:
        return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _AmbiguousError("a name stands twice in one object")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _AmbiguousError("a number is too large")
    return number


def _refuse_constant(text: str) -> None:
    raise _AmbiguousError(f"{text} is no JSON")


_JSON = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_refuse_constant)


def _decode_segment(segment: bytes) -> bytes:
    """The bytes of base64url, of which `_COMPACT` has seen the alphabet; spare bits at its end must be zero."""
    missing = -len(segment) % 4
    if missing == 3 or (missing and segment[-1] not in _LAST[missing]):
        raise Corrupt("a segment is not in the one spelling that base64url has for it")
    return binascii.a2b_base64(segment.translate(_TO_BASE64) + b"=" * missing)
