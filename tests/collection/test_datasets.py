# SPDX-License-Identifier: Apache-2.0
"""A dataset's one state, and what a holder may state of it."""

import itertools

import pytest
import sqlalchemy as sa

from megagenome.collection.datasets import DatasetStatement, move_dataset, state_dataset
from megagenome.collection.model import DatasetState
from megagenome.collection.publication import write_record
from megagenome.collection.tables import collection_version, dataset
from megagenome.kernel.errors import Conflict, Invalid, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.synthetic.governance import made_up_record

ONE = DatasetId("ONE")
DRAFT, APPROVED, PUBLISHED, WITHDRAWN = DatasetState
ALLOWED = {
    (DRAFT, APPROVED),
    (DRAFT, WITHDRAWN),
    (APPROVED, PUBLISHED),
    (APPROVED, DRAFT),
    (APPROVED, WITHDRAWN),
    (PUBLISHED, WITHDRAWN),
    (WITHDRAWN, APPROVED),
}


@pytest.fixture
def one(connection: sa.Connection) -> sa.Connection:
    """A node with one dataset, a draft."""
    connection.execute(sa.insert(collection_version).values(version=7))
    assert state_dataset(connection, DatasetStatement(ONE, title="First")) == 0
    return connection


@pytest.fixture
def governed(one: sa.Connection) -> sa.Connection:
    """The same with its governance on record."""
    write_record(one, ONE, made_up_record(ONE), "steward")
    one.execute(sa.update(collection_version).values(version=7))
    return one


def put(connection: sa.Connection, state: DatasetState) -> None:
    connection.execute(sa.update(dataset).values(state=state))


def recorded(connection: sa.Connection) -> tuple[str, int]:
    return connection.scalar(sa.select(dataset.c.state)), connection.scalar(sa.select(collection_version.c.version))


@pytest.mark.parametrize(("before", "to"), list(itertools.product(DatasetState, DatasetState)))
def test_a_dataset_moves_only_along_its_states(governed: sa.Connection, before: DatasetState, to: DatasetState) -> None:
    put(governed, before)
    if before is to:
        assert move_dataset(governed, ONE, to) is before
        assert recorded(governed) == (before, 7)
    elif (before, to) in ALLOWED:
        assert move_dataset(governed, ONE, to) is before
        assert recorded(governed) == (to, 8)
    else:
        with pytest.raises(Conflict, match=f"dataset ONE is {before} and cannot become {to}; it can become "):
            move_dataset(governed, ONE, to)
        assert recorded(governed) == (before, 7)


def test_a_dataset_that_is_not_there_is_not_moved(one: sa.Connection) -> None:
    with pytest.raises(NotFound, match="there is no dataset TWO"):
        move_dataset(one, DatasetId("TWO"), APPROVED)


@pytest.mark.parametrize("before", [DRAFT, APPROVED, PUBLISHED])
def test_a_load_may_publish_at_once(governed: sa.Connection, before: DatasetState) -> None:
    put(governed, before)
    assert state_dataset(governed, DatasetStatement(ONE, publish=True)) == 0
    assert recorded(governed)[0] == PUBLISHED


def test_a_load_may_bring_the_record_that_it_publishes_with(one: sa.Connection) -> None:
    two = DatasetId("TWO")
    assert state_dataset(one, DatasetStatement(two, publish=True, record=made_up_record(two), by="loader")) == 1
    state, since = one.execute(sa.select(dataset.c.state, dataset.c.published).where(dataset.c.id == two)).one()
    assert state == PUBLISHED
    assert since


def test_a_load_does_not_bring_back_what_was_withdrawn(one: sa.Connection) -> None:
    put(one, WITHDRAWN)
    with pytest.raises(Conflict, match="dataset ONE is withdrawn"):
        state_dataset(one, DatasetStatement(ONE, publish=True))
    state_dataset(one, DatasetStatement(ONE))
    assert recorded(one)[0] == WITHDRAWN


def test_what_is_left_out_stays_and_what_differs_is_refused(one: sa.Connection) -> None:
    assert state_dataset(one, DatasetStatement(ONE, title="First", open=False, floor=10)) == 0
    others = {"title": "Other", "description": "more", "open": True, "floor": 20, "collection_year": 2024}
    for other in ({field: stated} for field, stated in others.items()):
        with pytest.raises(Conflict, match=f"{next(iter(other))} is recorded as"):
            state_dataset(one, DatasetStatement(ONE, **other))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("is_open", "floor", "least"), [(None, None, 10), (False, 25, 25), (True, None, 0), (True, 3, 3), (True, 10, 10)]
)
def test_the_floor_is_ten_unless_the_data_are_open(
    one: sa.Connection, is_open: bool | None, floor: int | None, least: int
) -> None:
    number = state_dataset(one, DatasetStatement(DatasetId("TWO"), open=is_open, floor=floor))
    assert number == 1
    assert one.scalar(sa.select(dataset.c.floor).where(dataset.c.number == number)) == least


@pytest.mark.parametrize(("is_open", "floor"), [(None, 9), (False, 0), (True, -1)])
def test_a_lower_floor_is_refused(one: sa.Connection, is_open: bool | None, floor: int) -> None:
    with pytest.raises(Invalid, match="the least is 10"):
        state_dataset(one, DatasetStatement(DatasetId("TWO"), open=is_open, floor=floor))
