# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.app.ledger import open_keys
from megagenome.cli.main import main
from tests.journeys.nations import run


def test_keys_are_shown_and_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = open_keys(folder)
    assert run("node", "keys", folder) == first.jwks()
    assert main(["node", "keys", str(folder), "--replace"]) == 0
    text = capsys.readouterr().out
    second = open_keys(folder)
    assert second.kid != first.kid
    for kid, what in ((second.kid, "signs"), (first.kid, "verifies")):
        assert any(kid in line and what in line for line in text.splitlines())
    assert "Next: start the node again" in text
    assert [key["kid"] for key in run("node", "keys", folder)["keys"]] == [second.kid, first.kid]


def test_a_hub_has_keys_of_its_own(tmp_path: Path) -> None:
    run("hub", "init", tmp_path / "hub")
    assert run("hub", "keys", tmp_path / "hub") == open_keys(tmp_path / "hub").jwks()


@pytest.mark.parametrize("server", ["node", "hub"])
def test_what_is_no_server_gets_no_keys(server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ([], ["--replace"]):
        assert main([server, "keys", str(tmp_path), *option]) == 3
        assert f"megagenome {server} init" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_others_may_read_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "keys" / "signing.json").chmod(0o644)
    assert main(["node", "keys", str(folder)]) == 3
    assert main(["node", "serve", str(folder), "--port", "0"]) == 3
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all("mode 0644" in line for line in said)
