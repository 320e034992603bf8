# SPDX-License-Identifier: Apache-2.0
"""Stored counts: of each allele by stratum, of the people who are in the public numbers.

A row's cells are the strata in which something differs from "all called, all reference". Arrays of a region in a pack:
    at    <u4 [rows + 1], where each row's cells begin
    cell  <i4 [cells, 5]: stratum, het, hom, hemi, and called alleles less those if all had been called
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection.classify import Entries, Int64
from megagenome.collection.model import Stratum
from megagenome.collection.pack import PackWriter
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass

COUNTED = ("het", "hom", "hemi")
CELL = 2 + len(COUNTED)
"""Numbers in a cell."""

Cells = npt.NDArray[np.int32]
"""int32 [cells, CELL], by row and then by stratum."""


class Columns(NamedTuple):
    """Who the columns of a load's blocks are.

    number    int64 [columns], the individuals' numbers, increasing
    stratum   int64 [columns], index in `strata`
    counted   bool [columns], True for people who are in the public numbers
    strata    the strata of these people
    """

    number: Int64
    stratum: Int64
    counted: npt.NDArray[np.bool_]
    strata: tuple[Stratum, ...]

    def expected_ploidy(self) -> npt.NDArray[np.int8]:
        """int8 [ploidy classes, strata]."""
        return np.array([[EXPECTED_PLOIDY[kind][s.sex] for s in self.strata] for kind in PloidyClass], np.int8)


def count_cells(
    entries: Mapping[str, Entries], ploidy: npt.NDArray[np.integer[Any]], columns: Columns
) -> tuple[Int64, Cells]:
    """How many cells each row has, and the cells, of entries by stream; the rows' places have `ploidy`."""
    rows, strata = len(ploidy), len(columns.strata)
    everybody = bool(columns.counted.all())
    people = {}
    for stream, found in entries.items():
        counted = found if everybody else found.where(columns.counted[found.column])
        cell = counted.row * np.int64(strata) + columns.stratum[counted.column]
        people[stream] = np.bincount(cell, minlength=rows * strata).reshape(rows, strata)
    called = -people["missing"] * columns.expected_ploidy()[ploidy] - people["half"]
    cells = np.stack([*(people[stream] for stream in COUNTED), called], axis=-1)
    row, stratum = np.nonzero(cells.any(axis=-1))
    return np.bincount(row, minlength=rows), np.column_stack((stratum, cells[row, stratum])).astype(np.int32)


def add_counts(counts: PackWriter, region: int, sizes: npt.NDArray[np.integer[Any]], cells: Cells) -> None:
    """Write a region's cells, of which each row has as many as `sizes` says."""
    counts.add(region, "at", np.append(0, np.cumsum(sizes)).astype("<u4"))
    counts.add(region, "cell", cells.astype("<i4", copy=False))


def counts_header(columns: Columns) -> dict[str, Any]:
    """The header of a pack of counts: `strata`, and `people`, how many of each consent."""
    people = np.bincount(columns.stratum[columns.counted], minlength=len(columns.strata))
    return {"strata": columns.strata, "people": people.tolist()}
