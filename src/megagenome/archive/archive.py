# SPDX-License-Identifier: Apache-2.0
"""The archive of a node: everything that others do with it."""

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from megagenome.archive import ingest, recover, rotate, rows, scrub, shred, tables, verify
from megagenome.archive.keys import RecipientKeys
from megagenome.archive.model import Forget, Parts, Recovery, Rotation
from megagenome.archive.needs import Admission
from megagenome.archive.opened import READABLE, SealedFile, key_of
from megagenome.archive.scrub import Checked
from megagenome.archive.settings import ArchiveSettings
from megagenome.kernel.blob_store import BlobStore
from megagenome.kernel.errors import Conflict, NotEntitled, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.sealed_files import ArchivedFile, Described, Expected, FileId, FileState


class Archive:
    """Files as Crypt4GH, each sealed with a key of its own: bodies in a blob store, headers in the database and beside
    the bodies. Safe to use from many threads, and from many processes on one database and store."""

    def __init__(
        self,
        engine: sa.Engine,
        store: BlobStore,
        keys: RecipientKeys,
        ledger: Ledger,
        signing: SigningKeys,
        settings: ArchiveSettings | None = None,
        forget: Forget = lambda _connection, _file: None,
        folder: Path | None = None,
    ) -> None:
        """`signing`: the node's keys, which sign what was shredded; `forget` is called with the commit that shreds a
        file, so that others forget it, too; nothing is taken either where the disk of `folder` is too full."""
        self._parts = Parts(engine, store, keys, ledger, signing, settings or ArchiveSettings(), forget, folder)

    @property
    def keys(self) -> RecipientKeys:
        """The keys that files are sealed for which come here."""
        return self._parts.keys

    def require_room(self, size_bytes: int = 0) -> None:
        """Raise `NoRoom` where so many bytes more would fill the store too far, or the node's own disk is too full."""
        ingest.require_room(self._parts, size_bytes)

    def ingest(
        self, file: FileId, attempt: int, source: ingest.Source, described: Described, expected: Expected
    ) -> ArchivedFile:
        """Keep a file that was sent to this node as Crypt4GH; whole, durable and entered in the ledger on return.

        Idempotent: of a file that is here already the row is returned, once it has the stated SHA-256. `source` is
        called once, and read in pieces; it may be what others wrote, with several keys and an edit list. Nothing is
        kept where anything is raised: `Invalid` where a checksum or size is not the stated one, or what came is no
        Crypt4GH; `Corrupt` where a segment does not open or is cut; `NotEntitled` where it was sealed for another key;
        `Conflict` where the id has another content or the attempt was given up; `Unavailable` (worth trying again)
        where the disk fails, `NoRoom` where it is full. Cost: about 1.7 s of processor for each GiB, 1.5 s more with an
        MD5; some 10 MB of memory.
        """
        return ingest.ingest(self._parts, file, attempt, source, described, expected)

    def verify(self, file: FileId) -> ArchivedFile:
        """Read all of a file again, from the disk: sidecar, place and seal of each segment, both checksums.

        A file that was `ARCHIVED` is `VERIFIED` then, and a `SUSPECT` one again what it was before, which is entered;
        others stay what they are. Raises `Corrupt` where it is not what was archived, which makes it `SUSPECT`;
        `NotFound`; `Conflict` for a shredded one. Cost: about 1.9 s of processor for each GiB.
        """
        return verify.verify(self._parts, file)

    def scrub(self, stopping: threading.Event) -> Iterator[Checked]:
        """Verify each file that was not for `verify_days`, those first that were verified longest ago, until `stopping`
        is set; what was found of each.

        A file that is not what was archived becomes `SUSPECT`, which is in the ledger; one that cannot be read now
        stays what it is, and is among those of the next call. Cost: that of `verify`, at most 32 MiB a second.
        """
        return scrub.scrub(self._parts, stopping)

    def count_overdue(self) -> int:
        """How many files nobody verified for twice as long as the settings want."""
        return len(scrub.overdue(self._parts, 2 * self._parts.settings.verify_days))

    def make_ready(self, connection: sa.Connection, files: Iterable[FileId], by: str) -> None:
        """Let files and their indexes be given out, on behalf of the subject `by`, by the caller's commit, which enters
        each in the ledger. Idempotent. Of the indexes those that are not verified stay what they are; for such a file
        it raises `Conflict`. Raises `NotFound`."""
        before = (FileState.VERIFIED, FileState.WITHDRAWN)
        ready = partial(rows.set_state, before=before, after=FileState.READY)
        self._move(connection, files, ready, (FileState.READY,), "ready", by)

    def withdraw(self, connection: sa.Connection, files: Iterable[FileId], by: str) -> None:
        """Let files and their indexes not be given out, on behalf of the subject `by`, by the caller's commit, which
        enters each in the ledger; streams end within 0.2 s after it. What is stored stays; `make_ready` undoes it.
        Idempotent. A suspect file is withdrawn once it verifies. Raises `NotFound`; `Conflict` for a file that nobody
        verified, or that was shredded."""
        ends = (FileState.WITHDRAWN, FileState.SUSPECT)
        self._move(connection, files, rows.withdraw, ends, "withdrawn", by)

    def find(self, file: FileId) -> ArchivedFile | None:
        """A file, whatever its state; None where there is none. For those who may know of it."""
        with self._parts.engine.connect() as connection:
            kept = rows.find(connection, file)
        return None if kept is None else kept.file

    def files_of(self, dataset: DatasetId | None = None) -> list[ArchivedFile]:
        """The files of a dataset, or of all, whatever their states, by when they were archived."""
        where = [] if dataset is None else [tables.file.c.dataset == dataset]
        with self._parts.engine.connect() as connection:
            return [kept.file for kept in rows.select(connection, *where)]

    def index_of(self, file: FileId) -> ArchivedFile | None:
        """The ready index of a file, the newest where there are several; None where there is none. Cost: 0.2 ms."""
        of = tables.file.c.index_of == file, tables.file.c.state == FileState.READY.value
        with self._parts.engine.connect() as connection:
            found = list(rows.select(connection, *of))
        return found[-1].file if found else None

    def count_keyless(self) -> int:
        """How many files are sealed for none of the recipient keys that are here: nobody reads them before the file of
        keys is restored. Cost: one look at each header's row."""
        header = tables.header.c
        opens = sa.exists().where(header.file == tables.file.c.id, header.key.in_(self.keys.names()))
        alive = tables.file.c.state != FileState.SHREDDED.value
        with self._parts.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(tables.file).where(alive, ~opens)) or 0

    def open(self, file: FileId, admission: Admission, kind: Kind = Kind.FILE) -> SealedFile:
        """Open a file for somebody, and enter it in the ledger before the first byte: the one door to what it holds.

        Raises `NotFound` where there is no such file in the admission's dataset or it is not ready, alike;
        `NotEntitled` where the admission does not hold, or the file has samples beyond it or no recorded ones.
        `kind`: what the ledger calls it; openings of open data, which know no end, it adds up (`Ledger.append_often`).
        Cost: one commit.
        """
        admission.require()
        with self._parts.engine.connect() as connection:
            kept = rows.find(connection, file)
            if kept is None or kept.file.dataset != admission.dataset or kept.file.state is not FileState.READY:
                raise NotFound(f"there is no file {file} in {admission.dataset} to be read")
            headers = rows.headers(connection, file)
        if not (kept.file.samples and admission.samples.issuperset(kept.file.samples)):
            raise NotEntitled(f"{file} holds more than the samples that may be read now")
        opened = SealedFile(
            self._parts, kept, key_of(self._parts, kept, headers), admission.require, frozenset({FileState.READY})
        )
        who = admission.caller
        act = Act(kind, who.subject, who.name, admission.dataset, admission.permit, f"opened:{file}")
        ledger = self._parts.ledger
        (ledger.append if admission.permit else ledger.append_often)(act)
        return opened

    def open_inside(self, file: FileId, purpose: str, *, often: bool = False) -> SealedFile:
        """Open a file for the node's own work, such as `validation`, and enter it in the ledger before the first byte;
        `often` says that strangers can bring it about without end (`Ledger.append_often`).

        `purpose`: at most 19 letters. Not for what leaves the node. Raises `NotFound` also for what is suspect,
        withdrawn or shredded. Cost: one commit.
        """
        with self._parts.engine.connect() as connection:
            kept = rows.find(connection, file)
            if kept is None or kept.file.state not in READABLE:
                raise NotFound(f"there is no file {file} to be read in this archive")
            headers = rows.headers(connection, file)
        opened = SealedFile(self._parts, kept, key_of(self._parts, kept, headers), lambda: None, READABLE)
        ledger = self._parts.ledger
        (ledger.append_often if often else ledger.append)(rows.act_of(kept.file, purpose))
        return opened

    def shred(self, file: FileId, by: str) -> str:
        """Destroy a file and its indexes for good, on behalf of the subject `by`; the signed receipt.

        Durable on return; idempotent, and the same again finishes what was killed. The receipt is a compact JWS of type
        `model.RECEIPT_TYPE` with `iss`, `iat`, `file`, `dataset`, `size_bytes` and `body_sha256`. What backups hold of
        the database and the sidecars is not reached; of a body alone nobody reads anything. Raises `NotFound`.
        """
        return shred.shred(self._parts, file, by)

    def begin_shredding(self, connection: sa.Connection, file: FileId, by: str | None) -> None:
        """The first half of `shred`, by the caller's commit (`kernel.database.begin_erasing`): nobody reads it from
        then on. Call `finish_shredding` after it; where nobody does, the next start does."""
        shred.begin_shredding(self._parts, connection, file, by)

    def finish_shredding(self, file: FileId) -> str:
        """The second half of `shred`: nothing is left on return. Raises `Conflict` where the first is not committed."""
        return shred.finish_shredding(self._parts, file)

    def recover(self) -> Recovery:
        """Sweep what killed workers left whose lease is over, and finish shreddings. Idempotent; for every start and
        now and then. Cost: some ms, and what there is to delete."""
        return recover.recover(self._parts)

    def rebuild(self) -> Recovery:
        """Hold database and store against each other, blob by blob, and set right what can be; `recover` too.

        Files that only the store has come back from their sidecars as `ARCHIVED`: verify them, and let whoever may say
        so make them ready. What was shredded stays so, also where an older database was restored. A body that has
        no header is deleted; files without a body become suspect. Idempotent. Cost: a look at each blob.
        """
        return recover.rebuild(self._parts)

    def rotate(self) -> Rotation:
        """Make a new recipient key and seal every header for it; where a rotation was interrupted, finish that instead.

        Reading goes on meanwhile, also in other processes. Older keys still open what providers send until
        `forget_retired`. Cost: about 10 ms for each file, most of it the disk's.
        """
        return rotate.rotate(self._parts)

    def forget_retired(self) -> tuple[str, ...]:
        """Forget all recipient keys but the newest, for good; their fingerprints. What providers sealed for them and is
        not archived yet must be sent again. Raises `Conflict` while a file needs one."""
        return rotate.forget_retired(self._parts)

    def _move(
        self,
        connection: sa.Connection,
        files: Iterable[FileId],
        move: Callable[[sa.Connection, FileId], bool],
        ends: tuple[FileState, ...],
        word: str,
        by: str,
    ) -> None:
        """`move` answers whether it changed anything; where it did not, a file must be in one of the states `ends`."""
        acts: list[Act] = []
        for file in files:
            indexes = rows.select(connection, tables.file.c.index_of == file)
            moved = [kept.file for kept in [rows.require(connection, file), *indexes] if move(connection, kept.file.id)]
            acts += [rows.act_of(each, word, subject=by) for each in moved]
            if (state := rows.require(connection, file).file.state) not in ends:
                raise Conflict(f"{file} is {state}: only a verified file becomes {ends[0]}")
        self._parts.ledger.write(connection, *acts)
