# SPDX-License-Identifier: Apache-2.0
"""Releases: what they change, when they must, and what publishing waits for. Random days: test_two_clocks.py."""

import sys
from datetime import timedelta

import msgspec
import pytest

from megagenome.collection.acts import Act, say
from megagenome.collection.collection import Collection
from megagenome.collection.datasets import move_dataset
from megagenome.collection.load import load
from megagenome.collection.manifest import writing_alone
from megagenome.collection.model import DatasetState, Stratum, Use
from megagenome.collection.people import YES, People
from megagenome.collection.release import DatasetRelease, release
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import Conflict
from megagenome.kernel.ids import Country, DatasetId, IndividualId
from tests.collection import clocks
from tests.collection.clocks import CLOSED, OPEN

REGISTERED = Caller("carol", registered=True)


def fill(collection: Collection, dataset: str, people: range, **other: object) -> None:
    statement = msgspec.structs.replace(clocks.statement(dataset), **other)
    load(collection, statement, clocks.table(dict.fromkeys(people, YES)), [clocks.source_of(people)], "GRCh38")


def leave(collection: Collection, number: int) -> None:
    say(collection, IndividualId(f"I{number}"), Act.WITHDRAW, by="desk", longest_delay_days=30)


def told(collection: Collection) -> list[int]:
    collection.refresh()
    return collection.open(REGISTERED, Use.AGGREGATES).count_people().members.tolist()


def test_who_withdrew_from_open_data_leaves_with_the_next_release(collection: Collection) -> None:
    fill(collection, OPEN, range(20))
    leave(collection, 3)
    assert told(collection) == [20]
    report = release(collection)
    assert (report.done, report.recounted) == (True, 2)
    assert report.datasets == (DatasetRelease(OPEN, 19, 0, 1, 0, 0),)
    assert told(collection) == [19]


def test_a_few_wait_until_they_must_leave(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(collection, CLOSED, range(60))
    leave(collection, 3)
    assert release(collection, longest_delay_days=30).datasets == (DatasetRelease(CLOSED, 60, 0, 0, 0, 1),)
    assert told(collection) == [60]
    later = clock.now() + timedelta(days=30)
    monkeypatch.setattr(clock, "now", lambda: later)
    [done] = release(collection, longest_delay_days=30).datasets
    assert (done.entered, done.leaving) == (0, 0)
    assert done.left >= 10
    assert done.waiting == done.left - 1
    assert told(collection) == [60 - done.left]


def test_who_withdrew_while_the_clock_was_ahead_leaves_all_the_same(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(collection, CLOSED, range(60))
    with monkeypatch.context() as patched:
        ahead = clock.now() + timedelta(days=3650)
        patched.setattr(clock, "now", lambda: ahead)
        leave(collection, 3)
    [done] = release(collection, longest_delay_days=30).datasets
    assert (done.leaving, done.left >= 10) == (0, True)


def test_enough_leave_with_the_next_release(collection: Collection) -> None:
    fill(collection, CLOSED, range(60))
    leaving = [n for n in range(60) if clocks.someone(n).population == "north" and n % 2 == 0][:10]
    for number in leaving:
        leave(collection, number)
    assert release(collection).datasets == (DatasetRelease(CLOSED, 50, 0, 10, 0, 0),)


def test_a_dry_run_says_and_changes_nothing(collection: Collection) -> None:
    fill(collection, OPEN, range(20))
    leave(collection, 3)
    files = sorted(collection.folder.rglob("*.counts"))
    report = release(collection, dry_run=True)
    assert (report.done, report.recounted, report.datasets[0].left) == (False, 2, 1)
    assert told(collection) == [20]
    assert sorted(collection.folder.rglob("*.counts")) == files


def test_a_release_with_nothing_to_do_leaves_everything(collection: Collection) -> None:
    fill(collection, CLOSED, range(30))
    version = collection.version
    report = release(collection)
    assert (report.done, report.recounted) == (True, 0)
    collection.refresh()
    assert collection.version == version


def test_new_people_who_are_few_wait_for_others(collection: Collection) -> None:
    fill(collection, CLOSED, range(40))
    few = load(
        collection, clocks.statement(CLOSED), clocks.table({40: YES, 41: YES}), [clocks.source_of([40, 41])], "GRCh38"
    )
    assert few.waiting == 2
    assert told(collection) == [40]
    # a loaded group of ten brings along those of its own kind who waited
    fill(collection, CLOSED, range(42, 64))
    assert told(collection)[0] > 40


def test_a_dataset_that_is_not_told_follows_at_once(collection: Collection) -> None:
    fill(collection, CLOSED, range(20), publish=False)
    fill(collection, CLOSED, range(20, 22), publish=False)
    leave(collection, 3)
    with pytest.raises(Conflict, match="node release"):
        publish(collection)
    assert release(collection).datasets == (DatasetRelease(CLOSED, 21, 0, 1, 0, 0),)
    publish(collection)
    assert told(collection) == [21]


def publish(collection: Collection) -> None:
    with collection.engine.begin() as connection:
        for state in (DatasetState.APPROVED, DatasetState.PUBLISHED):
            move_dataset(connection, DatasetId(CLOSED), state)


def test_what_was_told_before_a_dataset_was_withdrawn_is_remembered(collection: Collection) -> None:
    fill(collection, CLOSED, range(60))
    with collection.engine.begin() as connection:
        move_dataset(connection, DatasetId(CLOSED), DatasetState.WITHDRAWN)
    leave(collection, 3)
    [done] = release(collection).datasets
    assert (done.leaving, done.left >= 10) == (0, True)


def test_somebody_withdraws_while_a_load_would_newly_tell_of_them(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(collection, CLOSED, range(30))
    write = sys.modules[load.__module__]._write_sources

    def slow(*asked: object) -> object:
        leave(collection, 3)
        return write(*asked)

    monkeypatch.setattr("megagenome.collection.load._write_sources", slow)
    with pytest.raises(Conflict, match="no longer consent"):
        fill(collection, OPEN, range(20))
    monkeypatch.undo()
    assert [each.id for each in collection.open(REGISTERED, Use.AGGREGATES).datasets] == [CLOSED]
    fill(collection, OPEN, range(20))
    assert told(collection) == [30, 19]


def test_a_person_who_moves_to_another_stratum_is_covered(collection: Collection) -> None:
    people = [n for n in range(64) if clocks.someone(n).country == "EE"][:48]
    persons = [msgspec.structs.replace(clocks.as_person(n, YES), population="") for n in people]
    load(collection, clocks.statement(CLOSED), People(persons, {}, {}), [clocks.source_of(people)], "GRCh38")
    before = by_stratum(collection)
    recorded = msgspec.structs.replace(persons[0], population="Sami")
    load(collection, clocks.statement("MORE"), People([recorded], {}, {}))
    after = by_stratum(collection)
    differing = {stratum: before.get(stratum, 0) - after.get(stratum, 0) for stratum in before.keys() | after.keys()}
    mine = Stratum(Country("EE"), "", recorded.sex)
    assert differing[mine] >= 10
    assert sum(differing.values()) >= 10  # in the country, too, whether or not the one counts among the Sami
    assert {n for stratum, n in differing.items() if stratum != mine} <= {-1, 0}


def by_stratum(collection: Collection) -> dict[Stratum, int]:
    """People of each stratum in the public numbers, by their called alleles."""
    collection.refresh()
    reading = collection.open(REGISTERED, Use.AGGREGATES)
    called = reading.count_alleles(Region("GRCh38", "22", 0, 1000)).an[0].tolist()
    return {stratum: an // 2 for stratum, an in zip(reading.strata, called, strict=True)}


def test_one_release_at_a_time(collection: Collection) -> None:
    with writing_alone(collection.folder), pytest.raises(Conflict, match="another load or release"):
        release(collection)
