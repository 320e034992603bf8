# SPDX-License-Identifier: Apache-2.0
"""Submissions as providers send them by mistake or on purpose: what is found, of which file, where and why."""

import gzip
import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.kernel.errors import Invalid
from megagenome.reception.model import Expectations, Submitted
from megagenome.reception.settings import ReceptionSettings
from megagenome.reception.validate import submitted_at, validate
from megagenome.standards.crypt4gh import write_header
from megagenome.standards.hts_index import read_bins
from megagenome.standards.validation_report import Level, Report, Result
from tests.reception.written import (
    CONTIGS,
    bgzip,
    csi,
    header,
    index_reads,
    row,
    small_vcf,
    tabix,
    write_reads,
    write_vcf,
)

GRCH38 = Expectations("GRCh38")
SEXES = {"S1": "FEMALE", "S2": "MALE"}


def named(path: Path) -> Submitted:
    return Submitted(path.name, path, path.stat().st_size)


def check(*paths: Path, expected: Expectations = GRCH38) -> Report:
    return validate([named(path) for path in paths], expected)


def says(report: Report, level: Level = Level.ERROR) -> list[str]:
    found = [(each.name, message) for each in report.files for message in each.messages]
    found += [("all", message) for message in report.messages]
    return [f"{name}: {message.line or ''} {message.text}" for name, message in found if message.level is level]


def test_a_good_submission_passes(tmp_path: Path) -> None:
    vcf = small_vcf(tmp_path)
    table = tmp_path / "people.tsv"
    table.write_text("individual_id\tsample_id\tsex\nP1\tS1\tfemale\nP2\tS2\tmale\n")
    bam = write_reads(tmp_path / "r.bam")
    cram = write_reads(tmp_path / "r.cram", "wc")
    report = check(vcf, tabix(vcf), table, bam, index_reads(bam), cram, index_reads(cram))
    assert says(report) == []
    assert report.result is Result.PASSED
    assert report.isolated
    assert [each.format for each in report.files] == ["vcf", "tbi", "people-table", "bam", "bai", "cram", "crai"]
    assert [each.records for each in report.files] == [15, None, 2, 50, None, 50, None]
    first = report.files[0]
    assert (first.samples, [(c.name, c.records) for c in first.contigs]) == (("S1", "S2"), [("21", 10), ("22", 5)])
    assert report.qc is not None
    assert [(s.sample, s.stated_sex, s.het, s.hom_alt, s.missing) for s in report.qc.samples] == [
        ("S1", "female", 10, 5, 0),
        ("S2", "male", 0, 0, 5),
    ]


PERSON = {
    "id": "S1",
    "sex": {"id": "NCIT:C16576", "label": "female"},
    "phenotypicFeatures": [{"featureType": {"id": "HP:0001250", "label": "Seizure"}}],
}
PACKET = {"id": "x", "subject": {"id": "S1", "sex": "FEMALE"}, "metaData": {}, "phenotypicFeatures": []}


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("p.json", json.dumps([PERSON, PERSON | {"id": "S2", "sex": {"id": "NCIT:C20197"}}]), "beacon-individuals"),
        ("p.json", json.dumps([PACKET, PACKET | {"subject": {"id": "S2", "sex": "MALE"}}], indent=2), "phenopackets"),
        (
            "p.jsonl",
            "".join(json.dumps(PACKET | {"subject": {"id": who, "sex": sex}}) + "\n" for who, sex in SEXES.items()),
            "phenopackets",
        ),
    ],
    ids=["individuals", "phenopackets in a list", "phenopackets by line"],
)
def test_good_people_in_json_pass_and_are_held_against_genomes(tmp_path: Path, name: str, text: str, kind: str) -> None:
    (tmp_path / name).write_text(text)
    report = check(small_vcf(tmp_path), tmp_path / name)
    assert says(report) == []
    assert (report.result, report.isolated) == (Result.PASSED, True)
    told = report.files[1]
    assert (told.name, told.format, told.records, told.samples) == (name, kind, 2, ("S1", "S2"))
    assert report.qc is not None
    assert [(each.sample, each.stated_sex) for each in report.qc.samples] == [("S1", "female"), ("S2", "male")]


def content_of(path: Path) -> Submitted:
    content = path.read_bytes()

    def parts() -> Iterator[bytes]:
        for at in range(0, len(content), 100):
            yield content[at : at + 100]

    return Submitted(path.name, parts, len(content))


def test_bytes_that_are_on_no_disk(tmp_path: Path) -> None:
    paths = [small_vcf(tmp_path), write_reads(tmp_path / "r.bam"), write_reads(tmp_path / "r.cram", "wc")]
    report = validate([content_of(path) for path in paths], GRCH38)
    assert [(each.result, each.records) for each in report.files] == [(Result.PASSED, n) for n in (15, 50, 50)]


def test_a_source_that_breaks_is_no_fault_of_the_file(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield small_vcf(tmp_path).read_bytes()
        raise OSError("the archive cannot be read")

    with pytest.raises(OSError, match="the archive cannot be read"):
        validate([Submitted("a.vcf.gz", parts, 1000)])


def test_wrong_genotype_files(tmp_path: Path) -> None:
    rows = row("22", 100, ["0/1", "0/0"])
    whole = small_vcf(tmp_path, "whole.vcf.gz").read_bytes()

    def put(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    paths = [
        put("cut.vcf.gz", whole[: len(whole) // 2]),
        put("no_end.vcf.gz", whole[:-28]),
        put("gzip.vcf.gz", gzip.compress((header(["S1", "S2"]) + rows).encode())),
        put("plain.vcf", (header(["S1", "S2"]) + rows).encode()),
        put("empty.vcf.gz", b""),
        put("text.vcf.gz", b"hello"),
        put("named.bam", whole),
        put("unknown.xyz", b"hello"),
        put("sealed.vcf.gz", write_header([bytes(32)], [X25519PrivateKey.generate().public_key()])),
        bgzip(tmp_path / "bom.vcf.gz", "\ufeff" + header(["S1", "S2"]) + rows),
        write_vcf(tmp_path / "twice.vcf.gz", rows, ["S1", "S1"]),
        write_vcf(tmp_path / "other.vcf.gz", rows, contigs={"22": 51_304_566}),
        write_vcf(tmp_path / "unsorted.vcf.gz", rows.replace("100", "300") + rows),
        write_vcf(tmp_path / "names.vcf.gz", rows + rows.replace("22\t", "chr22\t", 1)),
        write_vcf(tmp_path / "beyond.vcf.gz", rows.replace("100", "60000000")),
        write_vcf(tmp_path / "telomere.vcf.gz", rows.replace("100", "0")),
        write_vcf(tmp_path / "triploid.vcf.gz", rows.replace("0/1", "0/1/1")),
        write_vcf(tmp_path / "mouse.vcf.gz", rows.replace("22\t", "chr99\t", 1), contigs={"chr99": 5000}),
        write_vcf(tmp_path / "columns.vcf.gz", rows.replace("\t0/0", "")),
    ]
    report = check(*paths)
    assert [each.result for each in report.files] == [Result.FAILED] * len(paths)
    expected = [
        "cut.vcf.gz:  the end of the file is missing",
        "no_end.vcf.gz:  the end of the file is missing",
        "gzip.vcf.gz:  plain gzip; compress it",
        "plain.vcf:  not compressed; compress it",
        "empty.vcf.gz:  is empty",
        "text.vcf.gz:  not compressed",
        "named.bam:  is called as bam is, yet it holds vcf",
        "unknown.xyz:  is of no known format",
        "sealed.vcf.gz:  is a Crypt4GH file still",
        "bom.vcf.gz: 1 line 1: begins with a byte order mark",
        "twice.vcf.gz: 6 line 6: sample 'S1' stands twice",
        "other.vcf.gz:  its header gives contig 22 51,304,566 bases, GRCh38 has 50,818,468",
        "unsorted.vcf.gz: 8 line 8: not sorted: 22:100 comes after 300",
        "names.vcf.gz:  contig chr22 comes a second time",
        "beyond.vcf.gz:  22:60000000 is beyond",
        "telomere.vcf.gz:  22:0 is before",
        "triploid.vcf.gz: 7 line 7, 22:100: a call of 3 alleles",
        "mouse.vcf.gz:  GRCh38 has no contig 'chr99'",
        "columns.vcf.gz: 7 line 7: 10 columns",
    ]
    found = [text for text in says(report) if "and so has" not in text]
    assert [text.startswith(start) for text, start in zip(found, expected, strict=True)] == [True] * len(expected), (
        found
    )


def test_without_an_assembly_a_file_is_held_to_its_format_only(tmp_path: Path) -> None:
    rows = row("22", 100, ["0/1/1", "0/0"]) + row("odd", 5, ["0", "1"])
    (tmp_path / "a.vcf").write_text(header(["S1", "S2"]) + rows)
    report = check(tmp_path / "a.vcf", expected=Expectations())
    assert report.result is Result.PASSED
    assert [text.split(" ", 2)[2][:30] for text in says(report, Level.WARNING)] == [
        "not compressed; a load takes f",
        "a call of 3 alleles; at most 2",
        "no contig 'odd' is declared in",
        "call rate 50.0%, below 90%",
    ]


def test_bcf(tmp_path: Path) -> None:
    import pysam.bcftools

    vcf, bcf = small_vcf(tmp_path), tmp_path / "a.bcf"
    pysam.bcftools.view("-Ob", "-o", str(bcf), str(vcf), catch_stdout=False)
    pysam.bcftools.index(str(bcf), catch_stdout=False)
    report = check(bcf, tmp_path / "a.bcf.csi")
    assert (report.result, report.files[0].format, report.files[0].records) == (Result.PASSED, "bcf", 15)


def test_indexes_of_other_files(tmp_path: Path) -> None:
    vcf, bam, cram = small_vcf(tmp_path), write_reads(tmp_path / "r.bam"), write_reads(tmp_path / "r.cram", "wc")
    olds = [tabix(vcf), csi(vcf), index_reads(bam), index_reads(cram)]
    rows = "".join(row("21", 100 + k, ["0/1", "0/0"]) for k in range(9)) + row("22", 7, ["1/1", "."])
    write_vcf(vcf, rows)
    write_reads(bam, reads=48)
    write_reads(cram, "wc", reads=20_000)
    report = check(vcf, bam, cram, *olds)
    assert [each.result.value for each in report.files] == ["passed"] * 3 + ["failed"] * 4, says(report)
    text = "\n".join(says(report))
    assert "says 10 records of contig 21, a.vcf.gz has 9: it is older, or of another file" in text
    assert "says 25 records of contig 21, r.bam has 24" in text
    alone = check(tabix(vcf))
    assert (alone.result, len(says(alone, Level.WARNING))) == (Result.PASSED, 1)


def test_an_index_that_would_hide_records_is_refused(tmp_path: Path) -> None:
    """Counts, contigs and places agree, and a slice would still have no reads: of every window the least offset is
    behind the last of them."""
    bam, vcf = write_reads(tmp_path / "r.bam"), small_vcf(tmp_path)
    index, other = index_reads(bam), csi(vcf)
    content, at = bytearray(index.read_bytes()), 8
    for _ in range(int.from_bytes(content[4:8], "little")):
        (bins,), at = struct.unpack_from("<i", content, at), at + 4
        for _ in range(bins):
            _, chunks = struct.unpack_from("<Ii", content, at)
            at += 8 + 16 * chunks
        (windows,), at = struct.unpack_from("<i", content, at), at + 4
        for _ in range(windows):
            struct.pack_into("<Q", content, at, (1 << 48) - 1)
            at += 8
    assert check(bam, index).result is Result.PASSED
    index.write_bytes(content)
    [text] = says(check(bam, index))
    assert "would hide records of r.bam" in text
    plain = bytearray(gzip.decompress(other.read_bytes()))
    at = next(at for each in read_bins(bytes(plain)).references for at in each.bins.values())
    struct.pack_into("<Q", plain, at - 12, (1 << 48) - 1)
    other.write_bytes(gzip.compress(bytes(plain)))
    assert "would hide records of a.vcf.gz" in "\n".join(says(check(vcf, other)))


def test_a_contig_too_long_for_its_index(tmp_path: Path) -> None:
    long = {"22": CONTIGS["22"], "wheat": 800_000_000}
    bam = write_reads(tmp_path / "r.bam", contigs={"22": CONTIGS["22"]})
    index = index_reads(bam)
    write_reads(bam, reads=2, contigs=long)
    [found] = check(bam, index).files[1:]
    assert [message.text for message in found.messages] == [
        "BAI cannot index contig wheat, which is longer than 512 Mb; make a CSI"
    ]


def test_wrong_reads(tmp_path: Path) -> None:
    whole, sealed = write_reads(tmp_path / "w.bam").read_bytes(), write_reads(tmp_path / "w.cram", "wc").read_bytes()

    def put(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    middle = len(whole) // 2
    unsorted = write_reads(tmp_path / "unsorted.bam", order="unsorted")
    inflated = gzip.decompress(unsorted.read_bytes()).replace(b"SO:unsorted", b"SO:coordinate")
    text = int.from_bytes(inflated[4:8], "little") + 2
    resorted = inflated[:4] + text.to_bytes(4, "little") + inflated[8:]
    paths = [
        put("cut.bam", whole[:-28]),
        put("text.bam", b"words, and no reads"),
        put("flip.bam", whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]),
        write_reads(tmp_path / "wrong.bam", contigs={"22": 51_304_566, "21": CONTIGS["21"]}),
        write_reads(tmp_path / "other.bam", contigs={"wheat": 5_000_000}),
        put("cut.cram", sealed[: len(sealed) - 38]),
        put("flip.cram", sealed[:500] + bytes([sealed[500] ^ 0xFF]) + sealed[501:]),
        bgzip(tmp_path / "reversed.bam", resorted + resorted[-120:]),
    ]
    report = check(*paths)
    assert [each.result for each in report.files] == [Result.FAILED] * len(paths)
    text_ = "\n".join(says(report))
    for part in (
        "cut.bam:  the end of the file is missing",
        "text.bam:  not compressed; a BAM file is",
        "flip.bam:  damaged",
        "wrong.bam:  its header gives contig 22 51,304,566 bases",
        "other.bam:  has no contig of GRCh38",
        "cut.cram:  the end of the file is missing",
        "flip.cram:  damaged or malformed",
    ):
        assert part in text_


def test_samples_against_people_and_manifest(tmp_path: Path) -> None:
    vcf, bam = small_vcf(tmp_path), write_reads(tmp_path / "r.bam")
    table, more = tmp_path / "people.tsv", tmp_path / "more.tsv"
    table.write_text("individual_id\tsample_id\tsex\nP1\tS2\tmale\nP3\tS3\tmale\n")
    more.write_text("individual_id\tsample_id\tsex\nP1\tS2\tfemale\nP4\tS3\t\n")
    report = check(vcf, bam, table, more, expected=Expectations("GRCh38", frozenset({"S1", "S4"})))
    assert says(report) == [
        "a.vcf.gz:  has sample S2, which the manifest does not name",
        "r.bam:  has sample S1, which no people table names: it has nobody else",
        "more.tsv:  states another sex of an individual than an earlier table",
        "more.tsv:  gives a sample to another individual than an earlier table",
        "all:  no file has sample S4, which the manifest names",
    ]
    assert says(report, Level.WARNING) == [
        "a.vcf.gz:  has sample S1, which no people table names; a load leaves them out",
        "all:  no file has sample S3, which a people table names",
        "all:  call rate 66.7%, below 90%",
    ]


def test_one_contig_in_two_files(tmp_path: Path) -> None:
    report = check(small_vcf(tmp_path), small_vcf(tmp_path, "b.vcf.gz"))
    assert says(report) == [f"b.vcf.gz:  has contig {name}, and so has a.vcf.gz; join them" for name in ("21", "22")]


@pytest.mark.parametrize(
    ("name", "content", "says_"),
    [
        ("p.tsv", "individual_id\tsex\nS1\tmale\tx\n", "line 2 (S1): 3 cells"),
        ("p.tsv", "name\tsex\nS1\tmale\n", "line 1: no column individual_id"),
        ("p.json", json.dumps([{"id": "S1"}, {"id": "S1"}]), "record 2 (S1): the individual stands twice"),
        ("p.json", '[{"id": "S1"}, {"sex": "x"}]', "record 2: Object missing required field `id`"),
        ("p.json", '[{"id": "S1"', "not a list"),
        ("p.json", json.dumps(PACKET | {"subject": {"id": "S1", "sex": "BOTH"}}), "(S1) sex 'BOTH'"),
        ("p.json", json.dumps({"id": "f", "proband": PACKET}), "a Family or a Cohort"),
        ("p.jsonl", json.dumps(PACKET) + "\n" + json.dumps(PACKET) + "\n", "line 2 (S1): the individual stands twice"),
    ],
)
def test_wrong_people(tmp_path: Path, name: str, content: str, says_: str) -> None:
    (tmp_path / name).write_text(content)
    [found] = says(check(tmp_path / name))
    assert says_ in found


def test_no_more_people_than_fit_in_memory_together(tmp_path: Path) -> None:
    """A table of a million people is two megabytes as it is sent."""
    paths = [tmp_path / name for name in ("p.tsv", "q.tsv", "r.tsv")]
    for path in paths:
        path.write_text("individual_id\n" + "".join(f"{path.stem}{k}\n" for k in range(3)))
    submitted = [named(path) for path in paths]
    report = validate(submitted, settings=ReceptionSettings(most_people=5))
    assert [each.result for each in report.files] == [Result.PASSED, Result.FAILED, Result.FAILED]
    assert "q.tsv:  has 3 people, 1 more than one submission may have with all its tables" in says(report)[0]
    assert validate(submitted, settings=ReceptionSettings(most_people=9)).result is Result.PASSED


def test_a_submission_of_nothing_or_of_one_file_twice(tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        validate([])
    with pytest.raises(Invalid, match="no such file"):
        submitted_at(tmp_path / "none.vcf.gz")
    vcf = small_vcf(tmp_path)
    assert "a.vcf.gz:  was submitted twice" in says(check(vcf, vcf))


def test_progress_comes_to_the_whole(tmp_path: Path) -> None:
    paths: Sequence[Path] = [small_vcf(tmp_path), write_reads(tmp_path / "r.bam")]
    told: list[int] = []
    validate([submitted_at(path) for path in paths], progress=lambda _name, read: told.append(read))
    assert told == sorted(told)
    assert told[-1] == sum(path.stat().st_size for path in paths)
