# SPDX-License-Identifier: Apache-2.0
"""A Crypt4GH writer that may break every rule, and the edit list of the standard's own pseudo-code."""

import os
import struct
from collections.abc import Sequence
from hashlib import blake2b

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

DATA_KEY, EDIT_LIST = 0, 1


def packet(content: bytes, reader: X25519PublicKey, method: int = 0) -> bytes:
    """A header packet with any content."""
    writer, nonce = X25519PrivateKey.generate(), os.urandom(12)
    mine, theirs = writer.public_key().public_bytes_raw(), reader.public_bytes_raw()
    shared = blake2b(writer.exchange(reader) + theirs + mine).digest()[:32]
    sealed = ChaCha20Poly1305(shared).encrypt(nonce, content, None)
    return struct.pack("<II", 52 + len(sealed), method) + mine + nonce + sealed


def data_key(key: bytes, method: int = 0) -> bytes:
    """The content of a packet with a data key."""
    return struct.pack("<II", DATA_KEY, method) + key


def edit_list(lengths: Sequence[int], count: int | None = None) -> bytes:
    """The content of a packet with an edit list, which may lie about how long it is."""
    return struct.pack(f"<II{len(lengths)}Q", EDIT_LIST, len(lengths) if count is None else count, *lengths)


def header(packets: Sequence[bytes], version: int = 1, count: int | None = None) -> bytes:
    """A header of any packets."""
    return struct.pack("<8sII", b"crypt4gh", version, len(packets) if count is None else count) + b"".join(packets)


def edited_header(keys: Sequence[bytes], readers: Sequence[X25519PublicKey], lengths: Sequence[int]) -> bytes:
    """A header with an edit list."""
    contents = [*map(data_key, keys), edit_list(lengths)]
    return header([packet(content, reader) for reader in readers for content in contents])


def segment(key: bytes, plain: bytes) -> bytes:
    """One segment with a random nonce, as most programs write it."""
    nonce = os.urandom(12)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, None)


def kept(plain: bytes, lengths: Sequence[int]) -> bytes:
    """What an edit list keeps, by the rule as the standard tells it."""
    if not lengths:
        return plain
    output, position = b"", 0
    for k, length in enumerate(lengths):
        if k % 2 == 1:
            output += plain[position : position + length]
        position += length
    return output + plain[position:] if len(lengths) % 2 == 1 else output
