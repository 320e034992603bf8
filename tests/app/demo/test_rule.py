# SPDX-License-Identifier: Apache-2.0
"""The demo's rule against two others: the oracle of discovery's tests, and discovery itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.app.demo.rule import Cell, Genotypes, people_told, sum_cells, told_cells
from megagenome.collection.model import Sex, Stratum
from megagenome.discovery import disclosure as discovery
from megagenome.discovery.margins import margins_of
from megagenome.kernel.ids import Country
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass
from tests.oracles import disclosure as oracle

FI = Country("FI")
near_the_floor = st.one_of(st.sampled_from([0, 1, 9, 10, 11, 20, 21]), st.integers(0, 60))
carriers = st.tuples(near_the_floor, near_the_floor, near_the_floor)


def counts_of(copies: int, people: tuple[int, int, int]) -> Genotypes:
    """People with one copy, two copies and none of a place of which each has so many copies."""
    one, two, none = people
    if copies == 2:
        return Genotypes(one, two, 0, 2 * (one + two + none))
    return Genotypes(0, 0, one, one + none) if copies else Genotypes(0, 0, 0, 0)


@given(
    st.sampled_from(list(PloidyClass)),
    st.dictionaries(st.sampled_from(["female", "male", "unknown"]), carriers, min_size=1),
    st.sampled_from([0, 10]),
)
def test_cells_are_those_of_the_oracle_and_of_discovery(
    kind: PloidyClass, people: dict[str, tuple[int, int, int]], floor: int
) -> None:
    copies = EXPECTED_PLOIDY[kind]
    table = {sex: counts_of(copies[sex], mine) for sex, mine in people.items()}
    told = {label: (cell.ac, cell.an, cell.people) for label, cell in told_cells("FI", table, copies, floor).items()}
    assert told == by_oracle(table, people, copies, floor)
    assert told == by_discovery(table, copies, floor)


def by_oracle(table, people, copies, floor):
    def genotypes(sex: str, counts: Genotypes) -> oracle.Genotypes:
        possible = (copies[sex] == 2, copies[sex] == 2, copies[sex] == 1)
        without = people[sex][2] if copies[sex] else 0
        return oracle.Genotypes(*counts, possible, without)

    separates = len({copies[sex] for sex in table}) > 1
    strata = {Stratum(FI, "", Sex(sex)): genotypes(sex, counts) for sex, counts in table.items()}
    cells = oracle.told_cells(strata, floor, separates=separates)
    order = [1, 0, 2]  # the oracle says het first
    return {
        label: (ac, an, None if trio is None else tuple(trio[k] for k in order))
        for label, (ac, an, trio) in cells.items()
    }


def by_discovery(table, copies, floor):
    strata = tuple(sorted(Stratum(FI, "", Sex(sex)) for sex in table))
    margins = margins_of(strata)
    possible = np.array([[copies[s.sex] == 2, copies[s.sex] == 2, copies[s.sex] == 1] for s in strata])
    het, hom, hemi, an = (np.array([[table[s.sex][k] for s in strata]], np.int64) for k in range(4))
    told = discovery.disclose(margins, margins.ploidy(possible), np.array([floor]), het, hom, hemi, an)
    return {
        label: (
            int(told.ac[0, k]),
            int(told.counts[3, 0, k]),
            tuple(int(told.counts[row, 0, k]) for row in (1, 0, 2)) if told.genotypes[0, k] else None,
        )
        for k, label in enumerate(margins.labels)
        if told.told[0, k]
    }


@pytest.mark.parametrize(
    ("ac", "an", "told"), [(9, 100, False), (10, 100, True), (90, 100, True), (91, 100, False), (10, 19, False)]
)
def test_country_is_told_between_floor_and_all_but_the_floor(ac: int, an: int, told: bool) -> None:
    table = {"female": Genotypes(ac, 0, 0, an)}
    assert ("FI" in told_cells("FI", table, EXPECTED_PLOIDY[PloidyClass.DIPLOID], 10)) == told


def test_sums_tell_genotypes_only_where_all_parts_do() -> None:
    one, other = {"FI": Cell(10, 20, (1, 8, 0)), "Total": Cell(10, 20, (1, 8, 0))}, {"Total": Cell(5, 30, None)}
    assert sum_cells([one, other]) == {"FI": Cell(10, 20, (1, 8, 0)), "Total": Cell(15, 50, None)}
    assert sum_cells([one, one])["FI"] == Cell(20, 40, (2, 16, 0))
    assert sum_cells([]) == {}


@pytest.mark.parametrize(
    ("members", "everybody", "floor", "told"),
    [(9, 100, 10, False), (10, 100, 10, True), (90, 100, 10, True), (91, 100, 10, False), (0, 5, 0, True)],
)
def test_people_are_told_between_floor_and_all_but_the_floor(
    members: int, everybody: int, floor: int, told: bool
) -> None:
    assert people_told(members, everybody, floor) == told


def test_cell_as_text() -> None:
    assert str(Cell(1234, 5678, None)) == "1,234 of 5,678"
    assert str(Cell(3, 12, (1, 1, 0))) == "3 of 12 (1 hom, 1 het, 0 hemi)"
