# SPDX-License-Identifier: Apache-2.0
"""`megagenome node environment`: an operator says where the data of a permit may go."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from megagenome.app.node import open_node
from megagenome.app.node_access import CollectionPermits
from megagenome.cli.main import main
from megagenome.collection.permits import store_permit
from megagenome.standards.crypt4gh_keys import fingerprint, write_private_key, write_public_key
from tests.collection import clocks
from tests.journeys.nations import run

PERMIT = "permit-1"


@pytest.fixture
def key(tmp_path: Path, folder: Path) -> Path:
    """A public key; the node has a permit."""
    node = open_node(folder)
    with node.collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(PERMIT))
    node.collection.close()
    private = X25519PrivateKey.generate()
    (tmp_path / "key.sec").write_text(write_private_key(private))
    (tmp_path / "key.pub").write_text(write_public_key(private.public_key()))
    (tmp_path / "name").write_text(fingerprint(private.public_key()))
    return tmp_path / "key.pub"


def test_what_is_added_is_listed_entered_and_ended(folder: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_ = (key.parent / "name").read_text()
    assert print_ in str(run("node", "environment", "add", folder, PERMIT, "--key", key, "--name", "the workspace"))
    [found] = run("node", "environment", "list", folder, PERMIT)
    assert (found["name"], found["fingerprint"], found["ended"]) == ("the workspace", print_, None)
    node = open_node(folder)
    with node.collection.engine.connect() as connection:
        [told] = CollectionPermits().environments(connection, PERMIT)
    node.collection.close()
    assert (told.name, told.fingerprint, told.ended) == ("the workspace", print_, None)
    assert print_ in str(run("node", "environment", "end", folder, PERMIT, "--key", key))
    [found] = run("node", "environment", "list", folder, PERMIT)
    assert found["ended"] is not None
    capsys.readouterr()
    assert main(["node", "ledger", str(folder), "export"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["detail"] for each in entries if "detail" in each] == ["environment:added", "environment:ended"]


@pytest.mark.parametrize(
    ("permit", "name", "file", "code"),
    [("permit-9", "x", "key.pub", 3), (PERMIT, "", "key.pub", 2), (PERMIT, "x", "key.sec", 2), (PERMIT, "x", "no", 2)],
)
def test_what_is_wrong_is_refused(
    folder: Path, key: Path, capsys: pytest.CaptureFixture[str], permit: str, name: str, file: str, code: int
) -> None:
    command = ["node", "environment", "add", str(folder), permit, "--key", str(key.parent / file), "--name", name]
    assert main(command) == code
    assert "megagenome: " in capsys.readouterr().err
    assert run("node", "environment", "list", folder, permit) == []


def test_of_none_it_is_said_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["node", "environment", "list", str(folder), PERMIT]) == 0
    assert "megagenome node environment add" in capsys.readouterr().out
