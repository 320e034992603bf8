# SPDX-License-Identifier: Apache-2.0
"""The genotypes of a study's people at this node, read by permit."""

from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np
import numpy.typing as npt

from megagenome.analytics.needs import Scan
from megagenome.collection.permit_reading import PermitReading
from megagenome.standards.study import read_region
from megagenome.standards.study_arrays import AlleleList

_AUTOSOMES = tuple(str(number) for number in range(1, 23))


class SiteGenotypes:
    """`megagenome.analytics.needs.Genotypes` over a reading by permit. The people are fixed: whatever is asked after
    one of them withdrew raises `PeopleChanged`."""

    def __init__(
        self, reading: PermitReading, numbers: npt.NDArray[np.int64], executor: Executor | None = None
    ) -> None:
        """`numbers` are of `PeopleValues.numbers`."""
        self._reading, self._numbers, self._executor = reading, numbers, executor
        self._latest: tuple[AlleleList, Scan] | None = None

    def list_alleles(self, assembly: str, regions: Sequence[str], least_count: int) -> AlleleList:
        """Alleles in regions (none: all autosomes) of which, and of whose alternatives, the people have at least
        `least_count` copies. Cost: one pass over the genotypes; for 0 copies none."""
        alleles = self._reading.alleles([read_region(assembly, text) for text in regions or _AUTOSOMES])
        if not least_count:
            return alleles
        counts = self.scan(alleles).count()
        copies = counts.het + 2 * counts.hom + counts.hemi
        rarer = np.minimum(copies, counts.called - copies)
        return alleles.take(np.flatnonzero(rarer >= least_count))

    def scan(self, alleles: AlleleList) -> Scan:
        """Their genotypes at these alleles. The latest one is kept for the next round."""
        if self._latest is None or not _is_same(self._latest[0], alleles):
            scan: Scan = self._reading.scan(alleles, self._numbers, self._executor)
            self._latest = alleles, scan
        return self._latest[1]


def _is_same(one: AlleleList, other: AlleleList) -> bool:
    return (
        (one.assembly, one.contigs, one.text) == (other.assembly, other.contigs, other.text)
        and np.array_equal(one.contig, other.contig)
        and np.array_equal(one.start, other.start)
    )
