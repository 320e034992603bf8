# SPDX-License-Identifier: Apache-2.0
"""What a node does with what is complete: a report and a receipt, or a refusal with its reason and nothing kept."""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from megagenome.kernel.errors import Conflict, Corrupt, NotFound, Unavailable
from megagenome.kernel.jobs import claim
from megagenome.kernel.sealed_files import FileId, FileState
from megagenome.kernel.worker import Effects, Lease, Perform, Worker
from megagenome.reception import process
from megagenome.reception.validate import validate
from megagenome.standards.crypt4gh_stream import seal
from megagenome.standards.submission import Decision, Manifest, State, digest_of_parts, read_receipt
from megagenome.standards.validation_report import FileReport, Level, Message, Report, Result
from tests.archive.archives import open_archive
from tests.reception.handing_in import DATASET, samples
from tests.reception.receptions import PROVIDER, STEWARD, House, files_of, manifest_of, passing, put, restated

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    return files_of(tmp_path / "files")


def report_of(house: House, ident: str) -> Report:
    return msgspec.json.decode(house.reception.report(PROVIDER, ident), type=Report)


def texts(house: House, ident: str) -> dict[str, str]:
    return {each.name: " ".join(m.text for m in each.messages) for each in report_of(house, ident).files}


def check_refused(house: House, ident: str) -> None:
    """Nothing of it is kept, now or later."""
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.REFUSED
    assert house.blobs() == []
    assert {each.state for each in house.archive.files_of()} <= {FileState.SHREDDED}
    with pytest.raises(Conflict, match="no receipt"):
        house.reception.receipt(PROVIDER, ident)


def test_what_is_right_is_archived_and_receipted(house: House, files: dict[str, bytes]) -> None:
    ident = house.send(files)
    parts = [each.parts for each in house.reception.show(PROVIDER, ident).files]
    assert house.do_jobs() == 4  # validate, two ingests, report
    shown = house.reception.show(PROVIDER, ident)
    assert (shown.state, shown.problem) == (State.REPORTED, "")
    archived = {each.name: each for each in house.archive.files_of()}
    assert {name: each.sha256 for name, each in archived.items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert {each.state for each in archived.values()} == {FileState.VERIFIED}
    assert archived["cohort.vcf.gz"].samples == tuple(samples())  # those that were found, for nobody stated any
    assert archived["people.tsv"].samples == ()

    receipt = read_receipt(house.reception.receipt(PROVIDER, ident), house.keys().key_set())
    assert (receipt.iss, receipt.submission, receipt.dataset) == ("node.ee", ident, DATASET)
    report = house.reception.report(PROVIDER, ident)
    assert receipt.report_sha256 == hashlib.sha256(report.encode()).hexdigest()
    for told, (name, content), sent in zip(receipt.files, files.items(), parts, strict=True):
        assert (told.path, told.size_bytes, told.sha256) == (name, len(content), hashlib.sha256(content).hexdigest())
        assert told.sealed_size_bytes == sum(part.size_bytes for part in sent)
        assert told.parts_sha256 == digest_of_parts(part.sha256 for part in sent)
        assert told.file == archived[name].id


def test_a_worker_that_stops_ends_in_the_middle_of_a_file(house: House, files: dict[str, bytes]) -> None:
    house.send(files)
    engine, performing = house.parts.engine, house.reception.performing()
    assert Worker(engine, {"validate": performing["validate"]}).do_one()
    job = claim(engine, ["ingest"], "tests", 60)
    assert job is not None
    lease = Lease(job)
    lease.over.set()
    with pytest.raises(Conflict, match="is to end now"):
        performing["ingest"](lease)
    assert house.archive.files_of() == []
    assert [name for name in house.blobs() if not name.startswith("inbox/")] == []


@pytest.mark.parametrize(
    ("stated", "says"),
    [
        ({"sha256": "0" * 64}, "has the SHA-256"),
        ({"size_bytes": 1}, "holds more than the 1 bytes that the manifest states"),
        ({"size_bytes": 1_000_000}, "it was cut short"),
        ({"samples": ("S0", "NOBODY")}, "does not have NOBODY"),
        ({"samples": tuple(samples()[1:])}, "has S0, which the manifest does not name for it"),
        ({"format": "bcf"}, "is vcf, and the manifest states bcf"),
    ],
)
def test_what_the_manifest_states_otherwise_is_refused_by_file(
    house: House, files: dict[str, bytes], stated: dict[str, Any], says: str
) -> None:
    ident = house.send(files, restated(manifest_of(files), "cohort.vcf.gz", **stated))
    check_refused(house, ident)
    told = texts(house, ident)
    assert says in told["cohort.vcf.gz"]
    assert told["people.tsv"] == ""
    assert all(message.time for each in report_of(house, ident).files for message in each.messages)


def test_json_that_failed_is_not_called_another_format(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "validate", validate)
    packet = {"id": "x", "subject": {"id": "EE-000", "sex": "WHALE"}, "metaData": {}}
    ident = house.send({"people.json": json.dumps(packet).encode()})
    check_refused(house, ident)
    [file] = report_of(house, ident).files
    assert ["WHALE" in each.text for each in file.messages] == [True], file.messages


def test_a_wrong_md5_is_refused_by_the_archive(house: House, files: dict[str, bytes]) -> None:
    ident = house.send(files, restated(manifest_of(files), "people.tsv", md5="0" * 32))
    check_refused(house, ident)
    assert "people.tsv" in house.reception.show(PROVIDER, ident).problem
    assert "md5" in house.reception.show(PROVIDER, ident).problem.lower()


def damaged(house: House, plain: bytes, how: str) -> bytes:
    sealed = bytearray(house.sealed(plain))
    match how:
        case "cut":
            return bytes(sealed[:-30])
        case "header":
            return bytes(sealed[:60])
        case "bit":
            sealed[-20] ^= 1
            return bytes(sealed)
    other = open_archive(house.folder.parent / "other")
    return b"".join(map(bytes, seal([plain], [other.keys.newest()[1]])))


@pytest.mark.parametrize("how", ["cut", "header", "bit", "other key"])
def test_what_does_not_open_is_refused_with_the_reason(house: House, files: dict[str, bytes], how: str) -> None:
    content = damaged(house, files["people.tsv"], how)
    ident = house.reception.begin(PROVIDER, manifest_of(files)).id
    put(house, ident, 0, 0, house.sealed(files["cohort.vcf.gz"]))
    put(house, ident, 1, 0, content)
    house.reception.complete(PROVIDER, ident, (1, 1))
    check_refused(house, ident)
    told = texts(house, ident)["people.tsv"]
    words = {"cut": "segment", "header": "cut short", "bit": "segment 0", "other key": "key"}
    assert words[how] in told
    assert "takes longer" not in told  # what a process says whose input ended is not what is wrong


def test_what_fails_validation_is_refused_and_never_archived(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = Message(Level.ERROR, "the reference base is not the assembly's", 7, "22:5")

    def failing(*_: object) -> Report:
        bad = FileReport("cohort.vcf.gz", "vcf", Result.FAILED, (message,))
        return Report(Result.FAILED, (bad, FileReport("people.tsv", "people-table", Result.PASSED)))

    monkeypatch.setattr(process, "validate", failing)
    ident = house.send(files)
    check_refused(house, ident)
    assert report_of(house, ident).files[0].messages == (message,)
    assert house.archive.files_of() == []


def test_what_cannot_be_read_now_is_tried_again_and_its_provider_is_told_no_more(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ident, why = house.send(files), "the store at s3.internal.example does not answer"

    def unavailable(*_: object) -> Report:
        raise Unavailable(why)

    monkeypatch.setattr(process, "validate", unavailable)
    house.do_jobs()
    shown = house.reception.show(PROVIDER, ident)
    assert shown.state is State.PROCESSING
    assert shown.problem.startswith("waits, and is tried again: this node cannot go on now")
    assert ident in shown.problem
    assert house.reception.all(PROVIDER).submissions[0].problem == shown.problem
    assert house.reception.show(STEWARD, ident).problem == f"waits, and is tried again: {why}"
    assert why in caplog.text
    monkeypatch.setattr(process, "validate", passing)
    house.parts.engine.connect().close()
    with house.parts.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE job SET not_before_ms = 0")
    house.do_jobs()
    shown = house.reception.show(PROVIDER, ident)
    assert (shown.state, shown.problem) == (State.REPORTED, "")


@pytest.mark.parametrize(("error", "state"), [(NotFound("gone"), State.REFUSED), (KeyError("x"), State.PROCESSING)])
def test_nobody_waits_for_ever_for_what_never_will_be(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, error: Exception, state: State
) -> None:
    ident = house.send(files)

    def failing(*_: object) -> Report:
        raise error

    monkeypatch.setattr(process, "validate", failing)
    house.do_jobs()
    shown = house.reception.show(STEWARD, ident)
    assert shown.state is state
    assert ("gone" if state is State.REFUSED else "waits, and is tried again: a fault of the node's") in shown.problem


def test_a_disk_that_fails_is_no_fault_of_the_provider(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = house.send(files)
    read = house.parts.store.read

    def failing(key: str, start: int = 0, end: int | None = None) -> Any:
        raise Unavailable("input/output error")

    monkeypatch.setattr(house.parts.store, "read", failing)
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.PROCESSING
    monkeypatch.setattr(house.parts.store, "read", read)
    with house.parts.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE job SET not_before_ms = 0")
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.REPORTED


@pytest.mark.parametrize("job", ["validate", "ingest"])
@pytest.mark.parametrize("condition", [NotFound, Corrupt])
def test_a_part_that_the_node_lost_is_asked_for_again_without_its_place(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, job: str, condition: type[Exception]
) -> None:
    ident = house.send(files)
    if job == "ingest":
        assert Worker(house.parts.engine, house.reception.performing()).do_one()

    def lost(key: str, start: int = 0, end: int | None = None) -> Any:
        raise condition(f"there is no blob {key}")

    monkeypatch.setattr(house.parts.store, "read", lost)
    check_refused(house, ident)
    told = house.reception.show(PROVIDER, ident).problem + str(texts(house, ident))
    assert "no fault of yours: send it again" in told
    assert "inbox/" not in told


def test_what_the_archive_did_not_keep_is_asked_for_again(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def rotten(file: str) -> Any:
        raise Corrupt(f"blob archive/{file} is not what was written")

    monkeypatch.setattr(house.archive, "verify", rotten)
    ident = house.send(files)
    check_refused(house, ident)
    assert house.reception.show(PROVIDER, ident).problem.endswith("no fault of yours: send it again")
    assert "blob archive/" in caplog.text


def test_what_cannot_be_deleted_now_does_not_hide_why_it_was_refused(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = house.send(files, restated(manifest_of(files), "people.tsv", md5="0" * 32))

    def failing(_key: str) -> None:
        raise Unavailable("the disk fails")

    with monkeypatch.context() as patched:
        patched.setattr(house.parts.store, "delete", failing)
        house.do_jobs()
    for caller in (PROVIDER, STEWARD):
        assert "md5" in house.reception.show(caller, ident).problem


def test_what_is_cancelled_meanwhile_leaves_nothing(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = house.send(files)
    ingest = house.archive.ingest

    def cancelled_meanwhile(*given: Any) -> Any:
        house.reception.cancel(PROVIDER, ident)
        return ingest(*given)

    monkeypatch.setattr(house.archive, "ingest", cancelled_meanwhile)
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.CANCELLED
    assert house.blobs() == []
    assert {each.state for each in house.archive.files_of()} <= {FileState.SHREDDED}


@pytest.mark.parametrize("fails", [Unavailable("the store does not answer"), Corrupt("it reads otherwise")])
def test_what_is_cleared_meanwhile_by_another_thread_leaves_nothing(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, fails: Exception
) -> None:
    ident = house.send(files)
    ingest, archived = house.archive.ingest, []

    def cleared_before(*given: Any) -> Any:
        house.reception.cancel(PROVIDER, ident)
        source, clear = list(given[2]()), house.reception.performing()["clear"]
        assert Worker(house.parts.engine, {"clear": clear}).do_one()
        archived.append(ingest(*given[:2], lambda: iter(source), *given[3:]))

    def failing(_file: FileId) -> None:
        raise fails

    monkeypatch.setattr(house.archive, "ingest", cleared_before)
    monkeypatch.setattr(house.archive, "verify", failing)
    house.do_jobs()
    with house.parts.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE job SET not_before_ms = 0")
    house.do_jobs()
    assert len(archived) == 1
    assert house.blobs() == []
    assert {each.state for each in house.archive.files_of()} == {FileState.SHREDDED}


def test_files_of_several_submissions_are_archived_in_turn(house: House, files: dict[str, bytes]) -> None:
    idents = [house.send(files), house.send(files)]
    did: list[tuple[str, str]] = []

    def noting(perform: Perform) -> Perform:
        def performed(lease: Lease) -> Effects | None:
            did.append((lease.job.kind, str(lease.job.arguments["submission"])))
            return perform(lease)

        return performed

    performing = {kind: noting(perform) for kind, perform in house.reception.performing().items()}
    worker = Worker(house.parts.engine, performing)
    while worker.do_one():
        pass
    assert did == [(kind, ident) for kind in ("validate", "ingest", "ingest", "report") for ident in idents]


def test_a_zombie_and_who_took_its_work_leave_each_file_once(
    house: House, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ident, ingest, begun = house.send(files), house.archive.ingest, list[str]()

    def silent_for_too_long(file: Any, *rest: Any) -> Any:
        begun.append(file)
        if len(begun) == 1:
            for _ in range(2):  # the lease is over, and then the wait that follows
                with house.parts.engine.begin() as connection:
                    connection.exec_driver_sql("UPDATE job SET lease_until_ms = 0, not_before_ms = 0")
                house.do_jobs()
        return ingest(file, *rest)

    monkeypatch.setattr(house.archive, "ingest", silent_for_too_long)
    house.do_jobs()
    assert len(begun) == 3
    assert house.reception.show(PROVIDER, ident).state is State.REPORTED
    assert sorted(each.name for each in house.archive.files_of()) == sorted(files)
    assert len([name for name in house.blobs() if name.endswith(".c4b")]) == 2
    assert house.parts.ledger.verify().fine


def test_what_was_reported_may_be_cancelled_until_it_is_accepted(house: House, files: dict[str, bytes]) -> None:
    cancelled, accepted = house.send(files), house.send(files)
    house.do_jobs()
    house.reception.cancel(PROVIDER, cancelled)
    house.reception.decide(STEWARD, accepted, Decision(accept=True))
    with pytest.raises(Conflict, match="nothing to cancel"):
        house.reception.cancel(PROVIDER, accepted)
    house.do_jobs()
    states = [house.reception.show(PROVIDER, each).state for each in (cancelled, accepted)]
    assert states == [State.CANCELLED, State.ACCEPTED]
    kept = sorted(each.state for each in house.archive.files_of())
    assert kept == [FileState.READY] * 2 + [FileState.SHREDDED] * 2
    assert len([name for name in house.blobs() if name.endswith(".c4b")]) == 2
    with pytest.raises(Conflict, match="nothing to cancel"):
        house.reception.cancel(PROVIDER, accepted)


def test_an_index_is_archived_as_of_its_file(house: House, tmp_path: Path) -> None:
    files_of(tmp_path / "files")
    names = ("cohort.vcf.gz.tbi", "cohort.vcf.gz", "people.tsv")
    files = {name: (tmp_path / "files" / name).read_bytes() for name in names}
    manifest: Manifest = restated(manifest_of(files), names[0], index_of=names[1])
    ident = house.send(files, manifest)
    house.do_jobs()
    assert house.reception.show(PROVIDER, ident).state is State.REPORTED
    by_name = {each.name: each for each in house.archive.files_of()}
    assert by_name[names[0]].index_of == by_name[names[1]].id
    assert by_name[names[0]].samples == by_name[names[1]].samples == tuple(samples())
