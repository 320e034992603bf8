# SPDX-License-Identifier: Apache-2.0
"""Slices of genotypes and admissions to files: whose they are, that each allele comes once, and that they follow
consent, permit and the dataset's state."""

import itertools
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from megagenome.collection import genotype_slice
from megagenome.collection.acts import Act, say
from megagenome.collection.collection import Collection
from megagenome.collection.datasets import DatasetStatement, move_dataset
from megagenome.collection.genotype_slice import GenotypeSlice
from megagenome.collection.load import load
from megagenome.collection.model import DatasetState, Use
from megagenome.collection.people import YES
from megagenome.collection.permit_reading import PermitReading
from megagenome.collection.permits import change_permit, store_permit
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import NotEntitled, Unavailable
from megagenome.kernel.ids import DatasetId, IndividualId, PermitId
from megagenome.standards.permit import PermitState
from tests.collection import clocks
from tests.collection.clocks import ALICE, CLOSED, MALLORY, OPEN, OTHER
from tests.collection.files import as_source
from tests.oracles import genotypes as oracle

ONE = PermitId("permit-1")
PEOPLE = range(40)
WHOLE = [Region("GRCh38", contig, 0, 60_000_000) for contig in ("22", "X")]
MANY = "MANY"
REFS = ("A", "ACGTACGTACGTACGT")


def many_records() -> list[oracle.Record]:
    """Changes of a base and deletions of fifteen at random places, so that many reach over a window's edge; a seventh
    of them nobody carries."""
    chance, records = random.Random(8), []
    for k, start in enumerate(sorted({chance.randrange(3_000) for _ in range(400)})):
        ref = chance.choice(REFS)
        calls = tuple((int(k % 7 > 0 and chance.random() < 0.3), 0) for _ in range(6))
        records.append(oracle.Record("22", start, ref, ("G" if len(ref) == 1 else ref[0],), calls))
    return records


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The people of `clocks` in a closed dataset, some of them in another, and two open ones."""
    folder = tmp_path_factory.mktemp("made") / "node"
    collection = Collection.create(folder, lambda _: None)
    for dataset, some in ((CLOSED, PEOPLE), (OTHER, range(10, 30)), (OPEN, range(40, 45))):
        consents = dict.fromkeys(some, YES)
        load(collection, clocks.statement(dataset), clocks.table(consents), [clocks.source_of(some)], "GRCh38")
    people = range(50, 56)
    source = as_source([clocks.someone(number) for number in people], many_records())
    statement = DatasetStatement(DatasetId(MANY), open=True, publish=True)
    load(collection, statement, clocks.table(dict.fromkeys(people, YES)), [source], "GRCh38")
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit(ONE))
    collection.close()
    return folder


@pytest.fixture
def node(made: Path, copy_of: Callable[[Path], Collection]) -> Collection:
    """The same, the test's own."""
    collection = copy_of(made)
    collection.journal = clocks.NoJournal()
    return collection


def opened(node: Collection) -> PermitReading:
    return node.open(ALICE, Use.RESEARCH, permit=ONE)


def leave(node: Collection, number: int) -> None:
    say(node, IndividualId(f"I{number}"), Act.WITHDRAW, by="desk", longest_delay_days=30)


Rows = list[tuple[str, int, str, str, list[tuple[int, int]]]]


def rows_of(genotypes: GenotypeSlice, regions: Sequence[Region] = WHOLE) -> Rows:
    alleles = itertools.chain.from_iterable(genotypes.windows(regions))
    return [
        (a.contig, a.start, a.ref, a.alt, list(zip(copies.tolist(), called.tolist(), strict=True)))
        for a, copies, called in alleles
    ]


def expected(number: int, k: int) -> tuple[int, int]:
    record = clocks.RECORDS[k]
    ploidy = oracle.copies_expected("GRCh38", record[0], record[1], clocks.someone(number).sex)
    alleles = oracle.called_alleles(clocks.calls(number)[k], ploidy)
    return alleles.count(1), len(alleles)


def test_a_slice_has_the_permits_people_under_its_names_and_nobody_else(node: Collection) -> None:
    reading = opened(node)
    genotypes = reading.slice(DatasetId(CLOSED), "GRCh38")
    numbers = {record.id: (record.birth_year or 0) - 1900 for record in reading.individuals(0, 100)}
    assert list(genotypes.names) == sorted(numbers)
    found = rows_of(genotypes)
    assert [row[:4] for row in found] == [("22", 100, "A", "C"), ("X", 5_000_000, "A", "C")]
    for k, row in enumerate(found):
        assert row[4] == [expected(numbers[name], k) for name in genotypes.names]
    journal = node.journal
    assert isinstance(journal, clocks.NoJournal)
    assert journal.sliced == [(ALICE.subject, ONE, CLOSED, "research", 40)]


def test_an_open_slice_has_the_samples_by_their_names(node: Collection) -> None:
    genotypes = node.open_data(PUBLIC, DatasetId(OPEN)).slice(DatasetId(OPEN), "GRCh38")
    assert genotypes.names == tuple(f"P{number}" for number in range(40, 45))
    assert [row[4] for row in rows_of(genotypes)] == [[expected(n, k) for n in range(40, 45)] for k in (0, 1)]


@pytest.mark.parametrize("window", [1, 7, 100, 1 << 16])
def test_each_allele_that_overlaps_comes_once_in_order(
    node: Collection, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(genotype_slice, "WINDOW_BASES", window)
    genotypes = node.open_data(PUBLIC, DatasetId(MANY)).slice(DatasetId(MANY), "GRCh38")
    carried = [r for r in many_records() if any(1 in call for call in r.calls)]
    chance = random.Random(window)
    for _ in range(20):
        edges = sorted(chance.sample(range(3_100), 6))
        regions = [Region("GRCh38", "22", low, high) for low, high in zip(edges[::2], edges[1::2], strict=True)]
        overlap = [r for r in carried if any(r.start < g.end and r.start + len(r.ref) > g.start for g in regions)]
        found = rows_of(genotypes, regions)
        assert [(row[1], row[2]) for row in found] == [(r.start, r.ref) for r in overlap]


def test_who_withdraws_is_gone_from_the_next_slice_and_blank_in_the_one_under_way(node: Collection) -> None:
    reading = opened(node)
    before = reading.slice(DatasetId(CLOSED), "GRCh38")
    numbers = {record.id: (record.birth_year or 0) - 1900 for record in reading.individuals(0, 100)}
    leave(node, 4)
    after = opened(node).slice(DatasetId(CLOSED), "GRCh38")
    assert {numbers[name] for name in after.names} == set(PEOPLE) - {4}
    reading.still_valid()
    place = [numbers[name] for name in before.names].index(4)
    assert all(row[4][place] == (0, 0) for row in rows_of(before))


def test_an_allele_that_only_somebody_else_carries_is_not_told(node: Collection) -> None:
    """On 22, who is even carries the allele or has a seventh's: all of those withdraw."""
    carriers = [n for n in PEOPLE if 1 in clocks.calls(n)[0]]
    for number in carriers:
        leave(node, number)
    assert [row[0] for row in rows_of(opened(node).slice(DatasetId(CLOSED), "GRCh38"))] == ["X"]


def test_a_slice_ends_with_its_permit(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megagenome.collection.permit_reading._CHECK_S", 0.0)
    windows = opened(node).slice(DatasetId(CLOSED), "GRCh38").windows(WHOLE)
    next(windows)
    with node.engine.begin() as connection:
        change_permit(connection, ONE, PermitState.REVOKED, "a breach", sequence=1)
    with pytest.raises(NotEntitled, match="revoked"):
        list(itertools.chain.from_iterable(windows))


def test_open_data_end_when_the_dataset_is_withdrawn(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megagenome.collection.open_reading._CHECK_S", 0.0)
    reading = node.open_data(PUBLIC, DatasetId(OPEN))
    admission, windows = (
        reading.admit(DatasetId(OPEN), ["P40"]),
        reading.slice(DatasetId(OPEN), "GRCh38").windows(WHOLE),
    )
    next(windows)
    with node.engine.begin() as connection:
        move_dataset(connection, DatasetId(OPEN), DatasetState.WITHDRAWN)
    with pytest.raises(NotEntitled):
        list(itertools.chain.from_iterable(windows))
    with pytest.raises(NotEntitled):
        admission.require()
    node.refresh()
    with pytest.raises(NotEntitled):
        node.open_data(PUBLIC, DatasetId(OPEN))


@pytest.mark.parametrize("dataset", [CLOSED, "NONE"])
def test_what_is_not_open_is_as_if_it_were_not_there(node: Collection, dataset: str) -> None:
    with pytest.raises(NotEntitled, match=f"no data of {dataset} are open"):
        node.open_data(ALICE, DatasetId(dataset))


def test_nothing_open_is_read_where_nothing_is_entered(node: Collection) -> None:
    node.journal = None
    with pytest.raises(Unavailable):
        node.open_data(PUBLIC, DatasetId(OPEN))


def test_an_admission_is_for_samples_whose_people_consent(node: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("megagenome.collection.permit_reading._CHECK_S", 0.0)
    admission = opened(node).admit(DatasetId(CLOSED), ["P1", "P2", "P40", "unknown"])
    assert (admission.samples, admission.permit, admission.caller) == ({"P1", "P2"}, ONE, ALICE)
    admission.require()
    leave(node, 1)
    with pytest.raises(NotEntitled, match="does not consent any more"):
        admission.require()
    again = opened(node).admit(DatasetId(CLOSED), ["P1", "P2"])
    assert again.samples == {"P2"}
    leave(node, 3)  # who is of no concern to it
    again.require()


def test_an_admission_to_open_data_is_for_nothing_without_samples(node: Collection) -> None:
    reading = node.open_data(MALLORY, DatasetId(OPEN))
    assert reading.admit(DatasetId(OPEN), []).samples == frozenset()  # a table tells of whoever withdrew, too
    assert reading.admit(DatasetId(OPEN), ["P41", "P1"]).samples == {"P41"}
    leave(node, 41)
    assert node.open_data(MALLORY, DatasetId(OPEN)).admit(DatasetId(OPEN), ["P41"]).samples == frozenset()


def test_no_reading_is_of_another_dataset(node: Collection) -> None:
    for reading in (opened(node), node.open_data(PUBLIC, DatasetId(OPEN))):
        for ask in (
            lambda r=reading: r.admit(DatasetId(OTHER), ["P10"]),
            lambda r=reading: r.slice(DatasetId(OTHER), "GRCh38"),
        ):
            with pytest.raises(NotEntitled):
                ask()
