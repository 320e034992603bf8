# SPDX-License-Identifier: Apache-2.0
"""`megagenome hub erase` and `megagenome node erase`."""

import json
from pathlib import Path
from typing import Any

import pytest

from megagenome.app.hub import open_hub
from megagenome.cli.main import main
from tests.app.erasable import SUBJECT, left_of_her, make_hub, make_node


def printed(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    capsys.readouterr()
    assert main([*command, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_nothing_is_erased_before_the_operator_says_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    application = make_hub(folder := tmp_path / "hub")
    person = ("hub", "erase", "person", str(folder), SUBJECT)
    assert main([*person]) == 0
    said = capsys.readouterr().out
    assert "nothing is erased yet; with --yes this is: account; sessions: 2; roles: 2; tokens: 1; studies: 1;" in said
    assert left_of_her(folder)
    assert printed(capsys, *person)["done"] is False
    assert printed(capsys, "hub", "erase", "application", str(folder), application, "--yes")["done"] is True
    found = printed(capsys, *person, "--yes")
    assert (found["done"], found["found"]["sessions"], found["found"]["ledger"]) == (True, 2, True)
    assert left_of_her(folder) == []
    capsys.readouterr()
    assert main([*person, "--yes"]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_a_node_erases_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_node(folder := tmp_path / "node")
    assert main(["node", "erase", "person", str(folder), SUBJECT, "--yes"]) == 0
    assert "erased (account; sessions: 2; roles: 1; proposals: 1; permits: 1; genome; acts: 1; ledger)" in (
        capsys.readouterr().out
    )
    assert main(["node", "erase", "application", str(folder), "x"]) == 2


def test_a_hub_says_whether_its_applications_are_as_they_were_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_hub(folder := tmp_path / "hub")
    [finding] = [each for each in printed(capsys, "hub", "check", str(folder)) if each["part"] == "applications"]
    assert (finding["fine"], finding["says"]) == (True, "2, each event as it was written")
    engine = open_hub(folder).engine
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE access_application SET title = 'x', state = 'x'")
    assert main(["hub", "upgrade", str(folder)]) == 0  # lists are made anew
    with engine.connect() as connection:
        states = connection.exec_driver_sql("SELECT DISTINCT state FROM access_application ORDER BY 1").scalars().all()
    assert states == ["draft", "revoked"]
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE access_event SET body = body || ' '")
    engine.dispose()
    assert main(["hub", "check", str(folder)]) == 1
    assert main(["hub", "upgrade", str(folder)]) == 3
