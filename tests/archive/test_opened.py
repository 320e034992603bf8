# SPDX-License-Identifier: Apache-2.0
"""Every byte that is read is the one that belongs there, or nothing is read."""

import errno
import io
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from crypt4gh import lib as other_program
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from megagenome.archive import tables
from megagenome.archive.archive import Archive
from megagenome.archive.opened import SealedFile
from megagenome.kernel.errors import Corrupt, Invalid, NotFound, Unavailable
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import ArchivedFile, FileState
from megagenome.standards.crypt4gh import header_bytes, read_header
from megagenome.standards.crypt4gh_segments import SEALED_SEGMENT_BYTES as SEALED
from megagenome.standards.crypt4gh_segments import SEGMENT_BYTES, Stored
from megagenome.standards.crypt4gh_stream import unseal
from tests.archive.archives import Admitted, blobs, keep_ready, make_plain, open_archive

PLAIN = make_plain(5 * 65_536 - 100)

on_both = pytest.mark.usefixtures("database")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> SealedFile:
    """A file of 5 segments, to be read only."""
    archive = open_archive(tmp_path_factory.mktemp("archive") / "node")
    return archive.open(keep_ready(archive, PLAIN).id, Admitted())


def body_of(folder: Path, file: ArchivedFile) -> Path:
    return next(path for path in blobs(folder) if path.name.startswith(file.id.lower()) and path.suffix == ".c4b")


def overwrite(path: Path, content: bytes) -> None:
    """As a disk does it that fails, or whoever holds it."""
    path.unlink()
    path.write_bytes(content)


@given(st.integers(0, len(PLAIN) + 70_000), st.integers(0, len(PLAIN) + 70_000))
def test_any_range_is_that_of_the_plain_bytes(opened: SealedFile, one: int, other: int) -> None:
    start, end = sorted((one, other))
    assert b"".join(opened.read(start, end)) == PLAIN[start:end]


def test_pieces_are_at_most_1_mib(archive: Archive) -> None:
    plain = make_plain(5_000_000)
    pieces = list(archive.open(keep_ready(archive, plain).id, Admitted()).read(70_000))
    assert max(map(len, pieces)) == 1 << 20
    assert b"".join(pieces) == plain[70_000:]


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (5, 4)])
def test_what_is_no_range_is_refused(opened: SealedFile, start: int, end: int) -> None:
    with pytest.raises(Invalid):
        opened.read(start, end)


def decrypted(key: X25519PrivateKey, content: bytes) -> bytes:
    plain = io.BytesIO()
    other_program.decrypt([(0, key.private_bytes_raw(), None)], io.BytesIO(content), plain)
    return plain.getvalue()


def test_a_whole_file_is_sealed_for_a_recipient_by_its_header_alone(opened: SealedFile) -> None:
    key = X25519PrivateKey.generate()
    assert decrypted(key, opened.header(key.public_key()) + b"".join(opened.body())) == PLAIN


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 200_000), st.integers(0, 3), st.integers(1, 3)), max_size=4)
)
def test_a_file_may_be_composed_of_bytes_and_segments_as_they_are_stored(
    opened: SealedFile, parts: list[tuple[int, int, int, int]]
) -> None:
    """As the standard's own program reads it. Bytes come in several pieces, and end where a segment does."""
    key, pieces, expected = X25519PrivateKey.generate(), list[bytes | Stored](), b""
    for segments, split, first, many in parts:
        fresh = make_plain(segments * SEGMENT_BYTES)
        last = min(4, first + many)
        pieces += [fresh[:split], fresh[split:], Stored(first, last)]
        expected += fresh + PLAIN[first * SEGMENT_BYTES : last * SEGMENT_BYTES]
    pieces += [b"the end" * len(parts)]
    expected += b"the end" * len(parts)
    composed = list(opened.composed(key.public_key(), pieces, has_stored=True))
    assert all(composed)
    assert decrypted(key, b"".join(composed)) == expected
    assert list(map(len, keys_in(composed[0], key))) == [32, 32]


def test_only_whom_segments_are_sent_as_they_are_stored_has_their_key(opened: SealedFile) -> None:
    key, plain = X25519PrivateKey.generate(), make_plain(3_000_000)
    composed = b"".join(opened.composed(key.public_key(), [plain[:5], plain[5:]], has_stored=False))
    assert decrypted(key, composed) == plain
    [own] = keys_in(opened.header(key.public_key()), key)
    assert own not in keys_in(composed, key)
    for pieces, has_stored in (([Stored(0, 1)], False), ([b"x", Stored(0, 1)], True)):
        with pytest.raises(AssertionError):
            list(opened.composed(key.public_key(), pieces, has_stored=has_stored))


def disorders(segments: int) -> Iterator[list[int]]:
    """A body's segments with two exchanged, with one twice, and without one; but for those at its end."""
    whole = list(range(segments))
    for k, other in itertools.combinations(whole, 2):
        yield [other if n == k else k if n == other else n for n in whole]
    for k in whole[:-1]:
        yield [*whole[: k + 1], *whole[k:]]
        yield [*whole[:k], *whole[k + 1 :]]


@pytest.mark.parametrize("how", ["a part", "another beginning"])
def test_whoever_opens_what_is_sent_notices_segments_that_are_not_in_their_places(opened: SealedFile, how: str) -> None:
    """Though the file has two keys. What is left out where the second begins is noticed by what follows the last of its
    segments, which a file with another beginning does not have."""
    key, plain = X25519PrivateKey.generate(), make_plain(3 * SEGMENT_BYTES)
    if how == "a part":
        sealed = b"".join(opened.composed(key.public_key(), [plain, Stored(2, 4), b"the end"], has_stored=True))
    else:
        sealed = opened.headed(key.public_key(), plain) + b"".join(opened.body(3 * SEALED))
    begin = header_bytes(2)
    segments = [sealed[at : at + SEALED] for at in range(begin, len(sealed), SEALED)]
    assert b"".join(unseal([sealed], [key])).startswith(plain)
    for order in disorders(len(segments)):
        changed = sealed[:begin] + b"".join(segments[n] for n in order)
        if how == "another beginning" and order in ([0, 1, 3, 4], [0, 1, 2, 4]):
            continue
        with pytest.raises(Corrupt):
            list(unseal([changed], [key]))


def keys_in(content: bytes, key: X25519PrivateKey) -> tuple[bytes, ...]:
    """The data keys in it."""
    return read_header(content, [key]).keys


@given(st.integers(0, 6 * SEALED), st.integers(0, 6 * SEALED))
def test_any_part_of_the_body_is_that_of_the_stored_bytes(opened: SealedFile, one: int, other: int) -> None:
    start, end = sorted((one, other))
    assert b"".join(opened.body(start, end)) == b"".join(opened.body())[start:end]


def test_one_recipient_has_always_the_same_header(opened: SealedFile) -> None:
    reader, another = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    header = opened.header(reader.public_key())
    assert header == opened.header(reader.public_key())
    assert header[16:] != opened.header(another.public_key())[16:]


def flip(place: int) -> Callable[[bytes], bytes]:
    return lambda body: body[:place] + bytes([body[place] ^ 0x10]) + body[place + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a bit of a nonce's beginning": flip(2 * SEALED),
    "a bit of a nonce's number": flip(2 * SEALED + 11),
    "a bit of what is sealed": flip(2 * SEALED + 500),
    "a bit of a MAC": flip(3 * SEALED - 1),
    "a bit of the last segment": flip(5 * SEALED - 200),
    "segments exchanged": lambda body: (
        body[:SEALED] + body[2 * SEALED : 3 * SEALED] + body[SEALED : 2 * SEALED] + body[3 * SEALED :]
    ),
    "a segment repeated for another": lambda body: body[:SEALED] * 2 + body[2 * SEALED :],
    "cut between segments": lambda body: body[: 4 * SEALED],
    "cut in a segment": lambda body: body[:-5],
    "cut to nothing": lambda _body: b"",
    "a segment appended": lambda body: body + body[:SEALED],
    "a byte appended": lambda body: body + b"\0",
}


@on_both
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_by_whoever_reads_it_and_by_whoever_verifies(
    archive: Archive, folder: Path, damage: str
) -> None:
    file = keep_ready(archive, PLAIN)
    path = body_of(folder, file)
    whole = path.read_bytes()
    overwrite(path, DAMAGE[damage](whole))
    reading = archive.open(file.id, Admitted())
    got: list[bytes] = []
    with pytest.raises(Corrupt, match=file.id):
        got.extend(reading.read())
    assert PLAIN.startswith(b"".join(got))
    found = archive.find(file.id)
    assert found is not None
    assert found.state is FileState.SUSPECT
    with pytest.raises(NotFound):
        archive.open(file.id, Admitted())
    with pytest.raises(Corrupt, match="restore its blobs"):
        archive.verify(file.id)
    entries = [each.detail for each in archive._parts.ledger.items() if isinstance(each, Entry)]
    assert entries.count(f"suspect:{file.id}") == 1
    overwrite(path, whole)
    assert archive.verify(file.id).state is FileState.READY
    assert b"".join(archive.open(file.id, Admitted()).read()) == PLAIN


ONLY_WHO_OPENS_IT_KNOWS = {"a bit of what is sealed", "a bit of a MAC", "a bit of the last segment"}


@pytest.mark.parametrize("damage", sorted(DAMAGE.keys() - ONLY_WHO_OPENS_IT_KNOWS))
def test_damage_of_places_is_found_where_nothing_is_decrypted(archive: Archive, folder: Path, damage: str) -> None:
    file = keep_ready(archive, PLAIN)
    path = body_of(folder, file)
    overwrite(path, DAMAGE[damage](path.read_bytes()))
    with pytest.raises(Corrupt):
        b"".join(archive.open(file.id, Admitted()).body())


@on_both
def test_a_range_beside_the_damage_is_read(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, PLAIN)
    path = body_of(folder, file)
    overwrite(path, flip(4 * SEALED + 100)(path.read_bytes()))
    assert b"".join(archive.open(file.id, Admitted()).read(0, 65_536)) == PLAIN[:65_536]


def test_another_file_s_body_is_refused(archive: Archive, folder: Path) -> None:
    one, other = (keep_ready(archive, make_plain(200_000, seed)) for seed in (1, 2))
    mine, theirs = body_of(folder, one), body_of(folder, other)
    overwrite(mine, theirs.read_bytes())
    for read in (lambda: b"".join(archive.open(one.id, Admitted()).read()), lambda: archive.verify(one.id)):
        with pytest.raises(Corrupt, match="segment 0 is not in its place"):
            read()


def test_a_body_that_is_gone(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, PLAIN)
    body_of(folder, file).unlink()
    with pytest.raises(Corrupt, match="there is no blob"):
        b"".join(archive.open(file.id, Admitted()).read())
    with pytest.raises(Corrupt, match="there is no blob"):
        archive.verify(file.id)


@on_both
@pytest.mark.parametrize("place", [0, 8, 12, 20, 60, 100, 123])
def test_a_header_with_a_flipped_bit_opens_nothing(archive: Archive, place: int) -> None:
    file = keep_ready(archive, PLAIN)
    with archive._parts.engine.begin() as connection:
        header = connection.scalar(sa.select(tables.header.c.content))
        connection.execute(sa.update(tables.header).values(content=flip(place)(header)))
    with pytest.raises(Corrupt, match="header"):
        archive.open(file.id, Admitted())
    with pytest.raises(Corrupt, match="header"):
        archive.verify(file.id)


@on_both
def test_headers_of_two_files_exchanged_are_found(archive: Archive) -> None:
    one, other = (keep_ready(archive, make_plain(200_000, seed)) for seed in (1, 2))
    header = tables.header.c
    with archive._parts.engine.begin() as connection:
        content = connection.scalar(sa.select(header.content).where(header.file == other.id))
        connection.execute(sa.update(tables.header).where(header.file == one.id).values(content=content))
    with pytest.raises(Corrupt):
        b"".join(archive.open(one.id, Admitted()).read())
    with pytest.raises(Corrupt, match="key of another body"):
        archive.verify(one.id)


@pytest.mark.parametrize("place", [8, 60, 123, 124 + 10, 124 + 130, -1])
def test_a_sidecar_with_a_flipped_bit_is_found(archive: Archive, folder: Path, place: int) -> None:
    file = keep_ready(archive, PLAIN)
    path = next(path for path in blobs(folder) if path.suffix == ".c4h")
    content = path.read_bytes()
    overwrite(path, flip(place % len(content))(content))
    with pytest.raises(Corrupt):
        archive.verify(file.id)


@pytest.mark.parametrize(("whose", "act", "code"), [(os, "pread", errno.EIO), (Path, "open", errno.EACCES)])
def test_a_disk_that_fails_makes_no_file_suspect(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, whose: object, act: str, code: int
) -> None:
    file = keep_ready(archive, PLAIN)

    def fail(*_: object, **__: object) -> bytes:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(whose, act, fail)
    for read in (lambda: b"".join(archive.open(file.id, Admitted()).read()), lambda: archive.verify(file.id)):
        with pytest.raises(Unavailable):
            read()
    assert archive.find(file.id) == file


@on_both
def test_keys_that_are_gone_make_no_file_suspect(archive: Archive, folder: Path) -> None:
    file = keep_ready(archive, PLAIN)
    (folder / "keys" / "recipient.json").unlink()
    again = open_archive(folder)
    for read in (lambda: again.open(file.id, Admitted()), lambda: again.verify(file.id)):
        with pytest.raises(Unavailable, match="restore the keys"):
            read()
    assert again.find(file.id) == file


def test_it_tells_no_key(opened: SealedFile) -> None:
    assert repr(opened) == f"SealedFile({opened.file.id})"
