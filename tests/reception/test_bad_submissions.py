# SPDX-License-Identifier: Apache-2.0
"""Each kind of bad submission, whole and with true checksums, through the processes that validate: a report that says
which file, where and why; and nothing of it is kept."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from megagenome.kernel.errors import Invalid, TooLarge
from megagenome.reception.settings import ReceptionSettings
from megagenome.standards.validation_report import Level
from tests.reception.handing_in import PEOPLE, write_bam, write_vcf
from tests.reception.receptions import PROVIDER, House, files_of, manifest_of, open_house, restated
from tests.reception.test_process import check_refused, report_of
from tests.reception.written import bgzip

Files = dict[str, bytes]
VCF, TABLE = "cohort.vcf.gz", "people.tsv"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An empty one, which validates as nodes do."""
    found = open_house(tmp_path / "node", ReceptionSettings(largest_file_bytes=1 << 20))
    yield found
    found.collection.close()
    found.parts.ledger.engine.dispose()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return files_of(tmp_path / "files")


def text_of(files: Files) -> str:
    return gzip.decompress(files[VCF]).decode()


def without_end(files: Files, _folder: Path) -> Files:
    return files | {VCF: files[VCF][:-28]}


def cut_in_a_block(files: Files, _folder: Path) -> Files:
    return files | {VCF: files[VCF][:-60]}


def cut_reads(files: Files, folder: Path) -> Files:
    bam = write_bam(folder / "reads.bam", 5).read_bytes()
    return {"reads.bam": bam[: len(bam) // 2], TABLE: files[TABLE]}


def plain_gzip(files: Files, _folder: Path) -> Files:
    return files | {VCF: gzip.compress(text_of(files).encode())}


def not_compressed(files: Files, _folder: Path) -> Files:
    return {"cohort.vcf": text_of(files).encode(), TABLE: files[TABLE]}


def mislabelled(files: Files, _folder: Path) -> Files:
    return {"reads.bam": files[VCF], TABLE: files[TABLE]}


def wrong_assembly(files: Files, folder: Path) -> Files:
    return files | {VCF: bgzip(folder / VCF, text_of(files).replace("51304566", "50818468")).read_bytes()}


def wrong_samples(files: Files, folder: Path) -> Files:
    return files | {VCF: write_vcf(folder / VCF, [f"X{n}" for n in range(PEOPLE)]).read_bytes()}


def wrong_call(files: Files, folder: Path) -> Files:
    head, _, last = text_of(files).rstrip("\n").rpartition("\t")
    assert last in ("0/0", "0/1", "1/1")
    return files | {VCF: bgzip(folder / VCF, f"{head}\t0/7\n").read_bytes()}


def wrong_person(files: Files, _folder: Path) -> Files:
    return files | {TABLE: files[TABLE].replace(b"\tmale\t", b"\twhale\t", 1)}


Spoil = Callable[[Files, Path], Files]
BAD: dict[str, tuple[Spoil, str, str, int | None, str]] = {
    "truncated": (without_end, VCF, "the end of the file is missing", None, ""),
    "truncated in a block": (cut_in_a_block, VCF, "the end of the file is missing", None, ""),
    "truncated reads": (cut_reads, "reads.bam", "the end of the file is missing", None, ""),
    "plain gzip": (plain_gzip, VCF, "plain gzip; compress it with `bgzip`", None, ""),
    "not compressed": (not_compressed, "cohort.vcf", "not compressed; compress it with `bgzip`", None, ""),
    "mislabelled": (mislabelled, "reads.bam", "is called as bam is, yet it holds vcf", None, ""),
    "wrong assembly": (
        wrong_assembly,
        VCF,
        "its header gives contig 22 50,818,468 bases, GRCh37 has 51,304,566",
        None,
        "",
    ),
    "wrong samples": (wrong_samples, VCF, "has samples X0, X1", None, ""),
    "wrong call": (wrong_call, VCF, "sample 30 names an allele that the record does not list", 24, "22:16050265"),
    "wrong person": (wrong_person, TABLE, "line 2 (EE-000): sex 'whale'", None, ""),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_file_is_refused_by_name_place_and_reason(house: House, files: Files, tmp_path: Path, kind: str) -> None:
    spoil, name, says, line, place = BAD[kind]
    folder = tmp_path / "spoilt"
    folder.mkdir()
    ident = house.send(spoil(files, folder), part_bytes=100_000)
    check_refused(house, ident)
    report = report_of(house, ident)
    assert report.isolated
    [found] = [each for each in report.files if each.name == name]
    told = [message for message in found.messages if message.level is Level.ERROR]
    assert says in told[0].text
    assert (told[0].line, told[0].place) == (line, place)
    assert house.reception.show(PROVIDER, ident).problem == "it did not pass validation; see the report"


def test_an_oversized_file_is_refused_by_name_before_it_is_sent(house: House, files: Files) -> None:
    manifest = restated(manifest_of(files), VCF, size_bytes=(1 << 20) + 1)
    with pytest.raises(TooLarge, match=r"cohort\.vcf\.gz has 1,048,577 bytes: this node takes up to 1,048,576"):
        house.reception.begin(PROVIDER, manifest)
    assert house.reception.all(PROVIDER).submissions == ()
    assert house.blobs() == []


@pytest.mark.parametrize(
    "path", ["../people.tsv", "/etc/passwd", "a/../../b.tsv", "a\\..\\b.tsv", "a\0.tsv", "./a.tsv"]
)
def test_a_path_that_leads_elsewhere_is_refused_by_name(house: House, files: Files, path: str) -> None:
    manifest = manifest_of({TABLE: files[TABLE]}, people=(path,))
    elsewhere = (msgspec.structs.replace(manifest.files[0], path=path),)
    with pytest.raises(Invalid) as refused:
        house.reception.begin(PROVIDER, msgspec.structs.replace(manifest, files=elsewhere))
    assert ascii(path) in str(refused.value)
    assert house.reception.all(PROVIDER).submissions == ()
