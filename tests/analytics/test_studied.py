# SPDX-License-Identifier: Apache-2.0
"""The record of who was studied: durable, once for equal sets, and kept apart whatever is begun at the same time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from megagenome.analytics.studied import StudiedPeople, _decode, _encode, _sets
from megagenome.collection import bitmap
from megagenome.collection.scan import PeopleChanged
from megagenome.kernel.errors import NotEntitled
from tests.network.joining import server

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    with server(tmp_path, "org.example.node") as at:
        yield at.engine


def test_sets_of_several_batches_come_back(engine: sa.Engine) -> None:
    everybody = np.arange(bitmap.BATCH * 2 + 7)
    for numbers in (everybody, everybody[::3], everybody[-2:], everybody[:0], np.array([bitmap.BATCH])):
        assert _decode(_encode(numbers)).tolist() == numbers.tolist()


def test_equal_sets_are_kept_once_and_a_run_keeps_its_own(engine: sa.Engine) -> None:
    people, today = StudiedPeople(engine, 10, 2), np.arange(100)
    for run in ("one", "two"):
        people.record(run, people.choose(run, today, begins=True).numbers)
    with engine.connect() as connection:
        assert len(_sets(connection)) == 1
    grown = np.arange(120)
    assert people.choose("one", grown, begins=False).numbers.tolist() == today.tolist(), "as it was begun"
    assert people.choose("three", grown, begins=True).numbers.tolist() == grown.tolist()
    with pytest.raises(PeopleChanged):
        people.choose("one", today[1:], begins=False)
    again = people.choose("one", today[1:], begins=True)
    assert (len(again.numbers), again.held_back) == (89, 10)
    people.forget(["one"])
    assert people.choose("one", grown, begins=False).numbers.tolist() == grown.tolist()


def test_of_two_studies_that_begin_at_once_the_second_chooses_again(engine: sa.Engine) -> None:
    people = StudiedPeople(engine, 10, 100)
    one, other = (people.choose(run, np.arange(size), begins=True) for run, size in (("one", 100), ("other", 101)))
    people.record("one", one.numbers)
    with pytest.raises(PeopleChanged, match="meanwhile"):
        people.record("other", other.numbers)
    again = people.choose("other", np.arange(101), begins=True)
    assert (again.numbers.tolist(), again.held_back) == (one.numbers.tolist(), 1)


def test_a_smaller_node_than_before_is_compared_with_all_who_were_studied(engine: sa.Engine) -> None:
    """Somebody in a batch that nobody of today is in counts as a difference."""
    people = StudiedPeople(engine, 10, 100)
    people.record("one", np.append(np.arange(50), bitmap.BATCH + 1))
    assert people.choose("two", np.arange(50), begins=True).held_back == 10


def test_no_more_sets_than_may_be(engine: sa.Engine) -> None:
    people = StudiedPeople(engine, 10, 1)
    people.record("one", np.arange(100))
    people.record("two", np.arange(100))
    with pytest.raises(NotEntitled, match=r"analytics\.most_cohorts"):
        people.record("three", np.arange(200))
