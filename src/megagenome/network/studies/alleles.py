# SPDX-License-Identifier: Apache-2.0
"""Which alleles a study is about: those that a site names, all have a record of, and that are common enough."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.network.studies.model import Ask, NodeFault, Quantity, Sums
from megagenome.standards.study import Variants
from megagenome.standards.study_arrays import AlleleList, read_alleles, unite

Counts = npt.NDArray[np.int64]
_PARTS = ("contigs", "contig", "start", "text")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The alleles of a study, and their counts over all sites, int64 [alleles] each (as `analytics.needs` says).

    left_out  how many more were named, by why they are not among them
    """

    alleles: AlleleList
    het: Counts
    hom: Counts
    hemi: Counts
    missing: Counts
    called: Counts
    left_out: dict[str, int]

    @property
    def copies(self) -> Counts:
        """Copies of the allele."""
        return self.het + 2 * self.hom + self.hemi

    @property
    def frequency(self) -> npt.NDArray[np.float64]:
        """Copies of the allele by alleles called; never 0, 1 or NaN."""
        return self.copies / self.called

    def notes(self) -> tuple[str, ...]:
        """A sentence for each reason why alleles were left out."""
        return tuple(f"Alleles left out because {why}: {number:,}." for why, number in self.left_out.items() if number)


def choose_alleles(variants: Variants, sites: int) -> Generator[Ask, Sums, Chosen]:
    """Two rounds: sites name alleles, then count them. Raises `NodeFault` for a list that is none, `Invalid`
    where no allele is left."""
    named = yield Ask("alleles", {}, opened=_PARTS)
    nodes = sorted(name.partition("/")[2] for name in named if name.startswith("start/"))
    lists = [_listed(variants.assembly, named, node) for node in nodes]
    union = unite(lists)
    if not len(union):
        raise Invalid("no node has an allele in the study's regions that it may name")
    sums = yield Ask("count", union.to_arrays(), (Quantity("counts", (len(union), 6), 0),))
    return _choose(variants, union, sums["counts"], sites)


def _listed(assembly: str, named: Sums, node: str) -> AlleleList:
    try:
        return read_alleles(assembly, {part: named[f"{part}/{node}"] for part in _PARTS})
    except Invalid as error:
        raise NodeFault(node, f"it sends {error}") from None


def _choose(variants: Variants, union: AlleleList, counts: Counts, sites: int) -> Chosen:
    het, hom, hemi, missing, called, recorded = counts.T
    copies = het + 2 * hom + hemi
    rarer = np.minimum(copies, called - copies)
    everywhere = recorded == sites
    # in the order in which reasons are given; 1 copy at least, or there is nothing to compare
    enough = rarer >= max(variants.least_count, 1)
    common = rarer >= variants.least_frequency * called
    kept = everywhere & enough & common
    if not kept.any():
        raise Invalid("no allele is recorded at every node and common enough for the study")
    left_out = {
        "not every node has a record of them": int((~everywhere).sum()),
        f"there are fewer than {variants.least_count} copies of the rarer one": int((everywhere & ~enough).sum()),
        f"the rarer one's frequency is below {variants.least_frequency:g}": int((everywhere & enough & ~common).sum()),
    }
    rows = np.flatnonzero(kept)
    return Chosen(union.take(rows), het[rows], hom[rows], hemi[rows], missing[rows], called[rows], left_out)
