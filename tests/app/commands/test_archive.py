# SPDX-License-Identifier: Apache-2.0
"""`megagenome node archive`: an operator lists, verifies, lets out, withdraws, shreds, rebuilds and rotates."""

import getpass
import json
from pathlib import Path

import msgspec
import pytest

from megagenome.app.archive import open_archive
from megagenome.app.check_folder import check_folder
from megagenome.app.node import open_node
from megagenome.cli.main import main
from megagenome.kernel.findings import Finding
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.ledger_chain import Entry
from megagenome.kernel.sealed_files import ArchivedFile, Described, FileId
from tests.archive.archives import keep, make_plain
from tests.journeys.nations import run


def wrong(folder: Path, *, deep: bool = False) -> list[Finding]:
    """What `node check` finds, but for that no submission brought the file of these tests."""
    return [each for each in check_folder(folder, deep=deep) if not each.fine and each.part != "archive, let out"]


@pytest.fixture
def kept(folder: Path) -> ArchivedFile:
    """A file in the node's archive."""
    node = open_node(folder)
    try:
        return keep(open_archive(node), make_plain(100_000))
    finally:
        node.collection.close()


def test_what_is_kept_is_listed_and_verified(
    folder: Path, kept: ArchivedFile, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [each["id"] for each in run("node", "archive", "list", folder)] == [kept.id]
    assert run("node", "archive", "list", folder, "--dataset", "OTHER") == []
    for which in ([], [kept.id], ["--oldest", "5"]):
        assert run("node", "archive", "verify", folder, *which) == [{"id": kept.id, "state": "verified", "wrong": ""}]
    assert run("node", "archive", "verify", folder, "--oldest", "0") == []
    assert main(["node", "archive", "list", str(folder)]) == 0
    assert kept.id in capsys.readouterr().out
    assert main(["node", "archive", "verify", str(folder), "MGF-ABCDEFGHIJKLMNOP"]) == 2
    assert main(["node", "archive", "verify", str(folder), kept.id, "--oldest", "1"]) == 2


def test_what_is_damaged_is_said_and_found_by_check(
    folder: Path, kept: ArchivedFile, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [each.says for each in check_folder(folder) if each.part == "archive"] == ["1 archived"]
    found = {each.part: each.says for each in check_folder(folder, deep=True) if each.fine}
    assert found["archive, every byte"] == "as archived"
    [body] = folder.glob("blobs/archive/*/*.c4b")
    body.unlink()
    assert main(["node", "archive", "verify", str(folder)]) == 1
    assert "there is no blob" in capsys.readouterr().out
    [finding] = wrong(folder)
    assert (finding.part, finding.says) == ("archive", "1 suspect")
    assert kept.id in wrong(folder, deep=True)[-1].says
    assert main(["node", "archive", "rebuild", str(folder)]) == 1
    assert f"files without a body: {kept.id}" in capsys.readouterr().out


def test_keys_that_are_gone_are_found(folder: Path, kept: ArchivedFile) -> None:
    path = folder / "keys" / "recipient.json"
    lost = json.loads(path.read_text())
    path.unlink()
    [finding] = wrong(folder)
    assert finding.part == "recipient key"
    assert finding.says.endswith("; 1 files are sealed for keys that are not here")
    path.write_text(json.dumps({"keys": json.loads(path.read_text())["keys"] + lost["keys"]}))
    assert wrong(folder, deep=True) == []


def test_check_hints_at_keys_that_lie_beside_what_they_open(folder: Path, tmp_path: Path) -> None:
    def says() -> str:
        [found] = [each for each in check_folder(folder) if each.part == "recipient key"]
        assert found.fine
        return found.says

    hint = "; it lies beside the files that it opens: move it to a volume of its own (archive.keys)"
    assert says().endswith(hint)
    elsewhere = tmp_path / "unlocked"
    elsewhere.mkdir(mode=0o700)
    (folder / "keys" / "recipient.json").rename(elsewhere / "recipient.json")
    settings = (folder / "node.toml").read_text()
    (folder / "node.toml").write_text(f'{settings}\n[archive]\nkeys = "{elsewhere}"\n')
    assert "beside" not in says()


def test_keys_may_lie_elsewhere_and_are_made_nowhere_else(
    folder: Path, kept: ArchivedFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "unlocked"
    with (folder / "node.toml").open("a") as settings:
        settings.write(f'\n[archive]\nkeys = "{elsewhere}"\n')
    assert main(["node", "archive", "verify", str(folder)]) == 1
    assert f"{elsewhere}/recipient.json is not there: unlock where it lies" in capsys.readouterr().err
    assert not elsewhere.exists()
    elsewhere.mkdir(mode=0o700)
    (folder / "keys" / "recipient.json").rename(elsewhere / "recipient.json")
    assert run("node", "archive", "verify", folder)[0]["wrong"] == ""
    run("node", "archive", "rotate", folder)
    assert len(json.loads((elsewhere / "recipient.json").read_text())["keys"]) == 2
    assert not (folder / "keys" / "recipient.json").exists()
    assert wrong(folder, deep=True) == []


def test_nothing_is_shredded_without_yes(folder: Path, kept: ArchivedFile, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("node", "archive", "shred", folder, kept.id) == {"files": [kept.id], "done": False, "receipt": ""}
    done = run("node", "archive", "shred", folder, kept.id, "--yes")
    assert done["files"] == [kept.id]
    assert done["receipt"].count(".") == 2
    assert run("node", "archive", "shred", folder, kept.id, "--yes") == done
    assert run("node", "archive", "list", folder)[0]["state"] == "shredded"
    assert run("node", "archive", "verify", folder) == []
    assert main(["node", "archive", "shred", str(folder), "no-id", "--yes"]) == 2
    assert "is no id of a file" in capsys.readouterr().err


def test_a_rebuild_says_what_it_did(folder: Path, kept: ArchivedFile, capsys: pytest.CaptureFixture[str]) -> None:
    node = open_node(folder)
    with node.collection.engine.begin() as connection:
        for table in ("archive_header", "archive_file"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    node.collection.close()
    assert main(["node", "archive", "rebuild", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"files that are known again: {kept.id}" in said
    assert "Next: megagenome node archive verify, then megagenome node archive ready" in said


SMALL = DatasetId("EE-SMALL")


def keep_of(folder: Path, *described: Described) -> list[FileId]:
    """Verified files, as a rebuild and a verification leave them; the ids in the order of the archive."""
    node = open_node(folder)
    try:
        opened = open_archive(node)
        made = [keep(opened, make_plain(1000, k), each).id for k, each in enumerate(described)]
        for each in made:
            opened.verify(each)
        return made
    finally:
        node.collection.close()


def let_out_finding(folder: Path) -> list[str]:
    return [each.says for each in check_folder(folder) if each.part == "archive, let out" and not each.fine]


def by_whom(folder: Path, word: str) -> list[str]:
    """Who is entered for each file of which the ledger has this word."""
    node = open_node(folder)
    try:
        ledger = open_archive(node)._parts.ledger
        mine = [each for each in ledger.items() if isinstance(each, Entry) and each.detail.startswith(f"{word}:MGF-")]
        return [person.subject for each in mine if (person := ledger.person(each.actor))]
    finally:
        node.collection.close()


def test_files_that_were_found_again_are_let_out_and_withdrawn(
    loaded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bam = Described(SMALL, "S1.bam", "BAM", ("S1",))
    one, two = keep_of(loaded, bam, msgspec.structs.replace(bam, name="S2.bam", samples=("S2",)))
    [index] = keep_of(loaded, msgspec.structs.replace(bam, name="S1.bam.bai", format="BAI", index_of=one))
    [says] = let_out_finding(loaded)
    assert says.startswith("3 verified files are not given out")
    done = run("node", "archive", "ready", loaded, one)
    assert {each["id"]: each["state"] for each in done} == {one: "ready", index: "ready"}
    [says] = let_out_finding(loaded)
    assert says.startswith("1 verified files")
    assert [each["id"] for each in run("node", "archive", "ready", loaded, "--dataset", SMALL)] == [two]
    assert run("node", "archive", "ready", loaded, "--dataset", SMALL) == []
    assert let_out_finding(loaded) == []
    done = run("node", "archive", "withdraw", loaded, one)
    assert {each["id"]: each["state"] for each in done} == {one: "withdrawn", index: "withdrawn"}
    assert run("node", "archive", "ready", loaded, "--dataset", SMALL) == []  # that would undo it unasked
    assert main(["node", "archive", "withdraw", str(loaded), two]) == 0
    assert "withdrawn" in capsys.readouterr().out
    assert by_whom(loaded, "ready") == [f"operator {getpass.getuser()}"] * 3
    assert by_whom(loaded, "withdrawn") == [f"operator {getpass.getuser()}"] * 3


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ([], 2, "give the ids of files, or --dataset ID"),
        (["{file}", "--dataset", SMALL], 2, "give the ids of files, or --dataset ID"),
        (["MGF-ABCDEFGHIJKLMNOP"], 3, "there is no file MGF-ABCDEFGHIJKLMNOP"),
        (["{file}"], 3, "has samples that are nobody's in EE-SMALL: S9"),
        (["--dataset", SMALL], 3, "has samples that are nobody's in EE-SMALL: S9"),
    ],
)
def test_what_is_not_let_out_is_said(
    loaded: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, says: str
) -> None:
    [file] = keep_of(loaded, Described(SMALL, "S9.bam", "BAM", ("S9",)))
    assert main(["node", "archive", "ready", str(loaded), *(each.format(file=file) for each in words)]) == code
    assert says in capsys.readouterr().err
    assert [each["state"] for each in run("node", "archive", "list", loaded)] == ["verified"]


def test_keys_are_rotated_and_forgotten(folder: Path, kept: ArchivedFile, capsys: pytest.CaptureFixture[str]) -> None:
    done = run("node", "archive", "rotate", folder)
    assert (done["rewrapped"], len(done["retiring"])) == (1, 1)
    assert run("node", "archive", "rotate", folder, "--forget") == {
        "newest": done["newest"],
        "rewrapped": 0,
        "retiring": [],
    }
    assert main(["node", "archive", "rotate", str(folder)]) == 0
    assert "1 files sealed for it anew; older ones" in capsys.readouterr().out
    assert run("node", "archive", "verify", folder)[0]["wrong"] == ""
