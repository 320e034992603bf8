# SPDX-License-Identifier: Apache-2.0
"""Records of datasets from files, by command."""

import tomllib
from pathlib import Path

import pytest

from megagenome.cli.main import main
from megagenome.standards.dataset_record import DatasetRecord, encode_record, read_record, with_value
from megagenome.synthetic.governance import made_up_record
from tests.journeys.nations import run
from tests.journeys.small import load_options

DATASET = "EE-SMALL"
RECORD = made_up_record(DATASET, country="EE")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, list[str]]:
    """A record, and the options of a load of data that are not open."""
    path = tmp_path / "dataset.json"
    path.write_text(encode_record(RECORD))
    options = [str(each) for each in load_options(tmp_path / "files", "EE") if each not in ("--open", "--publish")]
    return path, options


def test_two_commands_publish_what_is_not_open(folder: Path, files: tuple[Path, list[str]]) -> None:
    record, options = files
    run("node", "load", folder, *options, "--metadata", record, "--publish")
    shown = run("node", "metadata", folder, DATASET)
    assert (shown["version"], shown["draft"], shown["missing"]) == (1, False, [])
    assert shown["record"]["identifier"] == RECORD.identifier
    assert shown["history"][0]["by"].startswith("operator ")


def test_a_load_without_governance_publishes_nothing(
    folder: Path, files: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    record, options = files
    assert main(["node", "load", str(folder), *options, "--publish"]) == 3
    assert "controller, legal basis" in capsys.readouterr().err
    record.write_text(encode_record(with_value(RECORD, "governance.dpia.on", "soon")))
    assert main(["node", "load", str(folder), *options, "--metadata", str(record), "--publish"]) == 2
    assert "governance.dpia.on" in capsys.readouterr().err
    assert main(["node", "metadata", str(folder), DATASET]) == 3  # nothing was loaded at all
    capsys.readouterr()


def test_a_record_is_kept_as_a_draft_and_completed(
    folder: Path, files: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    record, options = files
    run("node", "load", folder, *options)
    record.write_text(encode_record(with_value(RECORD, "keywords", ())))
    assert main(["node", "metadata", str(folder), DATASET, str(record)]) == 2
    assert "Keywords are missing (keywords)" in capsys.readouterr().err
    drafted = run("node", "metadata", folder, DATASET, record, "--draft")
    assert (drafted["version"], drafted["draft"]) == (1, True)
    run("node", "dataset", folder, DATASET, "approve")
    assert main(["node", "dataset", str(folder), DATASET, "publish"]) == 3
    record.write_text(encode_record(RECORD))
    assert run("node", "metadata", folder, DATASET, record)["version"] == 2
    assert run("node", "dataset", folder, DATASET, "publish")["done"].endswith("and is published")
    capsys.readouterr()
    assert main(["node", "metadata", str(folder), DATASET, "show"]) == 0
    assert "it can be published" in capsys.readouterr().out
    assert main(["node", "metadata", str(folder), DATASET, str(record.with_name("none.toml"))]) == 2
    capsys.readouterr()


def test_a_template_is_a_record_to_fill_in(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "metadata", str(folder), DATASET, "template"]) == 0
    text = capsys.readouterr().out
    assert tomllib.loads(text)["governance"]["ethics"] == {"by": "", "reference": "", "on": ""}
    assert read_record(text.encode(), "template.toml") == DatasetRecord()
