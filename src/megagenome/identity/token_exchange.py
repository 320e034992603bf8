# SPDX-License-Identifier: Apache-2.0
"""Token exchange: a proof of who asks for a passport with visas. RFC 8693, as GA4GH AAI 1.2 uses it; errors RFC 6749.

The proof is a passport that this server accepts, or the session of whoever is signed in. A passport of this server's
own is none: else somebody who took one could renew it for ever.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from megagenome.identity.visa_mint import Minted
from megagenome.standards.passport import MAX_URL_LENGTH

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
PASSPORT_TYPE = "urn:ga4gh:params:oauth:token-type:passport"
SUBJECT_TYPES = (PASSPORT_TYPE, "urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:access_token")
MOST_AUDIENCES = 10

_MANY_TIMES = ("audience", "resource")


class Refusal(Exception):
    """Why no token is given: RFC 6749 (5.2) `code` and `says`, as they may stand in an answer."""

    def __init__(self, code: str, says: str) -> None:
        says = "".join(letter if " " <= letter <= "~" and letter not in '"\\' else "?" for letter in says)
        super().__init__(says)
        self.code = code
        self.says = says


class Exchange(NamedTuple):
    """What is asked: the proof, empty where the session is it, and whom the passport will be shown to."""

    subject_token: str
    audiences: tuple[str, ...]


class ExchangeAnswer(msgspec.Struct, frozen=True):
    """The passport, by RFC 8693 (2.2.1)."""

    access_token: str
    issued_token_type: str
    token_type: str
    expires_in: int


def read_exchange(pairs: Iterable[tuple[str, Any]], own_url: str) -> Exchange:
    """The parameters of a request; without an audience the passport is for this server, `own_url`. Raises `Refusal`."""
    given: dict[str, str] = {}
    audiences: list[str] = []
    for name, value in pairs:
        if not isinstance(value, str):
            raise Refusal("invalid_request", f"{name[:40]} must be a text")
        if name in _MANY_TIMES and value:
            audiences.append(value)
        elif name in given:
            raise Refusal("invalid_request", f"{name[:40]} stands there twice")
        else:
            given[name] = value
    _require(given)
    for each in audiences:
        _require_audience(each)
    if len(audiences) > MOST_AUDIENCES:
        raise Refusal("invalid_target", f"more than {MOST_AUDIENCES} audiences and resources")
    return Exchange(given.get("subject_token", ""), tuple(dict.fromkeys(audiences)) or (own_url,))


def exchange_answer(minted: Minted) -> ExchangeAnswer:
    """The answer with a passport."""
    return ExchangeAnswer(minted.passport, PASSPORT_TYPE, "Bearer", minted.lasts_s)


def _require(given: dict[str, str]) -> None:
    if not given.get("grant_type"):
        raise Refusal("invalid_request", "grant_type is missing")
    if given["grant_type"] != GRANT_TYPE:
        raise Refusal("unsupported_grant_type", f"grant_type must be {GRANT_TYPE}")
    if given.get("requested_token_type") != PASSPORT_TYPE:
        raise Refusal("invalid_request", f"requested_token_type must be {PASSPORT_TYPE}")
    if given.get("subject_token") and given.get("subject_token_type") not in SUBJECT_TYPES:
        raise Refusal("invalid_request", f"subject_token_type must be one of {', '.join(SUBJECT_TYPES)}")
    if "actor_token" in given:
        raise Refusal("invalid_request", "nobody can act for another here: leave actor_token out")


def _require_audience(audience: str) -> None:
    """An absolute URL without fragment (RFC 8693, 2.1)."""
    try:
        parts = urlsplit(audience)
    except ValueError:
        parts = urlsplit("")
    printable = audience.isascii() and audience.isprintable() and " " not in audience
    if not (parts.scheme and parts.netloc and printable) or "#" in audience or len(audience) > MAX_URL_LENGTH:
        raise Refusal("invalid_target", "audience and resource are addresses, such as https://node.example.org")
