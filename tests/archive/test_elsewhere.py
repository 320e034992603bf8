# SPDX-License-Identifier: Apache-2.0
"""The archive on a real object store and on a real PostgreSQL server does what it does on this machine."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.archive import tables
from megagenome.archive.archive import Archive
from megagenome.archive.model import Recovery
from megagenome.kernel.database import begin_writing, open_database, upgrade
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.kernel.open_store import open_store
from megagenome.kernel.sealed_files import FileState, new_file_id
from tests.archive.archives import DESCRIBED, Admitted, chunks, keep, make_plain, open_archive, sealed, stated
from tests.kernel.object_store import BUCKET, settings_for

PLAIN = make_plain(7_000_000)  # more than one part of an upload


def stored(archive: Archive) -> list[str]:
    """The keys of all blobs."""
    return list(archive._parts.store.keys())


class Elsewhere:
    """The life of files in the archive of the fixture `archive`."""

    def test_files_live_and_end_as_anywhere(self, archive: Archive) -> None:
        parts = archive._parts
        with pytest.raises(Invalid):
            archive.ingest(
                new_file_id(), 1, chunks(sealed(archive, PLAIN)), DESCRIBED, stated(make_plain(7_000_000, 1))
            )
        assert stored(archive) == []
        file = keep(archive, PLAIN)
        assert archive.verify(file.id).state is FileState.VERIFIED
        with begin_writing(parts.engine) as connection:
            archive.make_ready(connection, [file.id], "operator")
        opened = archive.open(file.id, Admitted())
        assert b"".join(opened.read(65_000, 3_000_000)) == PLAIN[65_000:3_000_000]
        assert b"".join(opened.read()) == PLAIN
        archive.rotate()
        archive.forget_retired()
        assert archive.verify(file.id).state is FileState.READY
        assert archive.rebuild() == Recovery()
        with begin_writing(parts.engine) as connection:
            for table in (tables.header, tables.file):
                connection.execute(sa.delete(table))
        assert archive.rebuild().adopted == (file.id,)
        assert archive.verify(file.id).sha256 == file.sha256
        archive.shred(file.id, "operator")
        assert [key[-6:] for key in stored(archive)] == [".shred"]
        assert parts.ledger.verify().fine

    def test_damage_is_found(self, archive: Archive) -> None:
        file, other = keep(archive, make_plain(200_000, 1)), keep(archive, make_plain(200_000, 2))
        store = archive._parts.store
        bodies = [key for key in stored(archive) if key.endswith(".c4b")]
        mine, theirs = (next(key for key in bodies if each.id.lower() in key) for each in (file, other))
        content = b"".join(store.read(theirs))
        store.delete(mine)
        with store.create(mine) as writer:
            writer.write(content)
        with pytest.raises(Corrupt, match="not in its place"):
            archive.verify(file.id)
        found = archive.find(file.id)
        assert found is not None
        assert found.state is FileState.SUSPECT

    def test_of_many_workers_on_one_file_one_keeps_it(self, archive: Archive) -> None:
        plain, file = make_plain(300_000), new_file_id()
        sent = sealed(archive, plain)

        def work(attempt: int) -> object:
            return archive.ingest(file, attempt, chunks(sent), DESCRIBED, stated(plain))

        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(work, range(1, 5)))
        assert told == [archive.find(file)] * 4
        assert len(stored(archive)) == 2
        assert archive.rebuild() == Recovery()


@pytest.mark.s3
class TestObjectStore(Elsewhere):
    @pytest.fixture
    def archive(self, object_store: str, tmp_path: Path) -> Archive:
        store = open_store(f"s3://{BUCKET}/{tmp_path.name}", settings_for(object_store))
        return open_archive(tmp_path / "node", store)


@pytest.mark.postgres
class TestPostgreSQL(Elsewhere):
    @pytest.fixture
    def archive(self, postgres: sa.URL, tmp_path: Path) -> Iterator[Archive]:
        engine = open_database(postgres)
        upgrade(engine)
        yield open_archive(tmp_path / "node", engine=engine)
        engine.dispose()
