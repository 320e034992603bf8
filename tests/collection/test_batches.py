# SPDX-License-Identifier: Apache-2.0
"""More people than one batch of 65,536 holds: genotypes on both sides of the border, against plain counting."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from megagenome.collection import bitmap, set_sums
from megagenome.collection.cohort import All, Carries, FromCountry, HasSex, InDataset, Not
from megagenome.collection.collection import Collection
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.model import Sex, Use
from megagenome.collection.people import YES, People, Person
from megagenome.collection.permits import store_permit
from megagenome.collection.reading import Reading
from megagenome.collection.release import release
from megagenome.collection.tiles import site_text
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.ids import Country, DatasetId, IndividualId, PermitId, SampleId
from megagenome.standards.genotypes import MISSING, Block, GenotypeSource
from tests.collection import clocks
from tests.oracles.dense_scan import DenseScan, require_equal

EARLIER = 60_000
"""People of the first dataset, who have no genotypes: they only fill the first batch."""
COLUMNS = 12_000
"""People with genotypes, numbers 60,000 to 71,999: 5,536 of them in the first batch, 6,464 in the second."""
SHARED = 7_000
"""The last of these are in a second dataset too, with the same calls."""
STARTS = (999_998, 1_000_001, 1_000_002)
ALLELES = tuple(Allele("GRCh38", "22", start, "A", "G") for start in STARTS)
COMMON, RARE, LATER = ALLELES


def calls_of_everybody() -> npt.NDArray[np.int8]:
    """int8 [records, COLUMNS, 2]: a common allele (planes in both batches), a rare one, one of the second batch."""
    random = np.random.default_rng(7)
    calls = (random.random((len(STARTS), COLUMNS, 2)) < 0.93).astype(np.int8)
    calls[1] = 0
    calls[1, [0, 5_535, 5_536, 11_999]] = [(0, 1), (1, 1), (1, MISSING), (1, 0)]
    calls[2, :6_000] = 0
    calls[:, ::997] = MISSING
    return calls


CALLS = calls_of_everybody()
CONSENTS = np.arange(COLUMNS) % 11 != 3


def person(number: int) -> Person:
    """The person of a column, or (below 0) an earlier one."""
    name = f"P{number}"
    consents = bool(CONSENTS[number]) if number >= 0 else True
    sex = Sex.FEMALE if number % 2 else Sex.MALE
    return Person(IndividualId(name), SampleId(name), sex, Country("EE"), "", consent=YES if consents else frozenset())


def people(numbers: range) -> People:
    return People([person(number) for number in numbers], {}, {})


def source(first: int) -> GenotypeSource:
    """The calls of the columns from `first` on."""
    calls = np.ascontiguousarray(CALLS[:, first:])
    block = Block("22", np.array(STARTS, np.int64), ["A"] * 3, [("G",)] * 3, calls)
    return GenotypeSource("test", tuple(f"P{k}" for k in range(first, COLUMNS)), {}, [block])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    """Three datasets: FIRST without genotypes, ALL with those of all columns, SOME with the last of them again."""
    folder = tmp_path_factory.mktemp("large") / "node"
    collection = Collection.create(folder, lambda _: None)

    def statement(name: str) -> DatasetStatement:
        return DatasetStatement(DatasetId(name), open=True, publish=True)

    load(collection, statement("FIRST"), people(range(-EARLIER, 0)))
    load(collection, statement("ALL"), people(range(COLUMNS)), [source(0)], "GRCh38")
    first = COLUMNS - SHARED
    load(collection, statement("SOME"), people(range(first, COLUMNS)), [source(first)], "GRCh38")
    yield collection
    collection.close()


def plain(record: int, chosen: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Het, hom, hemi, called alleles of the chosen columns, one person at a time."""
    counts = [0, 0, 0, 0]
    for first, second in CALLS[record, chosen].tolist():
        called = [a for a in (first, second) if a != MISSING]
        counts[3] += len(called)
        if copies := called.count(1):
            counts[2 if len(called) == 1 else copies - 1] += 1
    return counts[0], counts[1], counts[2], counts[3]


def told(reading: Reading, allele: Allele) -> dict[str, tuple[int, ...]]:
    counts = reading.count_alleles(allele)
    kinds = (counts.het, counts.hom, counts.hemi, counts.an)
    return {
        reading.datasets[k].id: tuple(int(kind[row].sum()) for kind in kinds)
        for row, k in enumerate(counts.dataset.tolist())
    }


def test_the_people_straddle_the_border_of_batches(large: Collection) -> None:
    snapshot = large.snapshot()
    assert (snapshot.individuals, snapshot.batches) == (EARLIER + COLUMNS, 2)
    (tiles, _) = snapshot.tiles["GRCh38", "22"]
    place = tiles.find(COMMON.start, site_text(COMMON))
    assert place is not None
    both = tiles.members(*place, "hom", 2)
    assert all(bitmap.count(plane[None]) >= bitmap.SPARSE_LIMIT for plane in both)  # stored as planes


@pytest.mark.parametrize("record", range(3))
def test_counts_of_everybody(large: Collection, record: int) -> None:
    reading = large.open(PUBLIC, Use.AGGREGATES)
    columns = np.arange(COLUMNS)
    everybody, some = plain(record, CONSENTS), plain(record, CONSENTS & (columns >= COLUMNS - SHARED))
    assert told(reading, ALLELES[record]) == {"ALL": everybody, "SOME": some}
    once = reading.count_alleles_once(ALLELES[record])
    assert tuple(int(kind.sum()) for kind in once) == everybody
    in_region = reading.count_alleles(Region("GRCh38", "22", 999_000, 1_000_003))
    assert in_region.an[2 * record : 2 * record + 2].sum(axis=1).tolist() == [everybody[3], some[3]]


@pytest.mark.parametrize("record", range(3))
def test_counts_of_a_cohort(large: Collection, record: int) -> None:
    columns = np.arange(COLUMNS)
    carries = ((CALLS[0] == 1).any(axis=1)) & (columns % 2 == 1) & CONSENTS
    reading = large.open(PUBLIC, Use.AGGREGATES, All((HasSex(Sex.FEMALE), Carries(COMMON), FromCountry("EE"))))
    some = carries & (columns >= COLUMNS - SHARED)
    assert told(reading, ALLELES[record]) == {"ALL": plain(record, carries), "SOME": plain(record, some)}
    counted = reading.count_people()
    assert counted.members.tolist() == [0, carries.sum(), some.sum()]
    assert counted.distinct == carries.sum()


def test_who_does_not_carry_was_called(large: Collection) -> None:
    known = (CALLS[1] != MISSING).all(axis=1) & (CALLS[1] == 0).all(axis=1) & CONSENTS
    assert large.open(PUBLIC, Use.AGGREGATES, Not(Carries(RARE))).count_people().distinct == known.sum()


def test_people_of_several_datasets(large: Collection) -> None:
    reading = large.open(PUBLIC, Use.AGGREGATES)
    assert reading.shared.tolist() == [[False] * 3, [False, False, True], [False, True, False]]
    consenting = int(CONSENTS.sum())
    assert [dataset.individuals for dataset in reading.datasets] == [
        EARLIER,
        consenting,
        int(CONSENTS[COLUMNS - SHARED :].sum()),
    ]
    assert reading.count_people().distinct == EARLIER + consenting
    only = large.open(PUBLIC, Use.AGGREGATES, All((InDataset(DatasetId("ALL")), Not(InDataset(DatasetId("SOME"))))))
    assert only.count_people().distinct == CONSENTS[: COLUMNS - SHARED].sum()


def test_a_withdrawn_consent_beyond_the_border_is_counted_again(large: Collection, tmp_path: Path) -> None:
    shutil.copytree(large.folder, tmp_path / "node")
    collection = Collection.open_folder(tmp_path / "node", lambda _: None)
    before = collection.open(PUBLIC, Use.AGGREGATES)
    assert told(before, COMMON)["ALL"] == plain(0, CONSENTS)
    gone = [0, 5_535, 5_536, 11_999]
    no = [Person(IndividualId(f"P{k}"), SampleId(f"P{k}"), consent=frozenset()) for k in gone]
    load(collection, DatasetStatement(DatasetId("ALL")), People(no, {}, {}))
    assert told(collection.open(PUBLIC, Use.AGGREGATES), COMMON)["ALL"] == plain(0, CONSENTS)
    release(collection)
    left = CONSENTS.copy()
    left[gone] = False
    for record, allele in enumerate(ALLELES):
        assert told(collection.open(PUBLIC, Use.AGGREGATES), allele)["ALL"] == plain(record, left)
    assert told(before, COMMON)["ALL"] == plain(0, CONSENTS)  # what was opened before stays as it was
    collection.close()


@pytest.mark.parametrize("loops", ["native", "side by side", "numpy"])
def test_a_scan_of_both_batches(large: Collection, monkeypatch: pytest.MonkeyPatch, loops: str) -> None:
    if loops == "numpy":
        monkeypatch.setattr(set_sums, "library", lambda: None)
    elif loops == "side by side":
        monkeypatch.setattr(set_sums, "_LEAST_PLANES", 1)
    large.journal = clocks.NoJournal()
    with large.engine.begin() as connection:
        store_permit(connection, clocks.permit(loops, ["ALL", "SOME"]))
    reading = large.open(clocks.ALICE, Use.RESEARCH, permit=PermitId(loops))
    values = reading.values()
    assert values.numbers.tolist() == (EARLIER + np.flatnonzero(CONSENTS)).tolist()
    chosen = np.random.default_rng(5).permutation(np.flatnonzero(CONSENTS))[:9_000]
    expected = np.where((CALLS == MISSING).any(axis=2), MISSING, CALLS.sum(axis=2))[:, chosen].astype(np.int8)
    scan = reading.scan(reading.alleles([Region("GRCh38", "22", 0, 2_000_000)]), EARLIER + chosen)
    require_equal(scan, DenseScan(expected))
