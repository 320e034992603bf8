# SPDX-License-Identifier: Apache-2.0
"""The truth of real files by another way than the collection's: `bcftools query` and plain counting.

One stretch of each contig of each file is counted in all files, with every allele in it; questions are chosen there.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from megagenome import reference
from megagenome.app.demo.expect import Sharing
from megagenome.app.demo.plan import FileDataset, PlannedNode
from megagenome.app.demo.recount_calls import (
    Alleles,
    Stretch,
    count_call,
    find_stretches,
    read_alleles,
    require_bcftools,
)
from megagenome.app.demo.recount_people import SEXES, Counting, Members, cohorts_of, members_of
from megagenome.kernel.coordinates import Allele
from megagenome.reference import EXPECTED_PLOIDY, Reference, assembly
from megagenome.synthetic.truth import TRUTH_VERSION, AlleleTruth, Cell, DatasetTruth, RegionTruth, Truth

REGION_BASES = 100_000
"""Regions that are asked about are no longer."""


def recount(planned: Sequence[PlannedNode]) -> tuple[Truth, Sharing]:
    """The truth of the files' nodes, and which datasets of a node share people. Raises `Unavailable` without bcftools.

    Cost: `bcftools query` over all files twice, once without genotypes; over files with an index only where counted.
    """
    require_bcftools()
    datasets = [dataset for node in planned for dataset in node.datasets if isinstance(dataset, FileDataset)]
    with tempfile.TemporaryDirectory() as folder:
        reference.build(Path(folder))
        return _recount(datasets, reference.open(Path(folder)))


def _recount(datasets: Sequence[FileDataset], known: Reference) -> tuple[Truth, Sharing]:
    members = members_of(datasets, known)
    paths = sorted({dataset.path for dataset in datasets})
    stretches = [stretch for path in paths for stretch in find_stretches(path)]
    genome = datasets[0].assembly
    samples = {path: [m.sample for d in datasets if d.path == path for m in members[d.id]] for path in paths}
    files = {path: read_alleles(path, samples[path], stretches, genome) for path in paths}
    sheet = _Sheet(genome, datasets, members, files)
    chosen = [pick for stretch in stretches for pick in sheet.choose(stretch)]
    common = next((pick.allele for pick in chosen if pick.note.startswith("common")), None)
    truth = Truth(
        version=TRUTH_VERSION,
        assembly=genome,
        seed=0,
        individuals=len({one.id for people in members.values() for one in people}),
        megabases=0.0,
        datasets=tuple(sheet.dataset(dataset) for dataset in datasets),
        shared={},
        planted=(),
        associations=(),
        alleles=tuple(sheet.allele(allele, note) for allele, note in dict(chosen).items()),
        regions=tuple(sheet.region(stretch) for stretch in dict.fromkeys(stretches)),
        cohorts=tuple(cohorts_of(Counting(datasets, members, known, common, sheet.carriers(common)))),
    )
    return truth, _sharing(datasets, members)


class _Pick(NamedTuple):
    allele: Allele
    note: str


class _Sheet(NamedTuple):
    """The calls of everybody at every allele of the stretches, by file."""

    assembly: str
    datasets: Sequence[FileDataset]
    members: Mapping[str, Members]
    files: Mapping[Path, Alleles]

    def dataset(self, dataset: FileDataset) -> DatasetTruth:
        people = self.members[dataset.id]
        sexes = {sex: sum(one.sex == sex for one in people if one.consents) for sex in SEXES}
        return DatasetTruth(dataset.id, dataset.country, False, 0, len(people), sexes)

    def allele(self, allele: Allele, note: str = "") -> AlleleTruth:
        cells = [cell for dataset in self.datasets for cell in self._cells(dataset, allele)]
        return AlleleTruth(str(allele), allele.contig, allele.start, allele.end, note, tuple(cells))

    def _cells(self, dataset: FileDataset, allele: Allele) -> Iterator[Cell]:
        calls = self.files[dataset.path].get(allele)
        if calls is None:
            return
        kind = assembly(self.assembly).ploidy_class(allele.contig, calls.start)
        for sex in SEXES:
            people = [one for one in self.members[dataset.id] if one.consents and one.sex == sex]
            counted = [count_call(calls.of[one.sample], calls.number, EXPECTED_PLOIDY[kind][sex]) for one in people]
            copies = [copies for copies, _ in counted]
            yield Cell(
                dataset.country,
                dataset.id,
                sex,
                allele_count=sum(copies),
                allele_number=sum(called for _, called in counted),
                heterozygous=counted.count((1, 2)),
                homozygous=copies.count(2),
                hemizygous=counted.count((1, 1)),
            )

    def carriers(self, allele: Allele | None) -> dict[str, set[str]]:
        """By dataset, the individuals who carry the allele."""
        found: dict[str, set[str]] = {dataset.id: set() for dataset in self.datasets}
        for dataset in self.datasets:
            calls = None if allele is None else self.files[dataset.path].get(allele)
            if calls is None or allele is None:
                continue
            kind = assembly(self.assembly).ploidy_class(allele.contig, calls.start)
            for one in self.members[dataset.id]:
                if count_call(calls.of[one.sample], calls.number, EXPECTED_PLOIDY[kind][one.sex])[0]:
                    found[dataset.id].add(one.id)
        return found

    def choose(self, stretch: Stretch) -> Iterator[_Pick]:
        """Of a stretch the commonest allele, one in the middle, the rarest, and one that nobody has."""
        known = {x for alleles in self.files.values() for x in alleles}
        inside = sorted(x for x in known if _inside(x, stretch) and x.alt.isalpha())
        copies = {x: sum(cell.allele_count for cell in self.allele(x).cells) for x in inside}
        ranked = sorted((x for x in inside if copies[x]), key=lambda x: (-copies[x], x))
        if not ranked:
            return
        yield _Pick(ranked[0], f"common in {stretch.name}")
        yield _Pick(ranked[len(ranked) // 2], f"of middle frequency in {stretch.name}")
        yield _Pick(ranked[-1], f"rare in {stretch.name}")
        absent = ranked[0]._replace(ref="A", alt="T")
        while absent in known:
            absent = absent._replace(start=absent.start + 1)
        yield _Pick(absent, f"absent from {stretch.name}")

    def region(self, stretch: Stretch) -> RegionTruth:
        end = min(stretch.end, stretch.start + REGION_BASES)
        short = stretch._replace(end=end)
        inside = sorted({x for alleles in self.files.values() for x in alleles if _overlaps(x, short)})
        text = f"{stretch.contig}:{stretch.start + 1}-{end}"
        return RegionTruth(text, stretch.contig, stretch.start, end, tuple(self.allele(x) for x in inside))


def _inside(allele: Allele, stretch: Stretch) -> bool:
    return allele.contig == stretch.contig and stretch.start <= allele.start and allele.end <= stretch.end


def _overlaps(allele: Allele, stretch: Stretch) -> bool:
    return allele.contig == stretch.contig and allele.start < stretch.end and allele.end > stretch.start


def _sharing(datasets: Sequence[FileDataset], members: Mapping[str, Members]) -> Sharing:
    people = {dataset.id: {one.id for one in members[dataset.id] if one.consents} for dataset in datasets}
    same: set[frozenset[str]] = set()
    partly: set[frozenset[str]] = set()
    for one, other in combinations(datasets, 2):
        if one.country == other.country and people[one.id] & people[other.id]:
            (same if people[one.id] == people[other.id] else partly).add(frozenset((str(one.id), str(other.id))))
    return Sharing(frozenset(same), frozenset(partly))
