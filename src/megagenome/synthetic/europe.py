# SPDX-License-Identifier: Apache-2.0
"""Countries of synthetic Europe with their datasets, simulated together once and read as often as wanted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import DatasetId
from megagenome.reference.assemblies import assembly
from megagenome.standards.genotypes import GenotypeSource
from megagenome.synthetic.blocks import read_blocks
from megagenome.synthetic.genomes import ASSEMBLY, CONTIGS, Haplotypes, simulate_stretch, stretches
from megagenome.synthetic.people import (
    COLUMNS,
    COUNTRIES,
    Ints,
    People,
    draw_diseases,
    draw_heights,
    draw_people,
    draw_phenotypes,
)
from megagenome.synthetic.planted import (
    DISEASE_ASSOCIATION,
    HEIGHT_ASSOCIATION,
    PLANTED,
    Carriers,
    Causal,
    draw_carriers,
    find_causal,
)

DEFAULT_COUNTRIES = ("FI", "EE", "GB")
SMALLEST_COUNTRY = 20
SHORTEST_MEGABASES, LONGEST_MEGABASES = 0.15, 22.0
OPEN_SHARE = 0.2
SHARED_PEOPLE = 2
"""People of each country who are in both of its datasets."""


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """Everything that was drawn. Immutable; threads may read it at once."""

    seed: int
    megabases: float
    people: People
    diseases: list[str]
    phenotypes: list[str]
    height_cm: npt.NDArray[np.float64]
    sequences: tuple[Haplotypes, ...]
    planted: dict[str, list[Carriers]]
    disease_allele: Causal
    height_allele: Causal

    def row(self, person: int) -> dict[str, str]:
        """A person's row of the people table: `COLUMNS`, `""` for what is not recorded."""
        people = self.people
        values = (
            people.individual_id(person),
            people.sample_id(person),
            "female" if people.female[person] else "male",
            people.codes[people.country[person]],
            people.populations[people.population[person]],
            str(people.birth_year[person]),
            self.diseases[person],
            self.phenotypes[person],
            people.consent[person],
            people.smoking[person],
        )
        return dict(zip(COLUMNS, values, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A dataset of a synthetic country. `members` are places in `Simulation.people`, ascending."""

    id: DatasetId
    title: str
    description: str
    open: bool
    collection_year: int
    members: Ints
    simulation: Simulation

    def genotypes(self) -> GenotypeSource:
        """All contigs of all members, phased; blocks of at most 512 records. Can be called again; each source once."""
        samples = tuple(map(self.simulation.people.sample_id, self.members.tolist()))
        blocks = read_blocks(self.simulation.sequences, self.simulation.planted, self.members)
        lengths = {name: assembly(ASSEMBLY).contig(name).length for name in CONTIGS}
        return GenotypeSource(str(self.id), samples, lengths, blocks)

    def people(self) -> Iterator[dict[str, str]]:
        """The people table, a row (by column) for each member, by individual id."""
        numbers = self.simulation.people.number[self.members]
        return map(self.simulation.row, self.members[np.argsort(numbers)].tolist())

    def write_people(self, file: IO[str]) -> None:
        """Write the people table as TSV."""
        file.write("\t".join(COLUMNS) + "\n")
        file.writelines("\t".join(row.values()) + "\n" for row in self.people())

    def write_traits(self, file: IO[str]) -> None:
        """Write the measured trait as TSV: `individual_id height_cm`. Its own file, since a value is not a term."""
        simulation = self.simulation
        file.write("individual_id\theight_cm\n")
        order = self.members[np.argsort(simulation.people.number[self.members])].tolist()
        file.writelines(f"{simulation.people.individual_id(x)}\t{simulation.height_cm[x]}\n" for x in order)


@dataclass(frozen=True, slots=True, eq=False)
class Country:
    """A synthetic country: its ISO 3166 code, its name, and its datasets (the cohort, then the open one)."""

    code: str
    name: str
    datasets: tuple[Dataset, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Europe:
    """The countries, and everything that was drawn to make them (`truth` counts from that)."""

    countries: tuple[Country, ...]
    simulation: Simulation


def simulate(
    individuals: int = 3000,
    countries: Sequence[str] = DEFAULT_COUNTRIES,
    seed: int = 1,
    megabases: float = 3.0,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Europe:
    """Simulate `individuals` people of `countries` (`COUNTRIES`), with `megabases` of chromosome 22, some X and MT.

    `on_progress` is told which share of the stretches is done; chromosome 22 is the first and longest.

    The same arguments give the same people and genotypes (with the same versions of msprime and numpy). Each country
    has `GDI-xx-COHORT-001` (not open, four fifths of its people) and `GOE-xx-OPEN-001` (open); two people are in both.
    `Invalid` for an unknown country, one given twice, too few people, a negative seed, a stretch too short or long.
    Costs about 1 s of CPU and 120 MB for 3,000 people and 3 Mb, 10 s for 100,000 and 0.2 Mb.
    """
    _check(individuals, countries, seed, megabases)
    people = draw_people(seed, countries, individuals)
    sequences = []
    for place, stretch in enumerate(stretches(megabases), 1):
        reserved = [allele.start for allele in PLANTED if allele.stretch == stretch.name]
        sequences.append(simulate_stretch(seed, stretch, people, reserved))
        on_progress(place / len(stretches(megabases)))
    disease_allele = find_causal(sequences[0], DISEASE_ASSOCIATION.near)
    height_allele = find_causal(sequences[0], HEIGHT_ASSOCIATION.near)
    risk = {DISEASE_ASSOCIATION.trait: disease_allele.copies * np.log(DISEASE_ASSOCIATION.effect)}
    simulation = Simulation(
        seed=seed,
        megabases=megabases,
        people=people,
        diseases=draw_diseases(seed, people, risk),
        phenotypes=draw_phenotypes(seed, individuals),
        height_cm=draw_heights(seed, people, height_allele.copies * HEIGHT_ASSOCIATION.effect),
        sequences=tuple(sequences),
        planted=draw_carriers(seed, people, sequences),
        disease_allele=disease_allele,
        height_allele=height_allele,
    )
    return Europe(tuple(_country(simulation, place) for place in range(len(people.codes))), simulation)


def _check(individuals: int, countries: Sequence[str], seed: int, megabases: float) -> None:
    unknown = [code for code in countries if code not in COUNTRIES]
    if unknown or not countries or len(set(countries)) != len(countries):
        given = ",".join(countries)
        raise Invalid(f"countries {given!r}: give one or more of {','.join(COUNTRIES)}, each once")
    if individuals < SMALLEST_COUNTRY * len(countries):
        raise Invalid(
            f"{individuals} individuals: give at least {SMALLEST_COUNTRY} for each of {len(countries)} countries"
        )
    if seed < 0:
        raise Invalid(f"seed {seed}: give a whole number from 0")
    if not SHORTEST_MEGABASES <= megabases <= LONGEST_MEGABASES:
        raise Invalid(f"{megabases} megabases: give {SHORTEST_MEGABASES} to {LONGEST_MEGABASES:g}")


def _country(simulation: Simulation, place: int) -> Country:
    people = simulation.people
    country = COUNTRIES[people.codes[place]]
    residents = np.flatnonzero(people.country == place).astype(np.int32)
    cohort_size = len(residents) - round(OPEN_SHARE * len(residents))
    numbers = people.number[residents]
    cohort = Dataset(
        id=DatasetId(f"GDI-{country.code}-COHORT-001"),
        title=f"{country.name}: synthetic population cohort",
        description="Simulated people; nobody in it exists. Treated as real: its counts are disclosure-controlled.",
        open=False,
        collection_year=country.collection_year,
        members=residents[numbers <= cohort_size],
        simulation=simulation,
    )
    reference = Dataset(
        id=DatasetId(f"GOE-{country.code}-OPEN-001"),
        title=f"{country.name}: synthetic open reference panel",
        description="Simulated people; nobody in it exists. Declared open: all its counts are told.",
        open=True,
        collection_year=country.collection_year,
        members=residents[numbers > cohort_size - SHARED_PEOPLE],
        simulation=simulation,
    )
    return Country(country.code, country.name, (cohort, reference))
