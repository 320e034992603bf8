# SPDX-License-Identifier: Apache-2.0
"""One load's tiles of one contig, opened for reading: alleles by place, their counts, and the people at each."""

from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection import bitmap
from megagenome.collection.model import Counts, Sex, Stratum
from megagenome.collection.pack import Pack
from megagenome.collection.write_tiles import REGION
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.ids import Country
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass

SITES_KEPT = 64
"""Regions of a pack whose arrays stay looked up; each costs a few hundred bytes, the arrays themselves are mapped."""


def site_text(allele: Allele) -> bytes:
    """How a region's `alleles` spell one."""
    return f"{allele.ref}\t{allele.alt}".encode()


class Sites(NamedTuple):
    """A region's arrays, as `write_tiles` describes them."""

    start: npt.NDArray[np.uint32]
    start_view: memoryview
    end: npt.NDArray[np.uint32]
    alleles: memoryview
    allele_at: memoryview
    ploidy: npt.NDArray[np.uint8]
    counts_at: npt.NDArray[np.uint32]
    counts_at_view: memoryview
    cell: npt.NDArray[np.int32]

    def find(self, start: int, text: bytes) -> int | None:
        """The row of an allele, or None. Cost: a binary search and the rows at its start."""
        starts, at = self.start_view, self.allele_at
        row = bisect_left(starts, start)
        while row < len(starts) and starts[row] == start:
            if self.alleles[at[row] : at[row + 1]] == text:
                return row
            row += 1
        return None

    def differing(self, row: int) -> npt.NDArray[np.int32]:
        """The strata of the load in which a row's counts are not those of people who all have other alleles, and by how
        much: int32 [strata, 5], the stratum, then het, hom, hemi, called alleles."""
        return self.cell[self.counts_at_view[row] : self.counts_at_view[row + 1]]

    def texts(self, row: int) -> tuple[str, str]:
        """Reference and alternate of a row."""
        ref, _, alt = bytes(self.alleles[self.allele_at[row] : self.allele_at[row + 1]]).decode().partition("\t")
        return ref, alt


class PackKey(NamedTuple):
    """A load's packs of a contig, and the load whose people the counts were made for: a later load that changes who
    consents, or somebody's country, population or sex, counts the earlier ones anew."""

    load: str
    assembly: str
    contig: str
    counted_by: str


class ContigTiles:
    """What one load holds of one contig. Safe to read from many threads.

    key      which packs these are
    dataset  number of the dataset that it belongs to
    people   the people whose genotypes it has, whatever they consent to
    strata   the strata of these people
    called   int64 [ploidy classes, strata]: alleles of the consenting people where all are called
    """

    def __init__(self, key: PackKey, dataset: int, people: bitmap.Planes, genotypes: Pack, counts: Pack) -> None:
        self.key = key
        self.dataset = dataset
        self.people = people
        self._genotypes, self._counts = genotypes, counts
        self.regions = genotypes.regions
        self._region_set = frozenset(self.regions)
        self.strata = tuple(Stratum(Country(c), p, Sex(s)) for c, p, s in counts.header["strata"])
        expected = np.array([[EXPECTED_PLOIDY[kind][s.sex] for s in self.strata] for kind in PloidyClass], np.int64)
        self.called: Counts = expected * np.array(counts.header["people"], np.int64)
        self._longest: int = genotypes.header["longest"]
        self._sites = lru_cache(SITES_KEPT)(self._open_sites)

    def _open_sites(self, region: int) -> Sites:
        genotypes, counts = self._genotypes, self._counts
        start = genotypes.array(region, "start", "<u4")
        at = counts.array(region, "at", "<u4")
        return Sites(
            start,
            start.data,
            genotypes.array(region, "end", "<u4"),
            genotypes.view(region, "alleles"),
            genotypes.array(region, "allele_at", "<u4").data,
            genotypes.array(region, "ploidy", "u1"),
            at,
            at.data,
            counts.array(region, "cell", "<i4").reshape(-1, 5),
        )

    @property
    def genotypes_file(self) -> tuple[Path, int]:
        """The pack of genotypes, for who opens it anew: its path and its size in bytes."""
        return self._genotypes.path, self._genotypes.size_bytes

    def sites(self, region: int) -> Sites:
        """The arrays of a region that is in `regions`."""
        return self._sites(region)

    def find(self, start: int, text: bytes) -> tuple[int, int] | None:
        """Region and row of a parsimonious allele (its start and `site_text`), or None. Cost: a microsecond."""
        region = start // REGION
        if region not in self._region_set:
            return None
        row = self._sites(region).find(start, text)
        return None if row is None else (region, row)

    def overlapping(self, place: Region) -> list[tuple[int, npt.NDArray[np.int64]]]:
        """Rows whose reference allele overlaps the place in part or whole, by region. Cost: linear in these rows."""
        first = max(0, place.start - self._longest)
        found = []
        for region in self.regions:
            if first // REGION <= region <= (place.end - 1) // REGION:
                sites = self._sites(region)
                low = bisect_left(sites.start_view, first)
                high = bisect_left(sites.start_view, place.end)
                rows = low + np.flatnonzero(sites.end[low:high] > place.start)
                if rows.size:
                    found.append((region, rows))
        return found

    def count(self, region: int, rows: npt.NDArray[np.int64], strata: Counts, into: Counts) -> None:
        """Write the consenting people's counts at `rows` (increasing) of a region into `into`.

        strata  int64 [this load's strata], each one's place in `into`
        into    int64 [len(rows), strata, 4], zero before: het, hom, hemi, called alleles
        """
        sites = self._sites(region)
        first, last = int(rows[0]), int(rows[-1]) + 1
        at = sites.counts_at[first : last + 1]
        cell = sites.cell[at[0] : at[-1]]
        place = np.full(last - first, -1, np.int64)
        place[rows - first] = np.arange(len(rows))
        row = np.repeat(place, np.diff(at))
        wanted = row >= 0
        row, cell = row[wanted], cell[wanted]
        into[:, strata, 3] = self.called[sites.ploidy[rows]]
        into[row, strata[cell[:, 0]]] += cell[:, 1:]

    def members(self, region: int, row: int, stream: str, batches: int) -> bitmap.Planes:
        """The people in a stream of a row, whatever they consent to: for the inside of a `Reading` only."""
        planes = bitmap.nobody(batches)
        for batch in range(batches):
            name = f"{stream}/{batch}"
            present = self._genotypes.array(region, f"{name}/row", "<u4")
            index = int(np.searchsorted(present, np.uint32(row)))
            if index < len(present) and present[index] == row:
                at = self._genotypes.array(region, f"{name}/at", "<u8")
                stored = self._genotypes.view(region, f"{name}/members")[int(at[index]) : int(at[index + 1])]
                planes[batch] = bitmap.decode_plane(stored)
        return planes

    def everybody(self, region: int, stream: str) -> tuple[npt.NDArray[np.int64], bitmap.Numbers]:
        """All entries of a stream in a region: rows, and the people's numbers."""
        rows: list[npt.NDArray[np.int64]] = [np.zeros(0, np.int64)]
        numbers: list[bitmap.Numbers] = [np.zeros(0, np.int64)]
        for batch in range(len(self.people)):
            name = f"{stream}/{batch}"
            members = self._genotypes.view(region, f"{name}/members")
            at = self._genotypes.array(region, f"{name}/at", "<u8").tolist()
            for row, low, high in zip(
                self._genotypes.array(region, f"{name}/row", "<u4").tolist(), at, at[1:], strict=False
            ):
                found = bitmap.decode(members[low:high]).astype(np.int64) + batch * bitmap.BATCH
                numbers.append(found)
                rows.append(np.full(len(found), row))
        return np.concatenate(rows), np.concatenate(numbers)

    def origin(self, region: int, row: int) -> str | None:
        """How the file wrote a row that was split or trimmed: `pos1 ref alts k` (alternate k of these); else None."""
        changed = self._genotypes.array(region, "origin_row", "<u4")
        index = int(np.searchsorted(changed, np.uint32(row)))
        if index == len(changed) or changed[index] != row:
            return None
        at = self._genotypes.array(region, "origin_at", "<u4")
        return bytes(self._genotypes.view(region, "origin")[at[index] : at[index + 1]]).decode()

    def verify(self, genotypes_sha256: str, counts_sha256: str) -> list[Path]:
        """The files whose bytes are not those that were written. Cost: reads them all."""
        expected = ((self._genotypes, genotypes_sha256), (self._counts, counts_sha256))
        return [pack.path for pack, digest in expected if pack.sha256() != digest]
