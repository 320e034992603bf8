# SPDX-License-Identifier: Apache-2.0
"""An archive in a folder, and files to be sent to it."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from megagenome.archive.archive import Archive
from megagenome.archive.keys import RecipientKeys
from megagenome.archive.model import Forget
from megagenome.archive.settings import ArchiveSettings
from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.callers import Caller
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.open_store import open_store
from megagenome.kernel.sealed_files import ArchivedFile, Described, Expected, FileId, new_file_id
from megagenome.standards.crypt4gh import header_bytes
from megagenome.standards.crypt4gh_segments import sealed_size
from megagenome.standards.crypt4gh_stream import seal
from tests.kernel.records import copy_records, open_records

DATASET = DatasetId("GDI-EE-COHORT-001")
DESCRIBED = Described(DATASET, "NA1.bam", "BAM", ("NA1",))
SETTINGS = ArchiveSettings(least_free_bytes=0)


def open_archive(
    folder: Path,
    store: BlobStore | None = None,
    settings: ArchiveSettings = SETTINGS,
    engine: sa.Engine | None = None,
    forget: Forget = lambda _connection, _file: None,
) -> Archive:
    """The archive in a folder; it is made where there is none."""
    folder.mkdir(exist_ok=True)
    engine = engine or open_records(folder / "node.sqlite")
    signing = SigningKeys.open(folder / "keys")
    keys = RecipientKeys.open(folder / "keys")
    ledger = Ledger(engine, signing, "node.ee")
    return Archive(engine, store or open_store(str(folder / "blobs")), keys, ledger, signing, settings, forget)


def copy_database(archive: Archive, source: Path, to: Path) -> None:
    """As a backup is made, or restored."""
    archive._parts.engine.dispose()
    copy_records(source / "node.sqlite", to / "node.sqlite")


def make_plain(size: int, seed: int = 0) -> bytes:
    """Bytes that differ everywhere."""
    return hashlib.shake_128(seed.to_bytes(4, "big")).digest(size)


def sealed(archive: Archive, plain: bytes) -> bytes:
    """The Crypt4GH file that a provider sends."""
    return b"".join(map(bytes, seal([plain], [archive.keys.newest()[1]])))


def stated(plain: bytes, sent: bytes | None = None) -> Expected:
    """What a provider says of it, who seals files as we do, or sends other bytes."""
    size = header_bytes(1) + sealed_size(len(plain)) if sent is None else len(sent)
    return Expected(hashlib.sha256(plain).hexdigest(), size)


def chunks(content: bytes, size: int = 100_000) -> Callable[[], Iterator[bytes]]:
    """A source of these bytes in pieces."""
    return lambda: (content[at : at + size] for at in range(0, len(content), size))


def keep(archive: Archive, plain: bytes, described: Described = DESCRIBED, file: FileId | None = None) -> ArchivedFile:
    """Archive a file."""
    source = chunks(sealed(archive, plain))
    return archive.ingest(file or new_file_id(), 1, source, described, stated(plain))


def keep_ready(archive: Archive, plain: bytes, described: Described = DESCRIBED) -> ArchivedFile:
    """Archive a file and let it be given out."""
    file = keep(archive, plain, described)
    archive.verify(file.id)
    with archive._parts.engine.begin() as connection:
        archive.make_ready(connection, [file.id], "operator")
    found = archive.find(file.id)
    assert found is not None
    return found


class Admitted(NamedTuple):
    """`archive.needs.Admission` of whoever."""

    dataset: DatasetId = DATASET
    samples: frozenset[str] = frozenset({"NA1"})
    caller: Caller = Caller("carol@example.org", "Carol")
    permit: PermitId = PermitId("permit-1")
    require: Callable[[], None] = lambda: None


def blobs(folder: Path) -> list[Path]:
    """All blobs of the archive in a folder."""
    return sorted(path for path in (folder / "blobs").rglob("*") if path.is_file())
