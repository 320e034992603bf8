# SPDX-License-Identifier: Apache-2.0
"""Key files of Crypt4GH version 1 (X25519), as `crypt4gh-keygen` writes them, and public keys of OpenSSH (ssh-ed25519).

    public   32 bytes
    private  "c4gh-v1" | name of the derivation | its rounds u32 and salt | name of the cipher | key, sealed | comment

in base64 between a BEGIN and an END line. Each part of a private key has its length before it (u16, big-endian);
without a passphrase both names are "none" and there is neither salt nor seal.
"""

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from megagenome.kernel.errors import Invalid, NotEntitled
from megagenome.kernel.secret import Secret

LARGEST_KEY_FILE_BYTES = 64 * 1024
RECIPIENT_PATH = "/.well-known/c4gh-recipient"
"""Where a node tells everybody the key that files for it are sealed for."""

_MAGIC = b"c4gh-v1"
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 16, 12
_MOST_ROUNDS = 10_000_000
_P = 2**255 - 19


def fingerprint(key: X25519PublicKey) -> str:
    """A short name of a public key, for people to compare: SHA-256, the first 16 bytes, in hexadecimal."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:32]


def write_public_key(key: X25519PublicKey) -> str:
    """A public key as a key file."""
    return _armoured("PUBLIC", key.public_bytes_raw())


def read_public_key(text: str) -> X25519PublicKey:
    """The public key in a key file, or in a line of OpenSSH's. Raises `Invalid` for what is none."""
    if text.strip().startswith("ssh-"):
        return _read_ssh(text)
    return public_key(_dearmoured("PUBLIC", text))


def public_key(content: bytes) -> X25519PublicKey:
    """The public key of these 32 bytes. Raises `Invalid` for what is none, and for one that hides nothing."""
    if len(content) != _KEY_BYTES:
        raise Invalid(f"a Crypt4GH public key has {_KEY_BYTES} bytes, this one {len(content)}")
    key = X25519PublicKey.from_public_bytes(content)
    try:
        X25519PrivateKey.generate().exchange(key)
    except ValueError:
        raise Invalid("this public key is of low order: whatever is encrypted for it, anybody can read") from None
    return key


def _read_ssh(text: str) -> X25519PublicKey:
    """RFC 8709 and RFC 7748 §4.1: u = (1 + y) / (1 - y), where y is the Ed25519 key without its sign."""
    kind, _, rest = text.strip().partition(" ")
    if kind != "ssh-ed25519":
        raise Invalid(f"of OpenSSH's keys only ssh-ed25519 can be used, not {kind[:30]}")
    content = _decoded(rest.split(" ")[0])
    if not content.startswith(b"\0\0\0\x0bssh-ed25519\0\0\0\x20") or len(content) != 51:
        raise Invalid("the OpenSSH public key is damaged")
    y = int.from_bytes(content[19:], "little") & ((1 << 255) - 1)
    u = (1 + y) * pow(1 - y, _P - 2, _P) % _P
    return public_key(u.to_bytes(_KEY_BYTES, "little"))


def write_private_key(key: X25519PrivateKey, passphrase: Secret | None = None) -> str:
    """A private key as a key file; under a passphrase by scrypt, which takes 0.1 s and 16 MiB."""
    content = key.private_bytes_raw()
    if not passphrase:
        return _armoured("PRIVATE", _MAGIC + _part(b"none") + _part(b"none") + _part(content))
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    sealed = nonce + ChaCha20Poly1305(_derive(b"scrypt", passphrase, salt, 0)).encrypt(nonce, content, None)
    parts = [b"scrypt", bytes(4) + salt, b"chacha20_poly1305", sealed]
    return _armoured("PRIVATE", _MAGIC + b"".join(map(_part, parts)))


def read_private_key(text: str, passphrase: Secret | None = None) -> X25519PrivateKey:
    """The private key in a key file.

    Raises `NotEntitled` where it needs another passphrase, `Invalid` for what is none. No error says anything of it.
    """
    content = _dearmoured("PRIVATE", text)
    if not content.startswith(_MAGIC):
        raise Invalid("the Crypt4GH private key is of another version than c4gh-v1")
    derivation, rest = _taken(content[len(_MAGIC) :])
    rounds, salt = 0, b""
    if derivation != b"none":
        options, rest = _taken(rest)
        rounds, salt = int.from_bytes(options[:4], "big"), options[4:]
    cipher, rest = _taken(rest)
    key, _ = _taken(rest)
    if cipher != b"none":
        key = _unlocked(derivation, cipher, key, passphrase, salt, rounds)
    if len(key) != _KEY_BYTES:
        raise Invalid("the Crypt4GH private key is damaged: it has not 32 bytes")
    return X25519PrivateKey.from_private_bytes(key)


def _unlocked(
    derivation: bytes, cipher: bytes, key: bytes, passphrase: Secret | None, salt: bytes, rounds: int
) -> bytes:
    if cipher != b"chacha20_poly1305" or derivation not in (b"scrypt", b"pbkdf2_hmac_sha256") or rounds > _MOST_ROUNDS:
        raise Invalid(
            "the private key is locked in a way that is not known; lock it anew with crypt4gh-keygen (scrypt)"
        )
    if not passphrase:
        raise NotEntitled("the private key is locked: give its passphrase")
    try:
        derived = _derive(derivation, passphrase, salt, rounds)
        return ChaCha20Poly1305(derived).decrypt(key[:_NONCE_BYTES], key[_NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        raise NotEntitled("the passphrase does not unlock the private key, or the key file is damaged") from None


def _derive(derivation: bytes, passphrase: Secret, salt: bytes, rounds: int) -> bytes:
    password = passphrase.reveal().encode()
    if derivation == b"scrypt":
        return hashlib.scrypt(password, salt=salt, n=1 << 14, r=8, p=1, dklen=_KEY_BYTES)
    return hashlib.pbkdf2_hmac("sha256", password, salt, rounds, _KEY_BYTES)


def _part(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content


def _taken(content: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(content[:2], "big")
    if len(content) < 2 + size:
        raise Invalid("the Crypt4GH private key is cut short")
    return content[2 : 2 + size], content[2 + size :]


def _armoured(kind: str, content: bytes) -> str:
    body = base64.b64encode(content).decode()
    return f"-----BEGIN CRYPT4GH {kind} KEY-----\n{body}\n-----END CRYPT4GH {kind} KEY-----\n"


def _dearmoured(kind: str, text: str) -> bytes:
    lines = [line.strip() for line in text[:LARGEST_KEY_FILE_BYTES].splitlines() if line.strip()]
    begin, end = f"-----BEGIN CRYPT4GH {kind} KEY-----", f"-----END CRYPT4GH {kind} KEY-----"
    if len(lines) < 3 or (lines[0], lines[-1]) != (begin, end):
        raise Invalid(
            f"this is no Crypt4GH {kind.lower()} key: it has no line {begin!r} before and {end!r} after the key"
        )
    return _decoded("".join(lines[1:-1]))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("the key is damaged: it is not in base64") from None
