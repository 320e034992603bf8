# SPDX-License-Identifier: Apache-2.0
"""What is sent is kept whole, or nothing of it is."""

import hashlib
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from crypt4gh import lib as other_program
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.archive import names, tables
from megagenome.archive.archive import Archive
from megagenome.archive.rows import begin_attempt
from megagenome.archive.settings import ArchiveSettings
from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, MegagenomeError, NoRoom, NotEntitled, NotFound
from megagenome.kernel.sealed_files import Expected, FileId, new_file_id
from megagenome.standards.crypt4gh import read_header
from megagenome.standards.crypt4gh_segments import SEALED_SEGMENT_BYTES, BodyKey, open_segment
from megagenome.standards.crypt4gh_stream import seal
from tests.archive.archives import DESCRIBED, blobs, chunks, keep, make_plain, open_archive, sealed, stated
from tests.oracles import crypt4gh as oracle

pytestmark = pytest.mark.usefixtures("database")

PLAIN = make_plain(150_000)


def rows(archive: Archive) -> list[int]:
    """How many files, headers and attempts there are."""
    with archive._parts.engine.connect() as connection:
        each = (tables.file, tables.header, tables.attempt)
        return [connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in each]


def assert_nothing_kept(archive: Archive, folder: Path) -> None:
    assert blobs(folder) == []
    assert rows(archive) == [0, 0, 0]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, (1 << 20) + 1, 3_000_000])
def test_what_comes_out_is_what_went_in(archive: Archive, folder: Path, size: int) -> None:
    plain = make_plain(size)
    file = keep(archive, plain)
    assert file.sha256 == hashlib.sha256(plain).hexdigest()
    assert file.size_bytes == size
    assert b"".join(archive.open_inside(file.id, "test").read()) == plain
    assert archive.verify(file.id).state == "verified"
    assert rows(archive) == [1, 1, 0]
    assert sorted(path.suffix for path in blobs(folder)) == [".c4b", ".c4h"]


def test_what_is_stored_is_crypt4gh_for_every_program(archive: Archive, folder: Path) -> None:
    keep(archive, PLAIN)
    body, sidecar = (path.read_bytes() for path in sorted(blobs(folder), key=lambda path: path.suffix))
    stored, plain = io.BytesIO(sidecar[:124] + body), io.BytesIO()
    [key] = archive.keys.readers()
    other_program.decrypt([(0, key.private_bytes_raw(), None)], stored, plain)
    assert plain.getvalue() == PLAIN


def test_what_other_programs_sent_is_kept(archive: Archive) -> None:
    sent = io.BytesIO()
    _, public = archive.keys.newest()
    writer = X25519PrivateKey.generate()
    other_program.encrypt([(0, writer.private_bytes_raw(), public.public_bytes_raw())], io.BytesIO(PLAIN), sent)
    file = archive.ingest(new_file_id(), 1, chunks(sent.getvalue()), DESCRIBED, stated(PLAIN, sent.getvalue()))
    assert b"".join(archive.open_inside(file.id, "test").read()) == PLAIN


def key_of_stored(archive: Archive, folder: Path, file: FileId) -> bytes:
    """With which the one body of a file was sealed, by its sidecar."""
    [sidecar] = [path for path in blobs(folder) if path.name.startswith(file.lower()) and path.suffix == ".c4h"]
    [key] = read_header(sidecar.read_bytes()[:124], archive.keys.readers()).keys
    return key


def test_the_key_that_was_sent_opens_nothing_and_each_file_has_its_own(archive: Archive, folder: Path) -> None:
    sent, ids = sealed(archive, PLAIN), (new_file_id(), new_file_id())
    [sent_key] = read_header(sent[:124], archive.keys.readers()).keys
    for file in ids:
        archive.ingest(file, 1, chunks(sent), DESCRIBED, stated(PLAIN))
    keys = [key_of_stored(archive, folder, file) for file in ids]
    assert len({sent_key, *keys}) == 3
    bodies = [path.read_bytes() for path in blobs(folder) if path.suffix == ".c4b"]
    for segment in (*segments(bodies[0]), *segments(bodies[1])):
        with pytest.raises(Corrupt, match="does not open"):
            open_segment([sent_key], segment, 0)


def segments(body: bytes) -> list[bytes]:
    return [body[at : at + SEALED_SEGMENT_BYTES] for at in range(0, len(body), SEALED_SEGMENT_BYTES)]


def test_a_retry_draws_a_new_key(archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[bytes] = []
    new = BodyKey.new

    def drawing() -> tuple[bytes, bytes]:
        key, prefix = new()
        drawn.append(key)
        return key, prefix

    sent, file = sealed(archive, PLAIN), new_file_id()
    monkeypatch.setattr(BodyKey, "new", staticmethod(drawing))

    def broken() -> Iterator[bytes]:
        yield sent[:100_000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        archive.ingest(file, 1, broken, DESCRIBED, stated(PLAIN))
    [first] = drawn
    archive.ingest(file, 2, chunks(sent), DESCRIBED, stated(PLAIN))
    assert key_of_stored(archive, folder, file) in set(drawn[1:]) - {first}


def test_several_keys_and_an_edit_list_become_one_key_and_none(archive: Archive) -> None:
    _, public = archive.keys.newest()
    keys, segments = [b"1" * 32, b"2" * 32], [PLAIN[:65_536], PLAIN[65_536:131_072], PLAIN[131_072:]]
    edits = [10, 100_000, 5, 7]
    packets = [oracle.packet(oracle.data_key(key), public) for key in keys]
    packets.append(oracle.packet(oracle.edit_list(edits), public))
    body = b"".join(oracle.segment(keys[number % 2], segment) for number, segment in enumerate(segments))
    kept = oracle.kept(PLAIN, edits)
    sent = oracle.header(packets) + body
    file = archive.ingest(new_file_id(), 1, chunks(sent), DESCRIBED, stated(kept, sent))
    assert b"".join(archive.open_inside(file.id, "test").read()) == kept
    assert len(kept) == 100_007


def test_what_was_sealed_for_a_retired_key_is_kept(archive: Archive) -> None:
    sent = sealed(archive, PLAIN)
    archive.rotate()
    assert archive.ingest(new_file_id(), 1, chunks(sent), DESCRIBED, stated(PLAIN)).size_bytes == len(PLAIN)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sha256": "0" * 64},
        {"md5": "0" * 32},
        {"sealed_size_bytes": 10},
        {"sealed_size_bytes": 10_000_000},
    ],
)
def test_a_checksum_that_differs_is_refused_and_nothing_kept(
    archive: Archive, folder: Path, wrong: dict[str, Any]
) -> None:
    expected = msgspec.structs.replace(stated(PLAIN), **wrong)
    with pytest.raises(Invalid, match=r"sha256|md5|bytes that were stated"):
        archive.ingest(new_file_id(), 1, chunks(sealed(archive, PLAIN)), DESCRIBED, expected)
    assert_nothing_kept(archive, folder)


def test_all_checksums_that_are_right_are_taken(archive: Archive) -> None:
    sent = sealed(archive, PLAIN)
    md5 = hashlib.md5(PLAIN, usedforsecurity=False).hexdigest()
    expected = Expected(hashlib.sha256(PLAIN).hexdigest(), len(sent), md5)
    file = archive.ingest(new_file_id(), 1, chunks(sent), DESCRIBED, expected)
    assert (file.md5, file.sha256) == (md5, expected.sha256)


def foreign(_sent: bytes) -> bytes:
    return b"".join(map(bytes, seal([PLAIN], [X25519PrivateKey.generate().public_key()])))


def swapped(sent: bytes) -> bytes:
    body = sent[124:]
    return sent[:124] + body[SEALED_SEGMENT_BYTES : 2 * SEALED_SEGMENT_BYTES] + body[:SEALED_SEGMENT_BYTES]


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], type[MegagenomeError]]] = {
    "cut in its header": (lambda sent: sent[:60], Invalid),
    "cut in a segment": (lambda sent: sent[:-1], Corrupt),
    "cut between segments": (lambda sent: sent[: 124 + SEALED_SEGMENT_BYTES], Invalid),  # only its checksum tells
    "without a body": (lambda sent: sent[:124], Invalid),
    "with segments exchanged": (swapped, Corrupt),
    "with segments repeated": (lambda sent: sent + sent[124 : 124 + SEALED_SEGMENT_BYTES], Corrupt),
    "with a bit flipped": (lambda sent: sent[:5000] + bytes([sent[5000] ^ 1]) + sent[5001:], Corrupt),
    "not encrypted": (lambda _sent: PLAIN, Invalid),
    "empty": (lambda _sent: b"", Invalid),
    "for somebody else": (foreign, NotEntitled),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_damaged_is_refused_and_nothing_kept(archive: Archive, folder: Path, damage: str) -> None:
    change, condition = DAMAGE[damage]
    sent = change(sealed(archive, PLAIN))
    with pytest.raises(condition) as refused:
        archive.ingest(new_file_id(), 1, chunks(sent), DESCRIBED, stated(PLAIN, sent))
    assert "\n" not in str(refused.value)
    assert_nothing_kept(archive, folder)


@pytest.mark.parametrize("error", [ConnectionResetError(), NotFound("what was sent was deleted meanwhile")])
def test_a_provider_that_breaks_off_leaves_nothing(archive: Archive, folder: Path, error: Exception) -> None:
    sent = sealed(archive, PLAIN)

    def broken() -> Iterator[bytes]:
        yield sent[:100_000]
        raise error

    with pytest.raises(type(error)):
        archive.ingest(new_file_id(), 1, broken, DESCRIBED, stated(PLAIN))
    assert_nothing_kept(archive, folder)


def test_ingesting_again_changes_nothing(archive: Archive, folder: Path) -> None:
    file = keep(archive, PLAIN)
    before = blobs(folder)
    assert keep(archive, PLAIN, file=file.id) == file
    with pytest.raises(Conflict, match="with another sha256"):
        keep(archive, make_plain(150_000, 1), file=file.id)
    archive.shred(file.id, "operator")
    with pytest.raises(Conflict, match="was shredded"):
        keep(archive, PLAIN, file=file.id)
    assert before != blobs(folder)


def test_of_two_workers_on_one_file_one_keeps_it(archive: Archive, folder: Path) -> None:
    id_ = new_file_id()
    sent = sealed(archive, PLAIN)

    def slow() -> Iterator[bytes]:
        yield sent[:1000]
        archive.ingest(id_, 2, chunks(sent), DESCRIBED, stated(PLAIN))  # the other one is done first
        yield sent[1000:]

    file = archive.ingest(id_, 1, slow, DESCRIBED, stated(PLAIN))
    assert file == archive.find(id_)
    assert rows(archive) == [1, 1, 0]
    assert len(blobs(folder)) == 2
    assert all("-2-" in path.name for path in blobs(folder))
    assert b"".join(archive.open_inside(id_, "test").read()) == PLAIN


def test_a_zombie_whose_lease_is_over_keeps_nothing(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, real = sealed(archive, PLAIN), clock.now

    def slow() -> Iterator[bytes]:
        yield sent[:1000]
        later = real() + timedelta(seconds=1800)
        monkeypatch.setattr(clock, "now", lambda: later)
        assert archive.recover().swept == 1
        yield sent[1000:]

    with pytest.raises(Conflict, match="was given up"):
        archive.ingest(new_file_id(), 1, slow, DESCRIBED, stated(PLAIN))
    assert_nothing_kept(archive, folder)


def test_what_a_zombie_writes_late_is_swept_until_no_zombie_can_be_left(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, store = clock.now, archive._parts.store
    stem = names.new_stem(new_file_id(), 1)
    with archive._parts.engine.begin() as connection:
        begin_attempt(connection, stem, names.file_of(stem), clock.now(), 900)
    for days, is_known in ((1, True), (29, True), (31, False)):
        with store.create(names.body(stem)) as writer:
            writer.write(b"late")
        monkeypatch.setattr(clock, "now", lambda days=days: real() + timedelta(days=days))
        archive.recover()
        assert blobs(folder) == []
        assert rows(archive) == [0, 0, int(is_known)]


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_jumps_meanwhile_loses_nothing(
    archive: Archive, folder: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    sent, real, file = sealed(archive, PLAIN), clock.now, new_file_id()

    def jumping() -> Iterator[bytes]:
        yield sent[:1000]
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=hours))
        archive.recover()
        yield sent[1000:]

    if hours > 0:
        with pytest.raises(Conflict, match="was given up"):
            archive.ingest(file, 1, jumping, DESCRIBED, stated(PLAIN))
        assert blobs(folder) == []
    kept = archive.ingest(file, 2, jumping if hours < 0 else chunks(sent), DESCRIBED, stated(PLAIN))
    assert archive.verify(kept.id).state == "verified"
    assert len(blobs(folder)) == 2


def test_a_long_attempt_says_that_it_goes_on(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megagenome.archive.ingest._LOOK_EVERY", 1)
    monkeypatch.setattr(
        "megagenome.archive.ingest.time", SimpleNamespace(monotonic=iter(range(0, 10_000, 400)).__next__)
    )
    plain, seen = make_plain(3 << 20), []
    sent = sealed(archive, plain)

    def source() -> Iterator[bytes]:
        for at in range(0, len(sent), 1 << 20):
            with archive._parts.engine.connect() as connection:
                seen.append(connection.scalar(sa.select(tables.attempt.c.until)))
            yield sent[at : at + (1 << 20)]

    archive.ingest(new_file_id(), 1, source, DESCRIBED, stated(plain))
    assert seen == sorted(seen)
    assert len(set(seen)) > 1


def test_nothing_is_taken_below_the_watermark(folder: Path) -> None:
    archive = open_archive(folder, settings=ArchiveSettings(least_free_bytes=1 << 62))
    with pytest.raises(NoRoom, match="has no room"):
        keep(archive, PLAIN)
    with pytest.raises(NoRoom, match="has no room"):
        archive.require_room()
    assert_nothing_kept(archive, folder)


def test_nothing_is_taken_where_the_nodes_own_disk_is_below_the_watermark(archive: Archive, folder: Path) -> None:
    settings = ArchiveSettings(least_free_bytes=1 << 62)
    archive._parts.store.free_bytes = lambda: None  # as of an object store
    archive._parts = archive._parts._replace(settings=settings)
    keep(archive, PLAIN)
    archive._parts = archive._parts._replace(folder=folder)
    before = blobs(folder)
    with pytest.raises(NoRoom, match=f"the disk of {folder} has"):
        keep(archive, PLAIN)
    with pytest.raises(NoRoom, match="make room"):
        archive.require_room()
    assert blobs(folder) == before


def test_a_file_that_would_not_fit_is_refused_before_it_is_read(archive: Archive) -> None:
    expected = msgspec.structs.replace(stated(PLAIN), sealed_size_bytes=1 << 60)
    with pytest.raises(NoRoom, match="has no room"):
        archive.ingest(new_file_id(), 1, lambda: pytest.fail("it was read"), DESCRIBED, expected)
