# SPDX-License-Identifier: Apache-2.0
"""Public keys that signatures are verified with, from a JSON Web Key Set (RFC 7517): the one reader of key sets."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int

from megagenome.kernel.errors import Corrupt, TooLarge
from megagenome.kernel.jwt import decode_object

PublicKey = ECKey | RSAKey
PublicKeys = Mapping[str, tuple[PublicKey, ...]]
"""Keys by `kid`. More than one under a name is kept, so that the name can be refused as ambiguous."""

ALGORITHMS = ("ES256", "RS256")
"""All that signatures are ever verified with; each reader of tokens takes these or fewer."""

MAX_KEYS = 64
MAX_KEY_SET_BYTES = 256 * 1024
LEAST_RSA_BITS = 2048
_PUBLIC = {"EC": ("kty", "crv", "x", "y", "kid", "use", "alg"), "RSA": ("kty", "n", "e", "kid", "use", "alg")}


def read_public_keys(jwks: bytes | Mapping[str, Any]) -> PublicKeys:
    """The keys of a JSON Web Key Set with which ES256 or RS256 can be verified, in its order.

    Keys for other ends, weak or broken ones are left out, as RFC 7517 (5) wants. A key without `kid` gets its
    thumbprint (RFC 7638). Raises `TooLarge` above `MAX_KEY_SET_BYTES`; `Corrupt`, in one line that quotes nothing,
    where it is no key set, holds more than `MAX_KEYS`, or a private or shared key, with which anybody may have signed.
    """
    if isinstance(jwks, bytes):
        if len(jwks) > MAX_KEY_SET_BYTES:
            raise TooLarge(f"a key set of {len(jwks):,} bytes: {MAX_KEY_SET_BYTES:,} are taken")
        jwks = decode_object(jwks, "key set")
    keys = jwks.get("keys")
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise Corrupt(f"no JSON Web Key Set of at most {MAX_KEYS} keys")
    if any("d" in key or "k" in key for key in keys if isinstance(key, dict)):
        raise Corrupt("a key set holds private or shared keys: whoever wrote it must replace them")
    return by_kid(_usable(keys))


def by_kid(keys: Iterable[PublicKey]) -> PublicKeys:
    """These keys under their names. Each must have one."""
    found: dict[str, tuple[PublicKey, ...]] = {}
    for key in keys:
        found[str(key.kid)] = (*found.get(str(key.kid), ()), key)
    return found


def each_key(keys: PublicKeys) -> Iterator[PublicKey]:
    """All of them, also those that share a name."""
    for named in keys.values():
        yield from named


def to_jwks(keys: PublicKeys) -> dict[str, Any]:
    """The keys as a JSON Web Key Set, which `read_public_keys` reads."""
    return {"keys": [key.as_dict(private=False) for key in each_key(keys)]}


def _usable(keys: list[Any]) -> Iterator[PublicKey]:
    for stated in keys:
        kind = stated.get("kty") if isinstance(stated, dict) else None
        if not isinstance(kind, str) or kind not in _PUBLIC:
            continue
        public = {name: stated[name] for name in _PUBLIC[kind] if name in stated}
        kid = public.get("kid", "without")
        if not isinstance(kid, str) or not kid or public.get("use", "sig") != "sig":
            continue
        if public.get("alg", ALGORITHMS[0]) in ALGORITHMS and (key := _import(public)) is not None:
            yield key


def _import(public: dict[str, Any]) -> PublicKey | None:
    try:
        if public["kty"] == "RSA" and base64_to_int(public["n"]).bit_length() < LEAST_RSA_BITS:
            return None  # of a short one joserfc would only warn
        if public["kty"] == "EC" and public.get("crv") != "P-256":
            return None
        key = ECKey.import_key(public) if public["kty"] == "EC" else RSAKey.import_key(public)
        key.ensure_kid()
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key
