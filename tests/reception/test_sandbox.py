# SPDX-License-Identifier: Apache-2.0
"""A process that dies, hangs, lies or floods harms one report, and nothing else."""

import gzip
import signal
import subprocess
import threading
from collections.abc import Iterator
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


def limits_of(process: int) -> dict[str, str]:
    """The hard limits of the process that `process` has become, which is the only child that it has."""
    [reader] = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    lines = Path(f"/proc/{reader}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[1] for line in lines}


def test_the_process_that_reads_has_the_limits_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vcf, size, looked = small_vcf(tmp_path).read_bytes(), 3 << 30, threading.Event()
    started: list[subprocess.Popen[bytes]] = []
    found: list[dict[str, str]] = []

    def start(*arguments: object, **more: object) -> subprocess.Popen[bytes]:
        started.append(Popen(*arguments, **more))
        return started[-1]

    def content() -> Iterator[bytes]:
        assert looked.wait(60)
        yield vcf

    def look(_read: int) -> None:
        try:
            found.append(limits_of(started[0].pid))
        finally:
            looked.set()

    monkeypatch.setattr(subprocess, "Popen", start)
    settings = ReceptionSettings(validation_memory_mb=777, validation_cpu_s_per_gib=11)
    inspect_apart(Submitted("a.vcf.gz", content, size), Task("a.vcf.gz", size), settings, look)
    expected = {
        "Max cpu time": 60 + 3 * 11,
        "Max address space": 777 << 20,
        "Max file size": 0,
        "Max core file size": 0,
        "Max processes": 0,
    }
    assert {name: int(found[0][name]) for name in expected} == expected


def test_what_needs_more_memory_than_the_settings_give_is_refused_as_such(tmp_path: Path) -> None:
    """A list of people is held in memory whole: 256 MiB of blanks in a quarter of one, and somebody after them."""
    path = tmp_path / "people.json.gz"
    with gzip.open(path, "wb", compresslevel=6) as file:
        file.write(b"[")
        for _ in range(256):
            file.write(b" " * (1 << 20))
        file.write(b'{"id": "P1", "sex": "male"}]')
    submitted = [Submitted(path.name, path, path.stat().st_size)]
    little, enough = (
        validate(submitted, settings=ReceptionSettings(validation_memory_mb=most)).files[0] for most in (512, 2048)
    )
    assert (little.result, [message.text for message in little.messages]) == (
        Result.FAILED,
        ["needs more memory than a submitted file may"],
    )
    assert (enough.result, enough.records) == (Result.PASSED, 1)
