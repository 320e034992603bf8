# SPDX-License-Identifier: Apache-2.0
"""What is read by a permit: whose records, under what names, and that it follows consent and permit within a second."""

import inspect
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.acts import Act, say
from megagenome.collection.cohort import EVERYONE, FromCountry, HasSex, InDataset
from megagenome.collection.collection import Collection
from megagenome.collection.individual_records import IndividualRecord
from megagenome.collection.load import load
from megagenome.collection.model import Asked, Sex, Use
from megagenome.collection.people import YES
from megagenome.collection.permit_reading import AlleleCalls, PermitReading
from megagenome.collection.permits import change_permit, store_permit
from megagenome.collection.reading import Reading
from megagenome.kernel import clock
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import NotEntitled, Unavailable
from megagenome.kernel.ids import IndividualId, PermitId
from megagenome.standards.permit import PermitState
from tests.collection import clocks
from tests.collection.clocks import ALICE, CLOSED, MALLORY, OPEN, OTHER
from tests.oracles import genotypes as oracle

ONE, TWO = PermitId("permit-1"), PermitId("permit-2")
PEOPLE = range(40)
ON_22, ON_X = (Allele("GRCh38", contig, start, ref, alts[0]) for contig, start, ref, alts in clocks.RECORDS)
WITHDRAWN_S = 1.0
"""The promise: a reading that is under way follows a withdrawal or a revocation within this time."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty people in a dataset; two permits of Alice's for them, one of these for a second dataset, too."""
    folder = tmp_path_factory.mktemp("made") / "node"
    collection = Collection.create(folder, lambda _: None)
    for dataset, some in ((CLOSED, PEOPLE), (OTHER, range(10, 30)), (OPEN, range(40, 45))):
        consents = dict.fromkeys(some, YES)
        load(collection, clocks.statement(dataset), clocks.table(consents), [clocks.source_of(some)], "GRCh38")
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(ONE))
        store_permit(connection, clocks.permit(TWO, [CLOSED, OTHER]))
    collection.close()
    return folder


@pytest.fixture
def node(made: Path, copy_of: Callable[[Path], Collection]) -> Collection:
    """The same, the test's own."""
    collection = copy_of(made)
    collection.journal = clocks.NoJournal()
    return collection


def opened(node: Collection, permit: PermitId = ONE) -> PermitReading:
    return node.open(ALICE, Use.RESEARCH, permit=permit)


def leave(node: Collection, number: int) -> None:
    say(node, IndividualId(f"I{number}"), Act.WITHDRAW, by="desk", longest_delay_days=30)


def born(records: tuple[IndividualRecord, ...]) -> set[int]:
    """Which people of the pool these are."""
    return {(record.birth_year or 0) - 1900 for record in records}


def test_a_reading_without_a_permit_has_nothing_of_individuals(node: Collection) -> None:
    own = {name for name, _ in inspect.getmembers(PermitReading)} - {name for name, _ in inspect.getmembers(Reading)}
    public = {name for name in own if not name.startswith("_")}
    asks = {"individuals", "individual_ids", "calls", "values", "alleles", "genotyped", "scan", "admit", "slice"}
    assert public == asks | {"still_valid", "require_all"}
    for caller in (PUBLIC, MALLORY, ALICE):
        for asked in Asked:
            reading = node.open(caller, Use.AGGREGATES, asked=asked)
            assert type(reading) is Reading
            assert not any(hasattr(reading, name) for name in public)


def test_records_are_what_was_loaded_under_other_names(node: Collection) -> None:
    reading = opened(node, TWO)
    records = reading.individuals(0, 100)
    assert born(records) == set(PEOPLE)
    for record in records:
        number = (record.birth_year or 0) - 1900
        one = clocks.someone(number)
        assert (record.sex, record.country, record.population) == (one.sex, one.country, one.population)
        assert record.datasets == ((CLOSED, OTHER) if 10 <= number < 30 else (CLOSED,))
    assert [record.id for record in records] == sorted(reading.individual_ids)
    pages = [record for offset in range(0, 40, 7) for record in reading.individuals(offset, 7)]
    assert pages == list(records)


def test_two_permits_have_no_name_and_no_order_in_common(node: Collection) -> None:
    first, second = opened(node, ONE).individuals(0, 100), opened(node, TWO).individuals(0, 100)
    assert not {record.id for record in first} & {record.id for record in second}
    assert [record.birth_year for record in first] != [record.birth_year for record in second]
    assert [record.birth_year for record in first] != sorted(record.birth_year or 0 for record in first)
    assert [record.id for record in opened(node, ONE).individuals(0, 100)] == [record.id for record in first]


@pytest.mark.parametrize("allele", [ON_22, ON_X])
def test_calls_are_what_was_loaded(node: Collection, allele: Allele) -> None:
    reading = opened(node, TWO)
    numbers = {record.id: (record.birth_year or 0) - 1900 for record in reading.individuals(0, 100)}
    rows = list(reading.calls(allele))
    assert [row.dataset for row in rows] == [CLOSED, OTHER]
    for row, dataset_people in zip(rows, (PEOPLE, range(10, 30)), strict=True):
        for name, copies, called in zip(reading.individual_ids, row.copies, row.called, strict=True):
            number = numbers[name]
            expected = (0, 0)
            if number in dataset_people:
                sex = clocks.someone(number).sex
                call = clocks.calls(number)[(ON_22, ON_X).index(allele)]
                alleles = oracle.called_alleles(
                    call, oracle.copies_expected("GRCh38", allele.contig, allele.start, sex)
                )
                expected = alleles.count(1), len(alleles)
            assert (copies, called) == expected, (number, row.dataset)


def test_calls_of_a_region_are_in_order_and_of_the_datasets_named(node: Collection) -> None:
    rows = list(opened(node, TWO).calls(Region("GRCh38", "22", 0, 1000)))
    assert [(row.allele, row.dataset) for row in rows] == [(ON_22, CLOSED), (ON_22, OTHER)]
    assert [row.dataset for row in opened(node, TWO).calls(ON_22, {OTHER})] == [OTHER]


def test_a_cohort_only_narrows_the_permits_own(node: Collection) -> None:
    with node.engine.begin() as connection:
        store_permit(connection, clocks.permit("women", cohort=HasSex(Sex.FEMALE)))
    for cohort, expected in (
        (EVERYONE, {n for n in PEOPLE if n % 2 == 0}),
        (HasSex(Sex.MALE), set()),
        (FromCountry("EE"), {n for n in PEOPLE if n % 2 == 0 and clocks.someone(n).country == "EE"}),
        (InDataset(OTHER), set()),  # not of this permit: as if it did not exist
    ):
        reading = node.open(ALICE, Use.RESEARCH, cohort, permit=PermitId("women"))
        assert born(reading.individuals(0, 100)) == expected
        counted = reading.count_people()
        assert (counted.members.tolist(), counted.totals.tolist()) == ([len(expected)], [20])


def test_who_withdraws_from_a_use_is_gone_from_it_and_stays_in_public_until_the_release(node: Collection) -> None:
    public = node.open(MALLORY, Use.AGGREGATES).count_people().members.tolist()
    reading = opened(node)
    names = reading.individual_ids
    leave(node, 3)
    assert born(reading.individuals(0, 100)) == set(PEOPLE) - {3} == born(opened(node).individuals(0, 100))
    assert len(names) == 40 == len(reading.individual_ids)
    assert reading.count_people().distinct == 39
    assert [int((row.called > 0).sum()) for row in reading.calls(ON_22)] == [39]
    node.refresh()
    assert node.open(MALLORY, Use.AGGREGATES).count_people().members.tolist() == public


def end_permit(node: Collection) -> None:
    with node.engine.begin() as connection:
        change_permit(connection, ONE, PermitState.REVOKED, "a breach", sequence=1)


def pages(reading: PermitReading) -> Iterator[set[int]]:
    while True:
        yield born(reading.individuals(0, 100))


def rows(reading: PermitReading, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """One long answer: the same row again and again."""
    row, names = reading._rows(ON_22, None)[0][0], (ON_22, 0)
    allele = [Allele("GRCh38", "22", start, "A", "C") for start in range(200_000)]
    monkeypatch.setattr(reading, "_rows", lambda *_: ([row] * len(allele), [(each, names[1]) for each in allele]))
    for each in reading.calls(ON_22):
        yield int((each.called > 0).sum())


def follow(steps: Iterator[object], was: object, becomes: object, act: Callable[[], None]) -> float:
    """Seconds from the end of an act in another thread until the reading shows it; `becomes` None: until it stops."""
    done: list[float] = []
    assert next(steps) == was

    def run() -> None:
        time.sleep(0.3)
        act()
        done.append(time.monotonic())

    other = threading.Thread(target=run)
    other.start()
    try:
        for each in steps:
            if each == becomes and becomes is not None:
                break
            assert each == was
        else:
            pytest.fail("the reading was over before it showed what was done")
    except NotEntitled:
        assert becomes is None
    seen = time.monotonic()
    other.join()
    return seen - done[0]


@pytest.mark.promise
def test_a_reading_under_way_follows_a_withdrawal(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody = set(PEOPLE)
    assert follow(pages(opened(node)), everybody, everybody - {3}, lambda: leave(node, 3)) < WITHDRAWN_S
    assert follow(rows(opened(node), monkeypatch), 39, 38, lambda: leave(node, 4)) < WITHDRAWN_S


def test_a_long_page_follows_what_happens_while_it_is_read(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "megagenome.collection.permit_reading"
    monkeypatch.setattr(f"{module}._CHECK_S", 0.0)
    monkeypatch.setattr(f"{module}._AT_ONCE", 10)
    happens = [lambda: None, lambda: leave(node, 3), lambda: end_permit(node)]
    read = PermitReading._datasets_of

    def slow(reading: PermitReading, number: int, members: tuple[bitmap.Planes, ...]) -> object:
        if number == 39:  # of the last ten
            happens.pop(0)()
        return read(reading, number, members)

    monkeypatch.setattr(PermitReading, "_datasets_of", slow)
    assert born(opened(node).individuals(0, 100)) == set(PEOPLE)
    assert born(opened(node).individuals(0, 100)) == set(PEOPLE) - {3}
    with pytest.raises(NotEntitled, match="revoked"):
        opened(node).individuals(0, 100)


@pytest.mark.promise
def test_a_reading_under_way_stops_with_its_permit(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = opened(node)
    assert follow(rows(opened(node), monkeypatch), 40, None, lambda: end_permit(node)) < WITHDRAWN_S
    for ask in (reading.individuals, reading.count_people, reading.terms, lambda: reading.calls(ON_22)):
        with pytest.raises(NotEntitled, match="it is revoked: a breach"):
            ask()


def test_a_reading_under_way_ends_with_its_permits_last_day(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = opened(node)
    ends = reading.permit.expires
    monkeypatch.setattr(clock, "now", lambda: ends)
    with pytest.raises(NotEntitled, match="it ended at"):
        reading.individuals()


def test_a_count_that_is_overtaken_begins_again(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = opened(node)
    monkeypatch.setattr("megagenome.collection.permit_reading._CHECK_S", 0.0)
    first = reading._count_people_of
    steps: list[int] = []

    def slow(*asked: object) -> object:
        if not steps:
            leave(node, 3)
        steps.append(1)
        return first(*asked)

    monkeypatch.setattr(reading, "_count_people_of", slow)
    counts = reading.count_alleles(ON_22)
    assert int(counts.an.sum()) == 2 * 39
    assert len(steps) == 2


CHILD = """
import sys, time
from pathlib import Path
from megagenome.collection.acts import Act, say
from megagenome.collection.collection import Collection
collection = Collection.open_folder(Path(sys.argv[1]), lambda _: None)
sys.stdin.readline()
say(collection, "I3", Act.OPT_OUT, by="desk", longest_delay_days=30)
print(time.time(), flush=True)
"""


@pytest.mark.promise
def test_a_withdrawal_in_another_process_is_followed(node: Collection) -> None:
    command = [sys.executable, "-c", CHILD, str(node.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        reading = opened(node)
        assert child.stdin
        assert child.stdout
        child.stdin.write("\n")
        child.stdin.flush()
        deadline = time.time() + 60
        while 3 in born(reading.individuals(0, 100)):
            assert time.time() < deadline
        seen = time.time()
        assert seen - float(child.stdout.readline()) < WITHDRAWN_S
    assert child.returncode == 0
    assert born(opened(node).individuals(0, 100)) == set(PEOPLE) - {3}


def test_callers_are_told_apart_by_their_whole_subject(node: Collection) -> None:
    with pytest.raises(NotEntitled):
        node.open(Caller("alice@example.org "), Use.RESEARCH, permit=ONE)


def test_rows_have_the_shape_that_they_state(node: Collection) -> None:
    [row] = opened(node).calls(ON_22)
    assert isinstance(row, AlleleCalls)
    assert row.copies.dtype == row.called.dtype == np.int8
    assert row.copies.shape == row.called.shape == (40,)


def test_opening_asks_the_database_once_whether_the_permit_holds(node: Collection) -> None:
    """In the transaction in which it asks who consents: both are of one moment, and nothing is paid twice."""
    asked: list[str] = []
    node.snapshot()
    sa.event.listen(node.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    node.open(ALICE, Use.RESEARCH, permit=ONE)
    assert sum("FROM permit " in " ".join(each.split()) for each in asked) == 1
    assert asked.count("BEGIN") == 1
    assert len(asked) <= 8


def test_a_node_that_does_not_hear_its_hub_opens_nothing(node: Collection) -> None:
    def silent() -> None:
        raise Unavailable("the hub is silent")

    node.require_fresh = silent
    with pytest.raises(Unavailable, match="the hub is silent"):
        node.open(ALICE, Use.RESEARCH, permit=ONE)
    with pytest.raises(NotEntitled):
        node.open(MALLORY, Use.RESEARCH, permit=ONE)
