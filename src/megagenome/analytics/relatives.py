# SPDX-License-Identifier: Apache-2.0
"""Who of a site's people is there twice, or is closely related to another: they would count as independent.

Kinship is KING's robust estimate (Manichaikul and others, 2010: "Robust relationship inference in genome-wide
association studies", equation 11), over alleles at which both people were called. It needs no frequencies, so people of
different ancestries in one site do no harm.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.analytics.needs import Floats, GenotypeCounts, Genotypes, Scan
from megagenome.standards.study import Variants
from megagenome.standards.study_arrays import AlleleList

Pairs = npt.NDArray[np.int64]

DUPLICATE, FIRST, SECOND = 2**-1.5, 2**-2.5, 2**-3.5
"""Least kinship of duplicates and identical twins, of first and of second degree: KING's bounds, the geometric means of
what neighbouring degrees are expected to have."""
MOST_ALLELES = 4_096
LEAST_ALLELES = 500
LEAST_FOR_SECOND = 2_048
"""With fewer the estimate's standard error (about half of one over the root of their number) is not small beside what
tells the second degree from the third, 0.06: millions of pairs would then have many that only seem related."""
_WINDOW = 100_000
_LEAST_FREQUENCY = 0.05
_MOST_MISSING = 0.02
_PEOPLE_AT_ONCE = 1_024
_ALLELES_AT_ONCE = 1_024


class Relatives(NamedTuple):
    """Pairs of a site's people. How many there are may leave the site where its rules let it; who they are must not.

    alleles     over how many kinship was estimated; below LEAST_ALLELES nothing was, and there are no pairs
    duplicates, first, second  pairs of each degree; of the second only from LEAST_FOR_SECOND alleles on
    pairs       int64 [pairs, 2], places in the scan, the smaller first, sorted; all degrees
    kinship     float64 [pairs]
    """

    alleles: int
    duplicates: int
    first: int
    second: int
    pairs: Pairs
    kinship: Floats

    def to_leave_out(self, least: float = DUPLICATE) -> Pairs:
        """People without whom no pair is left whose kinship is `least` or more: again and again the one who is in most
        pairs, of several the last. Increasing places."""
        pairs, left_out = self.pairs[self.kinship >= least], []
        while len(pairs):
            number = np.bincount(pairs.ravel())
            one = int(np.flatnonzero(number == number.max())[-1])
            left_out.append(one)
            pairs = pairs[(pairs != one).all(axis=1)]
        return np.array(sorted(left_out), np.int64)


def relatives_of(genotypes: Genotypes, variants: Variants) -> tuple[Relatives, int]:
    """Of the people whose genotypes these are, by alleles that a study is of; and how many of them were compared: all,
    or nobody, where too few alleles are fit. Of neighbours only one is taken: over a short piece of a chromosome people
    who are not related are alike. Cost: two passes over the genotypes, and as for `find_relatives`."""
    alleles = genotypes.list_alleles(variants.assembly, variants.regions, 1)
    window = alleles.contig.astype(np.int64) << 32 | alleles.start.astype(np.int64) // _WINDOW
    scan = genotypes.scan(alleles)
    fit = thinned(alleles, scan.count(), len(alleles))
    apart = fit[np.diff(window[fit], prepend=-1) != 0]
    if len(apart) > MOST_ALLELES:
        apart = apart[np.linspace(0, len(apart) - 1, MOST_ALLELES).astype(np.int64)]
    found = find_relatives(scan, apart)
    return found, scan.people if found.alleles >= LEAST_ALLELES else 0


def thinned(alleles: AlleleList, counts: GenotypeCounts, most: int = MOST_ALLELES) -> Pairs:
    """Indices of common autosomal alleles of single bases with few missing calls, evenly along the list: at most so
    many. Of alleles at one place the first."""
    everybody = counts.called // 2 + counts.missing
    copies = counts.het + 2 * counts.hom
    frequency = copies / np.maximum(1, counts.called)
    autosomal = np.array([contig.isdecimal() for contig in alleles.contigs], np.bool_)[alleles.contig]
    single = np.fromiter(map(len, alleles.text), np.int64, len(alleles)) == len("A\tC")
    place = alleles.contig.astype(np.int64) << 32 | alleles.start
    fit = np.flatnonzero(
        autosomal
        & single
        & (counts.hemi == 0)
        & (np.diff(place, prepend=-1) != 0)
        & (np.minimum(frequency, 1 - frequency) >= _LEAST_FREQUENCY)
        & (counts.missing <= _MOST_MISSING * everybody)
    )
    return fit if len(fit) <= most else fit[np.linspace(0, len(fit) - 1, most).astype(np.int64)]


def find_relatives(scan: Scan, alleles: Pairs) -> Relatives:
    """The pairs of the scan's people who are duplicates or of the first or second degree, by some alleles (`thinned`
    chooses them).

    Cost: for 4,000 people and 4,096 alleles 4 CPU seconds, growing with the square of the people; memory, a byte per
    person and allele.
    """
    if len(alleles) < LEAST_ALLELES:
        return Relatives(len(alleles), 0, 0, 0, np.zeros((0, 2), np.int64), np.zeros(0))
    least = SECOND if len(alleles) >= LEAST_FOR_SECOND else FIRST
    calls = _calls(scan, alleles)
    pairs, kinship = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    for low in range(0, scan.people, _PEOPLE_AT_ONCE):
        mine = _Indicators(calls[low : low + _PEOPLE_AT_ONCE])
        for other in range(low, scan.people, _PEOPLE_AT_ONCE):
            theirs = mine if other == low else _Indicators(calls[other : other + _PEOPLE_AT_ONCE])
            found = mine.kinship(theirs)
            close = np.argwhere(np.triu(found >= least, 1) if other == low else found >= least)
            pairs.append(close + np.array([low, other]))
            kinship.append(found[close[:, 0], close[:, 1]])
    everyone, degree = np.concatenate(pairs), np.concatenate(kinship)
    order = np.lexsort(everyone.T[::-1])
    bounds = [int(np.count_nonzero(degree >= bound)) for bound in (DUPLICATE, FIRST, SECOND)]
    return Relatives(
        len(alleles), bounds[0], bounds[1] - bounds[0], bounds[2] - bounds[1], everyone[order], degree[order]
    )


def _calls(scan: Scan, alleles: Pairs) -> npt.NDArray[np.int8]:
    """int8 [people, alleles]: copies, -1 where missing."""
    calls = np.empty((scan.people, len(alleles)), np.int8)
    for low in range(0, len(alleles), _ALLELES_AT_ONCE):
        some = scan.dosages(alleles[low : low + _ALLELES_AT_ONCE])
        calls[:, low : low + len(some)] = np.where(np.isnan(some), -1, some).T
    return calls


class _Indicators:
    """Some people's genotypes as zeros and ones, whose products count alleles at which two people have them. Counts
    below 2^24 are exact in single precision."""

    def __init__(self, calls: npt.NDArray[np.int8]) -> None:
        self.none, self.het, self.both, self.called = (
            which.astype(np.float32) for which in (calls == 0, calls == 1, calls == 2, calls >= 0)
        )

    def kinship(self, theirs: "_Indicators") -> Floats:
        """float64 [these, those]. Of people who are never both het nor one of them het, 0: nothing is known."""
        both_het = (self.het @ theirs.het.T).astype(np.float64)
        opposite = self.none @ theirs.both.T + self.both @ theirs.none.T
        mine, other = self.het @ theirs.called.T, self.called @ theirs.het.T
        fewer = np.minimum(mine, other).astype(np.float64)
        kinship = (both_het - 2 * opposite) / np.maximum(1, 2 * fewer) + 0.5 - (mine + other) / np.maximum(1, 4 * fewer)
        return np.where(fewer > 0, kinship, 0.0)
