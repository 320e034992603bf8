# SPDX-License-Identifier: Apache-2.0
"""Sealing and opening a file in memory, beside PyPI's `crypt4gh`, and a header for one more recipient."""

import io
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from importlib.metadata import version

import numpy as np
from crypt4gh import lib
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from benchmarks.harness.claim import Claim, claim
from megagenome.standards.crypt4gh import read_header, write_header
from megagenome.standards.crypt4gh_stream import seal, unseal

SIZE_BYTES = 256 << 20
ROUNDS = 3
_CHUNK_BYTES = 1 << 20
_HEADERS = 500
_PEER = f"crypt4gh {version('crypt4gh')}"


class _Nowhere(io.RawIOBase):
    """Takes what is written, and counts it; its time is nobody's."""

    def write(self, content: object) -> int:
        return len(memoryview(content))  # type: ignore[arg-type]  # whatever the peer writes is bytes


def claims(seed: int) -> Iterator[Claim]:
    """CPU seconds for each GiB, by turns; and each opens what the other sealed."""
    logging.getLogger("crypt4gh").setLevel(logging.CRITICAL)
    plain, reader = np.random.default_rng(seed).bytes(SIZE_BYTES), X25519PrivateKey.generate()
    raw, public = reader.private_bytes_raw(), reader.public_key()
    theirs = [(0, raw, public.public_bytes_raw())]
    sealed, sealed_by_them = b"".join(map(bytes, seal(_chunks(plain), [public]))), io.BytesIO()
    lib.encrypt(theirs, io.BytesIO(plain), sealed_by_them)
    opened_by_them = io.BytesIO()
    lib.decrypt([(0, raw, None)], io.BytesIO(sealed), opened_by_them)
    equal = opened_by_them.getvalue() == plain
    equal_back = _digest(unseal(_chunks(sealed_by_them.getvalue()), [reader])) == sha256(plain).digest()
    del opened_by_them, sealed_by_them
    yield _compared(
        "sealing a file",
        lambda: _spent(lambda: _through(seal(_chunks(plain), [public]))),
        lambda: _spent(lambda: lib.encrypt(theirs, io.BytesIO(plain), _Nowhere())),
        equal=equal,
    )
    yield _compared(
        "opening a sealed file",
        lambda: _spent(lambda: _through(unseal(_chunks(sealed), [reader]))),
        lambda: _spent(lambda: lib.decrypt([(0, raw, None)], io.BytesIO(sealed), _Nowhere())),
        equal=equal_back,
    )
    yield _header(reader)


def _compared(words: str, ours: Callable[[], float], peer: Callable[[], float], *, equal: bool) -> Claim:
    pairs = [(ours(), peer()) for _ in range(ROUNDS)]
    gib = SIZE_BYTES / (1 << 30)
    mine, others = min(pair[0] for pair in pairs) / gib, min(pair[1] for pair in pairs) / gib
    return claim(
        f"{words}, {SIZE_BYTES >> 20} MiB of memory",
        "CPU s/GiB",
        mine,
        peer=others,
        peer_version=_PEER,
        bar="ratio <= 0.5",
        equal=equal,
    )


def _header(reader: X25519PrivateKey) -> Claim:
    header = write_header([bytes(32)], [reader.public_key()])
    recipients = [X25519PrivateKey.generate().public_key() for _ in range(_HEADERS)]
    spent = _spent(lambda: [write_header(read_header(header, [reader]).keys, [each]) for each in recipients])
    return claim("a header for a new recipient", "CPU ms", spent / _HEADERS * 1e3, bar="ours < 0.2")


def _chunks(content: bytes) -> Iterator[memoryview]:
    view = memoryview(content)
    return (view[k : k + _CHUNK_BYTES] for k in range(0, len(view), _CHUNK_BYTES))


def _through(pieces: Iterable[bytes | memoryview]) -> int:
    return sum(map(len, pieces))


def _digest(pieces: Iterable[bytes]) -> bytes:
    digest = sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()


def _spent(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before
