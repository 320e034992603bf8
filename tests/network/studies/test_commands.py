# SPDX-License-Identifier: Apache-2.0
"""`megagenome study`, against a hub that answers from a table."""

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from megagenome.cli.main import main
from megagenome.kernel.keys import SigningKeys
from megagenome.network.studies import client, commands
from megagenome.standards.study import encode
from megagenome.standards.study_shown import StudyShown
from tests.network.studies.nodes import ADA, world
from tests.network.studies.test_client import DOCUMENT, RESULT, shown
from tests.network.studies.test_outcomes import finished, outcomes

LISTED = dict.fromkeys(("permit", "created", "ended"), "") | {
    "id": "S1",
    "title": "Height",
    "method": "linear",
    "state": "finished",
}
TOLD: dict[str, tuple[int, Any]] = {
    "POST /studies/check": (200, {"document": "sha256:0", "findings": []}),
    "POST /studies": (201, {"id": "S1", "document": "sha256:0"}),
    "GET /studies": (200, {"studies": [LISTED]}),
    "GET /studies/sites": (200, {"keys": {"node.a": "the-key"}}),
    "GET /studies/S1": (200, shown("finished", "v1")),
    "GET /studies/S1/result": (200, RESULT),
    "POST /studies/S1/cancel": (204, None),
    "GET /studies/S1/crate": (200, "a zip"),
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, Any]]:
    answers = dict(TOLD)

    def answer(request: httpx.Request) -> httpx.Response:
        status, content = answers[f"{request.method} {request.url.path}"]
        return httpx.Response(status, json=content)

    real = httpx.Client
    made = lambda **given: real(transport=httpx.MockTransport(answer), headers=given["headers"])  # noqa: E731 - one line, as the class it stands for
    monkeypatch.setattr(client.httpx, "Client", made)
    return answers


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "study.json"
    path.write_bytes(encode(DOCUMENT))
    return str(path)


def test_check_says_what_is_against_it_and_its_exit_code(
    told: dict[str, Any], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "check", file]) == 0
    assert "Nothing is against it" in capsys.readouterr().out
    told["POST /studies/check"] = (200, {"document": "sha256:0", "findings": ["the permit has ended"]})
    assert main(["study", "check", file, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["findings"] == ["the permit has ended"]


def test_run_waits_and_fails_where_the_study_stops(
    told: dict[str, Any], file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "run", file]) == 0
    caught = capsys.readouterr()
    assert "node.a" in caught.out
    assert "study S1, also at http://127.0.0.1:8600/study/S1" in caught.err
    assert "megagenome study result S1" in caught.out
    told["GET /studies/S1"] = (200, shown("stopped", "v2") | {"reason": "node.a refuses \x1b[31m"})
    assert main(["study", "run", file]) == 1
    out = capsys.readouterr().out
    assert "node.a refuses" in out
    assert "\x1b" not in out
    assert main(["study", "run", file, "--no-wait"]) == 0


def test_a_result_is_shown_and_written_once(
    told: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["study", "result", "S1", "--out", str(out)]) == 0
    assert "a note" in capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["S1.crate.zip", "result.json", "t.csv"]
    assert (out / "t.csv").read_bytes() == b"p,n,name\r\n0.5,1,a\r\n,2,\r\n"
    assert main(["study", "result", "S1", "--out", str(out)]) == 3
    assert "is there already" in capsys.readouterr().err


def test_the_smallest_p_are_shown_first_and_counts_as_whole_numbers(
    told: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    p = [None, *(k / 1000 for k in range(1000, 0, -1))]
    columns = {"name": [f"allele{k}" for k in range(1001)], "p": p, "n": [None] + [17.0] * 1000}
    told["GET /studies/S1/result"] = (200, RESULT | {"tables": {"t": columns}})
    assert main(["study", "result", "S1"]) == 0
    out = capsys.readouterr().out
    assert "t: 20 of 1,001 rows, smallest p first; --out DIR writes all" in " ".join(out.split())
    assert out.index("allele1000") < out.index("allele999") < out.index("allele981")
    assert "allele980" not in out
    assert "17.0" not in out


def test_where_there_is_no_terminal_each_step_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    draw = commands._Draw(None)
    for step, version in (("people", "v1"), ("people", "v2"), ("products", "v3")):
        draw(msgspec.convert(shown("running", version) | {"step": step}, StudyShown))
    draw(msgspec.convert(shown("finished", "v4"), StudyShown))
    assert capsys.readouterr().err.splitlines() == ["running: round 1, people", "running: round 1, products"]


def test_studies_and_sites_are_listed(told: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "list"]) == 0
    assert "Height" in capsys.readouterr().out
    assert main(["study", "sites", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"keys": {"node.a": "the-key"}}


def test_status_and_cancel(told: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "status", "S1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "finished"
    assert main(["study", "cancel", "S1"]) == 0


def test_what_is_no_document_is_not_sent(
    told: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told.clear()
    path = tmp_path / "no.json"
    path.write_text('{"version":2}')
    assert main(["study", "run", str(path)]) == 2
    assert "not a study document" in capsys.readouterr().err
    assert main(["study", "run", str(tmp_path / "none.json")]) == 2


def test_a_crate_is_verified_with_the_key_that_one_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with world(tmp_path) as at:
        content = outcomes(at, tmp_path).crate(ADA, finished(at))
    path = tmp_path / "a.crate.zip"
    path.write_bytes(content)
    kid = SigningKeys.open(tmp_path / "hub-keys").kid
    assert main(["study", "verify", str(path)]) == 0
    assert "whose it is was not looked at" in capsys.readouterr().out
    assert main(["study", "verify", str(path), "--key", kid]) == 0
    assert main(["study", "verify", str(path), "--key", "another"]) == 3
    path.write_bytes(content[:-100])
    assert main(["study", "verify", str(path)]) == 3
