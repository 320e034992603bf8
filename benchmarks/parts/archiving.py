# SPDX-License-Identifier: Apache-2.0
"""What keeping a file costs: archiving one that was sent, verifying it, reading it, and giving it out."""

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from benchmarks.harness.claim import Claim, claim
from megagenome.archive.archive import Archive
from megagenome.archive.keys import RecipientKeys
from megagenome.kernel.database import open_database, sqlite_url, upgrade
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.memory import keep_buffers
from megagenome.kernel.open_store import open_store
from megagenome.kernel.sealed_files import Described, Expected, FileId, new_file_id
from megagenome.standards.crypt4gh_stream import seal

SIZE_BYTES = 256 << 20
ROUNDS = 3
_CHUNK_BYTES = 1 << 20
_HEADERS = 500


def claims(seed: int) -> Iterator[Claim]:
    """CPU seconds of the whole process, threads and system calls included, for each GiB; the least of some rounds."""
    keep_buffers()
    with tempfile.TemporaryDirectory() as name:
        archive = _archive(Path(name))
        sent, plain_sha256 = _send(archive, Path(name) / "sent", seed)
        spent, file = _kept(archive, sent, Expected(plain_sha256, sent.stat().st_size))
        yield _per_gib("archiving a file that was sent", spent, bar="ours <= 2.2")
        yield _per_gib("verifying it, from the disk", _least(lambda: archive.verify(file)))
        opened = archive.open_inside(file, "benchmark")
        equal = _digest(opened.read()) == plain_sha256
        yield _per_gib("reading it", _least(lambda: _through(opened.read())), equal=equal)
        recipient = X25519PrivateKey.generate().public_key()
        yield _per_gib("giving it out whole", _least(lambda: _through(opened.body())))
        headers = _least(lambda: [opened.header(recipient) for _ in range(_HEADERS)])
        yield claim("its header for a new recipient", "CPU ms", headers / _HEADERS * 1e3, bar="ours < 0.2")


def _archive(folder: Path) -> Archive:
    engine = open_database(sqlite_url(folder / "node.sqlite"))
    upgrade(engine)
    signing = SigningKeys.open(folder / "keys")
    keys = RecipientKeys.open(folder / "keys")
    return Archive(engine, open_store(str(folder / "blobs")), keys, Ledger(engine, signing, "node.ee"), signing)


def _send(archive: Archive, path: Path, seed: int) -> tuple[Path, str]:
    """A file as a provider sends it, and the checksum of its plain bytes."""
    chunk = np.random.default_rng(seed).bytes(_CHUNK_BYTES)
    plain = hashlib.sha256()
    with path.open("wb") as file:
        for piece in seal([chunk] * (SIZE_BYTES // _CHUNK_BYTES), [archive.keys.newest()[1]]):
            file.write(piece)
    for _ in range(SIZE_BYTES // _CHUNK_BYTES):
        plain.update(chunk)
    return path, plain.hexdigest()


def _kept(archive: Archive, sent: Path, expected: Expected) -> tuple[float, FileId]:
    """What archiving it took, and the file; those of the rounds before are shredded."""
    described, files = Described(DatasetId("BENCHMARK"), "made up", "BAM"), [new_file_id() for _ in range(ROUNDS)]
    rounds = []
    for file in files:
        rounds.append(_spent(partial(archive.ingest, file, 1, partial(_chunks, sent), described, expected)))
        if file != files[-1]:
            archive.shred(file, "benchmark")
    return min(rounds), files[-1]


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _per_gib(words: str, spent: float, bar: str = "", *, equal: bool | None = None) -> Claim:
    gib = SIZE_BYTES / (1 << 30)
    return claim(f"{words}, {SIZE_BYTES >> 20} MiB", "CPU s/GiB", spent / gib, bar=bar, equal=equal)


def _through(pieces: Iterable[bytes]) -> int:
    return sum(map(len, pieces))


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _least(work: Callable[[], object]) -> float:
    return min(_spent(work) for _ in range(ROUNDS))


def _spent(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before
