# SPDX-License-Identifier: Apache-2.0
"""What a node's server does for its archive."""

from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import pytest
from litestar.testing import TestClient

from megagenome.app.archive import open_archive
from megagenome.app.check_folder import check_folder
from megagenome.app.node import open_node
from megagenome.app.node_app import node_app
from megagenome.archive.archive import Archive
from megagenome.kernel.database import begin_erasing
from megagenome.kernel.errors import NoRoom, Unavailable
from megagenome.kernel.sealed_files import FileState
from tests.archive.archives import keep, make_plain

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Queue[str]:
    """What the operator reads; the server has its own way with logs."""
    lines: Queue[str] = Queue()

    def say(text: str, *more: object) -> None:
        lines.put(text % more)

    for module in ("app.archive", "kernel.every"):
        monkeypatch.setattr(f"megagenome.{module}._log", SimpleNamespace(error=say, warning=say))
    return lines


def test_a_start_finishes_what_was_killed(folder: Path, said: Queue[str]) -> None:
    node = open_node(folder)
    archive = open_archive(node)
    file = keep(archive, make_plain(1000))
    with begin_erasing(node.collection.engine) as connection:
        archive.begin_shredding(connection, file.id, "operator")
    assert len(list(folder.glob("blobs/archive/*/*"))) == 2
    with TestClient(node_app(open_node(folder))):
        assert said.get(timeout=20) == "the archive swept 0 unfinished files and finished 1 shreddings"
    assert [path.suffix for path in folder.glob("blobs/archive/*/*")] == [".shred"]
    found = archive.find(file.id)
    assert found is not None
    assert found.state is FileState.SHREDDED


def test_a_store_that_does_not_answer_stops_no_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: Queue[str]
) -> None:
    def fail(_archive: Archive) -> None:
        raise Unavailable("the store does not answer")

    monkeypatch.setattr(Archive, "recover", fail)
    with TestClient(node_app(open_node(folder))) as client:
        assert said.get(timeout=20).endswith("it is tried again in an hour: the store does not answer")
        assert client.get("/health").status_code == 200


def test_lease_and_watermark_are_those_of_the_settings(folder: Path) -> None:
    with (folder / "node.toml").open("a") as settings:
        settings.write("\n[archive]\nlease_s = 60\nleast_free_bytes = 4611686018427387904\n")
    archive = open_archive(open_node(folder))
    with pytest.raises(NoRoom, match="4,611,686,018,427,387,904 must stay so"):
        keep(archive, b"x")
    assert archive._parts.settings.lease_s == 60


def test_what_nobody_read_for_long_is_verified_while_the_node_serves(folder: Path, said: Queue[str]) -> None:
    node = open_node(folder)
    archive = open_archive(node)
    whole, damaged = keep(archive, make_plain(1000)), keep(archive, make_plain(1000, 1))
    [body] = folder.glob(f"blobs/archive/*/{damaged.id.lower()}*.c4b")
    body.unlink()
    with node.collection.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE archive_file SET created = '2020' || substr(created, 5)")
    found = [each for each in check_folder(folder) if not each.fine]
    assert [each.part for each in found] == ["archive, let out", "archive, verifying"]
    assert found[0].says.startswith("2 archived files are not given out")
    assert found[1].says == "2 files were verified by nobody for 60 days"
    with TestClient(node_app(open_node(folder))):
        assert f"{damaged.id} is not what was archived" in said.get(timeout=20)
    states = {each.id: each.state for each in archive.files_of()}
    assert states == {whole.id: FileState.VERIFIED, damaged.id: FileState.SUSPECT}
    finding, waiting = [each for each in check_folder(folder) if not each.fine]
    assert (finding.part, finding.says) == ("archive", "1 suspect, 1 verified")
    assert waiting.says.startswith("1 verified files are not given out")
    assert said.empty()
