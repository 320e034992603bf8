# SPDX-License-Identifier: Apache-2.0
"""Scans: sums over the genotypes of some people at many alleles, as studies need them (`analytics.needs.Scan`)."""

import concurrent.futures
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from megagenome.collection import scan_parts
from megagenome.collection.model import GenotypeCounts, Projection
from megagenome.collection.scan_plan import ScanPlan
from megagenome.kernel.errors import Invalid, Unavailable

Floats = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Answer = TypeVar("Answer")

_MOST_PARTS = 16
_LEAST_ALLELES = 1_024
"""A part has at least so many alleles: making its tables then costs little beside reading."""
_LOOK_S = 0.1
"""So often a scan that others work on looks whether it may go on."""


class PeopleChanged(Unavailable):
    """One of the people whom a study was begun with withdrew: whatever was summed holds no more; begin again without
    them."""


class GenotypeScan:
    """Genotypes of fixed people at some alleles, as `analytics.needs.Scan` says. Made by `PermitReading.scan`.

    Copies are 0, 1, 2, of the haploid 0 or 2. A call is missing where not every expected allele was called, and of
    women on Y. At an allele of which none of a person's loads has a record, they add nothing to anything. Who has
    genotypes in several loads counts with the first one that has the allele.

    Every method raises `PeopleChanged` when one of the people withdraws, and `NotEntitled` when the permit ends, within
    a second, also while it runs; nothing partial is returned. Sums are float64 in a fixed order: the same again and
    again on one kind of processor, whoever computes the parts.
    """

    def __init__(
        self, plan: ScanPlan, go_on: Callable[[], None], executor: concurrent.futures.Executor | None = None
    ) -> None:
        """For `PermitReading.scan`. `go_on` raises once the scan may not; it costs nothing most of the time.

        executor  works on parts of a scan, in threads or wherever the node's packs can be opened by their paths;
                  None: one part after the other, here
        """
        self._plan, self._go_on, self._executor = plan, go_on, executor
        self._parts = plan.parts(_MOST_PARTS, _LEAST_ALLELES)

    @property
    def people(self) -> int:
        """How many."""
        return len(self._plan.numbers)

    @property
    def recorded(self) -> npt.NDArray[np.bool_]:
        """bool [alleles]: whether each of the people is in a load that has a record of the allele."""
        return self._plan.recorded

    def count(self) -> GenotypeCounts:
        """Counts at every allele, each person once."""
        parts = list(self._each(scan_parts.count, [(part,) for part in self._parts]))
        return GenotypeCounts(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def project(
        self, copies_of: Floats, missing_of: Floats | None = None, squares_of: Floats | None = None
    ) -> Projection:
        """Sums over people at each allele, as `analytics.needs.Scan.project`.

        Cost: one pass over the genotypes, in time linear in the columns, of which eight together cost what one does:
        2 CPU seconds for 10^10 genotypes of alleles as common as studies have and eight columns."""
        nothing = np.zeros((self.people, 0))
        of = tuple(nothing if each is None else each for each in (copies_of, missing_of, squares_of))
        self._require_rows(self.people, *of)
        parts = list(self._each(scan_parts.project, [(part, *of) for part in self._parts]))
        return Projection(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def spread(self, weights: Floats, missing: Floats | None = None) -> Floats:
        """`G W + M V`, float64 [people, c], as `analytics.needs.Scan.spread`. Cost: as `project`."""
        self._require_rows(self._plan.alleles, weights, *(() if missing is None else (missing,)))
        tasks = [
            (part, weights[part.low : part.high], None if missing is None else missing[part.low : part.high])
            for part in self._parts
        ]
        total = np.zeros((self.people, weights.shape[1]))
        for each in self._each(scan_parts.spread, [(*task, self.people) for task in tasks]):
            total += each
        return total

    def dosages(self, alleles: Int64) -> Floats:
        """Copies, float64 [len(alleles), people], NaN where the call is missing or there is no record, of the alleles
        with these indices. Cost: linear in its size."""
        distinct, of = np.unique(alleles, return_inverse=True)
        if len(distinct) and not 0 <= distinct[0] <= distinct[-1] < self._plan.alleles:
            raise Invalid(f"no allele {distinct[0]} or {distinct[-1]}: the scan has {self._plan.alleles}")
        calls = scan_parts.calls(self._plan.those(distinct), self.people, self._go_on)
        self._go_on()
        return np.where(calls >= 0, calls, np.nan)[of]

    def _require_rows(self, rows: int, *values: Floats) -> None:
        for each in values:
            if each.ndim != 2 or len(each) != rows:
                raise Invalid(f"an array of shape {each.shape} where one of {rows} rows is meant")

    def _each(self, compute: Callable[..., Answer], tasks: Sequence[tuple[Any, ...]]) -> Iterator[Answer]:
        """What `compute` makes of each task, in their order."""
        self._go_on()
        if self._executor is None:
            for task in tasks:
                yield compute(*task, self._go_on)
            self._go_on()
            return
        futures = [self._executor.submit(compute, *task) for task in tasks]
        try:
            for future in futures:
                while not concurrent.futures.wait([future], _LOOK_S).done:
                    self._go_on()
                yield future.result()
            self._go_on()
        finally:
            for future in futures:
                future.cancel()
