# SPDX-License-Identifier: Apache-2.0
"""Bad input ends in one line that says what, where and what to do; nothing changes, and no trace is ever shown."""

import contextlib
import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from megagenome.cli.main import main
from tests.journeys.conftest import Small
from tests.journeys.network import megagenome
from tests.journeys.small import ALLELE, COPIES, load_options


@pytest.fixture
def own_folder(small: Small, tmp_path: Path) -> Path:
    """A copy of the node's folder, to do wrong to."""
    return Path(shutil.copytree(small.node.folder, tmp_path / "node"))


def content(folder: Path) -> dict[str, str]:
    """What all files hold, but the locks; of the database its rows, since SQLite moves them between its files."""
    with contextlib.closing(sqlite3.connect(folder / "node.sqlite")) as connection:
        rows = "\n".join(connection.iterdump())
    files = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "lock" not in path.name and "node.sqlite" not in path.name
    }
    assert "node.toml" in files
    return files | {"node.sqlite": rows}


def refused(code: int, says: str, *arguments: str | Path) -> None:
    done = megagenome(*arguments, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert_one_line(done.stderr, says)


def assert_one_line(text: str, says: str) -> None:
    assert text.count("\n") == 1, text
    assert text.startswith("megagenome: ")
    assert says in text


def test_two_servers_on_one_port(small: Small, own_folder: Path) -> None:
    port = small.node.url.rpartition(":")[2]
    refused(3, f"port {port} of 127.0.0.1 is in use", "node", "serve", own_folder, "--port", port)


def test_two_servers_on_one_folder(small: Small) -> None:
    refused(3, "is served already", "node", "serve", small.node.folder, "--port", "0")
    refused(3, "is served already", "hub", "serve", small.hub.folder, "--port", "0")


def test_demo_on_a_port_that_is_taken(small: Small, tmp_path: Path) -> None:
    port = small.hub.url.rpartition(":")[2]
    refused(3, f"port {port} of 127.0.0.1", "demo", "--port", port, "--keep", tmp_path / "kept")


@pytest.mark.parametrize("few", [("--nodes", "2"), ("--individuals", "100")])
def test_a_demo_too_small_for_a_permit_to_study_by(few: tuple[str, str]) -> None:
    refused(2, "--permit is for three simulated countries", "demo", "--permit", *few)


def add_line(folder: Path) -> None:
    settings = folder / "node.toml"
    settings.write_text(settings.read_text() + "[discovery]\nflor = 20\n")


def write_unknown_term(folder: Path) -> None:
    people = folder.parent / "files" / "people.tsv"
    people.write_text(people.read_text().replace("HP:0001250", "HP:9999999", 1))


def cut_vcf(folder: Path) -> None:
    vcf = folder.parent / "files" / "small.vcf.gz"
    vcf.write_bytes(vcf.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("wrong", "code", "says"),
    [
        (add_line, 2, "unknown setting 'flor'; did you mean 'floor'?"),
        (lambda _folder: None, 3, "already has genotypes of contig 22"),
        (write_unknown_term, 2, "HP:9999999"),
        (cut_vcf, 3, "the end of the file is missing"),
    ],
    ids=["unknown setting", "loaded twice", "unknown term", "truncated file"],
)
def test_load_that_is_refused_changes_nothing(
    capsys: pytest.CaptureFixture[str], own_folder: Path, wrong: Callable[[Path], None], code: int, says: str
) -> None:
    options = load_options(own_folder.parent / "files", "FI")
    wrong(own_folder)
    before = content(own_folder)
    assert main(["node", "load", str(own_folder), *map(str, options)]) == code
    assert_one_line(capsys.readouterr().err, says)
    assert content(own_folder) == before


QUESTION = {"assemblyId": "GRCh37", "referenceName": "22", "referenceBases": "A", "alternateBases": "G"}
NONSENSE = {
    "end before start": {**QUESTION, "start": "16050074", "end": "16050000"},
    "negative": {**QUESTION, "start": "-5"},
    "10^12": {**QUESTION, "start": "1000000000000"},
    "no number": {**QUESTION, "start": "here"},
    "no contig": {**QUESTION, "referenceName": "99", "start": "5"},
    "no assembly": {**QUESTION, "assemblyId": "hg17", "start": "5"},
    "no base": {**QUESTION, "start": "5", "referenceBases": "Q"},
    "unknown parameter": {**QUESTION, "start": "5", "colour": "red"},
    "granularity": {**QUESTION, "start": "5", "requestedGranularity": "all"},
    "nothing asked": {},
}


@pytest.mark.parametrize("question", NONSENSE.values(), ids=NONSENSE.keys())
@pytest.mark.parametrize("server", ["node", "hub"])
def test_nonsense_about_variants_is_400(small: Small, server: str, question: dict[str, str]) -> None:
    answer = getattr(small, server).client.get("/beacon/v2/g_variants", params=question)
    says_why(answer, 400)
    assert answer.json()["error"]["errorCode"] == 400


FILTERS = {
    "unknown term": [{"id": "HP:9999999"}],
    "unknown filter": [{"id": "shoe", "operator": "=", "value": "43"}],
    "no operator": [{"id": "age", "operator": "~", "value": "43"}],
    "no filter": ["x" * 300],
}


@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS.keys())
@pytest.mark.parametrize("server", ["node", "hub"])
def test_nonsense_about_people_is_400(small: Small, server: str, filters: list[object]) -> None:
    request = {"meta": {"apiVersion": "v2.0"}, "query": {"filters": filters}}
    says_why(getattr(small, server).client.post("/beacon/v2/individuals", json=request), 400)


@pytest.mark.parametrize("server", ["node", "hub"])
@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff\xfe", b"[" * 100_000], ids=["cut", "a list", "no text", "deep"])
def test_what_is_no_request_is_400(small: Small, server: str, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    says_why(getattr(small, server).client.post("/beacon/v2/g_variants", content=body, headers=headers), 400)


@pytest.mark.parametrize("server", ["node", "hub"])
def test_ten_megabytes_are_413(small: Small, server: str) -> None:
    body = b'{"query": "' + b"x" * 10_000_000 + b'"}'
    headers = {"content-type": "application/json"}
    answer = getattr(small, server).client.post("/beacon/v2/individuals", content=body, headers=headers)
    says_why(answer, 413)


@pytest.mark.parametrize(
    ("path", "question"),
    [
        ("/api/variant", "22-16060000-A"),
        ("/api/variant", "22:16060000-16050000"),
        ("/api/variant", "22-1000000000000-A-G"),
        ("/api/variant", "22--5-A-G"),
        ("/api/region", "22:2-1"),
        ("/api/region", "NOGENE"),
        ("/api/cohort", "shoe"),
        ("/api/cohort", "age>=1000000"),
        ("/api/cohort", "phenotype=nothing"),
        ("/resolve", "chr22-0-A-G"),
    ],
)
def test_nonsense_to_the_hub_is_400(small: Small, path: str, question: str) -> None:
    answer = small.hub.client.get(path, params={"q": question, "assembly": "GRCh37"})
    says_why(answer, 400)
    assert answer.headers["content-type"].startswith("application/problem+json")


def says_why(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text[:500]
    for trace in ("Traceback", 'File "', ".py", "site-packages"):
        assert trace not in answer.text
    assert len(answer.text) < 2000
    assert answer.text.count("\n") <= 20


def test_they_still_answer_rightly_after_all_that(small: Small) -> None:
    answer = small.hub.get("/api/variant", q=ALLELE, assembly="GRCh37")
    assert [each["allele_count"] for each in answer["frequencies"] if each["population"] == "Total"] == [2 * COPIES]
