# SPDX-License-Identifier: Apache-2.0
"""The frozen types of discovery: who answers, what is asked, what is told."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from megagenome.collection.cohort import Cohort
from megagenome.collection.model import FilteringTerm
from megagenome.kernel.coordinates import Allele, Region

Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


class Identity(msgspec.Struct, frozen=True):
    """Who this node is, as its Beacon says it.

    id                 the Beacon's id, in reverse domain style, such as `ee.megagenome.node`
    url                the node's public address, without a slash at its end
    organization_url   absolute address of the organisation that runs it
    version            the software's
    country            ISO 3166-1 alpha-2, whose genomes it answers for
    """

    id: str
    name: str
    url: str
    organization_id: str
    organization_name: str
    organization_url: str
    version: str
    description: str = ""
    country: str = ""


class VariantQuestion(NamedTuple):
    """Which alleles are there: one exactly, or all whose reference overlaps a region.

    datasets  indices of the asked ones in `Reading.datasets`, increasing
    skip, limit  the page, in distinct alleles by position
    named     these datasets were asked for by name, and so no others, also not what is hidden from the caller
    """

    place: Allele | Region
    datasets: tuple[int, ...]
    skip: int
    limit: int
    named: bool = False


class KnownTerms(NamedTuple):
    """What people can be filtered by, beside terms of loaded ontologies.

    listed    by id: terms, and custom columns, that enough people of some dataset are described with to tell it
    prefixes  of the CURIEs, other than those of loaded ontologies, that anybody is described with. Any term of these is
              as good a question as any other: whether it is refused must not say that somebody has it
    """

    listed: Mapping[str, FilteringTerm]
    prefixes: frozenset[str]


class PeopleQuestion(NamedTuple):
    """How many people belong to the cohort in each of the asked datasets; `named` as of a `VariantQuestion`."""

    cohort: Cohort
    datasets: tuple[int, ...]
    named: bool = False


class Told(NamedTuple):
    """Cells after disclosure control, one row per allele and dataset; columns are `Margins.labels`.

    told       bool [rows, cells]: the cell may leave the node
    genotypes  bool [rows, cells]: het, hom and hemi of a told cell may, too
    counts     int64 [4, rows, cells]: het, hom, hemi, AN; meaningless where not told
    """

    told: Bools
    genotypes: Bools
    counts: Integers

    @classmethod
    def of_nothing(cls, rows: int, cells: int) -> "Told":
        """Rows of which nothing is told."""
        shape = (rows, cells)
        return cls(np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.zeros((4, *shape), np.int64))

    @property
    def ac(self) -> Integers:
        """Allele counts, int64 [rows, cells]."""
        counts: Integers = self.counts[0] + 2 * self.counts[1] + self.counts[2]
        return counts

    def take(self, rows: npt.NDArray[np.intp] | Bools) -> "Told":
        """Some of the rows."""
        return Told(self.told[rows], self.genotypes[rows], self.counts[:, rows])


class VariantsTold(NamedTuple):
    """What is told of the alleles that were asked for.

    total       distinct alleles told in any asked dataset
    by_dataset  alleles told, int64 [Reading.datasets]
    alleles     of the rows of this page, by position, then by dataset
    datasets    index of each row's dataset
    told        the rows' cells
    combined    one row: sums over the datasets that tell their cells, also of open ones in which nobody carries the
                allele, each person once; None for a region or when nothing is told
    """

    total: int
    by_dataset: Integers
    alleles: list[Allele]
    datasets: list[int]
    told: Told
    combined: Told | None


class PeopleTold(NamedTuple):
    """How many people, as far as it is told.

    told     bool [datasets], counts int64 [datasets]; a count is meaningless where it is not told
    total    people over the asked datasets, each once
    exact    `total` is the truth: nothing was withheld and nobody left out
    """

    told: Bools
    counts: Integers
    total: int
    exact: bool
