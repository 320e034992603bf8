# SPDX-License-Identifier: Apache-2.0
"""Networks that several stories share. Each is made once; what a story changes it makes for itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.journeys.nations import CHR22_37, CHRX, close_nation, make_nation, members
from tests.journeys.network import Served, hub_over, serving
from tests.oracles import genotypes as oracle
from tests.oracles.real_genomes import COUNTRIES, FILES, panel, plain_counts

Files = dict[str, dict[str, list[oracle.Someone]]]
"""By file and country, the people whom each node holds."""


class Nations(NamedTuple):
    """Four nodes with real genomes and the hub over them; `people` of each file by country."""

    hub: Served
    nodes: dict[str, Served]
    people: Files


@pytest.fixture(scope="session")
def nations(shared: Path) -> Files:
    """By file and country, the people whom each node holds."""
    everybody = panel(shared)
    files: Files = {}
    for name in FILES:
        mine = members(shared / "data/genomes" / name, everybody)
        # all 26 people of the file of X but one are of GB
        countries = ("GB",) if name == CHRX else COUNTRIES
        files[name] = {country: [one for one in mine if one.country == country] for country in countries}
    return files


@pytest.fixture(scope="session")
def counted(shared: Path, nations: Files) -> oracle.Counted:
    """Exact counts at every site of the file of chromosome 22 on GRCh37."""
    people = [one for mine in nations[CHR22_37].values() for one in mine]
    return plain_counts(shared / "data/genomes" / CHR22_37, "GRCh37", people)


@pytest.fixture(scope="session")
def nation_folders(
    shared: Path,
    nations: Files,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """The folder of each nation's node, its data declared open."""
    top = tmp_path_factory.mktemp("nations")
    clinical = shared / "data/cohort_cineca_uk1/individuals.json.gz"
    folders = {}
    for country in COUNTRIES:
        files = {
            shared / "data/genomes" / name: people[country] for name, people in nations.items() if people.get(country)
        }
        folders[country] = top / country
        make_nation(folders[country], country, files, clinical)
    return folders


@pytest.fixture(scope="session")
def open_nations(
    nation_folders: dict[str, Path],
    nations: Files,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Nations]:
    """The network where everything was declared open."""
    top = tmp_path_factory.mktemp("open")
    with (
        serving("node", list(nation_folders.values())) as nodes,
        hub_over(top / "hub", [node.url for node in nodes]) as hub,
    ):
        yield Nations(hub, dict(zip(nation_folders, nodes, strict=True)), nations)


@pytest.fixture(scope="session")
def closed_nations(
    nation_folders: dict[str, Path],
    nations: Files,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Nations]:
    """The network where nothing was declared open."""
    top = tmp_path_factory.mktemp("closed")
    for country, folder in nation_folders.items():
        close_nation(folder, top / country)
    folders = [top / country for country in nation_folders]
    with serving("node", folders) as nodes, hub_over(top / "hub", [node.url for node in nodes]) as hub:
        yield Nations(hub, dict(zip(nation_folders, nodes, strict=True)), nations)
