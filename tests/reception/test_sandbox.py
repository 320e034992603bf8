# SPDX-License-Identifier: Apache-2.0
"""A process that dies, hangs, lies or floods harms one report, and nothing else."""

import signal
import subprocess
from pathlib import Path

import pytest

from megagenome import reference
from megagenome.kernel.errors import Unavailable
from megagenome.reception import sandbox
from megagenome.reception.model import Expectations, Submitted, Task
from megagenome.reception.sandbox import inspect_apart
from megagenome.reception.settings import ReceptionSettings
from megagenome.reception.validate import submitted_at, validate
from megagenome.standards.validation_report import Result
from tests.reception.written import bgzip, header, small_vcf

Popen = subprocess.Popen
BEGUN = """echo '{"type":"Advance","read_bytes":0}'; """


def instead(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Start a shell with `program` instead of the reader."""

    def start(_arguments: list[str], **more: object) -> subprocess.Popen[bytes]:
        return Popen(["/bin/sh", "-c", program], **more)

    monkeypatch.setattr(subprocess, "Popen", start)


def inspect(path: Path) -> tuple[Result, str]:
    size = path.stat().st_size
    found = inspect_apart(Submitted("a.vcf.gz", path, size), Task("a.vcf.gz", size), ReceptionSettings())
    return found.report.result, found.report.messages[-1].text if found.report.messages else ""


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("exit 3", "ended by itself (code 3)"),
        ("kill -SEGV $$", "ended by itself (code -11)"),
        ("kill -XCPU $$", "takes longer to read"),
        ("echo hello", "cannot be read safely|takes longer"),
        ('echo \'{"type":"Finished"}\'', "cannot be read safely|takes longer"),
        ("sleep 100", "takes longer to read"),
        ("yes | tr -d '\\n'", "takes longer|ended by itself"),
    ],
    ids=["exit", "segfault", "cpu", "nonsense", "half an answer", "hang", "flood"],
)
def test_a_process_that_misbehaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, says: str) -> None:
    instead(monkeypatch, BEGUN + program)
    monkeypatch.setattr(sandbox, "_LEAST_CPU_S", 1)
    monkeypatch.setattr(sandbox, "_CLOCK_FACTOR", 1)
    monkeypatch.setattr(sandbox, "_MOST_TOLD_BYTES", 1 << 20)
    result, text = inspect(small_vcf(tmp_path))
    assert result is Result.FAILED
    assert any(part in text for part in says.split("|")), text


def test_a_reader_that_cannot_be_isolated_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, """echo '{"type":"Refused","why":"unshare: Operation not permitted"}'""")
    with pytest.raises(Unavailable, match=r"reception\.require_isolation = false"):
        inspect(small_vcf(tmp_path))


@pytest.mark.parametrize("program", ["echo broken >&2; exit 3", "echo broken >&2; echo hello; exit 3"])
def test_a_reader_that_never_begins_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, program: str
) -> None:
    instead(monkeypatch, program)
    with pytest.raises(Unavailable, match="does not start"):
        inspect(small_vcf(tmp_path))
    assert "before it began: broken" in caplog.text


def test_terms_are_looked_up_in_a_folder_that_is_named_from_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process works in an empty folder of its own, where `node/reference` is nothing."""
    (tmp_path / "node/reference").mkdir(parents=True)
    reference.build(tmp_path / "node/reference")
    (tmp_path / "people.tsv").write_text("individual_id\tphenotypes\nP1\tHP:9999999\n")
    monkeypatch.chdir(tmp_path)
    report = validate([submitted_at(Path("people.tsv"))], Expectations(ontologies="node/reference"))
    assert report.result is Result.FAILED
    assert "HP:9999999" in report.files[0].messages[-1].text


def test_no_process_and_no_folder_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: object, **more: object) -> subprocess.Popen[bytes]:
        started.append(Popen(*arguments, **more))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert inspect(small_vcf(tmp_path))[0] is Result.PASSED
    assert list(temporary.iterdir()) == []
    assert started[0].poll() in (0, -signal.SIGKILL)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_bomb_costs_no_memory(tmp_path: Path) -> None:
    """64 MiB of blanks in 64 KiB, in one line."""
    bomb = bgzip(tmp_path / "bomb.vcf.gz", header(["S1"]).encode() + b" " * (1 << 26) + b"\n")
    assert bomb.stat().st_size < 1 << 18
    result, text = inspect(bomb)
    assert (result, text) == (Result.FAILED, "line 7: 1 columns separated by tabs, where the #CHROM line has 10")


def test_a_million_contigs(tmp_path: Path) -> None:
    lines = "".join(f"##contig=<ID=c{k},length={k + 1}>\n" for k in range(1_000_000))
    path = bgzip(tmp_path / "a.vcf.gz", "##fileformat=VCFv4.2\n" + lines + header(["S1"]).split("\n", 1)[1])
    assert inspect(path) == (Result.PASSED, "its contigs have the lengths of GRCh38")
