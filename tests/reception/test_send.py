# SPDX-License-Identifier: Apache-2.0
"""Sending over an inbox that answers from the reception itself: what is sent is sealed, and sent once."""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from megagenome.kernel.errors import Conflict, Corrupt, Invalid, NoRoom, NotEntitled, NotFound, Unavailable
from megagenome.reception.folder import RECEIPT, STATE, Dataset
from megagenome.reception.inbox_client import Inbox
from megagenome.reception.send import PART_BYTES, _parts, cancel, check_receipt, send
from megagenome.reception.send_state import new_state, read_state, require_unchanged, write_state
from megagenome.standards.crypt4gh_stream import unseal
from megagenome.standards.submission import State, read_receipt
from megagenome.standards.validation_report import Report, Result
from tests.reception.handing_in import DATASET, MARKER
from tests.reception.receptions import PROVIDER, House, files_of, manifest_of

SAID = Dataset(DATASET, "GRCh37")


class Direct(Inbox):
    """A node's inbox without a network. `dies_after` parts it does not answer any more."""

    def __init__(self, house: House, url: str = "https://node.example") -> None:
        super().__init__(url, "")
        self.house, self.dies_after, self.put_parts = house, 10**9, 0
        self.received: dict[tuple[int, int], bytes] = {}

    def recipient(self) -> X25519PublicKey:
        return self.house.archive.keys.newest()[1]

    def keys(self) -> Any:
        return self.house.keys().key_set()

    def begin(self, manifest: Any) -> Any:
        return self.house.reception.begin(PROVIDER, manifest)

    def show(self, submission: str) -> Any:
        self.house.do_jobs()
        return self.house.reception.show(PROVIDER, submission)

    def put(self, submission: str, file: int, number: int, content: Any) -> Any:
        if self.put_parts == self.dies_after:
            raise Unavailable("the node does not answer")
        self.put_parts += 1
        sent = self.received[file, number] = bytes(content)
        return self.house.reception.put_part(
            PROVIDER, submission, file, number, sent, hashlib.sha256(sent).hexdigest()
        )[0]

    def complete(self, submission: str, parts: tuple[int, ...]) -> Any:
        return self.house.reception.complete(PROVIDER, submission, parts)

    def cancel(self, submission: str) -> None:
        self.house.reception.cancel(PROVIDER, submission)

    def report(self, submission: str) -> Any:
        return msgspec.json.decode(self.house.reception.report(PROVIDER, submission), type=Report)

    def receipt(self, submission: str) -> str:
        return self.house.reception.receipt(PROVIDER, submission)


def tell(_what: str, _done: int, _of: int) -> None:
    """Nobody looks."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files_of(tmp_path / "files")
    (tmp_path / "files/cohort.vcf.gz.tbi").unlink()
    return tmp_path / "files"


@pytest.fixture
def inbox(house: House) -> Direct:
    return Direct(house)


def test_a_folder_is_sent_sealed_and_the_receipt_stays(folder: Path, inbox: Direct) -> None:
    sent = send(folder, inbox, SAID, tell)
    assert sent.submission.state is State.REPORTED
    assert sent.report is not None
    assert sent.report.result is Result.PASSED
    assert not (folder / STATE).exists()
    receipt = read_receipt((folder / RECEIPT).read_text().strip(), inbox.keys())
    assert [each.path for each in receipt.files] == ["cohort.vcf.gz", "people.tsv"]
    for (file, _), content in inbox.received.items():
        plain = (folder / receipt.files[file].path).read_bytes()
        assert MARKER.encode() not in content
        assert b"".join(unseal([content], inbox.house.archive.keys.readers())) == plain


def test_it_tells_how_far_it_is(folder: Path, inbox: Direct) -> None:
    told: dict[str, list[tuple[int, int]]] = {}
    send(folder, inbox, SAID, lambda what, done, of: told.setdefault(what, []).append((done, of)))
    size = sum((folder / name).stat().st_size for name in ("cohort.vcf.gz", "people.tsv"))
    assert told["Checksums"][-1][0] == size
    assert told["Sending"][-1] == (size, size)
    for steps in told.values():
        assert steps == sorted(steps)


def test_an_empty_file_and_a_part_exactly_full_are_sent_whole(tmp_path: Path, inbox: Direct) -> None:
    for size, count in ((0, 1), (1, 1), (PART_BYTES, 1), (PART_BYTES + 1, 2), (2 * PART_BYTES, 2)):
        path = tmp_path / f"{size}"
        path.write_bytes(hashlib.shake_128(b"x").digest(size))
        state = new_state(tmp_path, "", inbox.recipient(), manifest_of({path.name: path.read_bytes()}), "")
        wanted = set(range(max(1, -(-size // PART_BYTES))))
        parts = {number: bytes(content) for number, content in _parts(path, state.files[0], wanted)}
        assert len(parts) == count
        keys = inbox.house.archive.keys.readers()
        assert b"".join(unseal(parts.values(), keys)) == path.read_bytes()
        # and once more it is the same bytes
        assert {k: bytes(content) for k, content in _parts(path, state.files[0], wanted)} == parts


def test_what_is_interrupted_goes_on_and_sends_nothing_twice(folder: Path, inbox: Direct) -> None:
    inbox.dies_after = 1
    with pytest.raises(Unavailable):
        send(folder, inbox, SAID, tell)
    assert (folder / STATE).stat().st_mode & 0o777 == 0o600
    again = Direct(inbox.house)
    assert send(folder, again, Dataset(), tell).submission.state is State.REPORTED
    assert set(again.received) == {(1, 0)}
    assert len(inbox.house.reception.all(PROVIDER).submissions) == 1


def test_a_file_that_changed_meanwhile_stops_it(folder: Path, inbox: Direct) -> None:
    """Two contents under one key and nonce would give both away."""
    inbox.dies_after = 1
    with pytest.raises(Unavailable):
        send(folder, inbox, SAID, tell)
    people = folder / "people.tsv"
    content, found = people.read_bytes(), people.stat()
    again = Direct(inbox.house)
    for other in (content + b"x", content[:-2] + b"x\n"):
        people.write_bytes(other)
        os.utime(people, ns=(found.st_atime_ns, found.st_mtime_ns))  # as `cp -p` of another version leaves it
        with pytest.raises(Conflict, match=r"people\.tsv changed"):
            send(folder, again, SAID, tell)
    assert again.received == {}
    (folder / "people.tsv").unlink()
    with pytest.raises(Conflict, match=r"people\.tsv is gone"):
        send(folder, again, SAID, tell)


def test_it_goes_on_only_at_the_node_that_it_is_sealed_for(folder: Path, inbox: Direct) -> None:
    inbox.dies_after = 0
    with pytest.raises(Unavailable):
        send(folder, inbox, SAID, tell)
    with pytest.raises(Conflict, match=r"is being sent to https://node.example"):
        send(folder, Direct(inbox.house, "https://other.example"), SAID, tell)


def test_what_is_refused_at_the_beginning_is_not_gone_on_with(folder: Path, inbox: Direct) -> None:
    for wrong in (Dataset(DATASET, "hg99"), Dataset("OTHER", "GRCh37")):
        with pytest.raises((Invalid, NotEntitled)):
            send(folder, inbox, wrong, tell)
        assert not (folder / STATE).exists()
    assert send(folder, inbox, SAID, tell).submission.state is State.REPORTED


def test_it_goes_on_as_it_began_and_not_with_something_else(folder: Path, inbox: Direct) -> None:
    inbox.dies_after = 1
    with pytest.raises(Unavailable):
        send(folder, inbox, SAID, tell)
    for other in (Dataset("OTHER"), Dataset(assembly="GRCh38"), Dataset(collected=2020), Dataset(title="other")):
        with pytest.raises(Conflict, match="is being sent with another"):
            send(folder, inbox, other, tell)


def test_a_node_without_room_is_come_back_to(
    folder: Path, inbox: Direct, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(size_bytes: int = 0) -> None:
        if inbox.put_parts == 2:
            raise NoRoom(f"no room for {size_bytes}")

    with monkeypatch.context() as patched:
        patched.setattr(house.archive, "require_room", full)
        with pytest.raises(NoRoom, match="the node has no room"):
            send(folder, inbox, SAID, tell)
    again = Direct(house)
    assert send(folder, again, Dataset(), tell).submission.state is State.REPORTED
    assert set(again.received) == {(1, 0)}  # the first part was kept


def test_cancelling_forgets_it_here_and_there(folder: Path, inbox: Direct) -> None:
    with pytest.raises(NotFound):
        cancel(folder, inbox)
    with pytest.raises(Invalid, match="is not there"):
        cancel(folder / "nowhere", inbox)
    inbox.dies_after = 1
    with pytest.raises(Unavailable):
        send(folder, inbox, SAID, tell)
    with pytest.raises(Conflict, match="cancel it there"):
        cancel(folder, Direct(inbox.house, "https://other.example"))
    ident = cancel(folder, inbox)
    assert inbox.show(ident).state is State.CANCELLED
    assert not (folder / STATE).exists()
    assert inbox.house.blobs() == []


def test_what_the_node_forgot_is_forgotten_here_too(
    folder: Path, inbox: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.dies_after = 1
    with pytest.raises(Unavailable):
        send(folder, inbox, SAID, tell)

    def forgotten(submission: str) -> None:
        raise NotFound(f"there is no submission {submission} of yours")

    monkeypatch.setattr(inbox, "cancel", forgotten)
    cancel(folder, inbox)
    assert not (folder / STATE).exists()


def test_a_receipt_of_anything_else_is_none(folder: Path, inbox: Direct) -> None:
    sent = send(folder, inbox, SAID, tell)
    token = (folder / RECEIPT).read_text().strip()
    manifest, ident = sent.submission.manifest, sent.submission.id
    assert check_receipt(token, manifest, ident, inbox).submission == ident
    other = manifest_of({"cohort.vcf.gz": b"x"})
    for files, submission in ((other, ident), (manifest, "MGS-AAAAAAAAAAAAAAAA")):
        with pytest.raises(Corrupt, match="not of the files that were sent"):
            check_receipt(token, files, submission, inbox)


def test_what_is_remembered_is_for_its_owner_alone(tmp_path: Path, inbox: Direct) -> None:
    (tmp_path / "a.bam").write_bytes(b"x")
    state = new_state(tmp_path, "https://node.example", inbox.recipient(), manifest_of({"a.bam": b"x"}), "")
    path = tmp_path / STATE
    assert read_state(path) is None
    write_state(path, state)
    assert read_state(path) == state
    [written] = json.loads(path.read_bytes())["files"][:1]
    parts = state.files[0].key, state.files[0].prefix, state.files[0].header
    assert tuple(base64.b64decode(written[name], validate=True) for name in ("key", "prefix", "header")) == parts
    require_unchanged(tmp_path, state)
    assert repr(state.files[0].key) not in repr(state)
    path.chmod(0o644)
    with pytest.raises(Conflict, match="chmod 600"):
        read_state(path)
    path.chmod(0o600)
    path.write_text("{")
    with pytest.raises(Invalid, match="delete it"):
        read_state(path)


@pytest.mark.parametrize("url", ["http://node.example", "ftp://x", "node.example", "https://u:p@node.example"])
def test_a_token_goes_nowhere_openly(url: str) -> None:
    with pytest.raises(Invalid):
        Inbox(url, "mgt_secret")
    assert "mgt_secret" not in repr(Inbox("http://127.0.0.1:1", "mgt_secret"))
