# SPDX-License-Identifier: Apache-2.0
"""Simulated copies of a few stretches of GRCh38 in everybody, kept as trees, and how their alleles are spelled.

Positions are those of GRCh38, bases are not: the ancestral base of a site is random, so reference alleles agree with
the assembly by chance only (planted alleles are real ones).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msprime
import numpy as np
import numpy.typing as npt
import tskit

from megagenome.synthetic.demography import (
    MITOCHONDRIAL_MUTATION_RATE,
    MUTATION_RATE,
    RECOMBINATION_RATE,
    demography,
)
from megagenome.synthetic.draws import generator, simulation_seed
from megagenome.synthetic.people import People

ASSEMBLY = "GRCh38"
CONTIGS = ("chr22", "chrX", "chrM")
"""Contigs under the names that most GRCh38 files use; `reference` knows them as 22, X and MT."""

CHR22_START = 28_680_000
"""The stretch of chromosome 22 begins just before CHEK2, whose alleles are planted."""
MISSING_RATE = 0.002
"""Chance that a person's call at a simulated site is missing, alike for all."""
INDEL_SHARE = 0.08
"""Share of the sites with one mutation that are made insertions or deletions (one half each)."""
MIXED_SHARE = 0.3
"""Share of the sites with two or more derived bases of which one is made a deletion, so that records mix kinds."""
LONGEST_MOTIF = 12
HOT_SHARE, HOT_FACTOR, HOT_LENGTH = 0.02, 10, 50
"""Share of the bases, in runs of so many, that mutate so much faster than the others; it makes sites mutate twice."""
_CELLS_PER_CHUNK = 2**25

Nodes = npt.NDArray[np.int32]


class Stretch(NamedTuple):
    """A part of a contig that is simulated on its own, unlinked to the others.

    copies_female, copies_male  copies that one person has of it
    size_factor                 copies in the population, relative to an autosome's
    """

    name: str
    contig: str
    start: int
    end: int
    copies_female: int
    copies_male: int
    size_factor: float
    recombination_rate: float
    mutation_rate: float


def stretches(megabases: float) -> tuple[Stretch, ...]:
    """What is simulated: `megabases` of chromosome 22, 100 kb of X in PAR1 (with SHOX) and 100 kb of X outside of the
    pseudoautosomal regions (with G6PD), and 1.5 kb of MT (with MT-TL1 and MT-ND1)."""
    end = CHR22_START + round(megabases * 1_000_000)
    nuclear = (RECOMBINATION_RATE, MUTATION_RATE)
    return (
        Stretch("22", "chr22", CHR22_START, end, 2, 2, 1.0, *nuclear),
        Stretch("X-PAR1", "chrX", 600_000, 700_000, 2, 2, 1.0, *nuclear),
        Stretch("X", "chrX", 154_500_000, 154_600_000, 2, 1, 0.75, *nuclear),
        Stretch("MT", "chrM", 3_000, 4_500, 1, 1, 0.25, 0.0, MITOCHONDRIAL_MUTATION_RATE),
    )


class Spelling(NamedTuple):
    """How a site that is not a plain base change is written. `motif` are the bases that are inserted or deleted."""

    kind: str  # "insertion", "deletion", or "mixed": the last derived base is a deletion, the others base changes
    motif: str

    def write(self, bases: tuple[str, ...]) -> tuple[str, ...]:
        """The alleles for the ancestral and derived `bases`, in the same order; they share their first position."""
        match self.kind:
            case "insertion":
                return bases[0], bases[0] + self.motif
            case "deletion":
                return bases[0] + self.motif, bases[0]
            case _:
                return (*(base + self.motif for base in bases[:-1]), bases[0])


@dataclass(frozen=True, slots=True, eq=False)
class Haplotypes:
    """One stretch in everybody.

    trees      the tree sequence; its coordinates are relative to `stretch.start`, no site is on a `reserved` position
    first      node of each person's first copy, int32 [people]
    second     node of each person's second copy, -1 where there is none
    starts     0-based positions of the sites, ascending, int64 [sites]
    spellings  spelling of the sites that are not plain base changes, by site
    """

    stretch: Stretch
    trees: tskit.TreeSequence
    first: Nodes
    second: Nodes
    starts: npt.NDArray[np.int64]
    spellings: dict[int, Spelling]
    seed: int

    def alleles(self, site: int, bases: tuple[str, ...]) -> tuple[str, ...]:
        """Reference and alternate alleles of a site whose trees have `bases`, the ancestral one first."""
        spelling = self.spellings.get(site)
        return spelling.write(bases) if spelling else bases

    @property
    def sites_per_chunk(self) -> int:
        """Sites that are drawn and read together: at most 512, fewer where that would be 32 million calls."""
        return max(8, min(512, _CELLS_PER_CHUNK // len(self.first)))

    def missing_calls(self, chunk: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(site, person) of the missing calls of one chunk of sites; a pair may come twice. Same for every reader."""
        random = generator(self.seed, "missing", self.stretch.name, chunk)
        begin = chunk * self.sites_per_chunk
        cells = (min(begin + self.sites_per_chunk, len(self.starts)) - begin) * len(self.first)
        picks = random.integers(0, cells, random.binomial(cells, MISSING_RATE))
        return begin + picks // len(self.first), picks % len(self.first)


def simulate_stretch(seed: int, stretch: Stretch, people: People, reserved: Sequence[int]) -> Haplotypes:
    """Simulate ancestry and mutations of one stretch, and leave out sites at the `reserved` positions.

    About 0.2 s of CPU per megabase and 3,000 people.
    """
    copies = np.where(people.female, stretch.copies_female, stretch.copies_male)
    in_deme = [int(copies[people.population == place].sum()) for place in range(len(people.populations))]
    ancestry = msprime.sim_ancestry(
        samples=[
            msprime.SampleSet(count, population=deme, ploidy=1)
            for deme, count in zip(people.populations, in_deme, strict=True)
        ],
        demography=demography(people.populations, stretch.size_factor),
        sequence_length=stretch.end - stretch.start,
        recombination_rate=stretch.recombination_rate,
        ploidy=2,
        random_seed=simulation_seed(seed, "ancestry", stretch.name),
    )
    trees = msprime.sim_mutations(
        ancestry,
        rate=_rates(generator(seed, "rates", stretch.name), stretch),
        model=msprime.HKY(kappa=4, equilibrium_frequencies=[0.29, 0.21, 0.21, 0.29]),
        random_seed=simulation_seed(seed, "mutations", stretch.name),
    )
    starts = stretch.start + trees.sites_position.astype(np.int64)
    taken = np.isin(starts, np.asarray(reserved, np.int64))
    trees = trees.delete_sites(np.flatnonzero(taken), record_provenance=False)
    first = (np.cumsum(copies) - copies).astype(np.int32)
    second = np.where(copies == 2, first + 1, -1).astype(np.int32)
    spellings = _draw_spellings(generator(seed, "spelling", stretch.name), trees)
    return Haplotypes(stretch, trees, first, second, starts[~taken], spellings, seed)


def _rates(random: np.random.Generator, stretch: Stretch) -> msprime.RateMap:
    """Mutation rates along the stretch: hot runs at random places, and the stretch's rate on average."""
    length = stretch.end - stretch.start
    hot = np.repeat(random.random(-(-length // HOT_LENGTH)) < HOT_SHARE, HOT_LENGTH)[:length]
    begins = np.flatnonzero(np.diff(hot, prepend=~hot[0]))
    cold_rate = stretch.mutation_rate / (1 + HOT_SHARE * (HOT_FACTOR - 1))
    rates = np.where(hot[begins], cold_rate * HOT_FACTOR, cold_rate)
    return msprime.RateMap(position=np.append(begins, length), rate=rates)


def _draw_spellings(random: np.random.Generator, trees: tskit.TreeSequence) -> dict[int, Spelling]:
    mutations = np.bincount(trees.mutations_site, minlength=trees.num_sites)
    chance = random.random(trees.num_sites)
    single = (mutations == 1) & (chance < INDEL_SHARE)
    several = np.isin(np.arange(trees.num_sites), _sites_of_several(trees)) & (chance < MIXED_SHARE)
    spellings = {}
    for site in np.flatnonzero(single | several).tolist():
        kind = "mixed" if several[site] else "insertion" if chance[site] < INDEL_SHARE / 2 else "deletion"
        length = min(int(random.geometric(0.5)), LONGEST_MOTIF)
        spellings[site] = Spelling(kind, "".join(random.choice(list("ACGT"), length).tolist()))
    return spellings


def _sites_of_several(trees: tskit.TreeSequence) -> npt.NDArray[np.int64]:
    """Sites with at least two bases other than the ancestral one."""
    derived = trees.mutations_derived_state
    away = derived != trees.sites_ancestral_state[trees.mutations_site]
    pairs = {
        (site, base) for site, base in zip(trees.mutations_site[away].tolist(), derived[away].tolist(), strict=True)
    }
    sites, count = np.unique([site for site, _ in pairs], return_counts=True)
    return np.asarray(sites[count > 1], np.int64)
