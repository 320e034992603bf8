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

    kinds      float64 [strata, 3 * columns]: 1 where people of the stratum, who belong to the column, can be het (hom, hemi)
    people     float64 [strata]: twice the people per reference allele in people without a copy: 1 diploid, 2 haploid
    separates  True where sexes differ in what they can be, so that genotype counts of a country show those of its sexes
    """

    kinds: Floats
    people: Floats
    separates: bool


@dataclass(frozen=True, slots=True, eq=False)
class Margins:
    """The cells of a set of strata.

    Columns of `sums` are, in this order: countries, their men, their women, populations (these are told), then people of
    unrecorded sex by country and the single strata (these decide what is told). `labels` are the told columns and then
    `Total`, `M`, `F`; `order` and `populations` are their places in the order of an answer.

    sums           float64 [strata, columns]: 1 where the stratum belongs to the column. Counts are summed as floats,
                   which are exact to 2^53, because only floats multiply fast
    country_of     index of each population's country [populations]
    of_population  float64 [populations, countries]; of_stratum float64 [strata, countries]: 1 where it belongs
    """

    countries: int
    labels: tuple[str, ...]
    order: tuple[int, ...]
    populations: tuple[int, ...]
    sums: Floats
    country_of: npt.NDArray[np.intp]
    of_population: Floats
    of_stratum: Floats

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
    by_country = np.array([[s.country == c for c in countries] for s in strata], np.float64).reshape(len(strata), -1)
    sex = {kind: np.array([[s.sex is kind] for s in strata], np.float64).reshape(-1, 1) for kind in Sex}
    by_population = np.array([[(s.country, s.population) == p for p in populations] for s in strata], np.float64)
    sums = np.hstack(
        (
            by_country,
            by_country * sex[Sex.MALE],
            by_country * sex[Sex.FEMALE],
            by_population.reshape(len(strata), len(populations)),
            by_country * sex[Sex.UNKNOWN],
            np.eye(len(strata)),
        )
    )
    labels = [f"{country}{ending}" for ending in ("", "_M", "_F") for country in countries]
    labels += [f"{country}:{population or UNRECORDED}" for country, population in populations]
    told = len(labels)
    cells = range(len(countries))
    return Margins(
        countries=len(countries),
        labels=(*labels, "Total", "M", "F"),
        order=(told, told + 1, told + 2, *(c + block * len(countries) for c in cells for block in range(3))),
        populations=tuple(range(3 * len(countries), told)),
        sums=sums,
        country_of=np.array([countries.index(country) for country, _ in populations], np.intp),
        of_population=np.array([[p[0] == c for c in countries] for p in populations], np.float64).reshape(
            len(populations), len(countries)
        ),
        of_stratum=by_country,
    )
