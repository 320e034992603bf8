# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.app.commands.operator import given_by
from megagenome.app.ledger import open_ledger
from megagenome.app.node import open_node
from megagenome.cli.main import main
from megagenome.kernel.ledger import Kind
from megagenome.kernel.ledger_chain import Entry
from tests.journeys.nations import run
from tests.journeys.small import load_options, write_files


def test_load_reports_what_it_did(folder: Path, tmp_path: Path) -> None:
    report = run("node", "load", folder, *load_options(tmp_path / "files", "EE"))["report"]
    assert (report["individuals"], report["new_individuals"], report["consenting"]) == (6, 6, 6)
    assert (report["samples"], report["samples_left_out"], report["assembly"]) == (6, 0, "GRCh37")
    assert report["contigs"]["22"]["records"] == 3
    assert report["contigs"]["22"]["alleles"] == 4


def test_load_for_people(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = list(map(str, load_options(tmp_path / "files", "EE")))
    assert main(["node", "load", str(folder), *options]) == 0
    text = capsys.readouterr().out
    assert "EE-SMALL: 6 people (6 new)" in text
    assert "6 of them consent" in text


def test_people_without_consent_are_counted_out(folder: Path, tmp_path: Path) -> None:
    options = [option for option in load_options(tmp_path / "files", "EE") if option != "--consent-all"]
    assert run("node", "load", folder, *options)["report"]["consenting"] == 0


def test_vcf_needs_its_assembly(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vcf, _ = write_files(tmp_path / "files", "EE")
    assert main(["node", "load", str(folder), "--dataset", "X", "--vcf", str(vcf)]) == 2
    assert "--assembly" in capsys.readouterr().err


def test_dataset_moves_step_by_step(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [option for option in load_options(tmp_path / "files", "EE") if option != "--publish"]
    run("node", "load", folder, *options)
    assert main(["node", "dataset", str(folder), "EE-SMALL", "publish"]) == 3
    assert "EE-SMALL is draft and cannot become published" in capsys.readouterr().err
    for move, state in (("approve", "approved"), ("publish", "published"), ("withdraw", "withdrawn")):
        assert run("node", "dataset", folder, "EE-SMALL", move)["done"].endswith(f"and is {state}")
    assert main(["node", "dataset", str(folder), "NONE", "approve"]) == 3
    assert main(["node", "dataset", str(folder), "EE-SMALL", "vanish"]) == 2


def moves(folder: Path) -> list[tuple[str, str, str]]:
    """Who did it, to which dataset and how, as the node's ledger has it."""
    node = open_node(folder)
    ledger = open_ledger(folder, node.collection.engine, node.settings.node.id)
    entries = [each for each in ledger.items() if isinstance(each, Entry) and each.kind == Kind.PUBLICATION]
    found = []
    for each in entries:
        actor = ledger.person(each.actor)
        found.append((actor.subject if actor else "", each.dataset, each.detail))
    assert ledger.verify().fine
    node.collection.close()
    return found


def test_who_moved_a_dataset_is_in_the_ledger(folder: Path, tmp_path: Path) -> None:
    run("node", "load", folder, *(each for each in load_options(tmp_path / "files", "EE") if each != "--publish"))
    assert moves(folder) == []
    for move in ("approve", "publish", "publish", "withdraw"):
        run("node", "dataset", folder, "EE-SMALL", move)
    states = ("draft:approved", "approved:published", "published:withdrawn")
    assert moves(folder) == [(given_by(), "EE-SMALL", each) for each in states]


def test_who_published_by_a_load_is_in_the_ledger(folder: Path, tmp_path: Path) -> None:
    run("node", "load", folder, *load_options(tmp_path / "files", "EE"))
    assert moves(folder) == [(given_by(), "EE-SMALL", "new:published")]


def test_no_load_begins_on_a_disk_that_is_too_full(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (folder / "node.toml").open("a") as settings:
        settings.write(f"\n[archive]\nleast_free_bytes = {1 << 62}\n")
    assert main(["node", "load", str(folder), *map(str, load_options(tmp_path / "files", "EE"))]) == 1
    assert "4,611,686,018,427,387,904 must stay so" in capsys.readouterr().err
    assert moves(folder) == []


def test_tiers_are_chosen_by_command(loaded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run("node", "dataset", loaded, "EE-SMALL", "tier", "--alleles", "registered")["done"]
    assert done == "EE-SMALL: alleles are registered, people are public"
    for wrong in (["tier"], ["withdraw", "--people", "public"], ["tier", "--people", "secret"]):
        assert main(["node", "dataset", str(loaded), "EE-SMALL", *wrong]) == 2
    capsys.readouterr()
