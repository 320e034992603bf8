# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

from megagenome.cli.main import main
from tests.journeys.nations import run
from tests.journeys.small import load_options, write_files


def test_init_says_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("megagenome.app.commands.node.init_node", lambda _folder, **_options: None)
    assert main(["node", "init", str(tmp_path), "--country", "EE"]) == 0
    assert "Next: megagenome node load" in capsys.readouterr().out


def test_load_reports_what_it_did(folder: Path, tmp_path: Path) -> None:
    report = run("node", "load", folder, *load_options(tmp_path / "files", "EE"))["report"]
    assert (report["individuals"], report["new_individuals"], report["consenting"]) == (6, 6, 6)
    assert (report["samples"], report["samples_left_out"], report["assembly"]) == (6, 0, "GRCh37")
    assert report["contigs"]["22"]["records"] == 3
    assert report["contigs"]["22"]["alleles"] == 4


def test_load_for_people(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = list(map(str, load_options(tmp_path / "files", "EE")))
    assert main(["node", "load", str(folder), *options]) == 0
    text = capsys.readouterr().out
    assert "EE-SMALL: 6 people (6 new)" in text
    assert "6 of them consent" in text


def test_people_without_consent_are_counted_out(folder: Path, tmp_path: Path) -> None:
    options = [option for option in load_options(tmp_path / "files", "EE") if option != "--consent-all"]
    assert run("node", "load", folder, *options)["report"]["consenting"] == 0


def test_vcf_needs_its_assembly(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vcf, _ = write_files(tmp_path / "files", "EE")
    assert main(["node", "load", str(folder), "--dataset", "X", "--vcf", str(vcf)]) == 2
    assert "--assembly" in capsys.readouterr().err


def test_dataset_moves_step_by_step(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [option for option in load_options(tmp_path / "files", "EE") if option != "--publish"]
    run("node", "load", folder, *options)
    assert main(["node", "dataset", str(folder), "EE-SMALL", "publish"]) == 3
    assert "EE-SMALL is draft and cannot become published" in capsys.readouterr().err
    for move, state in (("approve", "approved"), ("publish", "published"), ("withdraw", "withdrawn")):
        assert run("node", "dataset", folder, "EE-SMALL", move)["done"].endswith(f"and is {state}")
    assert main(["node", "dataset", str(folder), "NONE", "approve"]) == 3
    assert main(["node", "dataset", str(folder), "EE-SMALL", "vanish"]) == 2


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


def test_tiers_are_chosen_by_command(loaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run("node", "dataset", loaded, "EE-SMALL", "tier", "--alleles", "registered")["done"]
    assert done == "EE-SMALL: alleles are registered, people are public"
    for wrong in (["tier"], ["withdraw", "--people", "public"], ["tier", "--people", "secret"]):
        assert main(["node", "dataset", str(loaded), "EE-SMALL", *wrong]) == 2
    capsys.readouterr()


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
    assert entered == [("withdrawal", "EE-SMALL", act) for act in ("withdraw", "object")]
