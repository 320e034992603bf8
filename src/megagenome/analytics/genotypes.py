# SPDX-License-Identifier: Apache-2.0
"""The genotypes of a study's people at this node, read by permit."""

import re
from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np
import numpy.typing as npt

from megagenome.analytics.needs import Scan
from megagenome.collection.permit_reading import PermitReading
from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import Invalid
from megagenome.standards.study_arrays import AlleleList

_REGION = re.compile(r"([0-9A-Za-z]{1,20})(?::([0-9,]{1,15})-([0-9,]{1,15}))?")
_AUTOSOMES = tuple(str(number) for number in range(1, 23))
_LONGEST = 1 << 28
"""No contig is longer."""


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


def read_region(assembly: str, text: str) -> Region:
    """`22`, or `22:16050001-17000000`, 1-based with both ends. Raises `Invalid`."""
    found = _REGION.fullmatch(text)
    if found is None:
        raise Invalid(f"region {text[:60]!r}: write 22, or 22:16050001-17000000")
    contig, first, last = found.groups()
    if first is None:
        return Region(assembly, contig, 0, _LONGEST)
    start, end = (int(each.replace(",", "") or "0") for each in (first, last))
    if not 0 < start <= end <= _LONGEST:
        raise Invalid(f"region {text[:60]!r}: positions count from 1, and the first is not after the last")
    return Region(assembly, contig, start - 1, end)


def _is_same(one: AlleleList, other: AlleleList) -> bool:
    return (
        (one.assembly, one.contigs, one.text) == (other.assembly, other.contigs, other.text)
        and np.array_equal(one.contig, other.contig)
        and np.array_equal(one.start, other.start)
    )
