# SPDX-License-Identifier: Apache-2.0
"""Public keys that signatures are verified with, from a JSON Web Key Set (RFC 7517)."""

from collections.abc import Iterator, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

from megagenome.kernel.errors import Corrupt
from megagenome.standards.jwt import decode_object
from megagenome.standards.passport import ALGORITHMS

PublicKey = ECKey | RSAKey
PublicKeys = Mapping[str, tuple[PublicKey, ...]]
"""Keys by `kid`. More than one under a name is kept, so that the name can be refused as ambiguous."""

MAX_KEYS = 64
LEAST_RSA_BITS = 2048
_PUBLIC = {"EC": ("kty", "crv", "x", "y", "kid", "use", "alg"), "RSA": ("kty", "n", "e", "kid", "use", "alg")}


def read_public_keys(content: bytes) -> PublicKeys:
    """The keys of a JSON Web Key Set with which ES256 or RS256 can be verified.

    Keys for other ends, without a `kid`, weak or broken are left out, as RFC 7517 (5) wants; private parts are dropped
    unread. Raises `Corrupt` where it is no key set, or holds more than `MAX_KEYS`.
    """
    keys = decode_object(content, "key set").get("keys")
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise Corrupt(f"no JSON Web Key Set of at most {MAX_KEYS} keys")
    by_kid: dict[str, tuple[PublicKey, ...]] = {}
    for kid, key in _usable(keys):
        by_kid[kid] = (*by_kid.get(kid, ()), key)
    return by_kid


def _usable(keys: list[Any]) -> Iterator[tuple[str, PublicKey]]:
    for stated in keys:
        kind = stated.get("kty") if isinstance(stated, dict) else None
        if not isinstance(kind, str) or kind not in _PUBLIC:
            continue
        public = {name: stated[name] for name in _PUBLIC[kind] if name in stated}
        kid = public.get("kid")
        if not isinstance(kid, str) or not kid or public.get("use", "sig") != "sig":
            continue
        if public.get("alg", ALGORITHMS[0]) in ALGORITHMS and (key := _import(public)) is not None:
            yield kid, key


def _import(public: dict[str, Any]) -> PublicKey | None:
    try:
        if public["kty"] == "EC":
            return ECKey.import_key(public) if public.get("crv") == "P-256" else None
        # of a short one joserfc would only warn
        if base64_to_int(public["n"]).bit_length() < LEAST_RSA_BITS:
            return None
        return RSAKey.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
