# SPDX-License-Identifier: Apache-2.0
"""Collections to test on. Making one migrates a database (0.3 s), so an empty one is made once and copied."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.collection.collection import Collection
from megagenome.collection.tables import METADATA
from megagenome.kernel.database import open_database


def no_ontology(_curie: str) -> None:
    """A collection without ontologies: every CURIE is kept flat."""
    return


@pytest.fixture(scope="session")
def empty_collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty collection, to be copied only."""
    folder = tmp_path_factory.mktemp("empty") / "node"
    Collection.create(folder, no_ontology).close()
    return folder


@pytest.fixture
def new_collection(empty_collection: Path, tmp_path: Path) -> Iterator[Callable[[], Collection]]:
    """Makes an empty collection at each call; all are closed after the test."""
    made: list[Collection] = []

    def make() -> Collection:
        folder = tmp_path / f"node{len(made)}"
        shutil.copytree(empty_collection, folder)
        made.append(Collection.open_folder(folder, no_ontology))
        return made[-1]

    yield make
    for collection in made:
        collection.close()


@pytest.fixture
def collection(new_collection: Callable[[], Collection]) -> Collection:
    """An empty collection."""
    return new_collection()


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    """A transaction on empty tables in memory."""
    engine = open_database("sqlite://")
    METADATA.create_all(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()
