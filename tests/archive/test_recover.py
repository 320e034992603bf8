# SPDX-License-Identifier: Apache-2.0
"""Database and store are brought to agree, whichever of them lost something."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from megagenome.archive import names, tables
from megagenome.archive.archive import Archive
from megagenome.archive.model import Recovery
from megagenome.kernel import clock
from megagenome.kernel.sealed_files import ArchivedFile, FileState
from tests.archive.archives import DESCRIBED, blobs, copy_database, keep, keep_ready, make_plain, open_archive
from tests.kernel.records import lose_records

pytestmark = pytest.mark.usefixtures("database")


def lose_database(archive: Archive, folder: Path) -> Archive:
    archive._parts.engine.dispose()
    lose_records(folder / "node.sqlite")
    return open_archive(folder)


def list_late(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = archive._parts.store.keys

    def late(prefix: str = "") -> Iterator[str]:
        return (key for key in keys(prefix) if not key.endswith(".c4h"))

    monkeypatch.setattr(archive._parts.store, "keys", late)


def as_archived(file: ArchivedFile) -> ArchivedFile:
    return msgspec.structs.replace(file, state=FileState.ARCHIVED, verified=None, body_sha256=None)


def test_the_database_is_made_again_from_what_lies_beside_the_bodies(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, make_plain(200_000, 1))
    index = keep_ready(archive, make_plain(0), msgspec.structs.replace(DESCRIBED, name="NA1.bai", index_of=file.id))
    gone = keep_ready(archive, make_plain(100, 2))
    archive.shred(gone.id, "operator")
    shredded = archive.find(gone.id)
    again = lose_database(archive, folder)
    assert again.files_of() == []
    found = again.rebuild()
    assert (set(found.adopted), found.shredded) == ({file.id, index.id}, (gone.id,))
    assert (found.missing, found.lost, found.removed) == ((), (), ())
    assert again.find(file.id) == as_archived(file)
    assert again.find(index.id) == as_archived(index)
    assert again.find(gone.id) == shredded
    for each in (file, index):
        verified = again.verify(each.id)
        assert (verified.state, verified.body_sha256) == (FileState.VERIFIED, each.body_sha256)
    assert b"".join(again.open_inside(file.id, "test").read()) == make_plain(200_000, 1)
    assert again.rebuild() == Recovery()
    assert again._parts.ledger.verify().fine


def test_what_is_buried_again_is_forgotten_by_all(archive: Archive, folder: Path) -> None:
    """A restored database may know of its submission, and not of the file."""
    gone = keep_ready(archive, make_plain(100, 2))
    archive.shred(gone.id, "operator")
    lose_database(archive, folder)
    forgotten: list[str] = []
    again = open_archive(folder, forget=lambda _connection, file: forgotten.append(file))
    assert again.rebuild().shredded == (gone.id,)
    assert forgotten == [gone.id]


def test_nothing_is_done_where_nothing_is_wrong(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, make_plain(1000))
    before = blobs(folder)
    assert archive.rebuild() == Recovery()
    assert (blobs(folder), archive.find(file.id)) == (before, file)


def test_what_is_swept_while_it_looks_is_no_fault(archive: Archive, folder: Path) -> None:
    """The node was off for a month in the middle of a file: all is written, and nothing committed."""
    file = keep(archive, make_plain(1000))
    [stem] = {path.name[:31] for path in blobs(folder)}
    month_ago = clock.stamp(clock.now() - timedelta(days=40))
    with archive._parts.engine.begin() as connection:
        connection.execute(sa.delete(tables.header))
        connection.execute(sa.delete(tables.file))
        connection.execute(sa.insert(tables.attempt).values(stem=stem, file=file.id, until=month_ago, given_up=False))
    assert archive.rebuild().adopted == ()
    assert blobs(folder) == []
    assert archive.rebuild() == Recovery()


def test_a_body_that_is_gone_or_short_makes_its_file_suspect(archive: Archive, folder: Path) -> None:
    files = [keep_ready(archive, make_plain(1000, seed)) for seed in (1, 2, 3)]
    bodies = {names.file_of(path.name[:31]): path for path in blobs(folder) if path.suffix == ".c4b"}
    bodies[files[0].id].unlink()
    content = bodies[files[1].id].read_bytes()
    bodies[files[1].id].unlink()
    bodies[files[1].id].write_bytes(content[:-1])
    assert set(archive.rebuild().missing) == {files[0].id, files[1].id}
    assert [each.state for each in archive.files_of()] == [FileState.SUSPECT, FileState.SUSPECT, FileState.READY]


def test_a_sidecar_that_is_gone_is_written_again(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, make_plain(1000))
    [sidecar] = [path for path in blobs(folder) if path.suffix == ".c4h"]
    sidecar.unlink()
    archive.rebuild()
    assert sidecar.exists()
    assert archive.verify(file.id).state is FileState.READY


def test_a_body_that_no_header_opens_is_removed(archive: Archive, folder: Path) -> None:
    file = keep(archive, make_plain(1000))
    for path in blobs(folder):
        if path.suffix == ".c4h":
            path.unlink()
    again = lose_database(archive, folder)
    [removed] = again.rebuild().removed
    assert removed.endswith(".c4b")
    assert blobs(folder) == []
    assert again.find(file.id) is None


def test_no_body_goes_because_its_sidecar_is_not_listed(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object store may list what was there a moment ago."""
    file = keep(archive, make_plain(1000))
    again = lose_database(archive, folder)
    list_late(again, monkeypatch)
    assert again.rebuild().adopted == (file.id,)
    assert again.verify(file.id).state is FileState.VERIFIED


def test_no_sidecar_stays_because_it_is_not_listed(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = keep(archive, make_plain(1000))
    list_late(archive, monkeypatch)
    archive.shred(file.id, "operator")
    assert [path.suffix for path in blobs(folder)] == [".shred"]


@pytest.mark.parametrize("lost", ["its body", "its key", "its end"])
def test_a_sidecar_of_which_no_file_comes_is_told_and_left(archive: Archive, folder: Path, lost: str) -> None:
    keep(archive, make_plain(1000))
    for path in blobs(folder):
        if path.suffix == ".c4b" and lost == "its body":
            path.unlink()
        if path.suffix == ".c4h" and lost == "its end":
            content = path.read_bytes()
            path.unlink()
            path.write_bytes(content[:-1])
    if lost == "its key":
        (folder / "keys" / "recipient.json").unlink()
    again = lose_database(archive, folder)
    found = again.rebuild()
    assert (len(found.lost), found.adopted) == (1, ())
    assert [path for path in blobs(folder) if path.suffix == ".c4h"]


def test_other_blobs_are_let_alone(archive: Archive, folder: Path) -> None:
    other = folder / "blobs" / "archive" / "mgf-ab" / "notes.txt"
    other.parent.mkdir(parents=True)
    other.write_text("mine")
    assert archive.rebuild() == Recovery()
    assert other.exists()


def test_a_file_that_comes_back_is_not_ready_though_its_sidecar_was_written_when_it_was(
    archive: Archive, folder: Path
) -> None:
    file = keep_ready(archive, make_plain(1000))
    archive.rotate()
    again = lose_database(archive, folder)
    again.rebuild()
    found = again.find(file.id)
    assert found is not None
    assert (found.state, found.verified) == (FileState.ARCHIVED, None)


def test_yesterdays_database_learns_of_the_files_of_today(archive: Archive, folder: Path, tmp_path: Path) -> None:
    old = keep_ready(archive, make_plain(100_000, 1))
    copy_database(archive, folder, tmp_path)
    new = [keep_ready(archive, make_plain(size, size)) for size in (0, 70_000)]
    copy_database(archive, tmp_path, folder)
    restored = open_archive(folder)
    assert restored.files_of() == [old]
    assert set(restored.rebuild().adopted) == {file.id for file in new}
    for file in (old, *new):
        assert restored.verify(file.id).sha256 == file.sha256
    assert restored.rebuild() == Recovery()
