# SPDX-License-Identifier: Apache-2.0
"""Which strata add up to which cells: countries, sexes of a country, populations of a country, and their totals."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection.model import Sex, Stratum
from megagenome.discovery.model import Bools

Floats = npt.NDArray[np.float64]

UNRECORDED = "unrecorded"
"""Label of a country's people whose population the holder did not record, beside those of recorded populations."""


class Ploidy(NamedTuple):
    """How many copies people can have at a place, in the form that disclosure needs.

    kinds      float64 [strata, 3 * columns]: 1 where the stratum is of the column and its people can be het (hom, hemi)
    people     float64 [strata]: twice the people per reference allele in people without a copy: 1 diploid, 2 haploid
    separates  True where sexes differ in what they can be, so that a country's genotype counts show those of its sexes
    """

    kinds: Floats
    people: Floats
    separates: bool


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """The cells of a set of strata, as columns of a table.

    countries  how many there are
    labels     of the columns that may be told; the last three are `Total`, `M` and `F`
    order      the columns of countries and sexes in the order of an answer
    sums       float64 [strata, columns but the last three]: 1 where the stratum belongs to the column. Counts are
               summed as floats, which are exact to 2^53, because only floats multiply fast
    country, men, women, population, unsexed  where these columns are; all but `unsexed` may be told
    parts      the columns of populations and of single strata, which divide countries
    parts_of   float64 [parts, 2 * countries]: 1 where a population, and after them where a stratum, is of the country
    country_of  index of each population's country
    """

    countries: int
    labels: tuple[str, ...]
    order: tuple[int, ...]
    sums: Floats
    country: slice
    men: slice
    women: slice
    population: slice
    unsexed: slice
    parts: slice
    parts_of: Floats
    country_of: npt.NDArray[np.intp]

    @property
    def total(self) -> int:
        """The column of `Total`."""
        return len(self.labels) - 3

    def ploidy(self, possible: Bools) -> Ploidy:
        """For `possible` as `Reading.copies_possible` gives it, bool [strata, 3]."""
        kinds = possible[:, :, None] * self.sums[:, None, :]
        haploid = ~possible[:, 0] & ~possible[:, 1]
        separates = bool((possible != possible[:1]).any())
        return Ploidy(kinds.reshape(len(possible), -1), np.where(haploid, 2.0, 1.0), separates)


def margins_of(strata: tuple[Stratum, ...]) -> Margins:
    """The cells that these strata add up to. A country where no population is recorded has no population cells."""
    countries = sorted({stratum.country for stratum in strata})
    recorded = {stratum.country for stratum in strata if stratum.population}
    populations = sorted({(s.country, s.population) for s in strata if s.country in recorded})
    c, p = len(countries), len(populations)

    by_country = _indicators([[s.country == each for each in countries] for s in strata], c)
    by_population = _indicators([[s[:2] == each for each in populations] for s in strata], p)
    sexed = [
        by_country * _indicators([[s.sex is sex] for s in strata], 1) for sex in (Sex.MALE, Sex.FEMALE, Sex.UNKNOWN)
    ]
    of_country = _indicators([[each == country for each in countries] for country, _ in populations], c)
    parts_of = np.zeros((p + len(strata), 2 * c))
    parts_of[:p, :c], parts_of[p:, c:] = of_country, by_country
    labels = [f"{country}{ending}" for ending in ("", "_M", "_F") for country in countries]
    labels += [f"{country}:{population or UNRECORDED}" for country, population in populations]
    total = 3 * c + p
    return Margins(
        countries=c,
        labels=(*labels, "Total", "M", "F"),
        order=(total, total + 1, total + 2, *(k + block * c for k in range(c) for block in range(3))),
        sums=np.hstack((by_country, sexed[0], sexed[1], by_population, np.eye(len(strata)), sexed[2])),
        country=slice(0, c),
        men=slice(c, 2 * c),
        women=slice(2 * c, 3 * c),
        population=slice(3 * c, total),
        unsexed=slice(total + len(strata), None),
        parts=slice(3 * c, total + len(strata)),
        parts_of=parts_of,
        country_of=np.array([countries.index(country) for country, _ in populations], np.intp),
    )


def _indicators(rows: list[list[bool]], width: int) -> Floats:
    return np.array(rows, np.float64).reshape(len(rows), width)
