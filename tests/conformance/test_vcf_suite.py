# SPDX-License-Identifier: Apache-2.0
"""The VCF 4.3 suite of hts-specs: what passes is accepted, what a collection would misread is refused by its line, by
validation and by a load alike; and CRAM's suite."""

import io
from pathlib import Path

import numpy as np
import pytest

from megagenome.app.node import init_node, open_node
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.people import YES, People, Person
from megagenome.collection.read_vcf import GenotypeFile
from megagenome.kernel.errors import MegagenomeError
from megagenome.kernel.ids import DatasetId, IndividualId, SampleId
from megagenome.reception.model import Expectations, Task
from megagenome.reception.validate import submitted_at, validate
from megagenome.reception.validators.genotypes import inspect_genotypes
from megagenome.standards.genotypes import Block
from megagenome.standards.validation_report import FileReport, Level, Result
from tests.conformance.vcf_suite import MISREAD, UNTOLD, unpacked
from tests.reception.written import bgzip


def is_misread(path: Path) -> bool:
    return path.name in MISREAD


def read(path: Path) -> list[Block]:
    with path.open("rb") as file:
        return list(GenotypeFile(file, path.name, plain=True).source(odd=lambda _odd: None).blocks)


@pytest.mark.shared
def test_what_passes_is_accepted(suite: dict[str, list[Path]]) -> None:
    """In one submission, whose files are of different people."""
    report = validate([submitted_at(path) for path in suite["passed"]])
    errors = [
        (each.name, message.text) for each in report.files for message in each.messages if message.level is Level.ERROR
    ]
    assert errors == []
    assert report.result is Result.PASSED
    assert report.isolated


def inspected(path: Path, packed: Path | None = None, assembly: str = "") -> FileReport:
    """What validation finds of a file, as it is or compressed, without a process of its own."""
    content = path.read_bytes() if packed is None else bgzip(packed, path.read_bytes()).read_bytes()
    return inspect_genotypes(Task(path.name, len(content), assembly), io.BytesIO(content), "vcf").report


@pytest.mark.shared
def test_nothing_is_wrong_with_what_passes(suite: dict[str, list[Path]], tmp_path: Path) -> None:
    for path in suite["passed"]:
        for report in (inspected(path), inspected(path, tmp_path / "a.vcf.gz")):
            assert report.result is Result.PASSED
            # those of a place are of calls and contigs that VCF allows, and no collection can hold
            assert [m.text for m in report.messages if m.line is not None and not m.place] == []


@pytest.mark.shared
def test_what_fails_is_reported_by_line_and_reason(suite: dict[str, list[Path]], tmp_path: Path) -> None:
    """As it is and compressed: an error where a collection would misread it, else a warning of what no collection
    reads."""
    for path in suite["failed"]:
        for report in (inspected(path), inspected(path, tmp_path / "a.vcf.gz")):
            levels = {message.level for message in report.messages if message.line is not None}
            if report.result is Result.FAILED:
                assert Level.ERROR in levels, path.name
            else:
                assert not is_misread(path), path.name
                assert (Level.WARNING in levels) is (path.name not in UNTOLD), path.name
        if is_misread(path):
            report = inspected(path, tmp_path / "a.vcf.gz", "GRCh37")
            assert report.result is Result.FAILED
            line, words = MISREAD[path.name]
            told = [m for m in report.messages if m.level is Level.ERROR and m.line == line]
            assert any(words in f"{m.place}: {m.text}" for m in told), (path.name, report.messages)


@pytest.mark.shared
def test_what_would_be_misread_is_refused_by_its_line(suite: dict[str, list[Path]]) -> None:
    by_name = {path.name: path for path in suite["failed"]}
    assert len(MISREAD) == 44
    for name, (line, words) in MISREAD.items():
        with pytest.raises(MegagenomeError) as error:
            read(by_name[name])
        assert getattr(error.value, "line", None) == line, name
        assert f"{name} line {line}" in str(error.value)
        assert words in str(error.value)


@pytest.mark.shared
def test_nothing_of_the_suite_ends_a_reader(suite: dict[str, list[Path]]) -> None:
    """Some in the process of their own, as they are and compressed; all others as a load reads them."""
    for path in suite["failed"]:
        try:
            blocks = read(path)
        except MegagenomeError:
            continue
        assert not is_misread(path), path.name
        assert all(int(np.max(block.calls, initial=0)) <= 9 for block in blocks)
    some = suite["failed"][::20]
    report = validate([submitted_at(path) for path in some])
    assert [each.result is Result.FAILED for each in report.files if is_misread(Path(each.name))] == [
        True for path in some if is_misread(path)
    ]
    assert not [m for each in report.files for m in each.messages if "cannot be read" in m.text]


@pytest.mark.shared
def test_a_load_refuses_what_is_misread_and_changes_nothing(suite: dict[str, list[Path]], tmp_path: Path) -> None:
    init_node(tmp_path / "node", country="EE", name="", identity="", port=0)
    opened = open_node(tmp_path / "node")
    people = People(
        [Person(IndividualId(name), SampleId(name), consent=YES) for name in ("HG00096", "HG00097")], {}, {}
    )
    statement = DatasetStatement(DatasetId("GDI-EE-TEST-001"), open=True, publish=True)
    for path in suite["failed"]:
        packed = bgzip(tmp_path / "a.vcf.gz", path.read_bytes())
        for source in (path, packed) if is_misread(path) else (path,):
            with pytest.raises(MegagenomeError):
                load(opened.collection, statement, people, [source], "GRCh37")
    assert opened.collection.snapshot().datasets == ()
    assert opened.collection.snapshot().tiles == {}
    opened.collection.close()


@pytest.mark.shared
def test_cram(shared: Path, tmp_path: Path) -> None:
    found = unpacked(shared, tmp_path, "cram_3.0.tar.gz")
    crams = [path for path in found if path.suffix == ".cram" and path.parent.name == "passed"][::4]
    indexes = [path.with_name(path.name + ".crai") for path in crams]
    files = [*crams, *(index for index in indexes if index.exists())]
    [missing] = [path for path in found if path.suffix == ".cram" and path.parent.name == "failed"]
    report = validate([submitted_at(path) for path in [*files, missing]], Expectations())
    failed = [(each.name, each.messages) for each in report.files if each.result is Result.FAILED]
    assert [Path(name).name for name, _ in failed] == ["0000_empty_noeof.cram"]
    assert len(crams) > 10
