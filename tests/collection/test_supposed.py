# SPDX-License-Identifier: Apache-2.0
"""What is supposed of a dataset is what publishing it makes of it, but for the moment; and it is supposed only."""

import pytest
from msgspec.structs import replace

from megagenome.collection.collection import Collection
from megagenome.collection.datasets import move_dataset
from megagenome.collection.model import Dataset, DatasetState, Use
from megagenome.collection.publication import write_record
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Unavailable
from megagenome.standards.dataset_record import RecordVersion
from megagenome.synthetic.governance import made_up_record
from tests.catalogue.conftest import collection, made  # noqa: F401 - fixtures
from tests.catalogue.samples import CLOSED, OPEN

RECORD = made_up_record(CLOSED, "Another title", country="EE")


def of(collection: Collection) -> Dataset:  # noqa: F811 - the fixture
    return next(each for each in collection.snapshot().datasets if each.id == CLOSED)


def undated(dataset: Dataset) -> Dataset:
    return replace(dataset, updated="", published="", recorded="")


def test_it_is_what_publication_makes_of_it(collection: Collection) -> None:  # noqa: F811 - the fixture
    supposed = collection.as_if_published(CLOSED, RecordVersion(1, False, "x", "2026-01-01", RECORD))
    with begin_writing(collection.engine) as connection:
        write_record(connection, CLOSED, RECORD, "x")
        move_dataset(connection, CLOSED, DatasetState.APPROVED)
        move_dataset(connection, CLOSED, DatasetState.PUBLISHED)
    collection.refresh()
    assert undated(of(supposed)) == undated(of(collection))
    assert of(supposed).published


def test_nothing_else_is_other_than_it_is(collection: Collection) -> None:  # noqa: F811 - the fixture
    before = collection.snapshot()
    supposed = collection.as_if_published(CLOSED)
    assert {each.id for each in supposed.published} == {CLOSED, OPEN}
    assert {each.id for each in collection.published} == {OPEN}
    assert [each.id for each in supposed.open(PUBLIC, Use.AGGREGATES).datasets] == [OPEN]  # its people's tier stays
    with begin_writing(collection.engine) as connection:
        move_dataset(connection, OPEN, DatasetState.WITHDRAWN)
    assert {each.id for each in supposed.published} == {CLOSED, OPEN}
    assert supposed.version == before.version
    with pytest.raises(Unavailable):
        supposed.open_data(PUBLIC, OPEN)
