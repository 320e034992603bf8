# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from megagenome.app.ledger import open_ledger
from megagenome.cli.main import main
from megagenome.kernel.database import open_database, sqlite_url
from megagenome.kernel.ledger import Act, Kind
from tests.journeys.nations import run

SERVERS = [("node", "node.ee"), ("hub", "network.hub")]


def make(server: str, tmp_path: Path, empty_node: Path) -> Path:
    """A node or hub with three entries."""
    folder = tmp_path / server
    if server == "hub":
        run("hub", "init", folder)
    else:
        shutil.copytree(empty_node, folder)
    engine = open_database(sqlite_url(folder / f"{server}.sqlite"))
    open_ledger(folder, engine, dict(SERVERS)[server]).append(*[Act(Kind.DECISION, "ann@x", detail="approved")] * 3)
    engine.dispose()
    return folder


def change(folder: Path, server: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / f"{server}.sqlite")) as connection:
        connection.execute("UPDATE ledger_entry SET detail = 'rejected' WHERE seq = 2")
        connection.commit()


@pytest.mark.parametrize(("server", "identity"), SERVERS)
def test_a_ledger_is_verified_and_a_change_named(
    server: str, identity: str, tmp_path: Path, empty_node: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(server, tmp_path, empty_node)
    assert run(server, "ledger", folder, "verify") == {
        "issuer": identity,
        "fine": True,
        "entries": 3,
        "heads": 0,
        "signed": 0,
        "signed_at": None,
        "hash": run(server, "ledger", folder, "verify")["hash"],
        "wrong": None,
        "says": "",
    }
    assert main([server, "ledger", str(folder), "verify"]) == 0
    assert capsys.readouterr().out == f"{identity}: all 3 entries are as they were written; no head is signed yet\n"
    change(folder, server)
    assert main([server, "ledger", str(folder), "verify"]) == 1
    assert capsys.readouterr().out.startswith(f"{identity}: WRONG from entry 2 on: entry 2 is not what was written")


def test_an_export_is_verified_without_the_node(
    tmp_path: Path, empty_node: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make("node", tmp_path, empty_node)
    keys, file, head = tmp_path / "jwks.json", tmp_path / "ledger.jsonl", tmp_path / "heads"
    keys.write_text(json.dumps(run("node", "keys", folder)))
    head.write_text(run("node", "ledger", folder, "head")["head"] + "\n")
    assert main(["node", "ledger", str(folder), "head"]) == 0
    head.write_text(head.read_text() + capsys.readouterr().out)
    assert main(["node", "ledger", str(folder), "export"]) == 0
    file.write_text(capsys.readouterr().out)
    verifying = ["ledger", str(file), "verify", "--keys", str(keys)]
    for server in ("node", "hub"):
        assert main([server, *verifying, "--kept", str(head)]) == 0
        assert "all 3 entries are as they were written; 3 signed heads agree" in capsys.readouterr().out
    file.write_text(file.read_text().replace('"approved"', '"rejected"', 1))
    assert main(["node", *verifying]) == 1
    assert "WRONG from entry 1 on" in capsys.readouterr().out
    assert main(["node", "ledger", str(folder), "verify", "--kept", str(head), "--json"]) == 0


def test_a_hostile_export_does_not_steer_the_terminal(
    tmp_path: Path, empty_node: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys, file = tmp_path / "jwks.json", tmp_path / "ledger.jsonl"
    keys.write_text(json.dumps(run("node", "keys", make("node", tmp_path, empty_node))))
    opening = {
        "ledger": "megagenome-ledger-1",
        "issuer": "\x1b[2J\x1b[H\x9b31mnode.ee: all 9,000 entries are as they were",
    }
    file.write_text(json.dumps(opening) + "\n")
    assert main(["node", "ledger", str(file), "verify", "--keys", str(keys)]) == 1
    assert not set(capsys.readouterr().out) & {"\x1b", "\x9b"}


def test_a_ledger_cut_back_is_found_by_who_kept_a_head(
    tmp_path: Path, empty_node: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make("node", tmp_path, empty_node)
    (tmp_path / "heads").write_text(run("node", "ledger", folder, "head")["head"])
    with contextlib.closing(sqlite3.connect(folder / "node.sqlite")) as connection:
        connection.execute("DELETE FROM ledger_entry WHERE seq > 1")
        connection.execute("DELETE FROM ledger_head")
        connection.commit()
    assert main(["node", "ledger", str(folder), "verify"]) == 0
    capsys.readouterr()
    assert main(["node", "ledger", str(folder), "verify", "--kept", str(tmp_path / "heads")]) == 1
    assert "entries 2 to 3 are gone, which the kept head" in capsys.readouterr().out


def test_wrong_use_is_named(tmp_path: Path, empty_node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make("node", tmp_path, empty_node)
    file = tmp_path / "ledger.jsonl"
    file.write_text("{}\n")
    wrong = {
        2: [
            [file, "export"],
            [file, "verify"],
            [folder, "verify", "--keys", file],
            [folder, "vanish"],
            [tmp_path / "nothing", "verify"],
            [folder, "verify", "--kept", tmp_path / "nothing"],
        ],
        3: [[file, "verify", "--keys", file], [folder, "verify", "--kept", file]],
    }
    for code, calls in wrong.items():
        for call in calls:
            assert main(["node", "ledger", *map(str, call)]) == code, call
            assert capsys.readouterr().err.count("\n") == 1
