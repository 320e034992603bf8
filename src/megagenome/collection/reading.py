# SPDX-License-Identifier: Apache-2.0
"""Readings: the only way to genotypes and people. Consent, dataset state, tier and cohort are already folded in."""

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property, reduce
from operator import or_
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.cohort import EVERYONE, Cohort, canonical
from megagenome.collection.evaluate import Evidence, Truth, evaluate
from megagenome.collection.model import AlleleCounts, Asked, Counts, Dataset, FilteringTerm, PeopleCounts, Stratum
from megagenome.collection.snapshot import Snapshot
from megagenome.collection.standing import strata_of
from megagenome.collection.strata import read_strata
from megagenome.collection.terms import read_terms
from megagenome.collection.tiles import ContigTiles, site_text
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import NotEntitled
from megagenome.kernel.ids import DatasetId
from megagenome.reference import EXPECTED_PLOIDY, PloidyClass, assembly
from megagenome.reference.ontology import OntologyFor

_COUNTS = 4  # het, hom, hemi, called alleles


class _Hit(NamedTuple):
    """The row of one load's tiles that has an allele."""

    dataset: int  # index in Reading.datasets
    load: int  # index in the contig's Stack
    tiles: ContigTiles
    region: int
    row: int


class _Run(NamedTuple):
    """Rows of one load's tiles that overlap a region."""

    dataset: int
    load: int
    tiles: ContigTiles
    region: int
    rows: npt.NDArray[np.int64]


class Reading:
    """What one caller may count without a permit: the published datasets whose tiers let them, and of their people
    those who are in the public numbers and belong to the cohort. It stays as it was when it was opened. Numbers are
    exact; disclosure control is the reader's duty. Of individuals it has nothing: `PermitReading` does.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        engine: sa.Engine,
        visible: Collection[int],
        cohort: Cohort,
        ontology_for: OntologyFor,
        asked: Asked = Asked.BOTH,
    ) -> None:
        """For `Collection.open` only. `visible` are indices in `snapshot.datasets`, increasing."""
        self._snapshot = snapshot
        self._engine = engine
        self._ontology_for = ontology_for
        self._visible = tuple(visible)
        self._cohort = canonical(cohort)
        self._asked = asked
        self._index = {snapshot.numbers[i]: k for k, i in enumerate(self._visible)}
        self.datasets: tuple[Dataset, ...] = tuple(snapshot.datasets[i] for i in self._visible)

    @property
    def strata(self) -> tuple[Stratum, ...]:
        """Strata of all people with genotypes, sorted; the second axis of counts."""
        return self._snapshot.strata

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Assembly and contig of all that these datasets have genotypes on, sorted."""
        tiles = self._snapshot.tiles
        return tuple(
            sorted(place for place, loads in tiles.items() if any(each.dataset in self._index for each in loads))
        )

    @cached_property
    def shared(self) -> npt.NDArray[np.bool_]:
        """bool [datasets, datasets]: True where two different datasets have people who are counted in common."""
        visible = list(self._visible)
        return self._snapshot.shared[np.ix_(visible, visible)]

    @cached_property
    def same(self) -> npt.NDArray[np.bool_]:
        """bool [datasets, datasets]: True where two datasets have exactly the same people who are counted."""
        n, people = len(self._people), self._people
        equal = [i == j or np.array_equal(people[i], people[j]) for i in range(n) for j in range(n)]
        return np.array(equal, np.bool_).reshape(n, n)

    def count_alleles(self, place: Allele | Region, datasets: Collection[DatasetId] | None = None) -> AlleleCounts:
        """Counts of one allele (made parsimonious first), or of all whose reference allele overlaps a region in part or
        whole, in the datasets named (default all). An allele that no dataset has a record of has no row.

        Cost: for the whole cohort some 10 microseconds, 3 per load that has the contig, and the region's rows; for a
        narrower cohort the people of each row are unpacked, about 0.1 ms per row and 65,536 people.
        """
        self._require(Asked.ALLELES)
        wanted = None if datasets is None else {k for k, each in enumerate(self.datasets) if each.id in datasets}
        if isinstance(place, Allele):
            place = place.parsimonious()
            hits = self._hits(place, wanted)
            return _merged([(place, hit.dataset) for hit in hits], self._count_hits(place, hits))
        runs = [run for run in self._runs(place) if wanted is None or run.dataset in wanted]
        return _merged(self._named(place, runs), self._count_runs(place, runs))

    def count_alleles_once(self, allele: Allele) -> tuple[Counts, Counts, Counts, Counts]:
        """Het, hom, hemi and called alleles at an allele over all datasets, int64 [strata] each, every person once.

        A person with a call in several datasets counts with the first loaded. Zeros where nobody has a record.
        """
        self._require(Asked.ALLELES)
        hits, members = self._hits(allele.parsimonious()), self._members
        seen = bitmap.nobody(self._snapshot.batches)
        total = np.zeros((len(self.strata), _COUNTS), np.int64)
        for hit in hits:
            self._go_on()
            here = hit.tiles.people & members[hit.dataset]
            total += self._count_people_of(hit.tiles, hit.region, hit.row, here & ~seen)
            seen |= here
        het, hom, hemi, an = total.T
        return het, hom, hemi, an

    def count_people(self) -> PeopleCounts:
        """How many people of the cohort each dataset has. Cost: microseconds per term, dataset and 65,536 people."""
        self._require(Asked.PEOPLE)
        return PeopleCounts(
            np.array([bitmap.count(members) for members in self._members], np.int64),
            np.array([bitmap.count(people) for people in self._people], np.int64),
            bitmap.count(self._everybody),
        )

    def copies_possible(self, place: Allele | Region) -> npt.NDArray[np.bool_]:
        """bool [strata, 3]: whether a person of the stratum can be het, hom, hemi at the place by the ploidy of their
        sex; for a region, at its first or last base. (A half call counts as hemi where two alleles are expected.)"""
        genome = assembly(place.assembly)
        kinds = {genome.ploidy_class(place.contig, end) for end in (place.start, max(place.start, place.end - 1))}
        ploidy = [self._ploidy(kind) for kind in kinds]
        tables = [np.stack((each == 2, each == 2, each == 1), axis=-1) for each in ploidy]
        return reduce(np.logical_or, tables)

    def terms(self, least: Sequence[int] | None = None) -> tuple[FilteringTerm, ...]:
        """The terms that anybody of these people is described with, sorted by id; with `least`, those that at least so
        many people of some dataset are: one number, 1 or more, for each of `datasets`. No counts."""
        self._require(Asked.PEOPLE)
        groups = [(self._everybody, 1)] if least is None else list(zip(self._members, least, strict=True))
        with self._engine.connect() as connection:
            return read_terms(connection, groups)

    def _require(self, asked: Asked) -> None:
        """Tiers of alleles and of people are chosen apart, so a reading has only the datasets of what it was opened
        for."""
        if asked not in self._asked:
            raise NotEntitled(f"this reading was opened for {self._asked.name}, not for {asked.name}")

    @property
    def _people(self) -> tuple[bitmap.Planes, ...]:
        """For each dataset those of its people whom this reading may count, whatever the cohort."""
        return tuple(self._snapshot.people[i] for i in self._visible)

    @property
    def _members(self) -> tuple[bitmap.Planes, ...]:
        """For each dataset those of them who belong to the cohort."""
        return self._in_cohort

    @property
    def _everybody(self) -> bitmap.Planes:
        return reduce(or_, self._members, bitmap.nobody(self._snapshot.batches))

    @property
    def _is_stored(self) -> bool:
        """Whether counts of this reading's people are stored."""
        return self._cohort == EVERYONE

    @cached_property
    def _in_cohort(self) -> tuple[bitmap.Planes, ...]:
        return self._select(self._people, self._cohort)

    def _select(self, people: Sequence[bitmap.Planes], cohort: Cohort) -> tuple[bitmap.Planes, ...]:
        """Of each dataset's `people` those who belong to a cohort."""
        if cohort == EVERYONE:
            return tuple(people)
        # ages are stated for a dataset's collection year, so the same cohort differs by dataset
        years = {dataset.collection_year for dataset in self.datasets}
        holds = {year: self._truth(cohort, year).holds for year in years}
        return tuple(mine & holds[dataset.collection_year] for mine, dataset in zip(people, self.datasets, strict=True))

    def _truth(self, cohort: Cohort, year: int | None) -> Truth:
        """Of whom of the node a cohort holds and fails, ages being stated for a year."""
        names = frozenset(dataset.id for dataset in self.datasets)
        with self._engine.connect() as connection:
            evidence = Evidence(connection, self._snapshot.individuals, names, year, self._ontology_for, self._carriers)
            return evaluate(cohort, evidence)

    def _hits(self, allele: Allele, wanted: Collection[int] | None = None) -> list[_Hit]:
        """Where the loads of datasets (by default all) have a parsimonious allele, in order of load."""
        text, hits = site_text(allele), []
        for load, tiles in enumerate(self._snapshot.tiles.get((allele.assembly, allele.contig), ())):
            dataset = self._index.get(tiles.dataset)
            if dataset is not None and (wanted is None or dataset in wanted):
                found = tiles.find(allele.start, text)
                if found:
                    hits.append(_Hit(dataset, load, tiles, *found))
        return hits

    def _runs(self, place: Region) -> Iterator[_Run]:
        for load, tiles in enumerate(self._snapshot.tiles.get((place.assembly, place.contig), ())):
            dataset = self._index.get(tiles.dataset)
            if dataset is not None:
                for region, rows in tiles.overlapping(place):
                    yield _Run(dataset, load, tiles, region, rows)

    def _named(self, place: Region, runs: list[_Run]) -> list[tuple[Allele, int]]:
        named = []
        for run in runs:
            sites = run.tiles.sites(run.region)
            for row in run.rows:
                allele = Allele(place.assembly, place.contig, int(sites.start[row]), *sites.texts(int(row)))
                named.append((allele, run.dataset))
        return named

    def _count_hits(self, allele: Allele, hits: list[_Hit]) -> Counts:
        """int64 [hits, strata, 4]. All loads at once: a step of NumPy takes longer than the few numbers of one load."""
        counts = np.zeros((len(hits), len(self.strata), _COUNTS), np.int64)
        if not hits:
            return counts
        if not self._is_stored:
            members = self._members
            for k, hit in enumerate(hits):
                self._go_on()
                here = hit.tiles.people & members[hit.dataset]
                counts[k] = self._count_people_of(hit.tiles, hit.region, hit.row, here)
            return counts
        stack = self._snapshot.stacks[allele.assembly, allele.contig]
        load = np.array([hit.load for hit in hits])
        sites = [hit.tiles.sites(hit.region) for hit in hits]
        counts[:, :, 3] = stack.called[load, [each.ploidy[hit.row] for each, hit in zip(sites, hits, strict=True)]]
        cells = [each.differing(hit.row) for each, hit in zip(sites, hits, strict=True)]
        cell = np.concatenate(cells)
        at = np.repeat(np.arange(len(hits)), [len(each) for each in cells])
        counts[at, stack.place[load[at], cell[:, 0]]] += cell[:, 1:]
        return counts

    def _count_runs(self, place: Region, runs: list[_Run]) -> Counts:
        """int64 [rows of all runs, strata, 4]."""
        counts = np.zeros((sum(len(run.rows) for run in runs), len(self.strata), _COUNTS), np.int64)
        first = 0
        for run in runs:
            mine = counts[first : first + len(run.rows)]
            first += len(run.rows)
            if self._is_stored:
                strata = self._snapshot.stacks[place.assembly, place.contig].place[run.load, : len(run.tiles.strata)]
                run.tiles.count(run.region, run.rows, strata, mine)
            else:
                here = run.tiles.people & self._members[run.dataset]
                for k, row in enumerate(run.rows):
                    self._go_on()
                    mine[k] = self._count_people_of(run.tiles, run.region, int(row), here)
        return counts

    def _go_on(self) -> None:
        """Called between the parts of what takes long."""

    def _count_people_of(self, tiles: ContigTiles, region: int, row: int, people: bitmap.Planes) -> Counts:
        """int64 [strata, 4] at a row, of these people only."""

        def per_stratum(planes: bitmap.Planes) -> Counts:
            strata = self._stratum_of[bitmap.to_numbers(planes & people)]
            return np.bincount(strata, minlength=len(self.strata)).astype(np.int64)

        batches = self._snapshot.batches
        by = {stream: per_stratum(tiles.members(region, row, stream, batches)) for stream in ("het", "hom", "hemi")}
        missing = per_stratum(tiles.members(region, row, "missing", batches))
        half = per_stratum(tiles.members(region, row, "half", batches))
        expected = self._ploidy(PloidyClass(tiles.sites(region).ploidy[row]))
        called = (per_stratum(people) - missing) * expected - half
        return np.stack((by["het"], by["hom"], by["hemi"], called), axis=-1)

    @cached_property
    def _stratum_of(self) -> npt.NDArray[np.int64]:
        """int64 [individuals of the node]: index in `strata`; 0 for people of strata that have no genotypes at all."""
        return self._snapshot.standing.strata(self._read_strata)

    def _read_strata(self) -> npt.NDArray[np.int64]:
        with self._engine.connect() as connection:
            return strata_of(read_strata(connection), self.strata)

    def _carriers(self, allele: Allele) -> Truth:
        """People who carry the allele, and people of whom all alleles were called and are others."""
        batches = self._snapshot.batches
        carriers, others = bitmap.nobody(batches), bitmap.nobody(batches)
        for hit in self._hits(allele.parsimonious()):

            def people(stream: str, hit: _Hit = hit) -> bitmap.Planes:
                return hit.tiles.members(hit.region, hit.row, stream, batches)

            mine = people("het") | people("hom") | people("hemi")
            carriers |= mine
            others |= hit.tiles.people & ~(mine | people("missing") | people("half") | self._uncallable(hit))
        return Truth(carriers, others & ~carriers)

    def _uncallable(self, hit: _Hit) -> bitmap.Planes:
        """People of whom no allele is expected there: females on Y."""
        none = np.flatnonzero(self._ploidy(PloidyClass(hit.tiles.sites(hit.region).ploidy[hit.row])) == 0)
        people = np.flatnonzero(np.isin(self._stratum_of, none)) if none.size else none
        return bitmap.from_numbers(people, self._snapshot.batches)

    def _ploidy(self, kind: PloidyClass) -> Counts:
        """int64 [strata]: copies that a person of the stratum has of such a place."""
        return np.array([EXPECTED_PLOIDY[kind][stratum.sex] for stratum in self.strata], np.int64)


def _merged(found: list[tuple[Allele, int]], counts: Counts) -> AlleleCounts:
    """Rows sorted by allele, then dataset; several loads of one dataset at one allele added up."""
    order = sorted(range(len(found)), key=found.__getitem__)
    kept: list[int] = []
    for k in order:
        if kept and found[k] == found[kept[-1]]:
            counts[kept[-1]] += counts[k]
        else:
            kept.append(k)
    if kept != list(range(len(found))):
        counts = counts[kept]
    het, hom, hemi, an = (counts[:, :, kind] for kind in range(_COUNTS))
    return AlleleCounts(
        [found[k][0] for k in kept], np.array([found[k][1] for k in kept], np.int32), het, hom, hemi, an
    )
