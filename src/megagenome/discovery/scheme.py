# SPDX-License-Identifier: Apache-2.0
"""What of disclosure is the same for every question while the datasets stay as they are."""

import itertools
from dataclasses import dataclass, field, replace

import numpy as np

from megagenome.collection import Reading
from megagenome.collection.model import Dataset, Stratum, Tier
from megagenome.discovery.margins import Margins, Ploidy, margins_of
from megagenome.discovery.model import Bools, Integers
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.ids import DatasetId
from megagenome.reference import PloidyClass, assembly


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """Datasets with their floors, and how their cells add up. All axes are `Reading.datasets`.

    floors    int64: the smallest count told; 0 only where the holder declared the data open
    shared    bool [datasets, datasets]: they have people in common
    eclipses  bool [datasets, datasets]: at an allele of which the second has a record, the first says nothing, because
              their difference would speak of the few people who are in one of them only
    eclipsers the same, for each dataset the indices of those that eclipse it
    by_size   indices, largest dataset first
    hides     the node has published datasets of which the caller may not be told this. `/datasets` lists them for
              everybody, so nothing that is said because of it depends on who is in them
    """

    datasets: tuple[Dataset, ...]
    strata: tuple[Stratum, ...]
    margins: Margins
    floors: Integers
    shared: Bools
    eclipses: Bools
    eclipsers: tuple[frozenset[int], ...]
    by_size: tuple[int, ...]
    hides: bool = False
    _ploidies: dict[PloidyClass, Ploidy] = field(default_factory=dict)

    @property
    def index(self) -> dict[DatasetId, int]:
        """Where each dataset is."""
        return {dataset.id: k for k, dataset in enumerate(self.datasets)}

    @property
    def assemblies(self) -> frozenset[str]:
        """Assemblies that any of the datasets has genotypes on."""
        return frozenset(assembly for dataset in self.datasets for assembly in dataset.assemblies)

    @property
    def exact(self) -> bool:
        """Whether nothing at all is withheld of these datasets."""
        return not self.floors.any()

    def fits(self, reading: Reading) -> bool:
        """Whether the datasets of `reading` are still these."""
        return reading.strata is self.strata and reading.datasets == self.datasets

    def ploidy(self, reading: Reading, allele: Allele) -> Ploidy:
        """The ploidy of people at an allele, by the class of its first base."""
        kind = assembly(allele.assembly).ploidy_class(allele.contig, allele.start)
        known = self._ploidies.get(kind)
        if known is None:
            # the first base only: what is kept holds at every allele of the class, whatever the first one spans
            first = Region(allele.assembly, allele.contig, allele.start, allele.start + 1)
            known = self._ploidies[kind] = self.margins.ploidy(reading.copies_possible(first))
        return known

    def counted_for(self, asked: tuple[int, ...]) -> frozenset[DatasetId] | None:
        """The asked datasets and those that eclipse them, whose records must be known to answer for the asked ones;
        None for all."""
        if len(asked) == len(self.datasets):
            return None
        needed = set(asked)
        for k in asked:
            needed |= self.eclipsers[k]
        return frozenset(self.datasets[k].id for k in needed)

    def told_twice(self, asked: tuple[int, ...]) -> tuple[tuple[DatasetId, DatasetId], ...]:
        """The pairs of asked datasets that have people in common and may both tell an allele.

        Of two that are not open and share only some people, one is silent where both have a record: nothing counts
        twice there, and that they share anybody, perhaps one person, is not said.
        """
        return tuple(
            (self.datasets[a].id, self.datasets[b].id)
            for a, b in itertools.combinations(asked, 2)
            if self.shared[a, b] and a not in self.eclipsers[b] and b not in self.eclipsers[a]
        )


_STRICTNESS = {Tier.PUBLIC: 0, Tier.REGISTERED: 1, Tier.CONTROLLED: 2}


def floor_of(dataset: Dataset, floor: int) -> int:
    """The floor of a dataset on a node whose own is `floor`, which a dataset may only raise unless it is open."""
    return dataset.floor if dataset.open else max(dataset.floor, floor)


def scheme_of(reading: Reading, floor: int, *, hides: bool = False) -> Scheme:
    """The scheme of a reading of everyone. `floor` is the node's own; a dataset may only raise it. `hides` as there."""
    datasets = reading.datasets
    sizes = np.array([dataset.individuals for dataset in datasets], np.int64)
    tiers = [_STRICTNESS[dataset.alleles_tier] for dataset in datasets]
    # what is told to everybody goes before: who sees more may ask as the public, too, and subtract
    is_open = np.array([each.open and each.alleles_tier is Tier.PUBLIC for each in datasets], np.bool_)
    by_size = sorted(range(len(datasets)), key=lambda k: (-sizes[k], k))
    rank = np.argsort(np.array(sorted(by_size, key=lambda k: tiers[k]), np.int64))
    differ = reading.shared & ~reading.same
    eclipses = differ & ~is_open[:, None] & (is_open[None, :] | (rank[None, :] < rank[:, None]))
    return Scheme(
        datasets=datasets,
        strata=reading.strata,
        margins=margins_of(reading.strata),
        floors=np.array([floor_of(dataset, floor) for dataset in datasets], np.int64),
        shared=reading.shared,
        eclipses=eclipses,
        eclipsers=tuple(frozenset(np.flatnonzero(row).tolist()) for row in eclipses),
        by_size=tuple(by_size),
        hides=hides,
    )


def exact_scheme(reading: Reading) -> Scheme:
    """The scheme of a reading by permit, of which nothing is withheld."""
    scheme, count = scheme_of(reading, 0), len(reading.datasets)
    return replace(
        scheme,
        floors=np.zeros(count, np.int64),
        eclipses=np.zeros((count, count), np.bool_),
        eclipsers=(frozenset(),) * count,
        _ploidies={},
    )
