# SPDX-License-Identifier: Apache-2.0
"""Indexes that lie of their file, as a report tells of them."""

import gzip
import io
import shutil
import struct
import tarfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import numpy as np
import pysam
import pytest

from megagenome.reception import sandbox
from megagenome.reception.model import Expectations, Inspection, Submitted, Task
from megagenome.reception.validate import submitted_at, validate
from megagenome.reception.validators import indexes
from megagenome.reception.validators.indexes import inspect_index
from megagenome.reception.validators.reads import inspect_cram
from megagenome.standards.hts_index import LIMIT_BYTES, BinIndex, read_bins
from megagenome.standards.validation_report import Level, Report, Result
from tests.reception.written import CONTIGS, index_reads, write_reads

STRIDE = 16_384


def write_bam(folder: Path) -> Path:
    """4,000 reads of two contigs, a hundred in each window, and some that cover two; in many blocks."""
    path = folder / "r.bam"
    head = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": name, "LN": length} for name, length in CONTIGS.items()],
        "RG": [{"ID": "r", "SM": "S1"}],
    }
    noise = np.random.default_rng(7).integers(33, 74, (4000, 100), np.uint8)
    with pysam.AlignmentFile(str(path), "wb", header=head) as file:
        for k in range(4000):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.query_sequence = f"q{k}", "ACGTACGTAC" * 10
            read.reference_id, read.reference_start = k // 2000, (k % 2000) * STRIDE // 100
            read.cigarstring, read.query_qualities = "100M", pysam.qualitystring_to_array(noise[k].tobytes().decode())
            file.write(read)
        read = pysam.AlignedSegment(file.header)
        read.query_name, read.flag, read.query_sequence = "u", 4, "ACGT"
        file.write(read)
    return path


def index_of(bam: Path, kind: str) -> Path:
    if kind == "bai":
        return index_reads(bam)
    pysam.samtools.index("-c", "-m", "12", str(bam))
    return bam.with_name(bam.name + ".csi")


def check(*paths: Path) -> Report:
    return validate([Submitted(path.name, path, path.stat().st_size) for path in paths])


def errors(report: Report, name: str) -> list[str]:
    [found] = [each for each in report.files if each.name == name]
    assert (found.result is Result.FAILED) == any(each.level is Level.ERROR for each in found.messages)
    return [each.text for each in found.messages if each.level is Level.ERROR]


def content_of(index: Path) -> tuple[BinIndex, bytearray]:
    raw = index.read_bytes()
    plain = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    return read_bins(plain), bytearray(plain)


def write(index: Path, content: bytes) -> None:
    index.write_bytes(gzip.compress(content) if index.suffix == ".csi" else content)


def test_true_indexes_pass_together(tmp_path: Path) -> None:
    bam = write_bam(tmp_path)
    report = check(index_of(bam, "bai"), bam, index_of(bam, "csi"))
    assert [each.messages for each in report.files if each.format != "bam"] == [(), ()]
    assert report.result is Result.PASSED


@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_a_chunk_that_ends_before_its_records(tmp_path: Path, kind: str) -> None:
    """Of contig 22; the record is found by pysam, from the place at which the chunk ends now."""
    bam = write_bam(tmp_path)
    index, name = index_of(bam, kind), f"r.bam.{kind}"
    found, content = content_of(index)
    at = next(iter(found.references[1].bins.values()))
    begin, end = struct.unpack_from("<2Q", content, at)
    with pysam.AlignmentFile(str(bam), index_filename=str(index)) as file:
        file.seek(begin)
        while file.tell() >> 16 < (begin + end) // 2 >> 16:
            next(file)
        struct.pack_into("<Q", content, at + 8, file.tell())
        first = next(file)
    write(index, bytes(content))
    [text] = errors(check(bam, index), name)
    assert text == (
        f"would hide records of r.bam, the first of them at 22:{first.reference_start + 1}; "
        "make it anew (`samtools index`)"
    )


@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_a_least_offset_that_is_raised(tmp_path: Path, kind: str) -> None:
    bam = write_bam(tmp_path)
    index = index_of(bam, kind)
    found, content = content_of(index)
    if kind == "bai":
        assert len(found.references[0].lowest) == 20
        at = content.index(found.references[0].lowest.tobytes())
        struct.pack_into("<Q", content, at, int(found.references[0].lowest[1]))
    else:
        number = min(each for each in found.references[0].bins if each >= (8**6 - 1) // 7)
        struct.pack_into("<Q", content, found.references[0].bins[number] - 12, found.references[0].span().end - 1)
    write(index, bytes(content))
    [text] = errors(check(bam, index), index.name)
    assert "would hide records of r.bam, the first of them at 21:1;" in text


def test_places_that_are_none_of_the_file(tmp_path: Path) -> None:
    """A chunk more, which begins where no block does, hides nothing; yet whoever reads by it finds damage."""
    bam = write_bam(tmp_path)
    index = index_of(bam, "bai")
    found, content = content_of(index)
    at = next(iter(found.references[1].bins.values()))
    (begin,) = struct.unpack_from("<Q", content, at)
    struct.pack_into("<Q", content, at, begin - (1 << 16))
    write(index, bytes(content))
    [text] = errors(check(bam, index), "r.bam.bai")
    assert "points to places at which r.bam has no block" in text


def test_records_without_a_place_are_not_hidden_either(tmp_path: Path) -> None:
    """The last chunk goes on to the end of the file, so that what has no place would follow behind it."""
    bam = write_bam(tmp_path)
    index = index_of(bam, "bai")
    found, content = content_of(index)
    last = max(found.references[1].bins.values(), key=lambda at: struct.unpack_from("<2Q", content, at)[1])
    struct.pack_into("<Q", content, last + 8, bam.stat().st_size << 16)
    write(index, bytes(content))
    [text] = errors(check(bam, index), "r.bam.bai")
    assert "the first of them without a place" in text


@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_a_chunk_that_ends_within_a_record(tmp_path: Path, kind: str) -> None:
    """The last one of contig 21, seven bytes further on: into the first record of 22."""
    bam = write_bam(tmp_path)
    index = index_of(bam, kind)
    found, content = content_of(index)
    last = max(found.references[0].bins.values(), key=lambda at: struct.unpack_from("<2Q", content, at)[1])
    struct.pack_into("<Q", content, last + 8, struct.unpack_from("<Q", content, last + 8)[0] + 7)
    write(index, bytes(content))
    [text] = errors(check(bam, index), index.name)
    assert text == (
        "points into the middle of records of r.bam, the first of them at 22:1; make it anew (`samtools index`)"
    )


@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_a_chunk_that_begins_within_a_record(tmp_path: Path, kind: str) -> None:
    """The first one of contig 22, forty bytes before: in the last record of 21, which it does not hide."""
    bam = write_bam(tmp_path)
    index = index_of(bam, kind)
    found, content = content_of(index)
    first = min(found.references[1].bins.values(), key=lambda at: struct.unpack_from("<Q", content, at))
    (begin,) = struct.unpack_from("<Q", content, first)
    assert begin & 0xFFFF > 40
    struct.pack_into("<Q", content, first, begin - 40)
    write(index, bytes(content))
    [text] = errors(check(bam, index), index.name)
    start = 1999 * STRIDE // 100
    assert f"points into the middle of records of r.bam, the first of them at 21:{start + 1};" in text


@pytest.mark.parametrize("kind", ["bai", "csi"])
@pytest.mark.parametrize("place", [0, 60])
def test_a_chunk_that_begins_in_the_header(tmp_path: Path, kind: str, place: int) -> None:
    bam = write_bam(tmp_path)
    index = index_of(bam, kind)
    found, content = content_of(index)
    first = min(found.references[0].bins.values(), key=lambda at: struct.unpack_from("<Q", content, at))
    struct.pack_into("<Q", content, first, place)
    write(index, bytes(content))
    [text] = errors(check(bam, index), index.name)
    assert text == "points into the header of r.bam; make it anew (`samtools index`)"


@pytest.mark.parametrize("begin", [0, 9])
def test_an_index_into_the_header_of_a_file_without_records(tmp_path: Path, begin: int) -> None:
    bam = tmp_path / "r.bam"
    with pysam.AlignmentFile(str(bam), "wb", header={"SQ": [{"SN": "21", "LN": 1000}]}):
        pass
    index = tmp_path / "r.bam.bai"
    index.write_bytes(b"BAI\1" + struct.pack("<iiIi2Qi", 1, 1, 4681, 1, begin, 20, 0))
    assert "points into the header of r.bam; make it anew (`samtools index`)" in errors(check(bam, index), index.name)


def test_an_index_that_comes_from_no_disk(tmp_path: Path) -> None:
    """As a node has it: sealed, and opened on its way, once for the file and once for itself."""
    bam = write_bam(tmp_path)
    index = index_of(bam, "bai")
    found, content = content_of(index)
    struct.pack_into("<Q", content, next(iter(found.references[0].bins.values())) + 8, 0)
    whole, wrong = index.read_bytes(), bytes(content)
    for pieces, hidden in ((whole, 0), (wrong, 1)):
        sent = Submitted("r.bam.bai", lambda pieces=pieces: iter([pieces[:100], pieces[100:]]), len(pieces))
        report = validate([sent, Submitted("r.bam", bam, bam.stat().st_size)], Expectations())
        assert len(errors(report, "r.bam.bai")) == hidden


def test_what_is_no_index_is_told_by_its_own_process(tmp_path: Path) -> None:
    bam = write_bam(tmp_path)
    index = tmp_path / "r.bam.bai"
    index.write_bytes(b"BAI\1" + b"\xff" * 20)
    report = check(bam, index)
    assert errors(report, "r.bam") == []
    assert errors(report, "r.bam.bai") == ["the index is damaged or breaks off; make it anew"]


@pytest.mark.parametrize("name", ["r.bam.csi", "r.bam.crai", "r.bam.tbi"])
def test_an_index_that_is_called_as_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    """Else it would be held against nothing."""
    bam = write_bam(tmp_path)
    other = tmp_path / name
    other.write_bytes(gzip.compress(index_of(bam, "bai").read_bytes()))
    [says] = errors(check(bam, other), name)
    assert "yet it holds BAI" in says or "is no index of BAM" in says


def test_an_index_that_would_take_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every node that gives parts of the file."""
    index = index_of(write_bam(tmp_path), "bai").read_bytes()
    monkeypatch.setattr(indexes, "MOST_HELD_BYTES", read_bins(index).held_bytes)
    assert inspect_index(Task("r.bam.bai", len(index)), io.BytesIO(index), "bai").report.result is Result.PASSED
    monkeypatch.setattr(indexes, "MOST_HELD_BYTES", read_bins(index).held_bytes - 1)
    [said] = inspect_index(Task("r.bam.bai", len(index)), io.BytesIO(index), "bai").report.messages
    assert "MiB of memory" in said.text


def test_all_indexes_of_a_file_have_the_room_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has none left is cut, and refused as damaged, by its own inspection as well."""
    bam = write_bam(tmp_path)
    files = [index_of(bam, "bai"), bam, index_of(bam, "csi")]
    kept: list[int] = []
    in_memory = sandbox._in_memory

    def watched(index: Submitted, most_bytes: int) -> AbstractContextManager[IO[bytes]]:
        kept.append(most_bytes)
        return in_memory(index, most_bytes)

    monkeypatch.setattr(sandbox, "_in_memory", watched)
    assert check(*files).result is Result.PASSED
    assert kept == [LIMIT_BYTES + 1, LIMIT_BYTES + 1 - files[0].stat().st_size]


def crai_lines(index: Path) -> list[list[int]]:
    return [list(map(int, line.split(b"\t"))) for line in gzip.decompress(index.read_bytes()).splitlines()]


@pytest.mark.parametrize("change", ["start", "span", "container", "line", "contig"])
def test_lines_of_a_cram_index_that_lie(tmp_path: Path, change: str) -> None:
    cram = write_reads(tmp_path / "r.cram", "wc", reads=40_000)
    index = index_reads(cram)
    assert check(cram, index).result is Result.PASSED
    lines = crai_lines(index)
    assert len(lines) > 3
    match change:
        case "start":
            lines[1][1] += 1
            lines[1][2] -= 1
        case "span":
            lines[1][2] -= 1
        case "container":
            lines[1][3] = lines[2][3]
        case "line":
            del lines[1]
        case "contig":
            lines[1][0] = 2
    text = "".join("\t".join(map(str, line)) + "\n" for line in lines)
    index.write_bytes(gzip.compress(text.encode()))
    [says] = errors(check(cram, index), "r.cram.crai")
    if change in ("start", "span"):
        with pysam.AlignmentFile(str(cram), check_sq=False) as file:
            first = next(read for number, read in enumerate(file) if number == 10_000)
        assert (
            f"would hide reads of 1 slices of r.cram, the first of them from 21:{first.reference_start + 1} on" in says
        )
    else:
        assert ("leaves out 1" in says) or ("another contig" in says), says


@pytest.mark.shared
def test_indexes_of_real_reads_pass(tmp_path: Path, shared: Path) -> None:
    """Those that came with them, and those that htslib makes now."""
    paths = []
    for file in sorted((shared / "data" / "reads").glob("*am")):
        index = file.with_name(file.name + (".bai" if file.suffix == ".bam" else ".crai"))
        paths += [file, index]
        if file.suffix == ".bam":
            shutil.copy(file, tmp_path)
            paths += [tmp_path / file.name, index_reads(tmp_path / file.name), index_of(tmp_path / file.name, "csi")]
    report = validate([submitted_at(path) for path in paths])
    assert len(report.files) == 19
    assert [(each.name, each.messages) for each in report.files if each.name.endswith(("bai", "csi", "crai"))] == [
        (str(path), ()) for path in paths if path.suffix in (".bai", ".csi", ".crai")
    ]


def inspect_both(cram: Path) -> list[Inspection]:
    """A CRAM and its index, in this process."""
    with cram.open("rb") as file:
        reads = inspect_cram(Task("r.cram", cram.stat().st_size), file)
    with cram.with_name(cram.name + ".crai").open("rb") as file:
        return [reads, inspect_index(Task("r.cram.crai", 1, indexed=reads.indexed), file, "crai")]


@pytest.mark.parametrize("version", ["2.1", "3.0", "3.1"])
@pytest.mark.parametrize("options", [["slices_per_container=3"], ["multi_seq_per_slice=1"]])
def test_indexes_of_crams_of_all_forms_pass(tmp_path: Path, version: str, options: list[str]) -> None:
    bam, cram = write_bam(tmp_path), tmp_path / "r.cram"
    given = [
        f"--output-fmt-option={each}" for each in ("no_ref=1", f"version={version}", "seqs_per_slice=300", *options)
    ]
    pysam.samtools.view("-C", *given, "-o", str(cram), str(bam), catch_stdout=False)
    index_reads(cram)
    reads, index = inspect_both(cram)
    assert reads.indexed is not None
    assert (len(reads.indexed.slices) > 12, reads.report.records) == (True, 4001)
    assert (reads.report.result, index.report.result, index.report.messages) == (Result.PASSED, Result.PASSED, ())


@pytest.mark.shared
def test_indexes_of_the_conformance_set_pass(tmp_path: Path, shared: Path) -> None:
    """Those that are in the set (CRAM 3.0, hts-specs), which were made by several programs."""
    with tarfile.open(shared / "data" / "conformance" / "cram_3.0.tar.gz") as file:
        file.extractall(tmp_path, filter="data")
    indexes = sorted(tmp_path.glob("**/passed/*.crai"))
    assert indexes
    for each in indexes:
        for found in inspect_both(each.with_suffix("")):
            assert (each.name, found.report.result, found.report.messages[1:]) == (each.name, Result.PASSED, ())
