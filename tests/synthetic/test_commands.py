# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest

from megagenome.cli.main import main

SMALL = ["--individuals", "80", "--countries", "GB, ES", "--megabases", "0.15"]


def test_europe_writes_files_and_says_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synth", "europe", str(tmp_path / "out"), *SMALL, "--format", "bcf"]) == 0
    shown = capsys.readouterr()
    assert "GDI-GB-COHORT-001" in shown.out
    assert "GOE-ES-OPEN-001" in shown.out
    assert shown.err == ""
    assert (tmp_path / "out/ES/GDI-ES-COHORT-001/genotypes.bcf.csi").exists()
    assert (tmp_path / "out/truth.json").exists()


def test_json_lists_the_datasets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synth", "europe", str(tmp_path), *SMALL, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [dataset["id"] for dataset in listed] == [
        "GDI-GB-COHORT-001",
        "GOE-GB-OPEN-001",
        "GDI-ES-COHORT-001",
        "GOE-ES-OPEN-001",
    ]
    assert [dataset["individuals"] for dataset in listed] == [32, 10, 32, 10]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--countries", "GB,XX"], 2, "countries 'GB,XX'"),
        (["--individuals", "10"], 2, "10 individuals"),
        (["--format", "zarr"], 2, "--format"),
        (["--seed", "-3"], 2, "seed -3"),
    ],
)
def test_wrong_use_is_one_line_and_writes_nothing(
    arguments: list[str], code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["synth", "europe", str(tmp_path / "out"), *arguments]) == code
    shown = capsys.readouterr()
    assert message in shown.err
    assert len(shown.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_full_folder_is_refused_before_anything_is_simulated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").touch()
    assert main(["synth", "europe", str(tmp_path), "--individuals", "10000000"]) == 3
    assert "not an empty folder" in capsys.readouterr().err
