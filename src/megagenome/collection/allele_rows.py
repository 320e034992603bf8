# SPDX-License-Identifier: Apache-2.0
"""Which rows of a load's tiles have which alleles of a long list, and a long list from tiles: arrays, no object per
allele but its text."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection.tiles import ContigTiles, Sites
from megagenome.collection.write_tiles import REGION
from megagenome.kernel.coordinates import Region
from megagenome.standards.study_arrays import AlleleList

Int64 = npt.NDArray[np.int64]
_WORD = 8


class Texts(NamedTuple):
    """Texts of alleles, one after another.

    stored  uint8; at: int64 [texts + 1], where each begins and the last ends
    """

    stored: npt.NDArray[np.uint8]
    at: Int64

    def words(self, rows: Int64) -> npt.NDArray[np.uint64]:
        """The first eight bytes of some, as numbers that are in the texts' order."""
        inside = np.arange(_WORD) < self.lengths(rows)[:, None]
        last = max(0, len(self.stored) - 1)
        place = np.minimum(self.at[rows][:, None] + np.arange(_WORD), last)
        letters = np.where(inside, self.stored[place] if len(self.stored) else 0, 0).astype(np.uint8)
        return letters.view(">u8").reshape(-1).astype(np.uint64)

    def lengths(self, rows: Int64) -> Int64:
        """Bytes of some."""
        return self.at[rows + 1] - self.at[rows]

    def text(self, row: int) -> bytes:
        """One of them."""
        return self.stored[self.at[row] : self.at[row + 1]].tobytes()


def as_texts(texts: Sequence[bytes]) -> Texts:
    """Texts side by side."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    return Texts(np.frombuffer(b"".join(texts), np.uint8), np.append(0, np.cumsum(lengths)))


def _texts(sites: Sites) -> Texts:
    return Texts(np.frombuffer(sites.alleles, np.uint8), np.asarray(sites.allele_at).astype(np.int64))


def equal(these: Texts, rows: Int64, those: Texts, others: Int64) -> npt.NDArray[np.bool_]:
    """Whether text `rows[k]` of the one is text `others[k]` of the other."""
    same: npt.NDArray[np.bool_] = (these.lengths(rows) == those.lengths(others)) & (
        these.words(rows) == those.words(others)
    )
    for k in np.flatnonzero(same & (these.lengths(rows) > _WORD)).tolist():
        same[k] = these.text(rows[k]) == those.text(others[k])
    return same


class Found(NamedTuple):
    """Alleles of a list in one region of a load.

    row    int64 [found], in the region
    place  int64 [found], in the list, increasing
    """

    region: int
    row: Int64
    place: Int64


def find_rows(tiles: ContigTiles, start: Int64, texts: Texts, first: int) -> Iterator[Found]:
    """Where a load's tiles of a contig have parsimonious alleles, `first` being the first one's place in the list.

    start  int64 [alleles], not decreasing
    """
    region = start // REGION
    for each in tiles.regions:
        low, high = np.searchsorted(region, (each, each + 1)).tolist()
        if low == high:
            continue
        row = _find(tiles.sites(each), start[low:high], texts, first + np.arange(low, high))
        place = np.flatnonzero(row >= 0)
        if len(place):
            yield Found(each, row[place], place + low + first)


def _find(sites: Sites, start: Int64, texts: Texts, which: Int64) -> Int64:
    """The rows of a region that have alleles `which` of `texts`, -1 where none has."""
    row = np.full(len(start), -1, np.int64)
    stored, wanted = _texts(sites), start.astype(np.uint32)
    candidate = np.searchsorted(sites.start, wanted, "left")
    end = np.searchsorted(sites.start, wanted, "right")
    while (open_ := np.flatnonzero(candidate < end)).size:
        same = equal(stored, candidate[open_], texts, which[open_])
        row[open_[same]] = candidate[open_[same]]
        candidate[open_] += 1
        candidate[open_[same]] = end[open_[same]]
    return row


def alleles_within(assembly: str, loads: Iterable[tuple[str, ContigTiles]], regions: Sequence[Region]) -> AlleleList:
    """The alleles of loads (contig and tiles each) whose reference allele overlaps any of the regions in part or whole,
    each once. Cost: about a microsecond per row."""
    starts: dict[str, list[Int64]] = {}
    texts: dict[str, list[bytes]] = {}
    for contig, tiles in loads:
        for region, rows in _overlapping(tiles, [place for place in regions if place.contig == contig]):
            stored = _texts(tiles.sites(region))
            starts.setdefault(contig, []).append(tiles.sites(region).start[rows].astype(np.int64))
            bounds = zip(stored.at[rows].tolist(), stored.at[rows + 1].tolist(), strict=True)
            view = stored.stored.data
            texts.setdefault(contig, []).extend(bytes(view[low:high]) for low, high in bounds)
    contigs = tuple(sorted(starts))
    listed = [_once(np.concatenate(starts[contig]), texts[contig]) for contig in contigs]
    return AlleleList(
        assembly,
        contigs,
        np.repeat(np.arange(len(contigs), dtype=np.uint32), [len(start) for start, _ in listed]),
        np.concatenate([np.zeros(0, np.int64), *(start for start, _ in listed)]),
        tuple(text for _, mine in listed for text in mine),
    )


def _overlapping(tiles: ContigTiles, places: Sequence[Region]) -> list[tuple[int, Int64]]:
    rows: dict[int, list[Int64]] = {}
    for place in places:
        for region, found in tiles.overlapping(place):
            rows.setdefault(region, []).append(found)
    return [(region, np.unique(np.concatenate(found))) for region, found in rows.items()]


def _once(start: Int64, texts: list[bytes]) -> tuple[Int64, list[bytes]]:
    """Sorted by start and text, each once."""
    stored, everything = as_texts(texts), np.arange(len(start))
    words, lengths = stored.words(everything), stored.lengths(everything)
    order = np.lexsort((words, start))
    tied = (np.diff(start[order]) == 0) & (np.diff(words[order]) == 0)
    if (tied & (np.maximum(lengths[order[1:]], lengths[order[:-1]]) > _WORD)).any():
        order = np.array(sorted(order.tolist(), key=lambda k: (int(start[k]), texts[k])), np.int64)
        tied = np.diff(start[order]) == 0
    again = np.flatnonzero(tied)
    repeated = equal(stored, order[again], stored, order[again + 1])
    keep = np.delete(order, again[repeated] + 1)
    return start[keep], [texts[k] for k in keep.tolist()]
