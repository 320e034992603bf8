# SPDX-License-Identifier: Apache-2.0
"""The signing keys of a node or hub, and what they and others signed: JSON Web Signatures by ES256 (P-256).

keys/signing.json   mode 0600 in a folder 0700: a JSON Web Key Set, newest key first, and each key's word for the next

The newest key signs. Of older ones only the public part is kept, so that what they signed can still be verified and
nobody can sign with them again. A key's id is its thumbprint by RFC 7638. When a key is replaced it signs its
successor; whoever pinned the old key follows these statements to the new one (`successors`).
"""

import base64
import contextlib
import fcntl
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self, cast

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from megagenome.kernel import clock
from megagenome.kernel.blobs import fsync_folder, make_folder, write_durably
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, TooLarge

ALGORITHM = "ES256"
KEY_FILE = "signing.json"
SUCCESSOR_TYPE = "megagenome-key+jwt"

LARGEST_TOKEN_BYTES = 128 * 1024
_LARGEST_HEADER_BYTES = 2048
_LARGEST_KEY_SET_BYTES = 128 * 1024
_SMALLEST_RSA_BITS = 2048

_FITS = {"ES256": ("EC", "P-256"), "RS256": ("RSA", None)}
"""What key each algorithm takes: its type and its curve. An algorithm that is not here is never accepted."""


class _KeyFile(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]
    successors: list[str] = []

    def __repr__(self) -> str:
        return "_KeyFile(...)"  # the first key is private


class SigningKeys:
    """The keys of one node or hub. Safe to use from many threads. Its private part is in no repr, error or log."""

    __slots__ = ("_older", "_private", "successors")

    def __init__(self, private: ECKey, older: Iterable[ECKey] = (), successors: Iterable[str] = ()) -> None:
        """For `open` and `replace`. `successors`: each replaced key's statement of the next, oldest first."""
        self._private = private
        self._older = tuple(older)
        self.successors = tuple(successors)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The keys in `folder`; the first one is made, durably, where there is none.

        Raises `Conflict` when accounts other than the owner's may read them, `Corrupt` when it is no file of keys.
        """
        with _held(folder):
            path = folder / KEY_FILE
            if path.exists():
                return cls._read(path)
            keys = cls(_generate())
            keys._write(path)
            return keys

    @classmethod
    def replace(cls, folder: Path) -> Self:
        """Make a newer key, which signs from now on; the present one says so before its private part is forgotten.

        Durable on return. A running server signs with the old key, which stays valid, until its next start.
        """
        with _held(folder):
            path = folder / KEY_FILE
            if not path.exists():
                raise Invalid(f"{path}: there is no key here to replace")
            present, newer = cls._read(path), _generate()
            statement = {"jwk": _public(newer), "iat": int(clock.now().timestamp())}
            said = present.sign(statement, SUCCESSOR_TYPE)
            keys = cls(newer, map(_import_ec, present.jwks()["keys"]), [*present.successors, said])
            keys._write(path)
            return keys

    @property
    def kid(self) -> str:
        """The id of the key that signs."""
        return str(self._private.kid)

    def sign(self, claims: Mapping[str, Any], typ: str, *, jku: str = "") -> str:
        """`claims` as a compact JSON Web Signature by the newest key; its header has `alg`, `kid`, `typ` and, if given,
        `jku`, the address of `jwks()`. Cost: about 0.1 ms."""
        header = {"alg": ALGORITHM, "kid": self.kid, "typ": typ} | ({"jku": jku} if jku else {})
        return jws.serialize_compact(header, msgspec.json.encode(claims), self._private, [ALGORITHM])

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JSON Web Key Set, newest first, for `/.well-known/jwks.json`."""
        return {"keys": [_public(key) for key in (self._private, *self._older)]}

    def key_set(self) -> KeySet:
        """The public keys, to verify with."""
        return parse_key_set(self.jwks())

    def __repr__(self) -> str:
        return f"SigningKeys({self.kid})"

    def __reduce__(self) -> str:
        raise TypeError("signing keys stay in their process")

    @classmethod
    def _read(cls, path: Path) -> Self:
        content = _read_privately(path)
        try:
            file = msgspec.json.decode(content, type=_KeyFile)
            keys = cls(_import_private(file.keys[0]), map(_import_ec, file.keys[1:]), file.successors)
        except (ValueError, JoseError, LookupError, TypeError):
            # whatever the library says of it may quote the file
            raise Corrupt(f"{path}: not a file of signing keys: restore it from the backup") from None
        return keys

    def _write(self, path: Path) -> None:
        private = cast("dict[str, Any]", self._private.as_dict(private=True))
        file = _KeyFile([private, *map(_public, self._older)], list(self.successors))
        with write_durably(path, mode=0o600) as opened:
            opened.write(msgspec.json.format(msgspec.json.encode(file)) + b"\n")


def parse_key_set(jwks: Mapping[str, Any] | bytes) -> KeySet:
    """The public keys of a JSON Web Key Set from elsewhere that can verify ES256 or RS256; others are left out, as RFC
    7517 has it. A key without `kid` gets its thumbprint.

    Raises `Corrupt` for what is not a key set, holds a private or a shared key, or names two keys alike.
    """
    try:
        if isinstance(jwks, bytes):
            if len(jwks) > _LARGEST_KEY_SET_BYTES:
                raise TooLarge(f"a key set of {len(jwks):,} bytes: {_LARGEST_KEY_SET_BYTES:,} are taken")
            jwks = msgspec.json.decode(jwks, type=dict[str, Any])
        listed = msgspec.convert(jwks.get("keys"), list[dict[str, Any]])
        if any("d" in key or "k" in key for key in listed):
            raise Corrupt("a key set holds private or shared keys: whoever wrote it must replace them")
        keys = [key for key in map(_import_public, listed) if key is not None]
    except (ValueError, TypeError, KeyError, JoseError, RecursionError):
        raise Corrupt("not a JSON Web Key Set") from None
    found = KeySet(keys)
    if len({key.kid for key in keys}) < len(keys):
        raise Corrupt("a key set names two keys alike")
    return found


def verify(
    token: str | bytes,
    keys: KeySet,
    typ: str,
    *,
    algorithms: Collection[str] = (ALGORITHM,),
    largest_bytes: int = LARGEST_TOKEN_BYTES,
) -> dict[str, Any]:
    """The claims of a compact JSON Web Signature that one of `keys` signed as `typ`, by one of `algorithms`.

    The key is the one whose id the header names, and must be of the algorithm's type and curve; a key, certificate or
    address in the header is never looked at, and `crit` and `b64` are refused. Times (`exp`, `nbf`, `iat`) and names
    (`iss`, `aud`) are the caller's to judge. Raises `TooLarge` before anything is decoded, else `Corrupt`, with one
    line that quotes no claim. Cost: about 0.2 ms.
    """
    if len(token) > largest_bytes:
        raise TooLarge(f"a signed token of {len(token):,} bytes: {largest_bytes:,} are taken")
    registry = jws.JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
    registry.max_header_length, registry.max_payload_length = _LARGEST_HEADER_BYTES, largest_bytes
    try:
        signed = jws.extract_compact(token.encode("ascii") if isinstance(token, str) else token, registry=registry)
        key = _key_for(signed.protected, keys, typ, algorithms)
        if not jws.validate_compact(signed, key, registry=registry):
            raise Corrupt(f"a signed token ({typ}) is not what was signed")
        return msgspec.json.decode(signed.payload, type=dict[str, Any])
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Corrupt(f"not a signed token ({typ})") from None


def successors(pinned: KeySet, statements: Iterable[str]) -> KeySet:
    """`pinned` and those keys that they named, one after another, as their successors. `statements` are the signer's
    `successors`, oldest first; one that no known key signed adds nothing."""
    known = {str(key.kid): key for key in pinned}
    for statement in statements:
        with contextlib.suppress(Corrupt, TooLarge):
            claims = verify(statement, KeySet(list(known.values())), SUCCESSOR_TYPE)
            for key in parse_key_set({"keys": [claims.get("jwk")]}):
                known.setdefault(key.thumbprint(), key)
    return KeySet(list(known.values()))


def _key_for(header: Mapping[str, Any], keys: KeySet, typ: str, algorithms: Collection[str]) -> Key:
    if header.get("typ") != typ:
        raise Corrupt(f"a signed token is not of the type {typ}")
    algorithm = header.get("alg")
    if algorithm not in algorithms or algorithm not in _FITS:
        raise Corrupt(f"a signed token ({typ}) is not signed by {' or '.join(algorithms)}")
    if "crit" in header or "b64" in header:
        raise Corrupt(f"a signed token ({typ}) has extensions, which are not understood")
    found = [key for key in keys if isinstance(header.get("kid"), str) and key.kid == header["kid"]]
    if len(found) != 1 or (found[0].key_type, found[0].get("crv")) != _FITS[algorithm]:
        raise Corrupt(f"a signed token ({typ}) names a key that is not among its signer's known keys")
    return found[0]


def _import_public(jwk: dict[str, Any]) -> Key | None:
    if jwk.get("use", "sig") != "sig":
        return None
    if jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
        return ECKey.import_key(cast("Any", jwk))
    if jwk.get("kty") == "RSA":
        modulus = base64.urlsafe_b64decode(jwk["n"] + "==")  # the library would only warn of a short one
        long_enough = int.from_bytes(modulus, "big").bit_length() >= _SMALLEST_RSA_BITS
        return RSAKey.import_key(cast("Any", jwk)) if long_enough else None
    return None


def _import_ec(jwk: Mapping[str, Any]) -> ECKey:
    if jwk.get("crv") != "P-256":
        raise ValueError
    return ECKey.import_key(cast("Any", dict(jwk)))


def _import_private(jwk: dict[str, Any]) -> ECKey:
    key = _import_ec(jwk)
    if not key.is_private:
        raise ValueError
    return key


def _generate() -> ECKey:
    key = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": ALGORITHM})
    key.ensure_kid()
    return key


def _public(key: ECKey) -> dict[str, str]:
    return cast("dict[str, str]", key.as_dict(private=False))


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Make `folder` for its owner alone, and keep other processes from making keys in it meanwhile."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        fsync_folder(folder.parent)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _refuse_others(descriptor, folder, "700")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read_privately(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        _refuse_others(descriptor, path, "600")
        return file.read(_LARGEST_KEY_SET_BYTES)


def _refuse_others(descriptor: int, path: Path, mode: str) -> None:
    found = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if found & 0o077:
        raise Conflict(
            f"{path}: accounts other than its owner's may use the signing key (mode {found:04o}): chmod {mode} it, and "
            "replace the key if somebody may have read it"
        )
