# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.app.demo.plan import countries_to_simulate, plan_files, plan_simulated, simulate
from megagenome.kernel.errors import Invalid
from tests.journeys.small import write_files


def nothing_known(_curie: str) -> None:
    return


@pytest.mark.parametrize(("nodes", "expected"), [(1, ("FI",)), (3, ("FI", "EE", "GB")), (4, ("FI", "EE", "GB", "ES"))])
def test_countries_come_in_a_fixed_order(nodes: int, expected: tuple[str, ...]) -> None:
    assert countries_to_simulate(nodes) == expected


@pytest.mark.parametrize("nodes", [-1, 0, 9])
def test_only_known_countries_can_be_simulated(nodes: int) -> None:
    with pytest.raises(Invalid, match=f"--nodes {nodes}: choose 1 to 8"):
        countries_to_simulate(nodes)


def test_simulated_countries_have_open_and_closed_datasets_and_nobody_twice() -> None:
    simulated = simulate(("FI", "EE"), 60, 3, lambda _: None)
    planned = plan_simulated(simulated)
    assert [node.country for node in planned] == ["FI", "EE"]
    for node in planned:
        closed, opened = node.datasets
        assert (closed.statement.open, opened.statement.open) == (False, True)
        assert closed.statement.publish
        first, second = (set(each.people(nothing_known).persons) for each in (closed, opened))
        ids = [{person.individual_id for person in mine} for mine in (first, second)]
        assert sum(map(len, ids)) == 30
        assert not ids[0] & ids[1]
        assert {person.sample_id for person in first} == set(closed.source().samples)


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder with two files, of which one has people of two countries."""
    folder = tmp_path / "data"
    vcf, people = write_files(folder, "FI")
    vcf.rename(folder / "b.vcf.gz")
    write_files(folder / "other", "FI")[0].rename(folder / "a.vcf.gz")
    rows = people.read_text().replace("\tFI\t", "\tEE\t", 2)
    people.write_text(rows + "X\tnone\tmale\tSE\t\nY\tS9\tmale\t\t\n")
    return folder


def test_each_file_is_a_dataset_of_each_country_in_it(given: Path) -> None:
    planned = plan_files(given, "GRCh37")
    assert [(node.country, [dataset.id for dataset in node.datasets]) for node in planned] == [
        ("EE", ["GDI-EE-1", "GDI-EE-2"]),
        ("FI", ["GDI-FI-1", "GDI-FI-2"]),
    ]
    [first, _] = planned[0].datasets
    assert first.source() == given / "a.vcf.gz"
    assert (first.assembly, first.statement.open, first.statement.publish) == ("GRCh37", None, True)
    assert [person.sample_id for person in first.people(nothing_known).persons] == ["S1", "S2"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda folder: (folder / "people.tsv").unlink(), "there is no people.tsv"),
        (lambda folder: [path.unlink() for path in folder.glob("*.vcf.gz")], "there is no file"),
        (lambda folder: edit(folder, "country", "nation"), "nobody has a country"),
        (lambda folder: edit(folder, "\tS", "\tT"), "no file has a sample"),
    ],
    ids=["no table", "no file", "no country", "no sample"],
)
def test_folder_that_cannot_be_a_network(given: Path, wrong, says: str) -> None:
    wrong(given)
    with pytest.raises(Invalid, match=says):
        plan_files(given, "GRCh37")


def edit(folder: Path, old: str, new: str) -> None:
    people = folder / "people.tsv"
    people.write_text(people.read_text().replace(old, new))
