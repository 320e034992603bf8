# SPDX-License-Identifier: Apache-2.0
import itertools
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.collection.model import Sex, Stratum
from megagenome.discovery.disclosure import add_up, disclose, people_told
from megagenome.discovery.margins import margins_of
from megagenome.discovery.model import Told
from megagenome.kernel.ids import Country
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass
from tests.oracles.disclosure import Cell, Genotypes, derivable, told_cells

FLOOR = 10


class Place(NamedTuple):
    """A class of ploidy, and people's genotypes there by stratum."""

    kind: PloidyClass
    table: dict[Stratum, Genotypes]

    def ploidy(self, stratum: Stratum) -> int:
        return EXPECTED_PLOIDY[self.kind][stratum.sex]

    @property
    def separates(self) -> bool:
        return len({self.ploidy(stratum) for stratum in self.table}) > 1

    @property
    def haploid(self) -> set[Stratum]:
        return {stratum for stratum in self.table if self.ploidy(stratum) == 1}


def genotypes(ploidy: int, carriers: tuple[int, int], without: int, half: int = 0) -> Genotypes:
    """People of one stratum; `half` of them with one called allele, the alternate, where two are expected."""
    het, hom = carriers
    if ploidy == 0:
        return Genotypes(0, 0, 0, 0, (False, False, False), 0)
    if ploidy == 1:
        return Genotypes(0, 0, het, het + without, (False, False, True), without)
    an = 2 * (het + hom + without) + half
    return Genotypes(het, hom, half, an, (True, True, half > 0), without)


counts = st.one_of(st.sampled_from([0, 3, 9, 10, 11, 40]), st.integers(0, 60))
strata_lists = st.lists(
    st.builds(
        lambda country, population, sex: Stratum(Country(country), population, sex),
        st.sampled_from(["FI", "ZZ"]),
        st.sampled_from(["", "A", "B"]),
        st.sampled_from(list(Sex)),
    ),
    min_size=1,
    max_size=8,
    unique=True,
)


# on X a country's genotype counts are told only where many are large, and then they show much
mostly_large = st.sampled_from([3, 10, 11, 12, 20, 40])


@st.composite
def places(
    draw: st.DrawFn, *kinds: PloidyClass, counts: st.SearchStrategy[int] = counts, half_calls: bool = True
) -> Place:
    kind = draw(st.sampled_from(kinds or list(PloidyClass)))
    strata = sorted(draw(strata_lists))
    half = st.one_of(st.just(0), counts) if half_calls else st.just(0)
    table = {
        s: genotypes(EXPECTED_PLOIDY[kind][s.sex], (draw(counts), draw(counts)), draw(counts), draw(half))
        for s in strata
    }
    return Place(kind, table)


def disclosed(place: Place, floor: int) -> Told:
    strata = tuple(place.table)
    margins = margins_of(strata)
    possible = np.array([[p == 2, p == 2, p == 1] for p in map(place.ploidy, strata)])
    columns = np.array([[g.het, g.hom, g.hemi, g.an] for g in place.table.values()], np.int64).T[:, None, :]
    return disclose(margins, margins.ploidy(possible), np.array([floor]), *columns)


def cells_of(told: Told, labels: tuple[str, ...]) -> dict[str, Cell]:
    het, hom, hemi, an = told.counts[:, 0].tolist()
    return {
        label: (het[k] + 2 * hom[k] + hemi[k], an[k], (het[k], hom[k], hemi[k]) if told.genotypes[0, k] else None)
        for k, label in enumerate(labels)
        if told.told[0, k]
    }


def told_of(place: Place, floor: int = FLOOR) -> dict[str, Cell]:
    return cells_of(disclosed(place, floor), margins_of(tuple(place.table)).labels)


@given(places(), st.sampled_from([0, 10, 25]))
@settings(max_examples=300)
def test_tells_exactly_what_the_rules_say(place: Place, floor: int) -> None:
    assert told_of(place, floor) == told_cells(place.table, floor, separates=place.separates)


@given(
    st.one_of(
        places(half_calls=False),
        places(PloidyClass.X_NONPAR, counts=mostly_large, half_calls=False),
    )
)
@settings(max_examples=300)
def test_nothing_below_the_floor_is_a_linear_combination_of_told_numbers(place: Place) -> None:
    small = [each for each in derivable(place.table, place.haploid, told_of(place)) if each.value < FLOOR]
    assert not small


def test_the_attack_finds_what_a_rule_less_would_give_away() -> None:
    """The attack above can fail: without rule 2's remainder, or rule 4's crossing cells, it finds the small cell."""
    women, men, unsexed = (Stratum(Country("FI"), "", sex) for sex in (Sex.FEMALE, Sex.MALE, Sex.UNKNOWN))
    table = {
        women: genotypes(2, (20, 0), 30),
        men: genotypes(2, (15, 0), 30),
        unsexed: genotypes(2, (3, 0), 30),
    }
    careless: dict[str, Cell] = {"FI": (38, 256, None), "FI_M": (15, 90, None), "FI_F": (20, 100, None)}
    found = derivable(table, set(), careless)
    assert ("AC", (unsexed,), 3.0) in [(each.kind, each.group, round(each.value, 6)) for each in found]
    assert set(told_of(Place(PloidyClass.DIPLOID, table))) == {"FI", "Total"}


@given(places())
@settings(max_examples=100)
def test_no_told_pair_of_nested_cells_differs_by_a_small_cell(place: Place) -> None:
    cells = told_of(place)
    for (outer, whole), (inner, part) in itertools.permutations(cells.items(), 2):
        if is_inside(inner, outer):
            for index in (0, 1):
                assert whole[index] == part[index] or whole[index] - part[index] >= FLOOR, (outer, inner)


def is_inside(inner: str, outer: str) -> bool:
    if outer == "Total":
        return True
    if outer in ("M", "F"):
        return inner.endswith(f"_{outer}")
    return inner.startswith((f"{outer}_", f"{outer}:"))


def one_stratum(het: int, hom: int, without: int, kind: PloidyClass = PloidyClass.DIPLOID) -> Place:
    stratum = Stratum(Country("FI"), "FIN", Sex.FEMALE)
    return Place(kind, {stratum: genotypes(EXPECTED_PLOIDY[kind][stratum.sex], (het, hom), without)})


@pytest.mark.parametrize(
    ("het", "hom", "without", "told", "trio"),
    [
        (9, 0, 100, False, False),
        (10, 0, 100, True, False),  # no homozygous person is fewer than 10
        (10, 9, 100, True, False),
        (10, 10, 100, True, True),
        (10, 10, 10, True, True),
        (10, 10, 9, True, False),  # AN / 2 - het - hom would be 9 people
        (0, 100, 0, False, False),  # AC = AN
        (9, 100, 0, False, False),  # AC > AN - 10
        (10, 100, 0, True, False),
    ],
)
def test_floors_of_alleles_and_genotypes(het: int, hom: int, without: int, told: bool, trio: bool) -> None:
    cells = told_of(one_stratum(het, hom, without))
    assert ("FI" in cells) is told
    assert ("FI" in cells and cells["FI"][2] is not None) is trio


def test_the_haploid_count_of_mitochondria_is_its_genotype_count() -> None:
    assert told_of(one_stratum(40, 0, 60, PloidyClass.MT))["FI"] == (40, 100, (0, 0, 40))


def test_a_half_call_makes_the_impossible_possible() -> None:
    stratum = Stratum(Country("FI"), "", Sex.FEMALE)
    place = Place(PloidyClass.DIPLOID, {stratum: genotypes(2, (20, 20), 20, half=1)})
    assert told_of(place)["FI"] == (61, 121, None)


def test_on_x_a_country_shows_its_sexes_and_is_told_with_them_only() -> None:
    """Men are hemizygous only and women never: with AN of women told, AN / 2 - het - hom is women without a copy."""
    men, women = (Stratum(Country("FI"), "", sex) for sex in (Sex.MALE, Sex.FEMALE))
    few, enough = (
        Place(PloidyClass.X_NONPAR, {men: genotypes(1, (20, 0), 50), women: genotypes(2, (20, 12), without)})
        for without in (3, 10)
    )
    assert [told_of(few)[label] for label in ("FI", "FI_M", "FI_F")] == [
        (64, 140, None),
        (20, 70, None),
        (44, 70, None),
    ]
    assert told_of(enough)["FI"] == (64, 154, (20, 12, 20))
    assert told_of(enough)["FI_F"] == (44, 84, (20, 12, 0))


def test_on_x_populations_are_told_with_genotypes_only() -> None:
    """All men in one population, all others in the other: the country's het and hom are those of the other, and with
    its AN they give its people without a copy."""
    men, others = Stratum(Country("FI"), "A", Sex.MALE), Stratum(Country("FI"), "", Sex.UNKNOWN)
    few, enough = (
        Place(PloidyClass.X_NONPAR, {men: genotypes(1, (10, 0), 10), others: genotypes(2, (20, 12), without)})
        for without in (0, 10)
    )
    assert told_of(few) == dict.fromkeys(("FI", "Total"), (54, 84, (20, 12, 10)))
    assert set(told_of(enough)) == {"FI", "FI:A", "FI:unrecorded", "Total"}


def test_totals_sum_told_countries_only() -> None:
    finland, spain = (Stratum(Country(country), "", Sex.MALE) for country in ("FI", "ES"))
    place = Place(PloidyClass.DIPLOID, {spain: genotypes(2, (9, 0), 91), finland: genotypes(2, (30, 10), 60)})
    assert told_of(place) == {"FI": (50, 200, (30, 10, 0)), "Total": (50, 200, (30, 10, 0))}
    assert told_of(place, floor=0)["Total"] == (59, 400, (39, 10, 0))


def test_many_rows_are_as_each_alone() -> None:
    places = [one_stratum(het, 12, 40) for het in range(0, 30, 3)]
    strata = tuple(places[0].table)
    margins = margins_of(strata)
    columns = np.array([[(g := p.table[strata[0]]).het, g.hom, g.hemi, g.an] for p in places], np.int64).T[:, :, None]
    together = disclose(margins, margins.ploidy(np.array([[True, True, False]])), np.full(10, FLOOR), *columns)
    for row, place in enumerate(places):
        assert cells_of(together.take(np.array([row])), margins.labels) == told_of(place)


def test_rows_add_up_with_genotypes_only_where_all_tell_them() -> None:
    both = one_stratum(12, 12, 40), one_stratum(30, 0, 40)
    rows = [disclosed(place, FLOOR) for place in both]
    summed = add_up(Told(*(np.concatenate(c, axis=1 if c[0].ndim == 3 else 0) for c in zip(*rows, strict=True))))
    labels = margins_of(tuple(both[0].table)).labels
    assert cells_of(summed, labels)["FI"] == (66, 268, None)
    assert cells_of(add_up(rows[0]), labels)["FI"] == (36, 128, (12, 12, 0))


def test_people_are_told_between_the_floors() -> None:
    counts = np.array([9, 10, 90, 91, 100, 0])
    totals, floors = np.full(6, 100), np.array([10, 10, 10, 10, 10, 0])
    told = people_told(counts, totals, floors, everyone=False)
    assert told.tolist() == [False, True, True, False, False, True]
    assert people_told(totals, totals, floors, everyone=True).all()
    assert not people_told(np.array([9]), np.array([9]), np.array([10]), everyone=True).any()
