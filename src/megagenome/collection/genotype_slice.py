# SPDX-License-Identifier: Apache-2.0
"""Genotypes of some people of one dataset, allele by allele along the genome, for a file that leaves the node.

Only alleles that one of these people carries are in it: what others of the dataset carry, or somebody who withdrew,
shows neither by a column nor by a record. It is read in windows, so that a whole genome takes no more memory than one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection import bitmap
from megagenome.collection.tiles import ContigTiles
from megagenome.kernel.coordinates import Allele, Region
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass

WINDOW_BASES = 1 << 16

_COPIES = (("het", 1), ("hom", 2), ("hemi", 1))

Calls = npt.NDArray[np.int8]


class CarriedAllele(NamedTuple):
    """An allele that somebody of a slice carries.

    copies  int8 [people]: copies of it
    called  int8 [people]: alleles that were called; -1 where one of two was; 0 where none was, of whom the genotypes
            have no record, and of who withdrew since the slice was made
    """

    allele: Allele
    copies: Calls
    called: Calls


class GenotypeSlice:
    """What may leave of one dataset's genotypes. Made by `PermitReading.slice` and `OpenReading.slice`, and entered in
    the journal then.

    assembly  that it is of
    contigs   that there are genotypes of
    names     of the people, in the order of every row
    """

    def __init__(
        self,
        assembly: str,
        tiles: Mapping[str, Sequence[ContigTiles]],
        names: Sequence[str],
        numbers: bitmap.Numbers,
        sexes: Iterable[str],
        people: Callable[[], bitmap.Planes],
    ) -> None:
        """For those two.

        tiles    the dataset's loads by contig
        numbers  int64 [people]; sexes as `Sex` writes them
        people   those of the dataset who consent now; raises `NotEntitled` when nothing may be read any more
        """
        self.assembly, self.contigs, self.names = assembly, tuple(tiles), tuple(names)
        self._tiles, self._numbers, self._people = tiles, numbers, people
        kinds = [[EXPECTED_PLOIDY[kind][sex] for sex in sexes] for kind in PloidyClass]
        self._ploidy = np.array(kinds, np.int8).reshape(len(PloidyClass), len(numbers))
        self._batch, self._within = numbers // bitmap.BATCH, (numbers % bitmap.BATCH).astype(np.uint16)

    def windows(self, regions: Sequence[Region]) -> Iterator[Iterator[CarriedAllele]]:
        """The alleles whose reference allele overlaps any of some regions in part or whole, by (contig, start, ref,
        alt), each once: window by window, many of them empty. `regions` are sorted and none overlaps another.

        Each window asks who consents now, and raises `NotEntitled` once the slice may not be read any more. Cost: grows
        with the alleles that the dataset's loads have there, carried or not.
        """
        beyond, contig = 0, ""
        for region in regions:
            if region.contig != contig:
                beyond, contig = 0, region.contig
            for start in range(region.start, region.end, WINDOW_BASES):
                window = region._replace(start=start, end=min(start + WINDOW_BASES, region.end))
                yield self._window(window, beyond)
                beyond = window.end

    def _window(self, window: Region, beyond: int) -> Iterator[CarriedAllele]:
        """`beyond`: where the window before ends; an allele that reaches this one and begins before that was told."""
        people = self._people()
        rows = sorted(self._rows(window, beyond), key=lambda row: row.allele)
        k = 0
        while k < len(rows):
            allele = rows[k].allele
            copies, called = np.zeros((2, len(self._numbers)), np.int8)
            while k < len(rows) and rows[k].allele == allele:
                self._add(rows[k], people, copies, called)
                k += 1
            if copies.any():
                yield CarriedAllele(allele, copies, called)

    def _rows(self, window: Region, beyond: int) -> Iterator["_Row"]:
        for tiles in self._tiles.get(window.contig, ()):
            for region, rows in tiles.overlapping(window):
                sites = tiles.sites(region)
                for row, start in zip(rows.tolist(), sites.start[rows].tolist(), strict=True):
                    if start >= beyond:
                        allele = Allele(window.assembly, window.contig, start, *sites.texts(row))
                        yield _Row(allele, tiles, region, row)

    def _add(self, row: "_Row", people: bitmap.Planes, copies: Calls, called: Calls) -> None:
        """Put the calls of `people` at a row in their places."""
        tiles, batches = row.tiles, len(people)
        here = self._among(tiles.people & people)
        if not here.any():
            return

        def of(stream: str) -> npt.NDArray[np.bool_]:
            return here & self._among(tiles.members(row.region, row.row, stream, batches))

        ploidy = self._ploidy[tiles.sites(row.region).ploidy[row.row]]
        called[here] = ploidy[here]
        half = of("half")
        called[half] = np.where(called[half] == 2, -1, 0)
        called[of("missing")] = 0
        for stream, number in _COPIES:
            copies[of(stream)] = number

    def _among(self, planes: bitmap.Planes) -> npt.NDArray[np.bool_]:
        """bool [people]: who of them is in a set."""
        bits = planes[self._batch, self._within >> 3] >> (self._within & 7).astype(np.uint8)
        among: npt.NDArray[np.bool_] = (bits & 1).view(np.bool_)
        return among


class _Row(NamedTuple):
    """An allele's row in a load's tiles."""

    allele: Allele
    tiles: ContigTiles
    region: int
    row: int


def slice_tiles(
    tiles: Mapping[tuple[str, str], Sequence[ContigTiles]], dataset: int, assembly: str, batches: int
) -> tuple[dict[str, list[ContigTiles]], bitmap.Planes]:
    """A dataset's loads on an assembly, by contig, and the people who are in any. `dataset` is its number."""
    found = {
        contig: [each for each in loads if each.dataset == dataset]
        for (of, contig), loads in tiles.items()
        if of == assembly
    }
    people = (each.people for loads in found.values() for each in loads)
    return {contig: loads for contig, loads in found.items() if loads}, reduce(or_, people, bitmap.nobody(batches))
