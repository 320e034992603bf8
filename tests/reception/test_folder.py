# SPDX-License-Identifier: Apache-2.0
"""What of a folder is sent, and the checksums that are compared before anything is."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.reception.folder import MANIFEST, RECEIPT, STATE, Dataset, manifest_of, require_sendable, total_bytes
from tests.reception.handing_in import DATASET, make_folder, samples, write_people, write_vcf

SAID = Dataset(DATASET, "GRCh37", 2024, "A cohort", "of people")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "files", reads=3)


def digest(path: Path, kind: str = "sha256") -> str:
    return hashlib.new(kind, path.read_bytes()).hexdigest()


def test_a_manifest_is_made_of_all_files(folder: Path) -> None:
    manifest = manifest_of(folder, SAID)
    assert (manifest.dataset, manifest.assembly, manifest.collected) == (DATASET, "GRCh37", 2024)
    assert (manifest.title, manifest.description) == ("A cohort", "of people")
    assert [(each.path, each.format, each.index_of) for each in manifest.files] == [
        ("cohort.vcf.gz", "vcf", None),
        ("cohort.vcf.gz.tbi", "tbi", "cohort.vcf.gz"),
        ("people.tsv", "people-table", None),
        ("reads/S0.bam", "bam", None),
        ("reads/S0.bam.bai", "bai", "reads/S0.bam"),
    ]
    assert manifest.people == ("people.tsv",)
    assert [each.sha256 for each in manifest.files] == [digest(folder / each.path) for each in manifest.files]
    assert [each.size_bytes for each in manifest.files] == [(folder / e.path).stat().st_size for e in manifest.files]
    assert manifest.files[0].samples == tuple(samples())
    assert total_bytes(folder) == sum(each.size_bytes for each in manifest.files)


def test_what_is_ours_and_what_is_hidden_is_not_sent(folder: Path) -> None:
    before = manifest_of(folder, SAID)
    (folder / ".git").mkdir()
    for name in (STATE, RECEIPT, ".DS_Store", ".git/x.bam"):
        (folder / name).write_text("x")
    (folder / "SHA256SUMS").write_text("\n")
    assert manifest_of(folder, SAID) == before


def test_checksums_beside_the_files_are_compared_and_an_md5_is_passed_on(folder: Path) -> None:
    bam, vcf = folder / "reads/S0.bam", folder / "cohort.vcf.gz"
    (folder / "reads/S0.bam.md5").write_text(f"{digest(bam, 'md5')}  S0.bam\n")
    (folder / "SHA256SUMS").write_text(f"{digest(vcf).upper()} *./cohort.vcf.gz\n")
    by_path = {each.path: each for each in manifest_of(folder, SAID).files}
    assert by_path["reads/S0.bam"].md5 == digest(bam, "md5")
    assert by_path["cohort.vcf.gz"].md5 is None
    bam.write_bytes(bam.read_bytes() + b"x")
    with pytest.raises(Corrupt, match=r"reads/S0.bam is not as the checksum beside it says \(md5"):
        manifest_of(folder, SAID)


@pytest.mark.parametrize("name", ["SHA256SUMS", "sha256sums.txt", "cohort.vcf.gz.sha256"])
def test_a_wrong_checksum_beside_a_file_stops_it(folder: Path, name: str) -> None:
    (folder / name).write_text(f"{'0' * 64}  cohort.vcf.gz\n")
    with pytest.raises(Corrupt, match=r"cohort\.vcf\.gz is not as"):
        manifest_of(folder, SAID)


@pytest.mark.parametrize(
    ("name", "digits"), [("checksums.sha256", 64), ("SHA512SUMS", 128), ("people.tsv.sha512", 128), ("md5.txt", 32)]
)
@pytest.mark.parametrize("has_manifest", [False, True])
def test_lists_of_any_name_and_kind_are_compared(folder: Path, name: str, digits: int, has_manifest: bool) -> None:
    said = SAID
    if has_manifest:
        written(folder)
        said = Dataset()
    (folder / name).write_text(f"{'0' * digits}  people.tsv\n")
    with pytest.raises(Corrupt, match=r"people\.tsv is not as the checksum beside it says"):
        manifest_of(folder, said)


@pytest.mark.parametrize("has_manifest", [False, True])
def test_a_file_that_was_forgotten_is_named_before_any_is_read(folder: Path, has_manifest: bool) -> None:
    said = SAID
    if has_manifest:
        written(folder)
        said = Dataset()
    (folder / "SHA256SUMS").write_text(f"{digest(folder / 'people.tsv')}  people.tsv\n{'0' * 64}  reads/S1.bam\n")
    with pytest.raises(Invalid, match=r"SHA256SUMS line 2: lists 'reads/S1\.bam', which is not in the folder"):
        require_sendable(folder, said)


def test_a_file_that_is_listed_and_not_in_the_manifest_is_named(folder: Path) -> None:
    written(folder)
    names = ["people.tsv", MANIFEST, "SHA256SUMS"]
    (folder / "reads/S1.bam").write_bytes(b"reads")
    (folder / "reads/S1.bam.md5").write_text(digest(folder / "reads/S1.bam", "md5"))  # of a file that was not chosen
    (folder / "SHA256SUMS").touch()
    (folder / "SHA256SUMS").write_text("".join(f"{digest(folder / each)}  {each}\n" for each in names))
    manifest_of(folder, Dataset())
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  reads/S1.bam\n")
    with pytest.raises(Invalid, match=r"reads/S1\.bam is in a list of checksums, and not in manifest\.json"):
        require_sendable(folder, Dataset())


@pytest.mark.parametrize("line", ["hello", "abc  x.bam", "0" * 64])
def test_a_list_of_checksums_that_is_none_is_not_passed_over(folder: Path, line: str) -> None:
    (folder / "SHA256SUMS").write_text(line)
    with pytest.raises(Invalid, match="line 1"):
        manifest_of(folder, SAID)


def test_what_belongs_to_no_submission_stops_it(folder: Path) -> None:
    (folder / "notes.docx").write_text("x")
    with pytest.raises(Invalid, match=r"notes.docx is of no known format"):
        manifest_of(folder, SAID)
    (folder / "notes.docx").unlink()
    (folder / "lonely.bai").write_bytes(b"BAI\1")
    with pytest.raises(Invalid, match=r"lonely.bai is an index"):
        manifest_of(folder, SAID)


def test_without_a_dataset_or_files_there_is_nothing_to_send(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Invalid, match="--dataset"):
        manifest_of(tmp_path / "empty", Dataset())
    with pytest.raises(Invalid, match="no file to be sent"):
        manifest_of(tmp_path / "empty", SAID)
    with pytest.raises(Invalid, match="nowhere is not there"):
        manifest_of(tmp_path / "nowhere", SAID)


def written(folder: Path) -> Path:
    """A manifest of the folder, as its provider writes it."""
    content = msgspec.json.encode(manifest_of(folder, SAID))
    (folder / MANIFEST).write_bytes(content)
    return folder / MANIFEST


def test_a_written_manifest_chooses_the_files(folder: Path) -> None:
    path = written(folder)
    manifest = manifest_of(folder, Dataset())
    (folder / "notes.docx").write_text("x")
    assert manifest_of(folder, Dataset()) == manifest
    with pytest.raises(Invalid, match="has another dataset than --dataset"):
        manifest_of(folder, Dataset("OTHER"))
    path.write_text("{")
    with pytest.raises(Invalid, match="not a manifest"):
        manifest_of(folder, Dataset())


def test_a_written_manifest_is_compared_with_the_files(folder: Path) -> None:
    written(folder)
    people = folder / "people.tsv"
    whole = people.read_bytes()
    people.write_bytes(whole.replace(b"female", b"FEMALE"))
    with pytest.raises(Corrupt, match=r"people.tsv is not as manifest.json says"):
        manifest_of(folder, Dataset())
    people.write_bytes(whole + b"x")
    with pytest.raises(Corrupt, match=r"bytes, and manifest\.json states"):
        manifest_of(folder, Dataset())
    people.unlink()
    with pytest.raises(Invalid, match="not in the folder"):
        manifest_of(folder, Dataset())


def test_a_manifest_reaches_nothing_outside_its_folder(folder: Path) -> None:
    path = written(folder)
    secret = folder.parent / "secret.tsv"
    write_people(secret)
    (folder / "people.tsv").unlink()
    (folder / "people.tsv").symlink_to(secret)
    with pytest.raises(Invalid, match="not in the folder"):
        manifest_of(folder, Dataset())
    told = json.loads(path.read_text())
    told["files"][2]["path"] = "../secret.tsv"
    path.write_text(json.dumps(told))
    with pytest.raises(Invalid, match="stays below its folder"):
        manifest_of(folder, Dataset())


@pytest.mark.parametrize("leads", ["to a file outside", "to a file inside", "to a folder", "nowhere"])
def test_a_link_is_refused_by_name(folder: Path, leads: str) -> None:
    """Also one that would be passed over: it stands for something that its provider wanted to send."""
    to = {"to a file outside": "/etc/passwd", "to a file inside": folder / "people.tsv", "to a folder": folder.parent}
    (folder / "reads/more.tsv").symlink_to(to.get(leads, "/nothing/here"))
    with pytest.raises(Invalid, match=r"reads/more\.tsv is a link: put what it leads to into the folder"):
        require_sendable(folder, SAID)
    (folder / "reads/more.tsv").rename(folder / "reads/.more.tsv")
    require_sendable(folder, SAID)


def test_json_is_looked_into(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    write_vcf(folder / "cohort.vcf.gz")
    (folder / "people.json").write_text(json.dumps([{"id": "P1", "sex": {"id": "NCIT:C16576"}}]))
    by_path = {each.path: each.format for each in manifest_of(folder, SAID).files}
    assert by_path["people.json"] == "beacon-individuals"
