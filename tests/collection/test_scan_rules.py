# SPDX-License-Identifier: Apache-2.0
"""What a scan may: it ends when a person or the permit does, is entered before anything is given, and works on other
machines; many people, damaged tiles."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest

from megagenome.collection import scan_parts
from megagenome.collection.acts import Act, say
from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import Use
from megagenome.collection.people import YES
from megagenome.collection.permit_reading import PermitReading
from megagenome.collection.permits import change_permit, store_permit
from megagenome.collection.scan import PeopleChanged
from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import Corrupt, Invalid, NotEntitled
from megagenome.kernel.ids import IndividualId, PermitId
from megagenome.standards.permit import PermitState
from megagenome.standards.study_arrays import AlleleList, list_alleles
from tests.collection import clocks
from tests.collection.clocks import ALICE, CLOSED, OTHER


def listed(*alleles: tuple[str, int, bytes, bytes]) -> AlleleList:
    return list_alleles("GRCh38", set(alleles))


ALLELES = listed(*((contig, start, ref.encode(), alts[0].encode()) for contig, start, ref, alts in clocks.RECORDS))
ENDED_S = 1.0


@pytest.fixture
def node(collection: Collection) -> Collection:
    collection.journal = clocks.NoJournal()
    for dataset, some in ((CLOSED, range(40)), (OTHER, range(10, 30))):
        load(
            collection,
            clocks.statement(dataset),
            clocks.table(dict.fromkeys(some, YES)),
            [clocks.source_of(some)],
            "GRCh38",
        )
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(datasets=[CLOSED, OTHER]))
    return collection


def opened(node: Collection) -> PermitReading:
    return node.open(ALICE, Use.RESEARCH, permit=PermitId("permit-1"))


def leave(node: Collection, number: int) -> None:
    say(node, IndividualId(f"I{number}"), Act.WITHDRAW, by="desk", longest_delay_days=30)


def entered(node: Collection) -> list[tuple[str, int]]:
    assert isinstance(node.journal, clocks.NoJournal)
    return [(dataset, records) for _, _, dataset, _, records in node.journal.read]


def test_a_scan_is_entered_once_for_each_dataset_before_it_is_read(node: Collection) -> None:
    reading = opened(node)
    values = reading.values()
    assert entered(node) == [(CLOSED, 40), (OTHER, 20)]
    scan = reading.scan(ALLELES, values.numbers[:15])
    assert entered(node)[2:] == [(CLOSED, 15), (OTHER, 5)]
    scan.count()
    scan.spread(np.ones((2, 1)))
    assert len(entered(node)) == 4
    reading.alleles([Region("GRCh38", "22", 0, 1000)])
    assert entered(node)[4:] == [(CLOSED, 1), (OTHER, 1)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda scan: scan.count(),
        lambda scan: scan.project(np.ones((39, 1))),
        lambda scan: scan.spread(np.ones((2, 1))),
        lambda scan: scan.dosages(np.array([0])),
    ],
    ids=["count", "project", "spread", "dosages"],
)
@pytest.mark.parametrize("threads", [False, True])
def test_who_withdraws_ends_the_scan_and_only_theirs(
    node: Collection, ask: Callable[[object], object], threads: bool
) -> None:
    reading = opened(node)
    numbers = reading.values().numbers
    with ThreadPoolExecutor(2) as executor:
        without = reading.scan(ALLELES, np.delete(numbers, 3), executor if threads else None)
        scan = reading.scan(ALLELES, np.delete(numbers, 4), executor if threads else None)
        ask(scan)
        leave(node, 3)
        time.sleep(ENDED_S / 2)
        for _ in range(2):
            with pytest.raises(PeopleChanged):
                ask(scan)
        ask(without)
    with pytest.raises(PeopleChanged):
        reading.scan(ALLELES, numbers)
    assert reading.scan(ALLELES).people == 39


class _Slow(Executor):
    """Ends nothing before it is told."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.threads: list[threading.Thread] = []

    def submit(self, compute, /, *arguments, **named):
        future: Future[object] = Future()
        future.set_running_or_notify_cancel()
        thread = threading.Thread(
            target=lambda: (self.may_end.wait(20), future.set_result(compute(*arguments, **named))), daemon=True
        )
        thread.start()
        self.threads.append(thread)
        return future


@pytest.mark.parametrize("revoked", [False, True])
def test_a_scan_under_way_elsewhere_ends_within_a_second(node: Collection, revoked: bool) -> None:
    elsewhere = _Slow()
    scan = opened(node).scan(ALLELES, executor=elsewhere)
    ended = threading.Timer(0.2, lambda: revoke(node) if revoked else leave(node, 3))
    ended.start()
    ended_at = time.monotonic() + 0.2
    with pytest.raises(NotEntitled if revoked else PeopleChanged):
        scan.count()
    ended.join()
    assert time.monotonic() - ended_at < 5 * ENDED_S  # a loaded machine; the promise for a study is 5 s
    elsewhere.may_end.set()
    for thread in elsewhere.threads:  # which read the node's files
        thread.join()


def revoke(node: Collection) -> None:
    with node.engine.begin() as connection:
        change_permit(connection, PermitId("permit-1"), PermitState.REVOKED, "a breach", sequence=1)


def test_numbers_of_a_wrong_shape_and_alleles_that_are_not_there(node: Collection) -> None:
    scan = opened(node).scan(ALLELES)
    for wrong in (np.ones((39, 1)), np.ones(40)):
        with pytest.raises(Invalid, match="shape"):
            scan.project(wrong)
    with pytest.raises(Invalid, match="shape"):
        scan.spread(np.ones((2, 1)), np.ones((3, 1)))
    with pytest.raises(Invalid, match="no allele"):
        scan.dosages(np.array([2]))


def test_an_allele_that_no_load_has_is_recorded_nowhere(node: Collection) -> None:
    unknown = listed(("22", 100, b"A", b"T"), ("7", 5, b"A", b"C"))
    scan = opened(node).scan(unknown)
    assert scan.recorded.tolist() == [False, False]
    assert all((each == 0).all() for each in scan.count())
    assert np.isnan(scan.dosages(np.array([1, 0]))).all()
    none = opened(node).scan(listed())
    assert none.project(np.ones((40, 2)))[0].shape == (0, 2)
    assert none.spread(np.zeros((0, 3))).tolist() == np.zeros((40, 3)).tolist()


def test_a_damaged_tile_is_named(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = opened(node).scan(ALLELES)
    whole = scan_parts.stored_sets

    def damaged(*of):
        which, sets = whole(*of)
        return which, sets._replace(end=sets.end + 1)

    monkeypatch.setattr(scan_parts, "stored_sets", damaged)
    for ask in (scan.count, lambda: scan.project(np.ones((40, 1))), lambda: scan.spread(np.ones((2, 1)))):
        with pytest.raises(Corrupt, match="restore"):
            ask()


def test_alleles_are_listed_in_one_assembly(node: Collection) -> None:
    with pytest.raises(Invalid, match="one assembly"):
        opened(node).alleles([Region("GRCh37", "22", 0, 9), Region("GRCh38", "22", 0, 9)])
    assert len(opened(node).alleles([])) == 0


def test_who_has_no_genotypes_is_known_and_leaves_alleles_unrecorded(node: Collection) -> None:
    load(node, clocks.statement(CLOSED), clocks.table(dict.fromkeys(range(40, 43), YES)))
    node.refresh()
    reading = opened(node)
    numbers = reading.values().numbers
    has = reading.genotyped("GRCh38", numbers)
    assert has.tolist() == [True] * 40 + [False] * 3
    assert not reading.genotyped("GRCh37", numbers).any()
    assert not reading.scan(ALLELES, numbers).recorded.any()
    assert reading.scan(ALLELES, numbers[has]).recorded.all()
