# SPDX-License-Identifier: Apache-2.0
"""The signing keys of a node or hub, which make JSON Web Signatures by ES256 (P-256).

keys/signing.json   mode 0600 in a folder 0700: a JSON Web Key Set, newest key first, and each key's word for the next

The newest key signs. Of older ones only the public part is kept, so that what they signed can still be verified and
nobody can sign with them again. A key's id is its thumbprint by RFC 7638. When a key is replaced it signs its
successor; whoever pinned the old key follows these statements to the new one (`successors`).
"""

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, cast

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from megagenome.kernel import clock
from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Corrupt, Invalid, TooLarge
from megagenome.kernel.private_files import hold_privately, read_privately
from megagenome.kernel.public_keys import PublicKeys, read_public_keys
from megagenome.kernel.signatures import OWN_ALGORITHM, verify

KEY_FILE = "signing.json"
SUCCESSOR_TYPE = "megagenome-key+jwt"


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
        with hold_privately(folder):
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
        with hold_privately(folder):
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
        header = {"alg": OWN_ALGORITHM, "kid": self.kid, "typ": typ} | ({"jku": jku} if jku else {})
        return jws.serialize_compact(header, msgspec.json.encode(claims), self._private, [OWN_ALGORITHM])

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JSON Web Key Set, newest first, for `/.well-known/jwks.json`."""
        return {"keys": [_public(key) for key in (self._private, *self._older)]}

    def key_set(self) -> PublicKeys:
        """The public keys, to verify with."""
        return read_public_keys(self.jwks())

    def __repr__(self) -> str:
        return f"SigningKeys({self.kid})"

    def __reduce__(self) -> str:
        raise TypeError("signing keys stay in their process")

    @classmethod
    def _read(cls, path: Path) -> Self:
        content = read_privately(path)
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


def successors(pinned: PublicKeys, statements: Iterable[str]) -> PublicKeys:
    """`pinned` and those keys that they named, one after another, as their successors. `statements` are the signer's
    `successors`, oldest first; one that no known key signed adds nothing."""
    known = dict(pinned)
    for statement in statements:
        with contextlib.suppress(Corrupt, TooLarge):
            claims = verify(statement, known, SUCCESSOR_TYPE)
            for kid, named in read_public_keys({"keys": [claims.get("jwk")]}).items():
                known.setdefault(kid, named)
    return known


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
    key = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": OWN_ALGORITHM})
    key.ensure_kid()
    return key


def _public(key: ECKey) -> dict[str, str]:
    return cast("dict[str, str]", key.as_dict(private=False))
