# SPDX-License-Identifier: Apache-2.0
"""What a scan reads: which rows of which packs, and of whom there. Plain arrays and paths, so that another process or
machine with the same disk can do a part of it.

At one allele a person counts with the first load that has both. Loads that share nobody (nearly all) are read as they
are; where some share people, an allele's rows are told apart by which of the earlier loads have it, too.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.collection import bitmap
from megagenome.collection.allele_rows import Found, as_texts, find_rows
from megagenome.collection.model import Sex
from megagenome.collection.tiles import ContigTiles
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass
from megagenome.standards.study_arrays import AlleleList

Int64 = npt.NDArray[np.int64]
Ploidy = npt.NDArray[np.int8]


class Batch(NamedTuple):
    """Some of a scan's people, of one batch.

    number  of the batch
    within  uint16 [people], their numbers within it
    place   int64 [people], their places in the scan
    """

    number: int
    within: npt.NDArray[np.uint16]
    place: Int64

    def where(self, chosen: npt.NDArray[np.bool_]) -> "Batch":
        """Those of them who are chosen."""
        return Batch(self.number, self.within[chosen], self.place[chosen])

    @property
    def plane(self) -> npt.NDArray[np.uint8]:
        """They as a plane."""
        return bitmap.decode_plane(np.sort(self.within).tobytes())


class Run(NamedTuple):
    """Rows of one region of a pack that are read of the same people.

    pack    the pack's file and its size in bytes
    row     int64 [rows], increasing; place: int64 [rows], of their alleles in the scan, increasing
    people  index in `Part.people`
    """

    pack: tuple[Path, int]
    region: int
    row: Int64
    place: Int64
    people: int
    ploidy: PloidyClass

    def between(self, low: int, high: int) -> "Run":
        """The rows of the alleles `low` to `high`, whose places begin at 0 then."""
        first, last = np.searchsorted(self.place, (low, high)).tolist()
        return self._replace(row=self.row[first:last], place=self.place[first:last] - low)


class Part(NamedTuple):
    """The scan's alleles `low` to `high`.

    people  each set of people that a run is read of, by batch
    ploidy  int8 [ploidy classes, people of the scan]: alleles that a person has at a place of the class
    """

    low: int
    high: int
    runs: tuple[Run, ...]
    people: tuple[tuple[Batch, ...], ...]
    ploidy: Ploidy

    def by_people(self) -> Iterator[tuple[Batch, list[Run]]]:
        """The runs of each set of people, batch by batch: so that one table at a time is enough."""
        for k, batches in enumerate(self.people):
            runs = [run for run in self.runs if run.people == k]
            for batch in batches if runs else ():
                yield batch, runs


class Load(NamedTuple):
    """A load's tiles of a contig, and those of a dataset whom the reading may read."""

    contig: str
    tiles: ContigTiles
    members: bitmap.Planes


class ScanPlan:
    """All runs of some alleles and people.

    numbers   int64 [people], each once, in the scan's order
    recorded  bool [alleles]: whether everybody is in a load that has it
    """

    def __init__(
        self, alleles: AlleleList, loads: Sequence[Load], numbers: Int64, sexes: npt.NDArray[np.str_], batches: int
    ) -> None:
        """`loads` in the order in which they count; `sexes` of the people, as `Sex` writes them."""
        self.alleles, self.numbers, self._batches = len(alleles), numbers, batches
        self.ploidy = np.zeros((len(PloidyClass), len(numbers)), np.int8)
        for sex in Sex:
            self.ploidy[:, sexes == sex] = [[EXPECTED_PLOIDY[kind][sex]] for kind in PloidyClass]
        self._everybody = bitmap.from_numbers(numbers, batches)
        self._masks: dict[bytes, int] = {}
        self._people: list[tuple[Batch, ...]] = []
        self._runs: list[Run] = []
        covered = np.zeros(len(alleles), np.int64)
        texts = as_texts(alleles.text)
        bounds = np.searchsorted(alleles.contig, np.arange(len(alleles.contigs) + 1)).tolist()
        for contig, low, high in zip(alleles.contigs, bounds, bounds[1:], strict=False):
            mine = [load for load in loads if load.contig == contig]
            found = [list(find_rows(load.tiles, alleles.start[low:high], texts, low)) for load in mine]
            self._add_contig(mine, found, covered)
        self.recorded: npt.NDArray[np.bool_] = covered == len(numbers)

    def _add_contig(self, loads: Sequence[Load], found: Sequence[Sequence[Found]], covered: Int64) -> None:
        read = [load.tiles.people & load.members & self._everybody for load in loads]
        having = [np.concatenate([np.zeros(0, np.int64), *(each.place for each in mine)]) for mine in found]
        for k, load in enumerate(loads):
            earlier = [j for j in range(k) if (read[j] & read[k]).any()]
            for each in found[k]:
                has = np.array([np.isin(each.place, having[j], assume_unique=True) for j in earlier], np.bool_)
                patterns, of = np.unique(has.reshape(len(earlier), len(each.place)), axis=1, return_inverse=True)
                for p, pattern in enumerate(patterns.T):
                    people = read[k].copy()
                    for j in (j for j, also in zip(earlier, pattern, strict=True) if also):
                        people &= ~read[j]
                    self._add_runs(load.tiles, each, of == p, people, covered)

    def _add_runs(
        self, tiles: ContigTiles, found: Found, chosen: npt.NDArray[np.bool_], people: bitmap.Planes, covered: Int64
    ) -> None:
        mask = self._intern(people)
        if not self._people[mask]:
            return
        kinds = tiles.sites(found.region).ploidy[found.row]
        for kind in np.unique(kinds[chosen]).tolist():
            here = chosen & (kinds == kind)
            place = found.place[here]
            covered[place] += sum(len(batch.place) for batch in self._people[mask])
            run = Run(tiles.genotypes_file, found.region, found.row[here], place, mask, PloidyClass(kind))
            self._runs.append(run)

    def _intern(self, people: bitmap.Planes) -> int:
        """The index of a set of people, which most runs have in common."""
        index = self._masks.setdefault(people.tobytes(), len(self._masks))
        if index == len(self._people):
            self._people.append(tuple(self._by_batch(people)))
        return index

    def _by_batch(self, people: bitmap.Planes) -> Iterator[Batch]:
        batch, within = self.numbers // bitmap.BATCH, (self.numbers % bitmap.BATCH).astype(np.uint16)
        for number in np.unique(batch).tolist():
            place = np.flatnonzero(batch == number)
            here = place[bitmap.contains(people[number], within[place])]
            if len(here):
                yield Batch(number, within[here], here)

    @cached_property
    def whole(self) -> Part:
        """Everything as one part."""
        return Part(0, self.alleles, tuple(self._runs), tuple(self._people), self.ploidy)

    def parts(self, most: int, least_alleles: int) -> list[Part]:
        """Everything in at most so many parts of consecutive alleles, each of at least so many if there are."""
        number = max(1, min(most, self.alleles // least_alleles))
        bounds = np.linspace(0, self.alleles, number + 1).astype(int).tolist()
        return [self._part(low, high) for low, high in pairwise(bounds)]

    def _part(self, low: int, high: int) -> Part:
        cut = (run.between(low, high) for run in self._runs if run.place[0] < high and run.place[-1] >= low)
        return self.whole._replace(low=low, high=high, runs=tuple(run for run in cut if len(run.row)))

    def those(self, alleles: Int64) -> Part:
        """Only some alleles, as a part whose places are those in `alleles` (increasing)."""
        runs = []
        for run in self._runs:
            at = np.minimum(np.searchsorted(alleles, run.place), max(0, len(alleles) - 1))
            here = alleles[at] == run.place if len(alleles) else np.zeros(len(at), np.bool_)
            if here.any():
                runs.append(run._replace(row=run.row[here], place=at[here]))
        return self.whole._replace(low=0, high=len(alleles), runs=tuple(runs))
