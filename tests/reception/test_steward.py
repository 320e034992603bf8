# SPDX-License-Identifier: Apache-2.0
"""The data steward's decision: who may take it, on what grounds, and what one commit then changes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from megagenome.archive.model import RECEIPT_TYPE
from megagenome.collection.datasets import move_dataset
from megagenome.collection.model import Asked, DatasetState, Use
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, TooLarge, Unauthenticated
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import FileState
from megagenome.kernel.signatures import verify
from megagenome.reception import process, steward
from megagenome.reception.validate import validate
from megagenome.standards.submission import Decision, State
from megagenome.standards.validation_report import Report, Result
from tests.reception.handing_in import DATASET, PEOPLE, write_bam
from tests.reception.receptions import OTHER, PROVIDER, PUBLIC, STEWARD, House, files_of, manifest_of, open_house

pytestmark = pytest.mark.usefixtures("database")

ACCEPT, REJECT = Decision(True), Decision(False, "two people are one")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    return files_of(tmp_path / "files")


def individual(number: int) -> dict[str, Any]:
    code = "NCIT:C16576" if number % 2 else "NCIT:C20197"
    return {"id": f"EE-{number:03}", "sex": {"id": code}, "diseases": [{"diseaseCode": {"id": "OMIM:147791"}}]}


def packet(number: int) -> dict[str, Any]:
    subject = {"id": f"EE-{number:03}", "sex": "FEMALE" if number % 2 else "MALE"}
    diseases = [{"term": {"id": "OMIM:147791", "label": "Jacobsen syndrome"}}]
    return {"id": f"p{number}", "subject": subject, "diseases": diseases, "metaData": {}}


def in_json(name: str, kind: str) -> bytes:
    """Everybody's sex and disease, as a list or by line."""
    records = [json.dumps((packet if kind == "phenopackets" else individual)(n)) for n in range(PEOPLE)]
    return ("\n".join(records) + "\n" if name.endswith("l") else f"[{', '.join(records)}]").encode()


@pytest.fixture
def reported(house: House, files: dict[str, bytes]) -> str:
    ident = house.send(files)
    house.do_jobs()
    return ident


def state(house: House, ident: str) -> State:
    return house.reception.show(STEWARD, ident).state


def details(house: House) -> list[str]:
    return [each.detail for each in house.parts.ledger.items() if isinstance(each, Entry)]


def test_the_preview_is_of_a_load_that_was_taken_back(house: House, reported: str) -> None:
    found = house.reception.preview(STEWARD, reported)
    assert (found.people, found.consenting, found.counted, found.waiting) == (PEOPLE, PEOPLE, PEOPLE, 0)
    assert (found.floor, found.alleles_tier, found.people_tier) == (10, "public", "registered")
    assert {(each.country, each.sex): each.people for each in found.strata} == {
        ("EE", "female"): 15,
        ("EE", "male"): 15,
    }
    assert (found.alleles, found.problem) == (None, "")
    assert house.collection.snapshot().datasets == ()  # nothing of it is there
    for caller, error in ((PROVIDER, NotEntitled), (OTHER, NotEntitled), (PUBLIC, Unauthenticated)):
        with pytest.raises(error):
            house.reception.preview(caller, reported)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("clinic.json", "phenopackets"), ("clinic.jsonl", "phenopackets"), ("clinic.json", "beacon-individuals")],
)
def test_people_in_json_are_validated_and_loaded(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    """By the real validation. Who is whose sample, and who consents, is in the table; sex and disease are in JSON."""
    monkeypatch.setattr(process, "validate", validate)
    rows = ["individual_id\tsample_id\tcountry\tconsent", *(f"EE-{n:03}\tS{n}\tEE\tyes" for n in range(PEOPLE))]
    files |= {"people.tsv": ("\n".join(rows) + "\n").encode(), name: in_json(name, kind)}
    ident = house.send(files, manifest_of(files, kind))
    house.do_jobs()
    report = msgspec.json.decode(house.reception.report(PROVIDER, ident), type=Report)
    assert (report.result, report.isolated) == (Result.PASSED, True), report
    assert [(each.name, each.format, each.records) for each in report.files][1:] == [
        ("people.tsv", "people-table", PEOPLE),
        (name, kind, PEOPLE),
    ]
    strata = {(each.country, each.sex): each.people for each in house.reception.preview(STEWARD, ident).strata}
    assert strata == {("EE", "female"): 15, ("EE", "male"): 15}
    house.reception.decide(STEWARD, ident, ACCEPT)
    house.do_jobs()
    assert state(house, ident) is State.ACCEPTED
    house.collection.refresh()
    [dataset] = house.collection.snapshot().datasets
    assert (dataset.id, dataset.individuals) == (DATASET, PEOPLE)
    with house.parts.engine.connect() as connection:
        found = connection.execute(sa.text("SELECT term, count(*) FROM fact WHERE kind = 'disease' GROUP BY term"))
        assert found.all() == [("OMIM:147791", PEOPLE)]


def test_accepting_loads_it_and_nobody_is_told(house: House, reported: str) -> None:
    assert house.reception.decide(STEWARD, reported, ACCEPT).state is State.LOADING
    house.do_jobs()
    assert state(house, reported) is State.ACCEPTED
    house.collection.refresh()
    [dataset] = house.collection.snapshot().datasets
    assert (dataset.id, dataset.state, dataset.individuals) == (DATASET, DatasetState.DRAFT, PEOPLE)
    told = house.collection.as_if_published(DatasetId(DATASET)).open(PUBLIC, Use.AGGREGATES, asked=Asked.ALLELES)
    assert told.places == (("GRCh37", "22"),)
    assert {each.state for each in house.archive.files_of()} == {FileState.READY}
    assert [name for name in house.blobs() if name.startswith("inbox/")] == []
    after = house.reception.preview(STEWARD, reported)
    assert (after.alleles, after.alleles_held_back) == (7, 3)
    assert details(house).count(f"accepted:{reported}") == 1
    assert house.parts.ledger.verify().fine
    with pytest.raises(Conflict, match="does not wait for a decision"):
        house.reception.decide(STEWARD, reported, REJECT)
    with pytest.raises(Conflict, match="nothing to cancel"):
        house.reception.cancel(PROVIDER, reported)


def test_rejecting_shreds_it_and_keeps_the_reasons(house: House, reported: str) -> None:
    house.reception.decide(STEWARD, reported, REJECT)
    house.do_jobs()
    shown = house.reception.show(PROVIDER, reported)
    assert (shown.state, shown.reasons, shown.decided_by) == (State.REJECTED, REJECT.reasons, STEWARD.subject)
    assert house.blobs() == []
    assert {each.state for each in house.archive.files_of()} == {FileState.SHREDDED}
    with pytest.raises(Conflict, match="not known"):  # nor do its exact counts outlive it
        house.reception.preview(STEWARD, reported)
    assert house.collection.snapshot().datasets == ()
    assert details(house).count(f"rejected:{reported}") == 1
    for each in house.archive.files_of():  # the archive proves it
        receipt = house.archive.finish_shredding(each.id)
        assert verify(receipt, house.keys().key_set(), RECEIPT_TYPE)["file"] == each.id


def test_only_a_steward_decides_with_reasons_and_not_on_their_own(house: House, files: dict[str, bytes]) -> None:
    ident = house.send(files)
    with pytest.raises(Conflict, match="does not wait"):
        house.reception.decide(STEWARD, ident, ACCEPT)
    house.do_jobs()
    for caller, refusal in ((PROVIDER, NotEntitled), (OTHER, NotEntitled), (PUBLIC, Unauthenticated)):
        with pytest.raises(refusal):
            house.reception.decide(caller, ident, ACCEPT)
    for reasons in ("", " \n"):
        with pytest.raises(Invalid, match="write the reasons"):
            house.reception.decide(STEWARD, ident, Decision(False, reasons))
    with pytest.raises(TooLarge, match="at most 4,000 characters, these 4,001"):
        house.reception.decide(STEWARD, ident, Decision(False, "a" * 4_001))
    mine = house.reception.begin(STEWARD, manifest_of(files)).id
    with pytest.raises(NotEntitled, match="somebody else decides"):
        house.reception.decide(STEWARD, mine, ACCEPT)
    assert state(house, ident) is State.REPORTED


def test_a_load_that_is_refused_comes_back_with_the_reason(house: House, files: dict[str, bytes]) -> None:
    first, second = house.send(files), house.send(files)
    house.do_jobs()
    house.reception.decide(STEWARD, first, ACCEPT)
    house.do_jobs()
    house.reception.decide(STEWARD, second, ACCEPT)
    house.do_jobs()
    shown = house.reception.show(STEWARD, second)
    assert shown.state is State.REPORTED
    assert "already has genotypes of contig 22" in shown.problem
    house.reception.decide(STEWARD, second, ACCEPT)  # again, as often as one likes
    house.do_jobs()
    assert state(house, second) is State.REPORTED
    house.reception.decide(STEWARD, second, REJECT)
    house.do_jobs()
    assert {each.state for each in house.archive.files_of()} == {FileState.READY, FileState.SHREDDED}


def test_a_provider_learns_nothing_of_what_others_recorded_of_somebody(house: House, files: dict[str, bytes]) -> None:
    first = house.send(files)
    house.do_jobs()
    house.reception.decide(STEWARD, first, ACCEPT)
    house.do_jobs()
    guess = house.send(files | {"people.tsv": files["people.tsv"].replace(b"\tfemale\t", b"\tmale\t", 1)})
    house.do_jobs()
    house.reception.decide(STEWARD, guess, ACCEPT)
    house.do_jobs()
    assert "female before" in house.reception.show(STEWARD, guess).problem
    [listed] = [each for each in house.reception.all(PROVIDER).submissions if each.id == guess]
    for told in (house.reception.show(PROVIDER, guess), listed):
        assert "female" not in told.problem
        assert "a data steward sees why" in told.problem


def test_a_preview_says_how_many_the_node_has_already(house: House, files: dict[str, bytes]) -> None:
    first = house.send(files)
    house.do_jobs()
    assert house.reception.preview(STEWARD, first).known == 0
    house.reception.decide(STEWARD, first, ACCEPT)
    house.do_jobs()
    second = house.send(files)
    house.do_jobs()
    assert house.reception.preview(STEWARD, second).known == PEOPLE


def test_of_a_published_dataset_it_says_what_is_told_today(house: House, files: dict[str, bytes]) -> None:
    first = house.send(files)
    house.do_jobs()
    before = house.reception.preview(STEWARD, first)
    assert (before.counted_before, before.alleles_before) == (None, None)
    house.reception.decide(STEWARD, first, ACCEPT)
    house.do_jobs()
    with begin_writing(house.parts.engine) as connection:
        connection.execute(sa.text("UPDATE dataset SET open = true"))  # so that it needs no record
        move_dataset(connection, DatasetId(DATASET), DatasetState.APPROVED)
        move_dataset(connection, DatasetId(DATASET), DatasetState.PUBLISHED)
    second = house.send(files)
    house.do_jobs()
    found = house.reception.preview(STEWARD, second)
    assert (found.counted_before, found.counted, found.alleles_before) == (PEOPLE, PEOPLE, 7)


def test_where_nobody_is_told_frequencies_no_number_is_kept(tmp_path: Path, files: dict[str, bytes]) -> None:
    house = open_house(tmp_path / "node", counts_told=lambda _: None)
    ident = house.send(files)
    house.do_jobs()
    house.reception.decide(STEWARD, ident, ACCEPT)
    house.do_jobs()
    assert state(house, ident) is State.ACCEPTED
    assert house.reception.preview(STEWARD, ident).alleles is None
    house.collection.close()


def test_a_preview_says_why_a_load_would_be_refused(house: House, files: dict[str, bytes]) -> None:
    other = files | {"people.tsv": files["people.tsv"].replace(b"\tEE\t", b"\tee\t", 1)}
    ident = house.send(other)
    house.do_jobs()
    assert state(house, ident) is State.REPORTED
    assert "ee" in house.reception.preview(STEWARD, ident).problem


def test_reads_alone_are_let_out_without_a_load(house: House, tmp_path: Path) -> None:
    content = write_bam(tmp_path / "S0.bam", 5).read_bytes()
    files = {"S0.bam": content}
    manifest = msgspec.structs.replace(manifest_of(files), title="Reads of one person")
    ident = house.send(files, manifest, part_bytes=1 << 20)
    house.do_jobs()
    house.reception.decide(STEWARD, ident, ACCEPT)
    house.do_jobs()
    assert state(house, ident) is State.ACCEPTED
    assert [each.state for each in house.archive.files_of()] == [FileState.READY]
    house.collection.refresh()
    [dataset] = house.collection.snapshot().datasets
    assert (dataset.id, dataset.title, dataset.state) == (DATASET, manifest.title, DatasetState.DRAFT)
    told = house.collection.as_if_published(DatasetId(DATASET)).open(PUBLIC, Use.AGGREGATES, asked=Asked.ALLELES)
    assert told.places == ()


def test_who_comes_too_late_with_a_load_changes_nothing(
    house: House, reported: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker loaded it while this one, which everybody took for dead, was still at it."""
    house.reception.decide(STEWARD, reported, ACCEPT)
    load: Callable[..., Any] = steward.load

    def overtaken(*given: Any, also: Callable[[sa.Connection], None], **more: Any) -> Any:
        load(*given, also=also, **more)  # the other worker
        return load(*given, also=also, **more)

    monkeypatch.setattr(steward, "load", overtaken)
    house.do_jobs()
    house.collection.refresh()
    assert len(house.collection.snapshot().datasets) == 1
    assert house.collection.snapshot().loads == 1
