# SPDX-License-Identifier: Apache-2.0
"""Counting what is asked, and keeping of it only what is told."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from megagenome.collection import Collection, Reading
from megagenome.collection.cohort import EVERYONE
from megagenome.collection.model import AlleleCounts, Asked, Use
from megagenome.discovery.disclosure import add_up, disclose, people_told
from megagenome.discovery.model import Bools, Integers, PeopleQuestion, PeopleTold, Told, VariantQuestion, VariantsTold
from megagenome.discovery.scheme import Scheme, scheme_of
from megagenome.kernel.callers import PUBLIC, Caller
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.ids import DatasetId
from megagenome.reference import assembly

SLICE_BASES = 250_000
"""A region is counted in slices, so that memory does not grow with it."""

REGISTERED = Caller(registered=True)
"""Anybody with registered access: what they may see is what this caller may see."""


class AllelesTold(NamedTuple):
    """How many alleles of a dataset have a frequency that is told, and how many have none."""

    told: int
    held_back: int


def count_variants(reading: Reading, scheme: Scheme, question: VariantQuestion) -> VariantsTold:
    """What is told of an allele, or of the alleles of a region."""
    if isinstance(question.place, Allele):
        return _count_allele(reading, scheme, question, question.place)
    return _count_region(reading, scheme, question, question.place)


def count_people(
    collection: Collection, scheme: Scheme, caller: Caller, asked: Asked, question: PeopleQuestion
) -> PeopleTold:
    """How many people of the cohort are told, by dataset and over the asked ones. `scheme` is of a reading for
    `asked`."""
    counted = collection.open(caller, Use.AGGREGATES, question.cohort, asked=asked).count_people()
    everyone = question.cohort == EVERYONE
    told = people_told(counted.members, counted.totals, scheme.floors, everyone=everyone)
    datasets = list(question.datasets)
    if scheme.exact and len(datasets) == len(scheme.datasets):
        return PeopleTold(told, counted.members, counted.distinct, exact=True)
    summed = _without_sharing(scheme, [k for k in datasets if told[k]])
    # that nobody is left out must not depend on what is withheld: any sharing makes the total inexact
    exact = bool(told[datasets].all()) and not scheme.shared[np.ix_(datasets, datasets)].any()
    return PeopleTold(told, counted.members, int(counted.members[summed].sum()), exact)


def count_told(
    collection: Collection, dataset: DatasetId, floor: int, go_on: Callable[[], None] = lambda: None
) -> AllelesTold | None:
    """How many alleles of a published dataset have a frequency that is told to those whom its tier lets ask without a
    permit, whatever else they are told, and how many have none. None where it lets nobody.

    `floor` is the node's own; `go_on` raises where it need not be known any more. Cost: some microseconds for each
    allele.
    """
    for caller in (PUBLIC, REGISTERED):
        reading = collection.open(caller, Use.AGGREGATES, asked=Asked.ALLELES)
        chosen = tuple(k for k, each in enumerate(reading.datasets) if each.id == dataset)
        if chosen:
            return _count_told(reading, scheme_of(reading, floor), chosen, go_on)
    return None


def _count_told(reading: Reading, scheme: Scheme, chosen: tuple[int, ...], go_on: Callable[[], None]) -> AllelesTold:
    told = recorded = 0
    for place, contig in reading.places:
        whole = Region(place, contig, 0, assembly(place).contig(contig).length)
        question = VariantQuestion(whole, chosen, 0, 0)
        for counts in _slices(reading, scheme.counted_for(chosen), whole):
            go_on()
            _, cells = _told_rows(reading, scheme, question, counts)
            told += int(_observed(scheme, cells).sum())
            recorded += int(np.isin(counts.dataset, chosen).sum())
    return AllelesTold(told, recorded - told)


def _count_allele(reading: Reading, scheme: Scheme, question: VariantQuestion, allele: Allele) -> VariantsTold:
    counts = reading.count_alleles(allele, scheme.counted_for(question.datasets))
    rows, told = _told_rows(reading, scheme, question, counts)
    told_datasets = counts.dataset[rows].tolist()
    # open data tell a plain zero, too: the people in whom the allele was looked for count in the sum
    combined = _combined(reading, scheme, question, allele, told_datasets, told) if told_datasets else None
    observed = _observed(scheme, told)
    if not observed.all():
        rows, told = rows[observed], told.take(observed)
    datasets = counts.dataset[rows].tolist()
    by_dataset = np.zeros(len(scheme.datasets), np.int64)
    by_dataset[datasets] = 1
    total = min(len(datasets), 1)
    if question.skip or not datasets:
        return VariantsTold(total, by_dataset, [], [], told.take(np.zeros(len(datasets), np.bool_)), combined)
    return VariantsTold(total, by_dataset, [counts.alleles[k] for k in rows], datasets, told, combined)


def _count_region(reading: Reading, scheme: Scheme, question: VariantQuestion, region: Region) -> VariantsTold:
    by_dataset = np.zeros(len(scheme.datasets), np.int64)
    alleles: list[Allele] = []
    datasets: list[int] = []
    pages: list[Told] = []
    total = 0
    for counts in _slices(reading, scheme.counted_for(question.datasets), region):
        kept, told = _told_rows(reading, scheme, question, counts)
        observed = _observed(scheme, told)
        kept, told = kept[observed], told.take(observed)
        here = counts.dataset[kept]
        by_dataset += np.bincount(here, minlength=len(by_dataset))
        # rows of one allele stand together: its place among the distinct ones grows where the allele changes
        names = [counts.alleles[k] for k in kept]
        changes = [k == 0 or names[k] != names[k - 1] for k in range(len(names))]
        place = np.cumsum(changes, dtype=np.int64) - 1 + total
        on_page = (place >= question.skip) & (place < question.skip + question.limit)
        total += sum(changes)
        pages.append(told.take(on_page))
        alleles += [name for name, wanted in zip(names, on_page.tolist(), strict=True) if wanted]
        datasets += here[on_page].tolist()
    return VariantsTold(total, by_dataset, alleles, datasets, _concatenated(pages), None)


def _slices(reading: Reading, datasets: frozenset[DatasetId] | None, region: Region) -> Iterator[AlleleCounts]:
    """Counts of the alleles that overlap a region, slice by slice, each allele once, by position."""
    for start in range(region.start, region.end, SLICE_BASES):
        piece = region._replace(start=start, end=min(start + SLICE_BASES, region.end))
        counts = reading.count_alleles(piece, datasets)
        first = 0
        if start > region.start:  # what begins before was in the slice before
            starts = np.fromiter((allele.start for allele in counts.alleles), np.int64, len(counts.alleles))
            first = int(np.searchsorted(starts, start))
        columns = (counts.het[first:], counts.hom[first:], counts.hemi[first:], counts.an[first:])
        yield AlleleCounts(counts.alleles[first:], counts.dataset[first:], *columns)


def _told_rows(
    reading: Reading, scheme: Scheme, question: VariantQuestion, counts: AlleleCounts
) -> tuple[Integers, Told]:
    """Indices of the rows of asked datasets of which something is told (of open data also a zero), and their cells."""
    asked = np.zeros(len(scheme.datasets), np.bool_)
    asked[list(question.datasets)] = True
    speaks = asked[counts.dataset]
    if any(scheme.eclipsers):
        speaks &= ~_eclipsed(scheme, counts)
    rows = np.flatnonzero(speaks)
    told = _disclosed(reading, scheme, counts, rows)
    speaking = told.told[:, scheme.margins.total]
    return (rows, told) if speaking.all() else (rows[speaking], told.take(speaking))


def _observed(scheme: Scheme, told: Told) -> Bools:
    """bool [rows]: whether somebody carries the allele."""
    observed: Bools = told.ac[:, scheme.margins.total] > 0
    return observed


def _disclosed(reading: Reading, scheme: Scheme, counts: AlleleCounts, rows: Integers) -> Told:
    """The cells of some rows, each by the ploidy at its own place."""

    def disclosed(rows: Integers) -> Told:
        ploidy = scheme.ploidy(reading, counts.alleles[rows[0]])
        floors = scheme.floors[counts.dataset[rows]]
        columns = counts.het[rows], counts.hom[rows], counts.hemi[rows], counts.an[rows]
        return disclose(scheme.margins, ploidy, floors, *columns)

    if not len(rows):
        return Told.of_nothing(0, len(scheme.margins.labels))
    first = counts.alleles[0]
    if len(counts.alleles) == 1 or first.contig not in ("X", "Y"):
        return disclosed(rows)
    starts = np.fromiter((counts.alleles[k].start for k in rows), np.int64, len(rows))
    classes = assembly(first.assembly).ploidy_classes(first.contig, starts)
    parts = [np.flatnonzero(classes == kind) for kind in np.unique(classes)]
    together = _concatenated([disclosed(rows[part]) for part in parts])
    return together.take(np.argsort(np.concatenate(parts)))


def _eclipsed(scheme: Scheme, counts: AlleleCounts) -> Bools:
    """bool [rows]: the row's dataset says nothing because one that eclipses it has a record of the allele."""
    names = counts.alleles
    allele = np.cumsum([k > 0 and names[k] != names[k - 1] for k in range(len(names))], dtype=np.int64)
    present = np.zeros((len(names), len(scheme.datasets)), np.bool_)
    present[allele, counts.dataset] = True
    eclipsed: Bools = np.logical_or.reduce(present[allele] & scheme.eclipses[counts.dataset], axis=1)
    return eclipsed


def _combined(
    reading: Reading, scheme: Scheme, question: VariantQuestion, allele: Allele, datasets: list[int], told: Told
) -> Told:
    """The sum over datasets with each person once: exact where all are open, else of told cells of datasets that share
    nobody."""
    if len(datasets) == 1:
        return told
    if not scheme.shared.any():
        return add_up(told)
    shares = bool(scheme.shared[np.ix_(datasets, datasets)].any())
    if shares and scheme.exact and len(question.datasets) == len(scheme.datasets):
        het, hom, hemi, an = (column[None, :] for column in reading.count_alleles_once(allele))
        floors = np.zeros(1, np.int64)
        return disclose(scheme.margins, scheme.ploidy(reading, allele), floors, het, hom, hemi, an)
    chosen = set(_without_sharing(scheme, datasets))
    return add_up(told.take(np.array([k in chosen for k in datasets])))


def _without_sharing(scheme: Scheme, datasets: list[int]) -> list[int]:
    """Of these datasets, the largest first, those that share nobody with one taken before."""
    taken: list[int] = []
    for k in scheme.by_size:
        if k in datasets and not scheme.shared[k, taken].any():
            taken.append(k)
    return taken


def _concatenated(parts: list[Told]) -> Told:
    if len(parts) == 1:
        return parts[0]
    return Told(
        np.concatenate([part.told for part in parts]),
        np.concatenate([part.genotypes for part in parts]),
        np.concatenate([part.counts for part in parts], axis=1),
    )
