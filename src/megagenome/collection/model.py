# SPDX-License-Identifier: Apache-2.0
"""The frozen types of the collection: datasets, strata, counts."""

from enum import Flag, StrEnum, auto
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from megagenome.kernel.coordinates import Allele
from megagenome.kernel.ids import Country, DatasetId
from megagenome.standards.dataset_record import DatasetRecord


class Sex(StrEnum):
    """Sex as recorded by the holder; it decides ploidy on X and Y."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class Use(StrEnum):
    """Kinds of use that a person consents to, each for itself."""

    AGGREGATES = "aggregates"
    """Counts and frequencies that are told without a permit. All others need one."""
    RESEARCH = "research"
    POLICY = "policy"
    QUALITY = "quality"
    HEALTHCARE = "healthcare"


class Tier(StrEnum):
    """Who may be told something of a dataset: everybody, people with registered access, or those with a permit."""

    PUBLIC = "public"
    REGISTERED = "registered"
    CONTROLLED = "controlled"


class Asked(Flag):
    """What a reading is opened for. Each dataset has a tier for either."""

    ALLELES = auto()
    PEOPLE = auto()
    BOTH = ALLELES | PEOPLE


class DatasetState(StrEnum):
    """The one state of a dataset; every role reads this and none keeps its own."""

    DRAFT = "draft"
    APPROVED = "approved"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Dataset(msgspec.Struct, frozen=True):
    """A dataset of this node.

    open             declared by the holder to be open or synthetic data; only then may `floor` be 0
    floor            smallest count of people or alleles that the holder lets the public see; 0 only if open
    collection_year  the year that ages are stated for; None where the holder stated none
    individuals      people in it who are in the public numbers: those who consent to aggregates, as of the last release
    alleles_tier     who may be told how frequent alleles are in it
    people_tier      who may be told how many of its people match a description
    assemblies       assemblies that it has genotypes on, sorted
    published        when it was published last; empty for never
    record           its metadata and governance as recorded last, drafts left out; None where nothing was
    record_version   the number of that record
    recorded         when it was recorded
    """

    id: DatasetId
    title: str
    description: str
    state: DatasetState
    open: bool
    floor: int
    alleles_tier: Tier
    people_tier: Tier
    collection_year: int | None
    individuals: int
    assemblies: tuple[str, ...]
    created: str
    updated: str
    published: str = ""
    record: DatasetRecord | None = None
    record_version: int = 0
    recorded: str = ""


class Stratum(NamedTuple):
    """People of one country, population and sex. `UNKNOWN_COUNTRY`, `""` and `Sex.UNKNOWN` where unrecorded."""

    country: Country
    population: str
    sex: Sex


Counts = npt.NDArray[np.int64]


class AlleleCounts(NamedTuple):
    """Exact counts at some alleles, before any disclosure control: nothing outside the node may see them as they are.

    One row per allele and dataset that has a record of it (a dataset without such a record has no row, and its people
    are in no number). Rows are sorted by (start, ref, alt), then by the dataset's place in `Reading.datasets`.

    alleles   [rows]
    dataset   int32 [rows], index in `Reading.datasets`
    het       people with exactly one copy and one other called allele        int64 [rows, strata]
    hom       people with two copies
    hemi      people whose only called allele it is (male X and Y, MT, and half calls)
    an        called alleles, with ploidy by sex and place; AC is het + 2 hom + hemi
    """

    alleles: list[Allele]
    dataset: npt.NDArray[np.int32]
    het: Counts
    hom: Counts
    hemi: Counts
    an: Counts

    @property
    def ac(self) -> Counts:
        """Allele counts, int64 [rows, strata]."""
        return self.het + 2 * self.hom + self.hemi


class PeopleCounts(NamedTuple):
    """How many people of a cohort there are, exactly, before any disclosure control.

    members   int64 [datasets], people of the cohort in each of `Reading.datasets`
    totals    int64 [datasets], people of the dataset whom the reader may count
    distinct  people of the cohort over all these datasets, each counted once
    """

    members: Counts
    totals: Counts
    distinct: int


class FilteringTerm(NamedTuple):
    """A term that people of the collection are described with. Holds no count: that a term is listed says only that
    the holder recorded it (as observed or as excluded) for somebody."""

    id: str
    label: str
    kind: str
    """`phenotype`, `disease`, or `custom`."""


class GenotypeCounts(NamedTuple):
    """Counts of some people at each of some alleles, int64 [alleles] each; of people without a record all zero.

    het, hom, hemi  people with one, two copies, and whose one called allele it is
    missing         people of whom not every allele was called (half calls included)
    called          alleles called of the others: 2 for each diploid person, 1 for each haploid
    """

    het: Counts
    hom: Counts
    hemi: Counts
    missing: Counts
    called: Counts


class Projection(NamedTuple):
    """Sums over people at each allele of a scan, float64 [alleles, columns asked for]."""

    copies: npt.NDArray[np.float64]
    missing: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]
