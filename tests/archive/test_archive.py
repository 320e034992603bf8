# SPDX-License-Identifier: Apache-2.0
"""The one door, the states of a file, and what the ledger has of both."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from megagenome.archive.archive import Archive
from megagenome.archive.rows import note_suspect
from megagenome.kernel.errors import Conflict, NotEntitled, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import ArchivedFile, FileState, new_file_id
from tests.archive.archives import DATASET, DESCRIBED, Admitted, keep, keep_ready, make_plain

PLAIN = make_plain(200_000)


def entered(archive: Archive) -> list[tuple[str, str]]:
    """What the ledger has, and that it is whole."""
    ledger = archive._parts.ledger
    assert ledger.verify().fine
    return [(entry.kind, entry.detail) for entry in ledger.items() if isinstance(entry, Entry)]


def move(archive: Archive, how: str, file: ArchivedFile) -> None:
    with archive._parts.engine.begin() as connection:
        getattr(archive, how)(connection, [file.id], "operator")


def test_a_file_goes_its_way_and_is_entered(archive: Archive) -> None:
    file = keep(archive, PLAIN)
    assert (file.state, file.size_bytes, file.verified) == (FileState.ARCHIVED, 200_000, None)
    assert archive.find(file.id) == file
    with pytest.raises(Conflict, match="is archived: only a verified file becomes ready"):
        move(archive, "make_ready", file)
    verified = archive.verify(file.id)
    assert (verified.state, bool(verified.verified), len(verified.body_sha256 or "")) == (FileState.VERIFIED, True, 64)
    move(archive, "make_ready", file)
    move(archive, "make_ready", file)
    assert b"".join(archive.open(file.id, Admitted()).read()) == PLAIN
    move(archive, "withdraw", file)
    with pytest.raises(NotFound):
        archive.open(file.id, Admitted())
    assert archive.verify(file.id).state is FileState.WITHDRAWN
    move(archive, "make_ready", file)
    words = ("archived", "ready", "opened", "withdrawn", "ready")
    assert entered(archive) == [("file", f"{word}:{file.id}") for word in words]
    [entry] = [each for each in archive._parts.ledger.items() if isinstance(each, Entry) and "opened" in each.detail]
    person = archive._parts.ledger.person(entry.actor)
    assert (entry.dataset, entry.permit, person and person.name) == (DATASET, "permit-1", "Carol")


def test_what_is_not_ready_looks_as_if_it_were_not_there(archive: Archive) -> None:
    file = keep(archive, PLAIN)
    said = set()
    for asked in (file.id, new_file_id()):
        with pytest.raises(NotFound) as refused:
            archive.open(asked, Admitted())
        said.add(str(refused.value).replace(asked, "X"))
    archive.verify(file.id)
    move(archive, "make_ready", file)
    with pytest.raises(NotFound) as refused:
        archive.open(file.id, Admitted(DatasetId("OTHER")))
    said.add(str(refused.value).replace(file.id, "X").replace("OTHER", DATASET))
    assert len(said) == 1


@pytest.mark.parametrize(
    ("admitted", "mine", "may"),
    [
        (frozenset({"A", "B"}), ("A",), True),
        (frozenset({"A"}), ("A", "B"), False),
        (frozenset(), ("A",), False),
        (frozenset(), (), False),
        (frozenset({"A"}), (), False),
    ],
)
def test_a_file_is_opened_for_its_samples(
    archive: Archive, admitted: frozenset[str], mine: tuple[str, ...], may: bool
) -> None:
    file = keep_ready(archive, PLAIN, msgspec.structs.replace(DESCRIBED, samples=mine))
    if may:
        archive.open(file.id, Admitted(samples=admitted))
    else:
        with pytest.raises(NotEntitled):
            archive.open(file.id, Admitted(samples=admitted))


def test_an_index_that_names_nobody_is_opened_for_nobody(archive: Archive) -> None:
    file = keep_ready(archive, PLAIN)
    index = keep_ready(archive, PLAIN, msgspec.structs.replace(DESCRIBED, samples=(), index_of=file.id))
    with pytest.raises(NotEntitled):
        archive.open(index.id, Admitted())


def test_reading_ends_when_the_admission_does(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megagenome.archive.opened._ASK_AGAIN_S", 0)
    file, holds = keep_ready(archive, make_plain(3 << 20)), [True]

    def require() -> None:
        if not holds[0]:
            raise NotEntitled("revoked")

    opened = archive.open(file.id, Admitted(require=require))
    pieces = opened.read()
    next(pieces)
    holds[0] = False
    with pytest.raises(NotEntitled):
        next(pieces)
    with pytest.raises(NotEntitled):
        next(opened.read())
    with pytest.raises(NotEntitled):
        archive.open(file.id, Admitted(require=require))


def test_reading_ends_when_the_file_is_withdrawn_or_shredded(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megagenome.archive.opened._ASK_AGAIN_S", 0)
    for end in (lambda file: move(archive, "withdraw", file), lambda file: archive.shred(file.id, "operator")):
        file = keep_ready(archive, make_plain(3 << 20))
        pieces = archive.open(file.id, Admitted()).read()
        next(pieces)
        end(file)
        with pytest.raises(NotFound):
            next(pieces)


def test_the_node_s_own_work_is_entered_too(archive: Archive) -> None:
    file = keep(archive, PLAIN)
    assert b"".join(archive.open_inside(file.id, "validation").read()) == PLAIN
    assert entered(archive)[-1] == ("file", f"validation:{file.id}")
    archive.shred(file.id, "operator")
    with pytest.raises(NotFound):
        archive.open_inside(file.id, "validation")


def test_files_of_a_dataset(archive: Archive) -> None:
    mine = keep(archive, PLAIN)
    other = keep(archive, PLAIN, msgspec.structs.replace(DESCRIBED, dataset=DatasetId("OTHER")))
    assert archive.files_of(DATASET) == [mine]
    assert archive.files_of() == [mine, other]
    assert archive.find(new_file_id()) is None


def test_nothing_readable_is_on_the_disk(archive: Archive, folder: Path) -> None:
    plain = b"ACGT" * 50_000
    file = keep_ready(archive, plain)
    opened = archive.open(file.id, Admitted())
    stored = [path.read_bytes() for path in (folder / "blobs").rglob("*") if path.is_file()]
    assert len(stored) == 2
    for content in [*stored, (folder / "node.sqlite").read_bytes(), (folder / "node.sqlite-wal").read_bytes()]:
        assert b"ACGTACGT" not in content
        assert opened._key not in content


def test_settings_load_no_cryptography() -> None:
    code = "import megagenome.archive, sys; print('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def damage(archive: Archive, file: ArchivedFile) -> None:
    """What reading does that finds a file damaged."""
    note_suspect(archive._parts.engine, archive._parts.ledger, file)


@pytest.mark.parametrize("state", ["ready", "withdrawn", "verified", "archived"])
def test_a_suspect_file_that_turns_out_whole_is_what_it_was(archive: Archive, state: str) -> None:
    file = keep(archive, PLAIN)
    if state != "archived":
        archive.verify(file.id)
    if state in ("ready", "withdrawn"):
        move(archive, "make_ready", file)
    if state == "withdrawn":
        move(archive, "withdraw", file)
    for _ in range(2):  # the second time it is what it was by verifying
        damage(archive, file)
        found = archive.find(file.id)
        assert found is not None
        assert found.state is FileState.SUSPECT
        assert archive.verify(file.id).state == ("verified" if state == "archived" else state)
    words = [detail.split(":")[0] for _, detail in entered(archive)]
    assert words[-4:] == ["suspect", "restored"] * 2


def test_a_suspect_file_can_be_withdrawn_and_not_let_out(archive: Archive) -> None:
    file = keep_ready(archive, PLAIN)
    damage(archive, file)
    with pytest.raises(Conflict, match="is suspect: only a verified"):
        move(archive, "make_ready", file)
    for _ in range(2):
        move(archive, "withdraw", file)
    assert archive.verify(file.id).state is FileState.WITHDRAWN
    assert [detail for _, detail in entered(archive)].count(f"withdrawn:{file.id}") == 1


def test_an_index_goes_with_its_file_and_others_stay(archive: Archive) -> None:
    file, other = keep_ready(archive, PLAIN), keep_ready(archive, PLAIN)
    index = keep_ready(archive, PLAIN, msgspec.structs.replace(DESCRIBED, index_of=file.id))
    unread = keep(archive, PLAIN, msgspec.structs.replace(DESCRIBED, index_of=file.id))

    def states() -> list[FileState]:
        found = {each.id: each.state for each in archive.files_of()}
        return [found[each.id] for each in (file, index, other, unread)]

    move(archive, "withdraw", file)
    withdrawn, ready, archived = FileState.WITHDRAWN, FileState.READY, FileState.ARCHIVED
    assert states() == [withdrawn, withdrawn, ready, archived]
    move(archive, "make_ready", file)
    assert states() == [ready, ready, ready, archived]


@pytest.mark.parametrize("how", ["make_ready", "withdraw"])
def test_all_are_moved_or_none(archive: Archive, how: str) -> None:
    file, unread = keep(archive, PLAIN), keep(archive, PLAIN)
    archive.verify(file.id)
    before = entered(archive)
    for other, error in ((unread.id, Conflict), (new_file_id(), NotFound)):
        with pytest.raises(error), archive._parts.engine.begin() as connection:
            getattr(archive, how)(connection, [file.id, other], "operator")
    assert {each.state for each in archive.files_of()} == {FileState.VERIFIED, FileState.ARCHIVED}
    assert entered(archive) == before
