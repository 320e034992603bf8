# SPDX-License-Identifier: Apache-2.0
"""What an operator lets out of the archive, or withdraws, and whose word that is not."""

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from megagenome.archive import tables as archive_tables
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import Described, FileId, FileState, new_file_id
from megagenome.reception import tables
from megagenome.reception.let_out import let_out, waiting_for_the_operator, withdraw
from megagenome.standards.submission import Decision
from tests.archive.archives import keep, make_plain
from tests.reception.handing_in import DATASET, samples, write_bam
from tests.reception.receptions import STEWARD, House, files_of, manifest_of

pytestmark = pytest.mark.usefixtures("database")

READY, VERIFIED, WITHDRAWN, ARCHIVED = FileState.READY, FileState.VERIFIED, FileState.WITHDRAWN, FileState.ARCHIVED


@pytest.fixture
def reported(house: House, tmp_path: Path) -> str:
    ident = house.send(files_of(tmp_path / "files"))
    house.do_jobs()
    return ident


@pytest.fixture
def accepted(house: House, reported: str) -> str:
    house.reception.decide(STEWARD, reported, Decision(True))
    house.do_jobs()
    return reported


def files(house: House) -> list[FileId]:
    return [each.id for each in house.archive.files_of()]


def states(house: House) -> set[FileState]:
    return {each.state for each in house.archive.files_of()}


def waiting(house: House, dataset: DatasetId | None = None) -> list[FileId]:
    return [each.id for each in waiting_for_the_operator(house.parts.engine, house.archive, dataset)]


def entered(house: House, word: str) -> list[str]:
    """By whom, for each entry of this word."""
    ledger = house.parts.ledger
    assert ledger.verify().fine
    found = [each for each in ledger.items() if isinstance(each, Entry) and each.detail.startswith(f"{word}:MGF-")]
    return [person.subject for each in found if (person := ledger.person(each.actor)) is not None]


def lose(house: House, *of: sa.Table) -> None:
    """Lose these tables' rows, and find again what the store has of them."""
    with house.parts.engine.begin() as connection:
        for table in of:
            connection.execute(sa.delete(table))
    assert len(house.archive.rebuild().adopted) == 2


ARCHIVE = archive_tables.header, archive_tables.file
SUBMISSIONS = tables.part, tables.file, tables.submission


@pytest.mark.parametrize("lost", [ARCHIVE, (*ARCHIVE, *SUBMISSIONS)], ids=["archive", "archive-and-submissions"])
def test_what_a_rebuild_found_again_is_let_out(house: House, accepted: str, lost: tuple[sa.Table, ...]) -> None:
    assert entered(house, "ready") == [STEWARD.subject] * 2
    assert waiting(house) == []
    lose(house, *lost)
    assert (states(house), waiting(house)) == ({ARCHIVED}, files(house))
    with pytest.raises(Conflict, match="is archived: only a verified"):
        let_out(house.parts.engine, house.archive, files(house), "operator o")
    for each in files(house):
        house.archive.verify(each)
    assert (states(house), waiting(house), waiting(house, DATASET)) == ({VERIFIED}, files(house), files(house))
    assert waiting(house, DatasetId("OTHER")) == []
    for _ in range(2):
        let_out(house.parts.engine, house.archive, files(house), "operator o")
    assert (states(house), waiting(house)) == ({READY}, [])
    assert entered(house, "ready") == [STEWARD.subject] * 2 + ["operator o"] * 2


@pytest.mark.parametrize("again", [False, True], ids=["as-archived", "found-again"])
def test_what_waits_for_a_steward_is_nobody_elses(house: House, reported: str, again: bool) -> None:
    if again:
        lose(house, *ARCHIVE)
        for each in files(house):
            house.archive.verify(each)
    assert waiting(house) == []
    for move in (let_out, withdraw):
        with pytest.raises(Conflict, match=f"of submission {reported}, which is reported: a data steward"):
            move(house.parts.engine, house.archive, files(house), "operator o")
    assert states(house) == {VERIFIED}
    house.reception.decide(STEWARD, reported, Decision(True))
    house.do_jobs()
    assert states(house) == {READY}


def test_a_withdrawn_file_is_let_out_again(house: House, accepted: str) -> None:
    wrong, right = files(house)
    for _ in range(2):
        withdraw(house.parts.engine, house.archive, [wrong], "operator o")
    found = {each.id: each.state for each in house.archive.files_of()}
    assert found == {wrong: WITHDRAWN, right: READY}
    assert waiting(house) == []
    assert entered(house, "withdrawn") == ["operator o"]
    let_out(house.parts.engine, house.archive, [wrong], "operator o")
    assert states(house) == {READY}


def test_reads_alone_come_back_before_their_people_are_loaded(house: House, tmp_path: Path) -> None:
    """A steward accepted them as they are."""
    sent = {"S0.bam": write_bam(tmp_path / "S0.bam", 5).read_bytes()}
    ident = house.send(sent, msgspec.structs.replace(manifest_of(sent), title="Reads"), part_bytes=1 << 20)
    house.do_jobs()
    house.reception.decide(STEWARD, ident, Decision(True))
    house.do_jobs()
    withdraw(house.parts.engine, house.archive, files(house), "operator o")
    let_out(house.parts.engine, house.archive, files(house), "operator o")
    assert states(house) == {READY}


def test_what_nobody_vouches_for_must_be_of_its_datasets_people(house: House, accepted: str) -> None:
    def kept(dataset: str, *names: str) -> FileId:
        file = keep(house.archive, make_plain(1000), Described(DatasetId(dataset), "a.bam", "BAM", names)).id
        house.archive.verify(file)
        return file

    known, stranger, nowhere = kept(DATASET, samples()[0]), kept(DATASET, samples()[0], "XY"), kept("OTHER", "S0")
    for file, error, says in (
        (stranger, Conflict, f"has samples that are nobody's in {DATASET}: XY; restore or load"),
        (nowhere, NotFound, "there is no dataset OTHER"),
        (new_file_id(), NotFound, "there is no file"),
    ):
        with pytest.raises(error, match=says):
            let_out(house.parts.engine, house.archive, [known, file], "operator o")
    assert waiting(house) == [known, stranger, nowhere]
    let_out(house.parts.engine, house.archive, [known], "operator o")
    withdraw(house.parts.engine, house.archive, [stranger], "operator o")
    assert waiting(house) == [nowhere]
