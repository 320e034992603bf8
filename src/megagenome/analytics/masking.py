# SPDX-License-Identifier: Apache-2.0
"""Secure sums: each site adds to its vector, for every other site, a mask that the other one subtracts.

Bonawitz et al., Practical Secure Aggregation (2017), without its shares for sites that drop out: with few sites and
rounds of minutes a round begins again without them, under new keys, and what was sent before is never added up.
Each pair's mask is a ChaCha20 stream whose key both derive (X25519, HKDF-SHA256) from keys of this round alone. Whoever
sees all masked vectors, and even the vectors and keys of all sites but two, learns the sum of these two and no more.
"""

from collections.abc import Mapping

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from megagenome.kernel.errors import Corrupt
from megagenome.standards.ring import Ring
from megagenome.standards.study_masks import Round

_CHUNK = 1 << 15
"""Numbers masked at a time: so that masks stay in the processor's cache."""


class RoundSecret:
    """This site's key for one round. It is in no repr and in no file, and ends with the object."""

    __slots__ = ("_private", "public")

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes_raw()

    def mask(self, vector: Ring, turn: Round, me: str, publics: Mapping[str, bytes]) -> Ring:
        """`vector` (uint64, one dimension) under the masks of all other sites of the round. Use once: two vectors
        under one mask would show their difference.

        `publics` are the keys of all sites, verified (`read_keys`). Raises `Corrupt` where mine is not among them.
        Cost: about 1.5 ns a number and site.
        """
        if len(turn.sites) < 2 or publics.get(me) != self.public or set(publics) != set(turn.sites):
            raise Corrupt("the keys of a round are not those of its sites")
        masked = vector.copy()
        for peer in turn.sites:
            if peer != me:
                _add_stream(masked, self._shared(turn, me, peer, publics), subtract=peer < me)
        return masked

    def _shared(self, turn: Round, me: str, peer: str, publics: Mapping[str, bytes]) -> bytes:
        low, high = sorted((me, peer))
        parts = (turn.study, str(turn.epoch), str(turn.number), *turn.sites, low, high)
        info = b"megagenome study mask\n" + b"".join(b"%d:%s\n" % (len(each), each) for each in map(str.encode, parts))
        try:
            shared = self._private.exchange(X25519PublicKey.from_public_bytes(publics[peer]))
        except ValueError:  # a key of small order, with which the secret would be known to all
            raise Corrupt(f"the key of {peer[:100]} is none") from None
        return HKDF(SHA256(), 32, salt=publics[low] + publics[high], info=info).derive(shared)


def _add_stream(vector: Ring, key: bytes, *, subtract: bool) -> None:
    """Add, or subtract, the key's stream in place."""
    stream = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor()
    zeros = memoryview(bytes(8 * min(_CHUNK, len(vector))))
    room = bytearray(len(zeros))
    mask = np.frombuffer(room, "<u8")
    for begin in range(0, len(vector), _CHUNK):
        part = vector[begin : begin + _CHUNK]
        stream.update_into(zeros[: part.nbytes], room)
        if subtract:
            part -= mask[: len(part)]
        else:
            part += mask[: len(part)]
