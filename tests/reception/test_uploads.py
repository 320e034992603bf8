# SPDX-License-Identifier: Apache-2.0
"""Parts come in any order, as often as it takes, and only from who may send; what the node has, it has for good."""

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import (
    Conflict,
    Invalid,
    NoRoom,
    NotEntitled,
    NotFound,
    RateLimited,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from megagenome.reception import rows, uploads
from megagenome.reception.settings import ReceptionSettings
from megagenome.standards.crypt4gh import MAGIC
from megagenome.standards.crypt4gh_segments import sealed_size
from megagenome.standards.submission import KEPT_DAYS, LARGEST_PART_BYTES, State
from tests.reception.receptions import OTHER, PROVIDER, PUBLIC, STEWARD, House, manifest_of, open_house, put

pytestmark = pytest.mark.usefixtures("database")

FILES = {"people.tsv": b"individual_id\n" + b"x" * 5000}
MANIFEST = manifest_of(FILES)
PARTS = [MAGIC + bytes(100), b"1" * 100, b"2" * 100]


def begin(house: House) -> str:
    return house.reception.begin(PROVIDER, MANIFEST).id


def inbox(house: House) -> list[str]:
    return [name for name in house.blobs() if name.startswith("inbox/")]


def test_parts_come_in_any_order_after_the_first_and_the_node_says_which_it_has(house: House) -> None:
    ident = begin(house)
    with pytest.raises(Conflict, match=r"part 0 of people\.tsv is not here yet"):
        put(house, ident, 0, 2, PARTS[2])
    assert inbox(house) == []
    for number in (0, 2, 1):
        assert put(house, ident, 0, number, PARTS[number])
    [file] = house.reception.show(PROVIDER, ident).files
    assert [part.number for part in file.parts] == [0, 1, 2]
    assert [part.sha256 for part in file.parts] == [hashlib.sha256(each).hexdigest() for each in PARTS]
    assert len(inbox(house)) == 3


def test_the_same_part_again_changes_nothing_and_another_content_is_refused(house: House) -> None:
    ident = begin(house)
    assert put(house, ident, 0, 0, MAGIC + b"first")
    before = inbox(house)
    assert not put(house, ident, 0, 0, MAGIC + b"first")
    with pytest.raises(Conflict, match="another content"):
        put(house, ident, 0, 0, MAGIC + b"other")
    assert inbox(house) == before


def test_a_part_whose_commit_came_through_unheard_is_there(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is restarted between its commit and its answer."""
    ident = begin(house)

    @contextlib.contextmanager
    def unheard(engine: sa.Engine) -> Iterator[sa.Connection]:
        with begin_writing(engine) as connection:
            yield connection
        raise sa.exc.OperationalError("COMMIT", {}, Exception("server closed the connection"))

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "begin_writing", unheard)
        with pytest.raises(sa.exc.OperationalError):
            put(house, ident, 0, 0, b"crypt4gh content")
    assert not put(house, ident, 0, 0, b"crypt4gh content")
    [key] = inbox(house)
    assert b"".join(house.parts.store.read(key)) == b"crypt4gh content"


def test_a_part_that_is_not_as_its_digest_says_is_refused(house: House) -> None:
    ident = begin(house)
    with pytest.raises(Invalid, match="another SHA-256"):
        house.reception.put_part(PROVIDER, ident, 0, 0, b"content", "0" * 64)
    assert inbox(house) == []


@pytest.mark.parametrize("plain", [FILES["people.tsv"], b"\x1f\x8b\x08\x04", b"CRAM\x03", b"CRYPT4GH", b"c"])
def test_nothing_plain_comes_to_the_disk(house: House, plain: bytes) -> None:
    ident = begin(house)
    with pytest.raises(Invalid, match=r"people\.tsv is not sealed as Crypt4GH"):
        put(house, ident, 0, 0, plain)
    assert house.blobs() == []


def test_a_file_is_not_sent_in_more_crumbs_than_a_disk_can_hold(house: House) -> None:
    ident = begin(house)
    most = (sealed_size(len(FILES["people.tsv"])) + (1 << 20)) // uploads.LEAST_PART_BYTES
    put(house, ident, 0, 0, MAGIC)
    assert put(house, ident, 0, most, b"crumb")
    with pytest.raises(Invalid, match="send parts of"):
        put(house, ident, 0, most + 1, b"crumb")
    assert len(inbox(house)) == 2


def test_who_may_not_send_begins_nothing(house: House) -> None:
    with pytest.raises(Unauthenticated):
        house.reception.begin(PUBLIC, MANIFEST)
    with pytest.raises(NotEntitled, match="no data provider"):
        house.reception.begin(OTHER, MANIFEST)
    with pytest.raises(NotEntitled, match="no data provider for OTHER"):
        house.reception.begin(PROVIDER, msgspec.structs.replace(MANIFEST, dataset="OTHER"))


def test_another_ones_submission_is_as_if_it_were_not_there(house: House) -> None:
    ident = begin(house)
    for caller in (OTHER, STEWARD):  # a steward sees it and sends nothing for it
        with pytest.raises(NotFound):
            put(house, ident, 0, 0, MAGIC + b"x", caller)
        with pytest.raises(NotFound):
            house.reception.complete(caller, ident, (1,))
        with pytest.raises(NotFound):
            house.reception.cancel(caller, ident)
    for act in (house.reception.show, house.reception.report, house.reception.receipt):
        with pytest.raises(NotFound):
            act(OTHER, ident)
        with pytest.raises(Unauthenticated):
            act(PUBLIC, ident)
    for caller, condition in ((OTHER, NotFound), (PUBLIC, Unauthenticated)):
        said = set()
        for asked in (ident, "MGS-AAAAAAAAAAAAAAAA"):
            with pytest.raises(condition) as refused:
                house.reception.show(caller, asked)
            said.add(str(refused.value).replace(asked, ""))
        assert len(said) == 1  # there is no telling whether there is one
    assert house.reception.show(STEWARD, ident).id == ident
    assert house.reception.all(OTHER).submissions == ()
    assert [each.id for each in house.reception.all(STEWARD).submissions] == [ident]
    for unknown in ("MGS-AAAAAAAAAAAAAAAA", "../x", ""):
        with pytest.raises(NotFound):
            house.reception.show(PROVIDER, unknown)


def test_a_list_takes_no_more_memory_than_a_few_manifests(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {begin(house) for _ in range(3)}
    assert {each.id for each in house.reception.all(STEWARD).submissions} == known
    monkeypatch.setattr(rows, "MOST_LISTED_CHARACTERS", 2 * len(msgspec.json.encode(MANIFEST)), raising=False)
    assert len(house.reception.all(STEWARD).submissions) == 2
    monkeypatch.setattr(rows, "MOST_LISTED_CHARACTERS", 1)
    assert len(house.reception.all(STEWARD).submissions) == 1


def test_who_is_a_provider_no_more_sends_no_more(tmp_path: Path) -> None:
    may = [True]
    house = open_house(tmp_path / "node", may_send=lambda _subject, _dataset: may[0])
    ident = begin(house)
    may[0] = False
    with pytest.raises(NotEntitled):
        put(house, ident, 0, 0, MAGIC + b"x")
    with pytest.raises(NotEntitled):
        house.reception.complete(PROVIDER, ident, (1,))
    assert house.reception.show(PROVIDER, ident).state is State.OPEN


def test_more_than_a_file_of_its_size_can_have_is_refused(house: House) -> None:
    ident = begin(house)
    put(house, ident, 0, 0, MAGIC + bytes(1 << 20))
    with pytest.raises(TooLarge, match="more was sent"):
        put(house, ident, 0, 1, bytes(100_000))
    with pytest.raises(TooLarge, match="1 to 16,777,216"):
        put(house, ident, 0, 1, bytes(LARGEST_PART_BYTES + 1))
    with pytest.raises(TooLarge, match="1 to"):
        put(house, ident, 0, 1, b"")
    for file, part in ((1, 0), (-1, 0), (0, -1), (0, 1_000_000)):
        with pytest.raises(Invalid):
            put(house, ident, file, part, b"x")
    assert len(inbox(house)) == 1


def test_the_nodes_settings_bound_what_is_begun(tmp_path: Path) -> None:
    house = open_house(tmp_path / "node", ReceptionSettings(largest_file_bytes=10_000, most_open=2))
    large = msgspec.structs.replace(MANIFEST.files[0], size_bytes=10_001)
    with pytest.raises(TooLarge, match="takes up to 10,000"):
        house.reception.begin(PROVIDER, msgspec.structs.replace(MANIFEST, files=(large,)))
    with pytest.raises(Invalid):
        house.reception.begin(PROVIDER, msgspec.structs.replace(MANIFEST, assembly="hg7"))
    oldest, ident = begin(house), begin(house)
    with pytest.raises(Conflict, match="2 open submissions here: finish or cancel one") as refused:
        begin(house)
    assert str(refused.value).endswith((oldest, ident))  # begun within one second
    house.reception.cancel(PROVIDER, ident)
    begin(house)


def test_nobody_fills_the_database_by_beginning_and_cancelling(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_VAIN_A_DAY", 3)
    for _ in range(3):
        house.reception.cancel(PROVIDER, begin(house))
    with pytest.raises(RateLimited, match="go on tomorrow"):
        begin(house)
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=1, seconds=2))
    begin(house)


def test_what_would_fill_the_disk_is_not_begun(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    house = open_house(tmp_path / "node")

    class Full:
        def require_room(self, size_bytes: int = 0) -> None:
            raise NoRoom(f"no room for {size_bytes} in /srv/node")

    full = open_house(tmp_path / "node", archive=Full())
    with pytest.raises(NoRoom, match="the node has no room for this now"):
        begin(full)
    ident = begin(house)
    with pytest.raises(NoRoom, match=f"in the log of its operator, under {ident}"):
        put(full, ident, 0, 0, MAGIC + b"x")
    assert inbox(house) == []
    assert f"submission {ident}: no room for 9 in /srv/node" in caplog.messages


@pytest.mark.parametrize(("code", "condition"), [(errno.ENOSPC, NoRoom), (errno.EIO, Unavailable)])
def test_a_disk_that_fails_is_told_without_its_error(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    code: int,
    condition: type[Exception],
) -> None:
    ident = begin(house)

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", fail)
        with pytest.raises(condition, match=f"^the node .* under {ident}$") as told:
            put(house, ident, 0, 0, MAGIC + b"x")
    assert type(told.value) is condition
    for hidden in (os.strerror(code), "inbox/", "disk"):
        assert hidden not in str(told.value)
    assert os.strerror(code) in caplog.text
    assert inbox(house) == []
    assert put(house, ident, 0, 0, MAGIC + b"x")


def test_all_is_there_or_it_is_not_complete(house: House) -> None:
    ident = begin(house)
    put(house, ident, 0, 0, MAGIC + b"a")
    put(house, ident, 0, 2, b"c")
    for counts, says in (((3,), "part 1 of 3"), ((1,), "2 parts are here"), ((0,), "2 parts"), ((1, 1), "1 files")):
        with pytest.raises((Conflict, Invalid), match=says):
            house.reception.complete(PROVIDER, ident, counts)
    put(house, ident, 0, 1, b"b")
    assert house.reception.complete(PROVIDER, ident, (3,)).state is State.PROCESSING
    assert house.reception.complete(PROVIDER, ident, (3,)).state is State.PROCESSING
    with pytest.raises(Conflict, match="no more is taken"):
        put(house, ident, 0, 3, b"d")


def test_cancelling_keeps_nothing(house: House) -> None:
    ident = begin(house)
    put(house, ident, 0, 0, MAGIC + b"a")
    house.reception.cancel(PROVIDER, ident)
    house.reception.cancel(PROVIDER, ident)
    assert house.do_jobs() == 1
    assert house.blobs() == []
    assert house.reception.show(PROVIDER, ident).state is State.CANCELLED
    with pytest.raises(Conflict):
        house.reception.complete(PROVIDER, ident, (1,))


def test_an_upload_that_loses_against_a_cancellation_leaves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = begin(house)
    create = house.parts.store.create

    def cancelled_meanwhile(key: str) -> object:
        house.reception.cancel(PROVIDER, ident)
        return create(key)

    monkeypatch.setattr(house.parts.store, "create", cancelled_meanwhile)
    with pytest.raises(Conflict, match="cancelled"):
        put(house, ident, 0, 0, MAGIC + b"a")
    assert inbox(house) == []


def test_what_nobody_goes_on_with_is_cancelled_and_swept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    stale, going_on = begin(house), begin(house)
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=20))
    put(house, going_on, 0, 0, MAGIC + b"a")
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=31))
    assert house.reception.tidy() == 1
    assert house.reception.tidy() == 0
    states = {each.id: each.state for each in house.reception.all(PROVIDER).submissions}
    assert states == {stale: State.CANCELLED, going_on: State.OPEN}
    # what an upload left that was killed before its row
    for name, ident in (("over", stale), ("unknown", "MGS-AAAAAAAAAAAAAAAA")):
        with house.parts.store.create(f"{uploads.folder(ident)}0/000000-{name}") as blob:
            blob.write(b"x")
    assert len(inbox(house)) == 3
    house.reception.tidy()
    assert [name for name in inbox(house) if going_on.lower() not in name] == []
    assert len(inbox(house)) == 1


def test_what_was_not_accepted_is_forgotten_after_some_weeks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled, uncleared, open_ = begin(house), begin(house), begin(house)
    put(house, cancelled, 0, 0, MAGIC)
    house.reception.cancel(PROVIDER, cancelled)
    house.do_jobs()
    put(house, uncleared, 0, 0, MAGIC)
    house.reception.cancel(PROVIDER, uncleared)  # and what deletes its parts did not run yet
    put(house, open_, 0, 0, MAGIC)
    real = clock.now
    for days, left in ((KEPT_DAYS - 1, {cancelled, uncleared, open_}), (KEPT_DAYS + 1, {uncleared, open_})):
        monkeypatch.setattr(clock, "now", lambda days=days: real() + timedelta(days=days))
        put(house, open_, 0, days - KEPT_DAYS + 2, b"x")
        house.reception.tidy()
        assert {each.id for each in house.reception.all(PROVIDER).submissions} == left
    with pytest.raises(NotFound):
        house.reception.cancel(PROVIDER, cancelled)
    with house.parts.engine.connect() as connection:
        assert rows.files_of(connection, cancelled) == []
    house.do_jobs()
    house.reception.tidy()
    assert {each.id for each in house.reception.all(PROVIDER).submissions} == {open_}
    assert [name for name in house.blobs() if open_.lower() not in name] == []
