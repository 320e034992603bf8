# SPDX-License-Identifier: Apache-2.0
"""Disclosure control of allele counts: which cells of a table may leave the node. The one implementation of the rules.

The rules, and why nothing below a floor follows from what they let out, are in `docs/discovery.md`; the numbers below
are those of its sections. A cell of people *passes* when floor <= AC <= AN - floor. Its genotype counts *pass* when
each of het, hom and hemi is at least the floor, or is zero and impossible by ploidy, and when as many people were
called without a copy.

1. A country is told when it passes.
2. Its men and women are told when the country is, and both pass; and so do its people of unrecorded sex, where alleles
   of theirs were called.
3. Genotype counts of a country are told when they pass; of its men and women when those of both pass, and of its
   people of unrecorded sex. Where ploidy differs between sexes (X), those of the country are told only with these.
4. Its populations are told when the country is and each of them passes, people of unrecorded population counting as
   one; and, where men and women are told, also the men, the women and those of unrecorded sex of each population.
   Their genotype counts likewise. Where ploidy differs between sexes, all of these must pass, genotype counts too.
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
    m = margins
    floor = floors[:, None]
    planes = np.empty((5, *het.shape))
    planes[0], planes[1], planes[2], planes[3] = het, hom, hemi, an
    planes[4] = (an - 2 * (het + hom) - hemi) * ploidy.people
    cells: Floats = planes @ m.sums
    ac = cells[0] + 2 * cells[1] + cells[2]
    passes = (ac >= floor) & (ac <= cells[3] - floor)
    empty = cells[3] == 0
    countries = passes[:, m.country] & ~empty[:, m.country]
    if not countries.any():
        return Told.of_nothing(len(floors), len(m.labels))

    fits = np.empty((2, *passes.shape), np.bool_)  # AC, then genotype counts: pass, or nothing is there
    fits[0] = passes | empty
    fits[1] = _genotypes_pass(cells, planes[3] > 0, ploidy, floor) | empty
    sexes = countries & passes[:, m.men] & passes[:, m.women] & fits[0, :, m.unsexed]
    of_sexes = fits[1, :, m.men] & fits[1, :, m.women] & fits[1, :, m.unsexed]
    of_countries = fits[1, :, m.country]
    # how many populations of each country, and then how many of its strata, do not fit
    misfits = (~fits[:, :, m.parts]).astype(np.float64) @ m.parts_of
    fitting = misfits == 0
    if ploidy.separates:
        of_countries = of_countries & (of_sexes | ~sexes)
        divided = of_divided = fitting.all(axis=0)[:, : m.countries] & fitting.all(axis=0)[:, m.countries :]
    else:
        divided, of_divided = fitting[:, :, : m.countries] & (fitting[:, :, m.countries :] | ~sexes)

    told = Told.of_nothing(len(floors), len(m.labels))
    shown, trios = told.told, told.genotypes
    shown[:, m.country], shown[:, m.men], shown[:, m.women] = countries, sexes, sexes
    trios[:, m.country], trios[:, m.men], trios[:, m.women] = of_countries, of_sexes, of_sexes
    shown[:, m.population] = (countries & divided)[:, m.country_of]
    trios[:, m.population] = of_divided[:, m.country_of]
    own = slice(0, m.total)
    shown[:, own] &= ~empty[:, own]
    trios[:, own] &= shown[:, own]
    told.counts[:, :, own] = cells[:4, :, own]
    _fill_totals(m, told)
    return told


def _genotypes_pass(cells: Floats, called: Bools, ploidy: Ploidy, floor: Integers) -> Bools:
    """For each column whether its genotype counts pass. Impossible is what nobody called there can have; a count of it
    that is above zero (a half call) makes it possible."""
    able = (called.astype(np.float64) @ ploidy.kinds).reshape(len(called), 3, -1).swapaxes(0, 1)
    kinds = cells[:3]
    passes: Bools = np.logical_and.reduce((kinds >= floor) | (kinds + able == 0), axis=0)
    passes &= cells[4] >= 2 * floor
    return passes


def _fill_totals(m: Margins, told: Told) -> None:
    """The last three columns: sums over countries of their told cells, of their told men, of their told women."""
    shape = (len(told.told), 3, m.countries)
    cells = slice(0, 3 * m.countries)
    parts = told.told[:, cells].reshape(shape)
    np.logical_or.reduce(parts, axis=-1, out=told.told[:, m.total :])
    np.logical_and.reduce(told.genotypes[:, cells].reshape(shape) | ~parts, axis=-1, out=told.genotypes[:, m.total :])
    told.genotypes[:, m.total :] &= told.told[:, m.total :]
    np.add.reduce(told.counts[:, :, cells].reshape(4, *shape) * parts, axis=-1, out=told.counts[:, :, m.total :])


def add_up(rows: Told) -> Told:
    """One row: each cell the sum of the rows that tell it; its genotype counts where all these tell theirs."""
    told = np.logical_or.reduce(rows.told, axis=0, keepdims=True)
    trios = np.logical_and.reduce(rows.genotypes | ~rows.told, axis=0, keepdims=True)
    return Told(told, trios & told, np.add.reduce(rows.counts * rows.told, axis=1, keepdims=True))


def people_told(counts: Integers, totals: Integers, floors: Integers, *, everyone: bool) -> Bools:
    """bool [datasets]: which counts of people are told: floor <= n <= N - floor, or for everyone floor <= N."""
    enough: Bools = counts >= floors
    return enough if everyone else enough & (counts <= totals - floors)
