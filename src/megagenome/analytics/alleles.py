# SPDX-License-Identifier: Apache-2.0
"""A site's part in choosing the alleles of a study: which it may name, and its counts of those that all sites named."""

from typing import Any

import numpy as np
import numpy.typing as npt

from megagenome.analytics.needs import Genotypes
from megagenome.standards.study import Variants
from megagenome.standards.study_arrays import AlleleList, Arrays, read_alleles

STEPS = ("alleles", "count")


class AllelesSite:
    """Answers the two steps with which every study of alleles begins."""

    def __init__(self, variants: Variants, genotypes: Genotypes, least_count: int) -> None:
        """`least_count`: an allele of which, or of whose alternatives, this site has fewer copies is not named by it.
        It is studied all the same where another site names it, for then it is in sums only."""
        self._variants, self._genotypes, self._least_count = variants, genotypes, least_count

    def answer(self, step: str, parameters: Arrays) -> Arrays:
        """`alleles`: what this site names. `count`: int64 [alleles, 6] (`network.studies.alleles`), of those asked."""
        if step == "alleles":
            variants = self._variants
            return self._genotypes.list_alleles(variants.assembly, variants.regions, self._least_count).to_arrays()
        return {"counts": self._count(read_alleles(self._variants.assembly, parameters))}

    def _count(self, alleles: AlleleList) -> npt.NDArray[Any]:
        scan = self._genotypes.scan(alleles)
        counts = np.stack((*scan.count(), scan.recorded.astype(np.int64)), axis=1)
        counts[~scan.recorded] = 0
        return counts
