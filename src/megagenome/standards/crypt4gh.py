# SPDX-License-Identifier: Apache-2.0
"""Crypt4GH version 1: the header of an encrypted file (GA4GH File Encryption Standard, hts-specs `crypt4gh.tex`).

    header  "crypt4gh" | version u32 = 1 | packet count u32 | packets              all integers little-endian
    packet  length u32 (with these 4) | method u32 = 0 | writer's public key [32] | nonce [12] | sealed content [..16]
    content type 0: u32 0 | method u32 = 0 | data key [32]
            type 1: u32 1 | n u32 | n lengths u64                                    the edit list

A packet is for one recipient; those for others do not open and are passed over. What a header may hold is bounded
before it is read: a count or a length of a stranger's allocates nothing.
"""

import itertools
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from megagenome.kernel.errors import Invalid, NotEntitled, TooLarge

MAGIC = b"crypt4gh"
VERSION = 1
KEY_BYTES = 32
MOST_PACKETS = 1000
LARGEST_PACKET_BYTES = 1 << 20
LARGEST_HEADER_BYTES = 16 << 20
MOST_KEYS = 16
"""Data keys for one reader: each may have to be tried for each segment, and no writer is known that takes over two."""

_FIXED = struct.Struct("<8sII")
_NONCE_BYTES, _MAC_BYTES = 12, 16
_PACKET_HEAD = struct.Struct("<II32s12s")
_LEAST_PACKET_BYTES = _PACKET_HEAD.size + 4 + _MAC_BYTES
_DATA_KEY, _EDIT_LIST = 0, 1
_METHOD = 0  # X25519 and ChaCha20-Poly1305 of a packet; ChaCha20-Poly1305 of a body


class Header(NamedTuple):
    """What one reader finds in a header. Its keys are in no repr.

    keys        different data keys [32 bytes each], in order; a segment is sealed with any of them
    edits       lengths to discard, keep, discard, ... of the body's plain bytes; None where nothing is edited
    size_bytes  of the header; the body begins there
    """

    keys: tuple[bytes, ...]
    edits: tuple[int, ...] | None
    size_bytes: int

    def __repr__(self) -> str:
        return f"Header({len(self.keys)} keys, edits={self.edits}, size_bytes={self.size_bytes})"


def header_size(beginning: bytes | bytearray | memoryview) -> int | None:
    """How long the header is that a file begins with; None where `beginning` does not reach to its last packet.

    Raises `Invalid` for what is no Crypt4GH file, or of another version; `TooLarge` for what nobody's header needs.
    """
    if bytes(beginning[: len(MAGIC)]) != MAGIC[: len(beginning)]:
        raise Invalid("this is no Crypt4GH file: it does not begin with 'crypt4gh'; encrypt it first")
    if len(beginning) < _FIXED.size:
        return None
    _, version, count = _FIXED.unpack_from(beginning)
    if version != VERSION:
        raise Invalid(f"Crypt4GH version {version}; only version {VERSION} is known")
    if count > MOST_PACKETS:
        raise TooLarge(f"a Crypt4GH header of {count:,} packets; at most {MOST_PACKETS:,} are read")
    at = _FIXED.size
    for number in range(count):
        if len(beginning) < at + 4:
            return None
        at += _packet_size(beginning, at, number)
        if at > LARGEST_HEADER_BYTES:
            raise TooLarge(f"a Crypt4GH header of over {LARGEST_HEADER_BYTES:,} bytes")
    return at if len(beginning) >= at else None


def _packet_size(content: bytes | bytearray | memoryview, at: int, number: int) -> int:
    (size,) = struct.unpack_from("<I", content, at)
    if size < _LEAST_PACKET_BYTES:
        raise Invalid(f"packet {number + 1} of the Crypt4GH header has {size} bytes, less than any packet has")
    if size > LARGEST_PACKET_BYTES:
        raise TooLarge(f"packet {number + 1} of the Crypt4GH header has {size:,} bytes")
    return int(size)


def read_header(content: bytes | bytearray | memoryview, readers: Sequence[X25519PrivateKey]) -> Header:
    """What is in a header for whoever has one of these keys; `content` may go on after the header.

    Packets for others, of another method or forged are passed over. Raises `NotEntitled` where no data key is in it
    for these readers, `TooLarge` where more than `MOST_KEYS` are, `Invalid` where it is cut short, holds two edit lists
    or a packet of an unknown type. Cost: 0.1 ms for each packet and reader.
    """
    size = header_size(content)
    if size is None:
        raise Invalid("the Crypt4GH header is cut short")
    keys: list[bytes] = []
    edits: list[tuple[int, ...]] = []
    count, at = _FIXED.unpack_from(content)[2], _FIXED.size
    for number in range(count):
        packet = _packet_size(content, at, number)
        opened = _open_packet(content[at : at + packet], readers)
        at += packet
        if opened is not None:
            _read_packet(opened, number, keys, edits)
    if not keys:
        raise NotEntitled(f"none of the {count} packets of the Crypt4GH header opens: it was encrypted for another key")
    if len(edits) > 1:
        raise Invalid("the Crypt4GH header has two edit lists")
    different = tuple(dict.fromkeys(keys))
    if len(different) > MOST_KEYS:
        raise TooLarge(f"a Crypt4GH header of {len(different)} data keys; at most {MOST_KEYS} are tried")
    return Header(different, edits[0] if edits else None, size)


def _open_packet(packet: bytes | bytearray | memoryview, readers: Sequence[X25519PrivateKey]) -> bytes | None:
    _, method, writer, nonce = _PACKET_HEAD.unpack_from(packet)
    if method != _METHOD:
        return None
    for reader in readers:
        try:
            exchanged = reader.exchange(X25519PublicKey.from_public_bytes(writer))
        except ValueError:  # a point of low order: anybody would know the secret
            return None
        shared = _shared_key(exchanged, reader.public_key().public_bytes_raw(), writer)
        try:
            return ChaCha20Poly1305(shared).decrypt(nonce, bytes(packet[_PACKET_HEAD.size :]), None)
        except InvalidTag:
            continue
    return None


def _read_packet(content: bytes, number: int, keys: list[bytes], edits: list[tuple[int, ...]]) -> None:
    (kind,) = struct.unpack_from("<I", content)
    if kind == _DATA_KEY and len(content) >= 8 + KEY_BYTES:
        (method,) = struct.unpack_from("<I", content, 4)
        if method != _METHOD:
            raise Invalid(f"the body is encrypted by method {method}, which is not known")
        keys.append(content[8 : 8 + KEY_BYTES])
    elif kind == _EDIT_LIST and len(content) >= 8 and (len(content) - 8) // 8 >= (n := _edit_count(content)):
        edits.append(struct.unpack_from(f"<{n}Q", content, 8))
    elif kind in (_DATA_KEY, _EDIT_LIST):
        raise Invalid(f"packet {number + 1} of the Crypt4GH header is cut short")
    else:
        raise Invalid(f"packet {number + 1} of the Crypt4GH header is of type {kind}, which is not known")


def _edit_count(content: bytes) -> int:
    return int(struct.unpack_from("<I", content, 4)[0])


def write_header(keys: Iterable[bytes], recipients: Sequence[X25519PublicKey], *, secret: bytes | None = None) -> bytes:
    """A header with these data keys for each recipient. Its writer's key is used once.

    With a `secret` (32 bytes or more) the same header is made each time, so that a download of it can go on where it
    broke off: the writer's key and nonces follow from the secret and all that is in the header.

    Raises `Invalid` for no recipient or one that nobody can be, `TooLarge` for more than a header holds.
    """
    if not recipients:
        raise Invalid("a Crypt4GH file needs a recipient")
    contents = [struct.pack("<II32s", _DATA_KEY, _METHOD, key) for key in keys]
    random = _derived(secret, contents, recipients) if secret is not None else os.urandom
    writer = X25519PrivateKey.from_private_bytes(random(KEY_BYTES))
    packets = [
        _seal_packet(content, writer, recipient, random(_NONCE_BYTES))
        for recipient in recipients
        for content in contents
    ]
    header = _FIXED.pack(MAGIC, VERSION, len(packets)) + b"".join(packets)
    if header_size(header) != len(header):
        raise AssertionError("a header that is written can be read")
    return header


def header_bytes(keys: int) -> int:
    """How long a header of so many data keys for one recipient is."""
    return _FIXED.size + keys * (_LEAST_PACKET_BYTES + 4 + KEY_BYTES)


def _derived(secret: bytes, contents: Sequence[bytes], recipients: Sequence[X25519PublicKey]) -> Callable[[int], bytes]:
    """Bytes that look random, the same for the same header."""
    seed = blake2b(key=secret[:64], digest_size=32)
    for part in (*contents, *(recipient.public_bytes_raw() for recipient in recipients)):
        seed.update(len(part).to_bytes(8, "little") + part)
    asked = itertools.count()
    return lambda size: blake2b(next(asked).to_bytes(8, "little"), key=seed.digest(), digest_size=size).digest()


def _seal_packet(content: bytes, writer: X25519PrivateKey, recipient: X25519PublicKey, nonce: bytes) -> bytes:
    mine, theirs = writer.public_key().public_bytes_raw(), recipient.public_bytes_raw()
    try:
        shared = _shared_key(writer.exchange(recipient), theirs, mine)
    except ValueError:
        raise Invalid("the recipient's key is of low order: anybody could read the file") from None
    sealed = ChaCha20Poly1305(shared).encrypt(nonce, content, None)
    return _PACKET_HEAD.pack(_PACKET_HEAD.size + len(sealed), _METHOD, mine, nonce) + sealed


def _shared_key(exchanged: bytes, reader: bytes, writer: bytes) -> bytes:
    return blake2b(exchanged + reader + writer, digest_size=64).digest()[:KEY_BYTES]
