# SPDX-License-Identifier: Apache-2.0
"""The process that reads one file needs no other file once it has begun."""

import builtins
import gzip
import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from megagenome.kernel import native
from megagenome.reception import inspector
from megagenome.reception.model import Inspection, Task
from megagenome.reception.validators.formats import format_of_content, format_of_name
from megagenome.reference import assemblies
from megagenome.standards.validation_report import Result
from tests.reception.written import bgzip, header, row, small_vcf, tabix, write_reads


@pytest.fixture
def standard_input() -> Iterator[object]:
    """The real one is put back at the end."""
    kept = os.dup(0)
    yield
    os.dup2(kept, 0)
    os.close(kept)


def inspect(content: bytes, name: str, assembly: str = "") -> Inspection:
    """Inspect bytes, in this process."""
    file = os.memfd_create("content")
    os.write(file, content)
    os.lseek(file, 0, os.SEEK_SET)
    os.dup2(file, 0)
    os.close(file)
    return inspector.inspect(Task(name, len(content), assembly), lambda _term: None)


@pytest.mark.native
def test_nothing_is_opened_after_it_has_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, standard_input: object
) -> None:
    vcf, bam, cram = small_vcf(tmp_path), write_reads(tmp_path / "r.bam"), write_reads(tmp_path / "r.cram", "wc")
    contents = {path.name: path.read_bytes() for path in (vcf, tabix(vcf), bam, cram)}
    contents["p.tsv"] = b"individual_id\tsex\nP1\tmale\n"
    contents["mouse.vcf.gz"] = bgzip(tmp_path / "m", header(["S"], {"chr99": 5}) + row("chr99", 1, ["0"])).read_bytes()
    native.library.cache_clear()
    assemblies._load.cache_clear()
    inspector.prepare()

    def refuse(*arguments: object, **_more: object) -> None:
        raise AssertionError(f"opens {arguments}")

    for module, name in ((builtins, "open"), (io, "open"), (os, "open")):
        monkeypatch.setattr(module, name, refuse)
    found = {name: inspect(content, name, "GRCh38") for name, content in contents.items()}
    monkeypatch.undo()
    results = {name: each.report.result.value for name, each in found.items()}
    assert results == dict.fromkeys(contents, "passed") | {"mouse.vcf.gz": "failed"}
    assert native.library.cache_info().misses == 1
    assert native.library() is not None


@pytest.mark.parametrize("name", ["a.vcf.gz", "r.bam", "r.cram", "a.vcf.gz.tbi"])
def test_damaged_files_end_in_a_report(tmp_path: Path, standard_input: object, name: str) -> None:
    small_vcf(tmp_path)
    tabix(tmp_path / "a.vcf.gz")
    write_reads(tmp_path / "r.bam")
    write_reads(tmp_path / "r.cram", "wc")
    content, chance = (tmp_path / name).read_bytes(), random.Random(name)
    failed = 0
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.3:
            del damaged[chance.randrange(len(damaged)) :]
        failed += inspect(bytes(damaged), name).report.result is Result.FAILED
    assert failed > 50


WRONG = (b"", b"\t", b"\n", b"\xff\xff", b"<", b"\0", b"9999999999")


@pytest.mark.parametrize("kind", ["vcf", "bam"])
def test_damaged_headers_end_in_a_report(tmp_path: Path, standard_input: object, kind: str) -> None:
    """Damaged before compression, so that no checksum tells."""
    path = small_vcf(tmp_path) if kind == "vcf" else write_reads(tmp_path / "r.bam", reads=4)
    content, chance = gzip.decompress(path.read_bytes()), random.Random(kind)
    for number in range(60):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(min(len(damaged), 400))
            damaged[at : at + chance.randrange(3)] = chance.choice(
                [b"", b"\t", b"\n", b"\xff\xff", b"<", b"\0", b"9999999999"]
            )
        packed = bgzip(tmp_path / f"{number}", bytes(damaged)).read_bytes()
        inspection = inspect(packed, f"a.{kind}" + (".gz" if kind == "vcf" else ""))
        assert len(inspection.report.messages) < 200


NAMES = {
    "a.vcf.gz": "vcf",
    "A.VCF.BGZ": "vcf",
    "x/y.g.vcf": "vcf",
    "a.vcf.gz.tbi": "tbi",
    "p.tsv.gz": "people-table",
    "p.json": "json",
    "vcf": "",
    "a.gz": "",
    "../a.exe": "",
}
CONTENTS = {
    b"##fileformat=VCFv4.2\n": "vcf",
    b"\xef\xbb\xbf##fileformat=VCF": "vcf",
    b' [{"id"': "json",
    b"CRAM\3\0": "cram",
    b"BAI\1": "bai",
    b"TBI\1": "",
    b"sex\tindividual_id\n": "people-table",
    b"\x1f\x8b": "",
    b"": "",
}


def test_formats_of_names_and_contents() -> None:
    assert {name: format_of_name(name) for name in NAMES} == NAMES
    assert {content: format_of_content(content) for content in CONTENTS} == CONTENTS


def test_it_has_nothing_of_the_database() -> None:
    """Neither what a hostile file could misuse, nor what takes longer to start than to read it."""
    code = "import sys, megagenome.reception.inspector; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
