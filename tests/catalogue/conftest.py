# SPDX-License-Identifier: Apache-2.0
"""A node with an open dataset and one that is not, as the catalogue reads it."""

import functools
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.catalogue.catalogue import Catalogue
from megagenome.catalogue.preview import Previews
from megagenome.catalogue.steward import Stewardship
from megagenome.collection import Collection
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.people import YES
from megagenome.discovery.answer import Beacon
from megagenome.discovery.foresee import foresee
from megagenome.discovery.settings import DiscoverySettings
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.ids import DatasetId
from megagenome.standards.catalogue_pages import Answers
from tests.catalogue.samples import CLOSED, DRAFT, OPEN, PLACE
from tests.collection import clocks
from tests.collection.conftest import no_ontology
from tests.discovery.fake import IDENTITY, FakeReference
from tests.kernel.postgres import new_database
from tests.kernel.records import are_files

COUNTED: list[tuple[str | None, tuple[DatasetId, ...]]] = []
"""What the ledger was told of."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 people in an open dataset, published; 40 others in one that is not, a draft without a record, and 5 in another
    such draft. To be copied only."""
    folder = tmp_path_factory.mktemp("catalogue") / "node"
    fill(Collection.create(folder, no_ontology))
    return folder


@pytest.fixture(scope="session")
def made_on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres_server: sa.URL) -> tuple[Path, sa.URL]:
    """The same, and where its records are."""
    folder, url = tmp_path_factory.mktemp("catalogue") / "node", new_database(postgres_server)
    fill(Collection.create(folder, no_ontology, url))
    return folder, url


def fill(made: Collection) -> None:
    """Load them, and close it."""
    statements = (
        (DatasetStatement(OPEN, open=True, publish=True), range(20)),
        (DatasetStatement(CLOSED, title="A cohort"), range(20, 60)),
        (DatasetStatement(DRAFT), range(60, 65)),
    )
    for statement, people in statements:
        load(made, statement, clocks.table(dict.fromkeys(people, YES)), [clocks.source_of(people)], "GRCh38")
    made.close()


@pytest.fixture
def collection(made: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Collection]:
    """A copy of it, where the fixture `database` says."""
    url = None
    if not are_files():
        made, template = request.getfixturevalue("made_on_postgres")
        url = new_database(template, str(template.database))
    shutil.copytree(made, tmp_path / "node")
    opened = Collection.open_folder(tmp_path / "node", no_ontology, url)
    yield opened
    opened.close()


@pytest.fixture
def catalogue(collection: Collection) -> Catalogue:
    beacon = Beacon(collection, FakeReference(), IDENTITY, DiscoverySettings())
    COUNTED.clear()
    count = functools.partial(beacon.people_told, PUBLIC)
    return Catalogue(collection, PLACE, count, lambda subject, told: COUNTED.append((subject, tuple(told))))


@pytest.fixture
def previews(collection: Collection) -> Previews:
    settings = DiscoverySettings()

    def people(supposed: Collection) -> Mapping[DatasetId, int]:
        return Beacon(supposed, FakeReference(), IDENTITY, settings).people_told(PUBLIC)

    def answers(supposed: Collection, dataset: DatasetId) -> Answers:
        told = foresee(supposed, dataset, settings.floor, lambda: None)
        [known] = (each for each in supposed.published if each.id == dataset)
        alleles = told.alleles or (None, None)
        tiers = known.alleles_tier, known.people_tier
        return Answers(
            told.floor, *tiers, known.individuals, told.people_told, *alleles, told.terms, told.terms_held_back, 2, 3
        )

    return Previews(collection, PLACE, people, answers)


@pytest.fixture
def stewardship(collection: Collection) -> Stewardship:
    return Stewardship(collection, PLACE)
