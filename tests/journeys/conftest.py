# SPDX-License-Identifier: Apache-2.0
"""Networks that several stories share. Each is made once; what a story changes it makes for itself."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.delivery.world import World, copy_of, make_world, paths
from tests.journeys.nations import CHR22_37, CHRX, close_nation, make_nation, members
from tests.journeys.network import Served, hub_over, serving
from tests.journeys.permit_node import serving_at_its_address
from tests.journeys.small import make_small
from tests.oracles import genotypes as oracle
from tests.oracles.real_genomes import COUNTRIES, FILES, panel, plain_counts

Files = dict[str, dict[str, list[oracle.Someone]]]
"""By file and country, the people whom each node holds."""


class Nations(NamedTuple):
    """Four nodes with real genomes and the hub over them; `people` of each file by country."""

    hub: Served
    nodes: dict[str, Served]
    people: Files


class Small(NamedTuple):
    """Two small nodes, FI and EE, and the hub over them. No story may stop or change them."""

    hub: Served
    node: Served


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """A network that is made in seconds, for stories that are not about numbers."""
    top = tmp_path_factory.mktemp("small")
    folders = [make_small(top / country, country) for country in ("FI", "EE")]
    with serving("node", folders) as nodes, hub_over(top / "hub", [node.url for node in nodes]) as hub:
        yield Small(hub, nodes[0])


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
    folders = list(nation_folders.values())
    with network_of(folders, tmp_path_factory.mktemp("open") / "hub", nations) as network:
        yield network


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
    with network_of(folders, top / "hub", nations) as network:
        yield network


@contextlib.contextmanager
def network_of(folders: Sequence[Path], hub_folder: Path, nations: Files) -> Iterator[Nations]:
    """The nodes of these folders, which are called as their country, and a hub over them."""
    with serving("node", folders) as nodes, hub_over(hub_folder, [node.url for node in nodes]) as hub:
        yield Nations(hub, {node.folder.name: node for node in nodes}, nations)


@pytest.fixture(scope="session")
def delivery_world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """The folder of a node with files and slices to give out, which nobody serves, and what is in it."""
    folder = tmp_path_factory.mktemp("delivery") / "node"
    return folder, make_world(folder)


@pytest.fixture(scope="session")
def delivering(delivery_world: tuple[Path, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A copy of it that is served, and that nothing changes."""
    with serving_at_its_address(copy_of(delivery_world[0], tmp_path_factory.mktemp("served") / "node")) as served:
        yield served


@pytest.fixture
def own(delivery_world: tuple[Path, World], tmp_path: Path) -> Iterator[Served]:
    """The same as a test's own node, which it may change."""
    with serving_at_its_address(copy_of(delivery_world[0], tmp_path / "node")) as served:
        yield served


@pytest.fixture
def world(delivery_world: tuple[Path, World]) -> World:
    """What is in it."""
    return delivery_world[1]


@pytest.fixture
def plain(delivery_world: tuple[Path, World]) -> Path:
    """The plain files that it was made of."""
    return paths(delivery_world[0])
