# SPDX-License-Identifier: Apache-2.0
"""Collections to test on. Making one migrates a database (0.3 s), so an empty one is made once and copied."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.collection.collection import Collection
from megagenome.collection.tables import collection_version
from tests.collection.memory import empty_tables
from tests.kernel.records import are_files, open_records


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
def copy_of(tmp_path: Path) -> Iterator[Callable[[Path], Collection]]:
    """Opens a copy of a collection's folder at each call; all are closed after the test."""
    opened: list[Collection] = []

    def copy(made: Path) -> Collection:
        folder = tmp_path / f"node{len(opened)}"
        shutil.copytree(made, folder)
        opened.append(Collection.open_folder(folder, no_ontology))
        return opened[-1]

    yield copy
    for collection in opened:
        collection.close()


@pytest.fixture
def new_collection(empty_collection: Path, copy_of: Callable[[Path], Collection]) -> Callable[[], Collection]:
    """Makes an empty collection at each call."""
    return lambda: copy_of(empty_collection)


@pytest.fixture
def collection(new_collection: Callable[[], Collection]) -> Collection:
    """An empty collection."""
    return new_collection()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sa.Connection]:
    """A transaction on empty tables, in memory or where the fixture `database` says."""
    if are_files():
        with empty_tables() as connection:
            yield connection
        return
    with open_records(tmp_path / "node.sqlite").connect() as connection, connection.begin() as transaction:
        connection.execute(sa.delete(collection_version))  # which a migration begins
        yield connection
        transaction.rollback()
