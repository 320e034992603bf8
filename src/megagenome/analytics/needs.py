# SPDX-License-Identifier: Apache-2.0
"""What a site's part of a study reads: the genotypes and facts of the study's people at this node. The collection's
readings by permit have them (`collection.scan`); `app` wires them."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from megagenome.collection.model import GenotypeCounts, Projection
from megagenome.standards.study_arrays import AlleleList

__all__ = ["Counts", "Floats", "GenotypeCounts", "Genotypes", "Projection", "Scan"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class Genotypes(Protocol):
    """The genotypes of the study's people at this node."""

    def list_alleles(self, assembly: str, regions: Sequence[str], least_count: int) -> AlleleList:
        """Alleles in regions (as in `standards.study.Variants`; none: all autosomes) of which, and of whose
        alternatives, these people have at least `least_count` copies."""

    def scan(self, alleles: AlleleList) -> "Scan":
        """Their genotypes at these alleles, of which the node need not have a record."""


class Scan(Protocol):
    """Genotypes of some people at some alleles, read as often as asked. Copies are 0, 1, 2; who is haploid there has 0
    or 2, as plink2 has it. People's order is that of the columns; alleles' that of the list the scan was made for.

    Every method stops with the reading's own error within a second after the permit or a consent ends.
    """

    @property
    def people(self) -> int:
        """How many."""

    @property
    def recorded(self) -> npt.NDArray[np.bool_]:
        """bool [alleles]: whether this node has a record of the allele for all of the people's datasets."""

    def count(self) -> GenotypeCounts:
        """Counts at every allele."""

    def project(
        self, copies_of: Floats, missing_of: Floats | None = None, squares_of: Floats | None = None
    ) -> Projection:
        """Sums over people: of copies times `copies_of` [people, c], a missing call being 0 copies; of `missing_of`
        [people, d] over those whose call is missing; of squared copies times `squares_of` [people, e]. What is not
        asked for has 0 columns. Cost: one pass over the genotypes."""

    def spread(self, weights: Floats, missing: Floats | None = None) -> Floats:
        """`G W + M V`, float64 [people, c]: for each person the sum over alleles of copies times `weights`
        [alleles, c], plus the sum of `missing` [alleles, c] over the alleles where their call is missing. One pass."""

    def dosages(self, alleles: Counts) -> Floats:
        """Copies, float64 [len(alleles), people], NaN where the call is missing, of the alleles with these indices."""
