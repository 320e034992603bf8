# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from megagenome.cli.main import main
from tests.journeys.nations import run


def test_init_says_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("megagenome.app.commands.node.init_node", lambda _folder, **_options: None)
    assert main(["node", "init", str(tmp_path), "--country", "EE"]) == 0
    assert "Next: megagenome node load" in capsys.readouterr().out


def test_check_ends_with_1_when_something_is_wrong(loaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "check", str(loaded)]) == 0
    assert "WRONG" not in capsys.readouterr().out
    assert main(["node", "check", str(loaded.parent)]) == 1
    assert "WRONG" in capsys.readouterr().out
    assert main(["node", "check", "http://127.0.0.1:9", "--json"]) == 1
    [finding] = json.loads(capsys.readouterr().out)
    assert finding.keys() == {"part", "fine", "says", "do"}


def test_upgrade(folder: Path) -> None:
    assert run("node", "upgrade", folder)["done"] == "is up to date"


def test_serve_takes_a_folder_that_is_a_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "serve", str(tmp_path)]) == 2
    assert "megagenome node init" in capsys.readouterr().err


def test_a_withdrawal_and_the_release_after_it(loaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run("node", "consent", loaded, "EE-1", "withdraw", "--use", "aggregates")
    assert (report["changed"], report["holds"], report["public_until"]) == (["aggregates"], ["research"], ["EE-SMALL"])
    assert run("node", "release", loaded, "--dry-run")["datasets"][0]["left"] == 1
    assert main(["node", "consent", str(loaded), "EE-2", "object"]) == 0
    assert "changed: research" in capsys.readouterr().out
    assert main(["node", "release", str(loaded)]) == 0
    assert "EE-SMALL" in capsys.readouterr().out
    assert run("node", "release", loaded)["datasets"][0] == {
        "dataset": "EE-SMALL", "people": 5, "entered": 0, "left": 0, "waiting": 0, "leaving": 0,
    }  # fmt: skip
    assert main(["node", "consent", str(loaded), "EE-9", "withdraw"]) == 3
    assert main(["node", "consent", str(loaded), "EE-2", "opt-out", "--use", "research"]) == 2
    with contextlib.closing(sqlite3.connect(loaded / "node.sqlite")) as connection:
        entered = connection.execute("SELECT kind, dataset, detail FROM ledger_entry ORDER BY seq").fetchall()
    published = ("publication", "EE-SMALL", "new:published")  # by the load
    assert entered == [published, *(("withdrawal", "EE-SMALL", act) for act in ("withdraw", "object"))]
