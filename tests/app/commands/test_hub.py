# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest

from megagenome.app.hub import open_hub
from megagenome.cli.main import main
from tests.journeys.nations import run


def test_init_makes_a_hub_and_says_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "hub"
    assert main(["hub", "init", str(folder), "--name", "Northern network", "--assembly", "hg19"]) == 0
    assert f"Next: megagenome hub invite {folder}" in capsys.readouterr().out
    settings = open_hub(folder).settings
    assert (settings.hub.name, settings.server.port, settings.network.assembly) == ("Northern network", 8600, "GRCh37")
    assert main(["hub", "init", str(folder)]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_unknown_assembly_makes_no_hub(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "init", str(tmp_path / "hub"), "--assembly", "hg17"]) == 2
    assert not (tmp_path / "hub").exists()


def test_node_that_does_not_answer_is_not_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("hub", "init", tmp_path)
    assert main(["hub", "add", str(tmp_path), "http://127.0.0.1:9"]) == 1
    assert "nothing was changed" in capsys.readouterr().err
    assert open_hub(tmp_path).settings.nodes == ()


def test_check_ends_with_1_when_something_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("hub", "init", tmp_path)
    assert main(["hub", "check", str(tmp_path)]) == 0
    assert main(["hub", "check", str(tmp_path / "nothing")]) == 1
    capsys.readouterr()
    assert main(["hub", "check", "http://127.0.0.1:9", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["fine"] is False
