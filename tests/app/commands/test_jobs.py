# SPDX-License-Identifier: Apache-2.0
"""`megagenome node jobs`: an operator sees what is not done, and lets what failed be tried again."""

from pathlib import Path

import pytest

from megagenome.app.check_folder import check_folder
from megagenome.app.node import open_node
from megagenome.cli.main import main
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Corrupt
from megagenome.kernel.jobs import enqueue
from megagenome.kernel.worker import Effects, Lease, Worker
from tests.journeys.nations import run


def hopeless(_: Lease) -> Effects | None:
    raise Corrupt("the part is gone")


@pytest.fixture
def failed(folder: Path) -> Path:
    """A node with one job that failed for good and one that waits."""
    engine = open_node(folder).collection.engine
    with begin_writing(engine) as connection:
        enqueue(connection, "validate", "MGS-1")
    assert Worker(engine, {"validate": hopeless}).do_one()
    with begin_writing(engine) as connection:
        enqueue(connection, "clear", "MGS-2")
    return folder


def test_what_is_not_done_is_listed(failed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run("node", "jobs", "list", failed)
    assert [(each["kind"], each["state"], each["stuck"]) for each in found] == [
        ("validate", "failed", True),
        ("clear", "waiting", False),
    ]
    assert run("node", "jobs", "list", failed, "--stuck") == found[:1]
    assert main(["node", "jobs", "list", str(failed)]) == 0
    assert "the part is gone" in capsys.readouterr().out


def test_check_names_what_is_stuck_until_it_is_tried_again(failed: Path) -> None:
    total, job = [each for each in check_folder(failed) if not each.fine]
    assert (total.part, total.says) == ("jobs", "2 to do, 1 of them stuck")
    assert (job.part, job.says) == ("job 1", "validate MGS-1 failed after attempt 1: the part is gone")
    assert "node jobs retry DIR 1" in job.do
    assert run("node", "jobs", "retry", failed, "1")["done"].startswith("job 1 ")
    assert [each.says for each in check_folder(failed) if each.part == "jobs"] == ["2 to do"]
    assert all(each.fine for each in check_folder(failed))
    assert main(["node", "jobs", "retry", str(failed), "7"]) == 3
