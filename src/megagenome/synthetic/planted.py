# SPDX-License-Identifier: Apache-2.0
"""What is put into the simulation on purpose, so that answers can be checked: known carriers and known associations.

The planted alleles are real (GRCh38 positions and bases from ClinVar, public domain, release 2024-12-15; notes name the
VariationID); who carries them and how often is invented, and so are both associations.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tskit

from megagenome.kernel.errors import Invalid
from megagenome.synthetic.draws import generator
from megagenome.synthetic.genomes import Haplotypes
from megagenome.synthetic.people import Ints, People


class PlantedAllele(NamedTuple):
    """An allele that gets a stated number of carriers in each country.

    stretch   name of the stretch that it lies on; planted only where the simulation covers `start`
    carriers  share of a country's people, by country; `""` for all others, no carrier where that is 0
    at_most   and never more than this many
    """

    stretch: str
    start: int
    ref: str
    alt: str
    note: str
    carriers: Mapping[str, float]
    at_most: int = 2**31


FOUNDER = PlantedAllele(
    "22",
    28_695_867,
    "AG",
    "A",
    "CHEK2 c.1100del (ClinVar 128042), a founder allele: frequent in FI, rare elsewhere",
    {"FI": 0.024, "IT": 0.002, "": 0.006},
)
PLANTED = (
    FOUNDER,
    PlantedAllele(
        "22", 28_695_708, "C", "G", "CHEK2 (ClinVar 126911): at most 4 carriers in any country", {"": 0.004}, at_most=4
    ),
    PlantedAllele("22", 28_695_798, "G", "T", "CHEK2 (ClinVar 265567): in EE only", {"EE": 0.03, "": 0.0}),
    PlantedAllele(
        "X", 154_534_418, "G", "A", "G6PD c.563C>T (ClinVar 100057): hemizygous in men", {"IT": 0.08, "": 0.05}
    ),
    PlantedAllele("MT", 3_242, "A", "G", "MT-TL1 m.3243A>G (ClinVar 9589): one copy in everybody", {"": 0.003}),
)

HOMOZYGOUS_SHARE = 0.05
"""Share of the carriers with two copies of the place who carry the allele on both."""


class Carriers(NamedTuple):
    """A planted allele and the people who carry it: places in `People`, ascending, and their copies (1 or 2)."""

    allele: PlantedAllele
    people: Ints
    copies: npt.NDArray[np.int8]


def draw_carriers(seed: int, people: People, sequences: Sequence[Haplotypes]) -> dict[str, list[Carriers]]:
    """Choose the carriers of every planted allele on a simulated stretch: by stretch, in order of position."""
    planted: dict[str, list[Carriers]] = {}
    for sequence in sequences:
        stretch = sequence.stretch
        here = [x for x in PLANTED if x.stretch == stretch.name and stretch.start <= x.start < stretch.end]
        drawn = [_draw(seed, people, sequence, allele) for allele in sorted(here, key=lambda x: x.start)]
        planted[stretch.name] = [carriers for carriers in drawn if len(carriers.people)]
    return planted


def _draw(seed: int, people: People, sequence: Haplotypes, allele: PlantedAllele) -> Carriers:
    random = generator(seed, "carriers", allele.stretch, allele.start)
    chosen = []
    for place, code in enumerate(people.codes):
        residents = np.flatnonzero(people.country == place)
        share = allele.carriers.get(code, allele.carriers[""])
        count = min(max(1, round(share * len(residents))), allele.at_most) if share else 0
        chosen.append(random.choice(residents, count, replace=False))
    carriers = np.sort(np.concatenate(chosen)).astype(np.int32)
    both = (sequence.second[carriers] >= 0) & (random.random(len(carriers)) < HOMOZYGOUS_SHARE)
    return Carriers(allele, carriers, (1 + both).astype(np.int8))


class Association(NamedTuple):
    """A trait that depends on a common simulated allele, additively in its copies.

    near    position on chromosome 22 from which the first fitting allele is taken
    effect  odds ratio of a disease, or centimetres of height, per copy
    """

    trait: str
    near: int
    effect: float


DISEASE_ASSOCIATION = Association("ICD10:E11", 28_700_000, 1.8)
HEIGHT_ASSOCIATION = Association("height_cm", 28_760_000, 1.5)


class Causal(NamedTuple):
    """The site that an association uses, its one alternate base, and everybody's copies of it."""

    site: int
    copies: npt.NDArray[np.int8]


def find_causal(sequence: Haplotypes, near: int) -> Causal:
    """The first plain base change at or after `near` whose allele frequency is 0.2 to 0.4 over all people."""
    variant = tskit.Variant(sequence.trees)
    for site in range(int(np.searchsorted(sequence.starts, near)), len(sequence.starts)):
        variant.decode(site)
        if len(variant.alleles) != 2 or site in sequence.spellings:
            continue
        genotypes = variant.genotypes
        if 0.2 <= genotypes.mean() <= 0.4:
            copies = genotypes[sequence.first] + np.where(sequence.second >= 0, genotypes[sequence.second], 0)
            return Causal(site, copies.astype(np.int8))
    raise Invalid(f"no common allele after {sequence.stretch.name}:{near + 1}: simulate more megabases")
