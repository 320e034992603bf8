# SPDX-License-Identifier: Apache-2.0
"""Disclosure control of allele counts: which cells of a table may leave the node. The one implementation of the rules.

The rules, and why nothing below a floor follows from what they let out, are in `docs/discovery.md`; the numbers below
are those of its sections. A cell of people *passes* when floor <= AC <= AN - floor. Its genotype counts *pass* when
each of het, hom and hemi is at least the floor, or is zero and impossible by ploidy, and when as many people were
called without a copy.

1. A country is told when it passes.
2. Its men and women are told when the country is, and both pass; and so do its people of unrecorded sex, where alleles
   of theirs were called.
3. Genotype counts of a country are told when they pass; of its men and women when those of both pass, and of its people
   of unrecorded sex. Where ploidy differs between sexes (X), those of the country are told only together with these.
4. Its populations are told when the country is and each of them passes, people of unrecorded population counting as one;
   and, where men and women are told, also each population's men and women. Their genotype counts likewise.
5. `Total`, `M` and `F` are sums of told cells. Their genotype counts are told when those of all summands are.

With a floor of 0, which only open data have, every cell is told that has called alleles.
"""

import numpy as np
import numpy.typing as npt

from megagenome.discovery.margins import Floats, Margins, Ploidy
from megagenome.discovery.model import Bools, Integers, Told

Counts = npt.NDArray[np.int64]


def disclose(
    margins: Margins, ploidy: Ploidy, floors: Integers, het: Counts, hom: Counts, hemi: Counts, an: Counts
) -> Told:
    """What of these counts is told. Counts are int64 [rows, strata], `floors` int64 [rows].

    Some 60 microseconds for a few rows, then about 2 per row.
    """
    rows, c = len(floors), margins.countries
    p = len(margins.populations)
    men, women, populations = slice(c, 2 * c), slice(2 * c, 3 * c), slice(3 * c, 3 * c + p)
    unsexed, strata = slice(3 * c + p, 4 * c + p), slice(4 * c + p, None)
    floor = floors[:, None]
    planes = np.empty((5, rows, het.shape[1]))
    planes[0], planes[1], planes[2], planes[3] = het, hom, hemi, an
    planes[4] = (an - 2 * (het + hom) - hemi) * ploidy.people
    cells: Floats = planes @ margins.sums
    passes, empty = _passes(cells, floor)

    countries = passes[:, :c] & ~empty[:, :c]
    if not countries.any():
        return nothing(margins, rows)
    fits = passes | empty
    sexes = countries & passes[:, men] & passes[:, women] & fits[:, unsexed]
    genotypes = _genotypes_pass(cells, planes[3] > 0, ploidy, floor) | empty
    of_sexes = genotypes[:, men] & genotypes[:, women] & genotypes[:, unsexed]
    of_countries = genotypes[:, :c] & (of_sexes | ~sexes) if ploidy.separates else genotypes[:, :c]
    divided = _divided(fits, margins, populations, strata, sexes)[:, margins.country_of]
    of_divided = _divided(genotypes, margins, populations, strata, sexes)[:, margins.country_of]

    told_populations = countries[:, margins.country_of] & divided & ~empty[:, populations]
    told = np.hstack((countries, sexes & ~empty[:, men], sexes & ~empty[:, women], told_populations))
    trios = told & np.hstack((of_countries, of_sexes, of_sexes, of_divided))
    return _with_totals(told, trios, cells[:4, :, : 3 * c + p], c)


def _passes(cells: Floats, floor: Integers) -> tuple[Bools, Bools]:
    """For each column whether it passes, and whether no allele of it was called."""
    an = cells[3]
    ac = cells[0] + 2 * cells[1] + cells[2]
    return (ac >= floor) & (ac <= an - floor), an == 0


def _genotypes_pass(cells: Floats, called: Bools, ploidy: Ploidy, floor: Integers) -> Bools:
    """For each column whether its genotype counts pass. Impossible is what nobody called there can have; a count of it
    that is above zero (a half call) makes it possible."""
    possible = (called.astype(np.float64) @ ploidy.kinds).reshape(len(called), 3, -1).swapaxes(0, 1) > 0
    kinds = cells[:3]
    passes: Bools = ((kinds >= floor) | ((kinds == 0) & ~possible)).all(axis=0)
    return passes & (cells[4] >= 2 * floor)


def _divided(fits: Bools, margins: Margins, populations: slice, strata: slice, sexes: Bools) -> Bools:
    """For each country whether its populations fit, and their men and women where those of the country are told."""
    misfits: Bools = ~fits
    by_population = misfits[:, populations].astype(np.float64) @ margins.of_population
    by_stratum = misfits[:, strata].astype(np.float64) @ margins.of_stratum
    answer: Bools = (by_population == 0) & ((by_stratum == 0) | ~sexes)
    return answer


def _with_totals(told: Bools, trios: Bools, cells: Floats, countries: int) -> Told:
    shape = (len(told), 3, countries)
    parts, of_parts = told[:, : 3 * countries], trios[:, : 3 * countries]
    sums = (cells[:, :, : 3 * countries] * parts).reshape(4, *shape).sum(axis=-1)
    some = parts.reshape(shape).any(axis=-1)
    all_trios = (of_parts | ~parts).reshape(shape).all(axis=-1) & some
    return Told(
        np.hstack((told, some)),
        np.hstack((trios, all_trios)),
        np.concatenate((cells, sums), axis=2).astype(np.int64),
    )


def nothing(margins: Margins, rows: int = 0) -> Told:
    """Rows of which nothing is told."""
    shape = (rows, len(margins.labels))
    return Told(np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.zeros((4, *shape), np.int64))


def add_up(rows: Told) -> Told:
    """One row: each cell the sum of the rows that tell it. Its genotype counts are told when all those rows tell theirs."""
    told = rows.told.any(axis=0, keepdims=True)
    trios = (rows.genotypes | ~rows.told).all(axis=0, keepdims=True) & told
    return Told(told, trios, (rows.counts * rows.told).sum(axis=1, keepdims=True))


def people_told(counts: Integers, totals: Integers, floors: Integers, *, everyone: bool) -> Bools:
    """bool [datasets]: which counts of people are told: floor <= n <= N - floor, or for everyone floor <= N."""
    enough: Bools = counts >= floors
    return enough if everyone else enough & (counts <= totals - floors)
