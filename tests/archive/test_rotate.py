# SPDX-License-Identifier: Apache-2.0
"""Recipient keys are replaced, and no body is touched."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from megagenome.archive import sidecars, tables
from megagenome.archive.archive import Archive
from megagenome.kernel.errors import Conflict, NotEntitled
from megagenome.kernel.sealed_files import new_file_id
from tests.archive.archives import (
    DESCRIBED,
    Admitted,
    blobs,
    chunks,
    copy_database,
    keep_ready,
    make_plain,
    open_archive,
    sealed,
    stated,
)

pytestmark = pytest.mark.usefixtures("database")

PLAIN = make_plain(100_000)


def keys_of_headers(archive: Archive) -> set[str]:
    with archive._parts.engine.connect() as connection:
        return set(connection.scalars(sa.select(tables.header.c.key)))


def test_every_header_is_for_the_new_key_and_every_file_can_be_read(archive: Archive, folder: Path) -> None:
    files = [keep_ready(archive, make_plain(size)) for size in (0, 100, 100_000)]
    [old] = archive.keys.names()
    bodies = {path: path.read_bytes() for path in blobs(folder) if path.suffix == ".c4b"}
    other = open_archive(folder)  # a server that runs meanwhile
    done = archive.rotate()
    assert (done.rewrapped, done.retiring, done.newest) == (3, (old,), archive.keys.names()[0])
    assert keys_of_headers(archive) == {done.newest}
    assert {path: path.read_bytes() for path in blobs(folder) if path.suffix == ".c4b"} == bodies
    assert [path.name.split(".")[1] for path in blobs(folder) if path.suffix == ".c4h"] == [done.newest] * 3
    for file in files:
        for reader in (archive, other):
            assert b"".join(reader.open(file.id, Admitted()).read()) == make_plain(file.size_bytes)
        assert archive.verify(file.id).state == "ready"


def test_the_old_key_opens_what_providers_send_until_it_is_forgotten(archive: Archive) -> None:
    sent = [sealed(archive, PLAIN) for _ in range(2)]
    newest = archive.rotate().newest
    archive.ingest(new_file_id(), 1, chunks(sent[0]), DESCRIBED, stated(PLAIN))
    assert len(archive.forget_retired()) == 1
    assert archive.keys.names() == (newest,)
    with pytest.raises(NotEntitled, match=newest):
        archive.ingest(new_file_id(), 1, chunks(sent[1]), DESCRIBED, stated(PLAIN))
    [file] = archive.files_of()
    assert archive.verify(file.id).state == "verified"


def test_no_key_is_forgotten_that_a_file_needs(archive: Archive) -> None:
    keep_ready(archive, PLAIN)
    archive.keys.replace()
    with pytest.raises(Conflict, match="rotate first"):
        archive.forget_retired()
    done = archive.rotate()  # goes on with the key that is there
    assert (done.newest, len(done.retiring), done.rewrapped) == (archive.keys.names()[0], 1, 1)
    archive.forget_retired()


def test_what_was_shredded_is_not_rotated(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, PLAIN)
    archive.shred(file.id, "operator")
    assert archive.rotate().rewrapped == 0
    assert [path.suffix for path in blobs(folder)] == [".shred"]


def test_a_backup_from_before_a_rotation_is_mended_by_its_sidecars(
    archive: Archive, folder: Path, tmp_path: Path
) -> None:
    file = keep_ready(archive, PLAIN)
    copy_database(archive, folder, tmp_path)
    archive.rotate()
    archive.forget_retired()
    copy_database(archive, tmp_path, folder)
    restored = open_archive(folder)
    restored.rebuild()
    assert b"".join(restored.open(file.id, Admitted()).read()) == PLAIN
    assert restored.verify(file.id).state == "ready"


def test_verifying_while_keys_rotate_suspects_nobody(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    file, read = keep_ready(archive, PLAIN), sidecars.read

    def read_late(*asked: Any) -> object:
        monkeypatch.setattr(sidecars, "read", read)
        archive.rotate()
        return read(*asked)

    monkeypatch.setattr(sidecars, "read", read_late)
    assert archive.verify(file.id).state == "ready"
    assert len(archive.keys.names()) == 2
