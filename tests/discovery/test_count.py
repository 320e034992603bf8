# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest

from megagenome.collection import Collection, Reading
from megagenome.collection.cohort import EVERYONE, All, Carries, FromCountry, HasSex, HasTerm
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.model import Asked, Sex, Stratum
from megagenome.collection.read_people import read_people
from megagenome.discovery import count
from megagenome.discovery.count import count_people, count_told, count_variants
from megagenome.discovery.model import PeopleQuestion, VariantQuestion, VariantsTold
from megagenome.discovery.scheme import Scheme, scheme_of
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.ids import DatasetId
from tests.discovery.fake import Call, FakeCollection, Person, dataset
from tests.discovery.world import (
    ABSENT,
    COMMON,
    DELETION,
    IN_PAR,
    MANY_HAVE,
    ON_X,
    RARE,
    SOME_HAVE,
    SYMBOLIC,
    UNCOMMON,
    world,
)
from tests.oracles.disclosure import Cell, Genotypes, told_cells
from tests.reception.handing_in import DATASET, PEOPLE, calls, write_people, write_vcf
from tests.reception.receptions import no_ontology, open_house

OPEN, CLOSED, SMALL, PART = range(4)
ALL = (OPEN, CLOSED, SMALL, PART)


def opened(collection: FakeCollection) -> tuple[Collection, Reading, Scheme]:
    reading = collection.open(None, None)
    return collection, reading, scheme_of(reading, 10)


def told_of(place: Allele | Region, datasets: tuple[int, ...] = ALL, skip: int = 0, limit: int = 1000) -> VariantsTold:
    _, reading, scheme = opened(world())
    return count_variants(reading, scheme, VariantQuestion(place, datasets, skip, limit))


def cells(told: VariantsTold, row: int = 0) -> dict[str, Cell]:
    return _cells(told.told, row)


def _cells(told: object, row: int) -> dict[str, Cell]:
    labels = opened(world())[2].margins.labels
    shown, genotypes, counts = told
    return {
        label: (
            int(counts[0, row, k] + 2 * counts[1, row, k] + counts[2, row, k]),
            int(counts[3, row, k]),
            tuple(counts[:3, row, k].tolist()) if genotypes[row, k] else None,
        )
        for k, label in enumerate(labels)
        if shown[row, k]
    }


def expected(allele: Allele, k: int) -> dict[str, Cell]:
    """The told cells of one dataset, by the oracle, from the calls themselves."""
    name = world().datasets[k].id
    return _expected(world(), world().calls[name, allele], allele, 0 if world().datasets[k].open else 10)


def _expected(collection: FakeCollection, calls: dict[int, Call], allele: Allele, floor: int) -> dict[str, Cell]:
    outside_par = allele is ON_X
    table: dict[Stratum, Genotypes] = {}
    for stratum in collection.strata:
        mine = [call for n, call in calls.items() if collection.people[n].stratum == stratum]
        haploid = outside_par and stratum.sex is Sex.MALE
        table[stratum] = Genotypes(
            mine.count((1, 2)),
            mine.count((2, 2)),
            mine.count((1, 1)),
            sum(called for _, called in mine),
            (False, False, True) if haploid else (True, True, False),
            sum(copies == 0 for copies, _ in mine),
        )
    return told_cells(table, floor, separates=outside_par)


@pytest.mark.parametrize("allele", [COMMON, UNCOMMON, DELETION, SYMBOLIC, ON_X, IN_PAR], ids=str)
def test_an_allele_is_told_as_the_oracle_says_in_each_dataset(allele: Allele) -> None:
    told = told_of(allele)
    assert told.total == 1
    assert told.datasets == [k for k in (OPEN, CLOSED, SMALL) if expected(allele, k)]
    for row, k in enumerate(told.datasets):
        assert cells(told, row) == expected(allele, k)
        assert told.by_dataset[k] == 1


def test_a_rare_allele_is_told_by_open_data_only_and_an_absent_one_by_none() -> None:
    told = told_of(RARE)
    assert (told.total, told.datasets, told.by_dataset.tolist()) == (1, [OPEN], [1, 0, 0, 0])
    closed, absent = told_of(RARE, (CLOSED, SMALL)), told_of(ABSENT, (CLOSED, SMALL))
    for answer in (closed, absent):
        assert (answer.total, answer.alleles, answer.combined) == (0, [], None)
        assert not answer.by_dataset.any()


def test_a_dataset_is_silent_where_one_that_shares_some_of_its_people_speaks() -> None:
    """PART is 100 of CLOSED's 200 people: the difference of their answers would speak of the others."""
    for asked in (ALL, (PART,), (SMALL, PART)):
        assert PART not in told_of(COMMON, asked).datasets
    # where CLOSED has no record there is no difference
    collection = world()
    without = {key: calls for key, calls in collection.calls.items() if key != ("CLOSED", COMMON)}
    datasets = {d.id: (d, m) for d, m in zip(collection.datasets, collection.members, strict=True)}
    _, reading, scheme = opened(FakeCollection(collection.people, datasets, without))
    assert count_variants(reading, scheme, VariantQuestion(COMMON, ALL, 0, 10)).datasets == [OPEN, SMALL, PART]


def test_the_same_people_in_two_datasets_both_speak_and_count_once() -> None:
    people = [Person("FI", Sex.FEMALE if n % 2 else Sex.MALE) for n in range(100)]
    calls = {(name, COMMON): {n: (n % 3 % 2, 2) for n in range(100)} for name in ("A", "B")}
    for is_open in (False, True):
        datasets = {name: (dataset(name, is_open=is_open), set(range(100))) for name in ("A", "B")}
        _, reading, scheme = opened(FakeCollection(people, datasets, calls))
        told = count_variants(reading, scheme, VariantQuestion(COMMON, (0, 1), 0, 10))
        assert told.datasets == [0, 1]
        assert told.combined is not None
        assert told.combined.counts[3].max() == 200


def test_the_combined_answer_sums_what_datasets_that_share_nobody_tell() -> None:
    told = told_of(COMMON)
    assert told.combined is not None
    parts = [expected(COMMON, k) for k in told.datasets]
    for label, cell in _cells(told.combined, 0).items():
        mine = [part[label] for part in parts if label in part]
        assert cell[:2] == (sum(part[0] for part in mine), sum(part[1] for part in mine))
        assert (cell[2] is None) is any(part[2] is None for part in mine)


def test_open_datasets_that_share_people_count_each_once() -> None:
    people = [Person("FI") for _ in range(50)]
    datasets = {
        "A": (dataset("A", is_open=True), set(range(40))),
        "B": (dataset("B", is_open=True), set(range(10, 50))),
    }
    calls = {(name, COMMON): dict.fromkeys(members, (1, 2)) for name, (_, members) in datasets.items()}
    collection, reading, scheme = opened(FakeCollection(people, datasets, calls))
    told = count_variants(reading, scheme, VariantQuestion(COMMON, (0, 1), 0, 10))
    assert told.combined is not None
    assert told.combined.counts[:, 0, scheme.margins.total].tolist() == [50, 0, 0, 100]
    # of a selection, what the larger tells: no number is told that is not a sum of told ones
    assert count_people(collection, scheme, PUBLIC, Asked.PEOPLE, PeopleQuestion(EVERYONE, (0, 1))).total == 50
    assert count_people(collection, scheme, PUBLIC, Asked.PEOPLE, PeopleQuestion(EVERYONE, (0,))).total == 40


def test_a_region_gives_its_alleles_by_position_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    region = Region("GRCh37", "22", 16050000, 16050500)
    whole = told_of(region)
    alone = {allele: told_of(allele) for allele in (COMMON, RARE, UNCOMMON, DELETION, SYMBOLIC)}
    assert whole.total == 5
    assert whole.by_dataset.tolist() == sum(each.by_dataset for each in alone.values()).tolist()
    rows = [(allele, k) for allele, each in alone.items() for k in each.datasets]
    assert list(zip(whole.alleles, whole.datasets, strict=True)) == rows
    for row, (allele, k) in enumerate(rows):
        assert cells(whole, row) == expected(allele, k)
    for width in (1, 7, 100):
        monkeypatch.setattr(count, "SLICE_BASES", width)
        pages = [told_of(region, skip=skip, limit=2) for skip in (0, 2, 4, 6)]
        assert [page.total for page in pages] == [5] * 4
        assert [row for page in pages for row in zip(page.alleles, page.datasets, strict=True)] == rows
        assert np.concatenate([page.told.counts for page in pages], axis=1).tolist() == whole.told.counts.tolist()


def test_a_region_holds_what_overlaps_it_in_part() -> None:
    inside = Region("GRCh37", "22", DELETION.start + 3, DELETION.start + 4)
    assert set(told_of(inside).alleles) == {DELETION}
    assert not told_of(Region("GRCh37", "22", DELETION.end, DELETION.end + 1)).alleles


def test_a_region_over_the_border_of_the_pseudoautosomal_region_has_each_allele_with_its_own_ploidy() -> None:
    told = told_of(Region("GRCh37", "X", 0, 6_000_000), (OPEN, CLOSED))
    assert [(a, k) for a, k in zip(told.alleles, told.datasets, strict=True)] == [
        (IN_PAR, OPEN), (IN_PAR, CLOSED), (ON_X, OPEN), (ON_X, CLOSED)
    ]  # fmt: skip
    for row, (allele, k) in enumerate(zip(told.alleles, told.datasets, strict=True)):
        assert cells(told, row) == expected(allele, k)


def people(cohort: object, datasets: tuple[int, ...] = ALL) -> tuple[dict[int, int], int, bool]:
    collection, _, scheme = opened(world())
    told = count_people(collection, scheme, PUBLIC, Asked.PEOPLE, PeopleQuestion(cohort, datasets))
    return {k: int(told.counts[k]) for k in datasets if told.told[k]}, told.total, told.exact


def test_people_are_counted_by_dataset_and_each_once_over_all() -> None:
    assert people(EVERYONE) == ({OPEN: 100, CLOSED: 200, SMALL: 60, PART: 100}, 360, False)
    assert people(EVERYONE, (OPEN, CLOSED, SMALL)) == ({OPEN: 100, CLOSED: 200, SMALL: 60}, 360, True)
    finns = {k: sum(n % 3 > 0 for n in world().members[k]) for k in ALL}
    assert people(FromCountry("FI"), (OPEN, CLOSED)) == (
        {k: finns[k] for k in (OPEN, CLOSED)}, finns[OPEN] + finns[CLOSED], True
    )  # fmt: skip


def test_people_below_the_floor_or_nearly_all_are_not_told() -> None:
    few, total, exact = people(HasTerm(SOME_HAVE))
    assert (few, total, exact) == ({OPEN: 3}, 3, False)
    assert people(HasTerm(SOME_HAVE), (CLOSED,)) == people(HasTerm("HP:0000118"), (CLOSED,)) == ({}, 0, False)
    many = All((HasTerm(MANY_HAVE), HasSex(Sex.FEMALE)))
    told, _, _ = people(many, (CLOSED,))
    assert told == {CLOSED: sum(n % 5 == 0 and world().people[n].sex is Sex.FEMALE for n in range(100, 300))}


def test_carriers_are_counted() -> None:
    told, total, _ = people(Carries(COMMON), (CLOSED,))
    carriers = sum(copies > 0 for copies, _ in world().calls["CLOSED", COMMON].values())
    assert (told, total) == ({CLOSED: carriers}, carriers)
    assert people(Carries(RARE), (CLOSED,)) == people(Carries(ABSENT), (CLOSED,)) == ({}, 0, False)


def test_what_an_allele_spans_does_not_change_later_answers() -> None:
    _, reading, scheme = opened(world())
    across = Allele("GRCh37", "X", 2_699_519, "AC", "A")  # its first base is the last of the pseudoautosomal region
    kept = scheme.ploidy(reading, across), scheme.ploidy(reading, COMMON)
    fresh = opened(world())[2].ploidy(reading, COMMON)
    for ploidy in kept:
        assert ploidy.separates == fresh.separates
        assert (ploidy.kinds == fresh.kinds).all()


@pytest.mark.parametrize("floor", [10, 14, 25])
def test_how_many_alleles_of_a_draft_would_be_told_is_what_the_rule_says(tmp_path: Path, floor: int) -> None:
    house = open_house(tmp_path / "node")
    path = write_vcf(tmp_path / "cohort.vcf.gz")
    people = read_people([write_people(tmp_path / "people.tsv")], no_ontology)
    load(house.collection, DatasetStatement(DatasetId(DATASET)), people, [path], "GRCh37")
    copies = [sum(call.count("1") for call in mine) for mine in calls().values()]
    # everybody is called, and of one country: its cell passes the floor on both sides, or nothing is told
    told = sum(floor <= count <= 2 * PEOPLE - floor for count in copies)
    supposed = house.collection.as_if_published(DatasetId(DATASET))
    assert count_told(supposed, DatasetId(DATASET), floor) == (told, len(copies) - told)
    assert count_told(house.collection, DatasetId(DATASET), floor) is None  # it is a draft
    assert floor == 10 or told < len(copies)
    house.collection.close()
