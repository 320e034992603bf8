# SPDX-License-Identifier: Apache-2.0
"""What was shredded can be read by nobody, and there is a proof."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from megagenome.archive import names, rotate, sidecars, tables
from megagenome.archive.archive import Archive
from megagenome.archive.model import RECEIPT_TYPE, Recovery
from megagenome.kernel.database import begin_erasing
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import FileState, new_file_id
from megagenome.kernel.signatures import verify
from tests.archive.archives import DATASET, DESCRIBED, blobs, copy_database, keep_ready, make_plain, open_archive

pytestmark = pytest.mark.usefixtures("database")


def test_nothing_is_left_but_a_signed_receipt(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, make_plain(100_000))
    with archive._parts.engine.connect() as connection:
        header = connection.scalar(sa.select(tables.header.c.content))
    receipt = archive.shred(file.id, "operator")
    claims = verify(receipt, SigningKeys.open(folder / "keys").key_set(), RECEIPT_TYPE)
    assert (claims["iss"], claims["file"], claims["dataset"]) == ("node.ee", file.id, DATASET)
    assert (claims["body_sha256"], claims["size_bytes"]) == (file.body_sha256, 100_000)
    assert [path.suffix for path in blobs(folder)] == [".shred"]
    shredded = archive.find(file.id)
    assert shredded is not None
    assert (shredded.state, shredded.name, shredded.samples) == (FileState.SHREDDED, "", ())
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert header is not None
    assert header[16:] not in everything
    assert b"NA1.bam" not in everything
    assert archive.shred(file.id, "operator") == receipt
    entries = [each for each in archive._parts.ledger.items() if isinstance(each, Entry) and each.kind == "erasure"]
    assert [each.detail for each in entries] == [f"shredded:{file.id}"]
    with pytest.raises(Conflict, match="was shredded"):
        archive.verify(file.id)
    with pytest.raises(NotFound):
        archive.open_inside(file.id, "test")


def test_indexes_go_with_their_file_and_others_stay(archive: Archive, folder: Path) -> None:
    file, other = (keep_ready(archive, make_plain(100_000, seed)) for seed in (1, 2))
    index = keep_ready(archive, make_plain(10), msgspec.structs.replace(DESCRIBED, index_of=file.id))
    archive.shred(file.id, "operator")
    states = {each.id: each.state for each in archive.files_of()}
    assert states == {file.id: FileState.SHREDDED, index.id: FileState.SHREDDED, other.id: FileState.READY}
    assert b"".join(archive.open_inside(other.id, "test").read()) == make_plain(100_000, 2)
    assert sorted(path.suffix for path in blobs(folder)) == [".c4b", ".c4h", ".shred", ".shred"]


def test_the_first_half_is_by_the_caller_s_commit(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, make_plain(100_000))
    with begin_erasing(archive._parts.engine, really=False) as connection:
        archive.begin_shredding(connection, file.id, "operator")
    assert archive.find(file.id) == file
    with pytest.raises(Conflict, match="is ready: it was not shredded"):
        archive.finish_shredding(file.id)
    with begin_erasing(archive._parts.engine) as connection:
        archive.begin_shredding(connection, file.id, "operator")
    with pytest.raises(NotFound):
        archive.open_inside(file.id, "test")
    assert archive.recover().shredded == (file.id,)
    assert archive.recover().shredded == ()
    assert [path.suffix for path in blobs(folder)] == [".shred"]
    assert archive.finish_shredding(file.id).count(".") == 2


def test_no_index_of_a_shredded_file_is_kept(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, make_plain(100_000))
    archive.shred(file.id, "operator")
    with pytest.raises(Conflict, match="no index of it is kept"):
        keep_ready(archive, make_plain(10), msgspec.structs.replace(DESCRIBED, index_of=file.id))
    assert [path.suffix for path in blobs(folder)] == [".shred"]


def test_what_is_not_there_is_not_shredded(archive: Archive) -> None:
    with pytest.raises(NotFound):
        archive.shred(new_file_id(), "operator")


def test_what_was_shredded_stays_so_when_an_older_database_is_restored(
    archive: Archive, folder: Path, tmp_path: Path
) -> None:
    file = keep_ready(archive, make_plain(100_000))
    copy_database(archive, folder, tmp_path)
    archive.shred(file.id, "operator")
    copy_database(archive, tmp_path, folder)
    restored = open_archive(folder)
    assert restored.find(file.id) == file
    assert restored.rebuild().shredded == (file.id,)
    found = restored.find(file.id)
    assert found is not None
    assert found.state is FileState.SHREDDED
    with restored._parts.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.header)) == 0


@pytest.mark.parametrize("forged", ["no tombstone", "another node's", "another file's"])
def test_a_tombstone_that_this_node_did_not_sign_buries_nobody(archive: Archive, tmp_path: Path, forged: str) -> None:
    file = keep_ready(archive, make_plain(100_000))
    store = archive._parts.store
    [stem] = {blob.stem for blob in map(names.read_key, store.keys()) if blob}
    other = open_archive(tmp_path / "other") if forged == "another node's" else archive
    gone = keep_ready(other, make_plain(100))
    other.shred(gone.id, "operator")
    [tombstone] = filter(lambda key: key.endswith(".shred"), other._parts.store.keys())
    content = b"nonsense" if forged == "no tombstone" else b"".join(other._parts.store.read(tombstone))
    with store.create(names.tombstone(stem)) as writer:
        writer.write(content)
    assert archive.rebuild().lost == (names.tombstone(stem),)
    assert archive.find(file.id) == file
    assert archive.verify(file.id).state is FileState.READY


@pytest.mark.parametrize("meanwhile", ["rotate", "rebuild"])
def test_no_sidecar_is_written_behind_the_back_of_who_shreds(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """It would hold the key of a body that backups may still have."""
    file, write = keep_ready(archive, make_plain(1000)), sidecars.write
    if meanwhile == "rebuild":
        [sidecar] = [path for path in blobs(folder) if path.suffix == ".c4h"]
        sidecar.unlink()
    shredding: list[Future[str]] = []
    with ThreadPoolExecutor(1) as pool:

        def write_late(*asked: Any) -> None:
            shredding.append(pool.submit(archive.shred, file.id, "operator"))
            wait(shredding, timeout=0.5)
            write(*asked)

        monkeypatch.setattr(sidecars, "write", write_late)
        getattr(archive, meanwhile)()
    assert shredding[0].result()
    assert [path.suffix for path in blobs(folder)] == [".shred"]
    assert archive.recover() == Recovery()


def test_who_rotates_passes_over_what_is_shredded_meanwhile(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (keep_ready(archive, make_plain(1000, seed)) for seed in (1, 2))
    rewrap = rotate._rewrap

    def rewrap_late(*asked: Any) -> bool:
        archive.shred(one.id, "operator")
        return rewrap(*asked)

    monkeypatch.setattr(rotate, "_rewrap", rewrap_late)
    assert archive.rotate().rewrapped == 1
    assert sorted(path.suffix for path in blobs(folder)) == [".c4b", ".c4h", ".shred"]
    assert archive.verify(other.id).state is FileState.READY


def test_a_rotation_that_died_at_its_sidecar_is_shredded_with_the_rest(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = keep_ready(archive, make_plain(1000))

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sidecars, "read", die)
        with pytest.raises(KeyboardInterrupt):
            archive.rotate()
    assert sorted(path.suffix for path in blobs(folder)) == [".c4b", ".c4h", ".c4h"]
    archive.shred(file.id, "operator")
    assert [path.suffix for path in blobs(folder)] == [".shred"]
