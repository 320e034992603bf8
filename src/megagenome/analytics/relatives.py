# SPDX-License-Identifier: Apache-2.0
"""Who of a site's people is there twice, or is closely related to another: they would count as independent."""

from typing import NamedTuple

import numpy as np

from megagenome.analytics.kinship import PackedCalls, Pairs, duplicate_pairs, pack_calls, related_pairs
from megagenome.analytics.needs import Floats, GenotypeCounts, Genotypes, Scan
from megagenome.standards.study import Variants
from megagenome.standards.study_arrays import AlleleList

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
_MOST_CALLS = 1 << 30
"""So that a million people can be compared over a thousand alleles, in 400 MB."""


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
            if number.max() == 1:
                left_out += pairs[:, 1].tolist()
                break
            one = int(np.flatnonzero(number == number.max())[-1])
            left_out.append(one)
            pairs = pairs[(pairs != one).all(axis=1)]
        return np.array(sorted(left_out), np.int64)


NOBODY = Relatives(0, 0, 0, 0, np.zeros((0, 2), np.int64), np.zeros(0))


def relatives_of(genotypes: Genotypes, variants: Variants, most_compared: int) -> tuple[Relatives, int]:
    """Of the people whose genotypes these are, by alleles that a study is of; and of how many of them the relatives are
    known: all, or nobody, where too few alleles are fit, or there are more than `most_compared` people, of whom only
    duplicates are found. Of neighbours only one allele is taken: over a short piece of a chromosome people who are not
    related are alike. Cost: a pass over the genotypes, and as for `find_relatives` or `find_duplicates`."""
    alleles = genotypes.list_alleles(variants.assembly, variants.regions, 0)
    window = alleles.contig.astype(np.int64) << 32 | alleles.start.astype(np.int64) // _WINDOW
    if len(np.unique(window)) < LEAST_ALLELES:
        return NOBODY, 0
    scan = genotypes.scan(alleles)
    fit = thinned(alleles, scan.count(), len(alleles))
    apart = fit[np.diff(window[fit], prepend=-1) != 0]
    most = min(MOST_ALLELES, max(LEAST_ALLELES, _MOST_CALLS // max(1, scan.people)))
    if len(apart) > most:
        apart = apart[np.linspace(0, len(apart) - 1, most).astype(np.int64)]
    if scan.people > most_compared:
        return find_duplicates(scan, apart), 0
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
    chooses them). Raises what the scan raises, within a second or two.

    Cost: beside reading them, for 20,000 people and 4,096 alleles 27 CPU seconds, for 50,000 people 150: it grows with
    the square of the people. Memory: three bits per person and allele, and a hundred megabytes.
    """
    if len(alleles) < LEAST_ALLELES:
        return NOBODY._replace(alleles=len(alleles))
    least = SECOND if len(alleles) >= LEAST_FOR_SECOND else FIRST
    calls = pack_calls(scan, alleles)
    # reading an allele is what tells whether the scan may go on
    return _by_degree(calls, *related_pairs(calls, least, lambda: scan.dosages(alleles[:1])))


def find_duplicates(scan: Scan, alleles: Pairs) -> Relatives:
    """As `find_relatives`, but the duplicates only: for more people than can be compared with each other.

    Cost: beside reading them, for 50,000 people and 4,096 alleles 1.5 CPU seconds, growing with the people; memory, as
    there."""
    if len(alleles) < LEAST_ALLELES:
        return NOBODY._replace(alleles=len(alleles))
    calls = pack_calls(scan, alleles)
    return _by_degree(calls, *duplicate_pairs(calls, DUPLICATE))


def _by_degree(calls: PackedCalls, pairs: Pairs, kinship: Floats) -> Relatives:
    duplicates, first, second = (int(np.count_nonzero(kinship >= bound)) for bound in (DUPLICATE, FIRST, SECOND))
    return Relatives(calls.alleles, duplicates, first - duplicates, second - first, pairs, kinship)
