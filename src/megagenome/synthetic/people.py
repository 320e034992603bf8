# SPDX-License-Identifier: Apache-2.0
"""Simulated people: who they are, and what is recorded of their health. Nobody here exists.

Prevalences are round numbers of the order seen in European adults; they are invented, as are all relations between
facts except those that `planted` states.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.standards import people_table
from megagenome.synthetic.draws import generator

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int32]


class Country(NamedTuple):
    """A country that can be simulated. `populations` are demes with their share of the people; ages are stated for
    `collection_year`."""

    code: str
    name: str
    populations: tuple[tuple[str, float], ...]
    collection_year: int


COUNTRIES = {
    country.code: country
    for country in (
        Country("FI", "Finland", (("WFI", 0.7), ("EFI", 0.3)), 2024),
        Country("EE", "Estonia", (("EST", 1.0),), 2023),
        Country("GB", "United Kingdom", (("GBR", 1.0),), 2025),
        Country("ES", "Spain", (("ESP", 1.0),), 2024),
        Country("IT", "Italy", (("ITA", 0.85), ("SRD", 0.15)), 2022),
        Country("SE", "Sweden", (("SWE", 1.0),), 2025),
        Country("DE", "Germany", (("DEU", 1.0),), 2024),
        Country("FR", "France", (("FRA", 1.0),), 2023),
    )
}


class Phenotype(NamedTuple):
    """An HPO term of the list. `above` are the terms of this list that it is a kind of, by HPO."""

    id: str
    label: str
    observed: float
    excluded: float
    above: tuple[str, ...] = ()


PHENOTYPES = (
    Phenotype("HP:0001250", "Seizure", 0.01, 0.15),
    Phenotype(
        "HP:0002373", "Febrile seizure (within the age range of 3 months to 6 years)", 0.025, 0.10, ("HP:0001250",)
    ),
    Phenotype("HP:0007359", "Focal-onset seizure", 0.008, 0.02, ("HP:0001250",)),
    Phenotype("HP:0002197", "Generalized-onset seizure", 0.006, 0.02, ("HP:0001250",)),
    Phenotype("HP:0002315", "Headache", 0.08, 0.05),
    Phenotype("HP:0002076", "Migraine", 0.12, 0.10, ("HP:0002315",)),
    Phenotype("HP:0000365", "Hearing impairment", 0.04, 0.20),
    Phenotype("HP:0000407", "Sensorineural hearing impairment", 0.02, 0.05, ("HP:0000365",)),
    Phenotype("HP:0000545", "Myopia", 0.22, 0.15),
    Phenotype("HP:0001513", "Obesity", 0.18, 0.40),
    Phenotype("HP:0005110", "Atrial fibrillation", 0.03, 0.25),
    Phenotype("HP:0000821", "Hypothyroidism", 0.04, 0.10),
)


class Disease(NamedTuple):
    """A disease of the list with its prevalence by sex."""

    id: str
    label: str
    females: float
    males: float


DISEASES = (
    Disease("ICD10:E11", "Type 2 diabetes mellitus", 0.07, 0.09),
    Disease("ICD10:I10", "Essential (primary) hypertension", 0.20, 0.22),
    Disease("ICD10:I25", "Chronic ischaemic heart disease", 0.04, 0.08),
    Disease("ICD10:J45", "Asthma", 0.09, 0.07),
    Disease("ICD10:C50", "Malignant neoplasm of breast", 0.05, 0.0005),
    Disease("MONDO:0005301", "multiple sclerosis", 0.004, 0.002),
)

SMOKING = (("never", 0.50), ("former", 0.22), ("current", 0.16), ("", 0.12))
CONSENT = (("yes", 0.95), ("no", 0.04), ("", 0.01))

COLUMNS = (*people_table.COLUMNS, "smoking")
"""Columns of the people table, in order. `smoking` is the holder's own."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Everybody, one place per person, in the order of the simulation: by country, then by population.

    number     number within the country from 1, in random order; the individual id is made of it
    sample     another number within the country from 1, in another random order; the sample id is made of it
    country    index in `codes`
    population index in `populations`
    """

    codes: tuple[str, ...]
    populations: tuple[str, ...]
    number: Ints
    sample: Ints
    country: Ints
    population: Ints
    female: Flags
    birth_year: Ints
    consent: list[str]
    smoking: list[str]

    def __len__(self) -> int:
        return len(self.number)

    def individual_id(self, person: int) -> str:
        """Such as `FI-000123`."""
        return f"{self.codes[self.country[person]]}-{self.number[person]:06d}"

    def sample_id(self, person: int) -> str:
        """Such as `FIS000456`; its number says nothing about the individual's."""
        return f"{self.codes[self.country[person]]}S{self.sample[person]:06d}"


def draw_people(seed: int, codes: Sequence[str], individuals: int) -> People:
    """`individuals` people, as even as it goes over the countries, in which populations have their share."""
    parts = []
    populations = [population for code in codes for population, _ in COUNTRIES[code].populations]
    for place, code in enumerate(codes):
        size = individuals // len(codes) + (place < individuals % len(codes))
        parts.append(_draw_country(seed, place, COUNTRIES[code], populations, size))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    everybody = generator(seed, "everybody")
    return People(
        codes=tuple(codes),
        populations=tuple(populations),
        female=columns.pop("female").astype(bool),
        consent=_choose(everybody, CONSENT, individuals),
        smoking=_choose(everybody, SMOKING, individuals),
        **columns,
    )


def _draw_country(seed: int, place: int, country: Country, populations: list[str], size: int) -> dict[str, Ints]:
    random = generator(seed, "people", country.code)
    shares = np.cumsum([share for _, share in country.populations])
    bounds = np.round(shares * size).astype(int)
    population = np.empty(size, np.int32)
    begin = 0
    for (code, _), end in zip(country.populations, bounds, strict=True):
        population[begin:end] = populations.index(code)
        begin = end
    ages = np.clip(random.normal(52, 16, size), 18, 95)
    return {
        "number": (random.permutation(size) + 1).astype(np.int32),
        "sample": (random.permutation(size) + 1).astype(np.int32),
        "country": np.full(size, place, np.int32),
        "population": population,
        "female": (random.random(size) < 0.51).astype(np.int32),
        "birth_year": (country.collection_year - ages.astype(np.int32)).astype(np.int32),
    }


def _choose(random: np.random.Generator, options: Sequence[tuple[str, float]], size: int) -> list[str]:
    values = [value for value, _ in options]
    picks = np.searchsorted(np.cumsum([share for _, share in options][:-1]), random.random(size), side="right")
    return [values[pick] for pick in picks.tolist()]


def draw_phenotypes(seed: int, size: int) -> list[str]:
    """The `phenotypes` column: CURIEs joined by `;`, excluded ones with `!`, unrecorded ones left out."""
    random = generator(seed, "phenotypes")
    observed: dict[str, Flags] = {}
    excluded: dict[str, Flags] = {}
    for term in PHENOTYPES:
        chance = random.random(size)
        observed[term.id] = chance < term.observed
        excluded[term.id] = (chance >= term.observed) & (chance < term.observed + term.excluded)
    for term in PHENOTYPES:
        for above in term.above:  # nobody has a focal seizure and no seizure
            excluded[above] &= ~observed[term.id]
    return _join(
        [(term.id, observed[term.id]) for term in PHENOTYPES]
        + [("!" + term.id, excluded[term.id]) for term in PHENOTYPES],
        size,
    )


def draw_diseases(seed: int, people: People, log_odds: Mapping[str, npt.NDArray[np.floating]]) -> list[str]:
    """The `diseases` column. `log_odds[id]` adds to a person's log odds of that disease."""
    random = generator(seed, "diseases")
    columns = []
    for disease in DISEASES:
        base = np.where(people.female, disease.females, disease.males)
        logit = np.log(base / (1 - base)) + log_odds.get(disease.id, 0.0)
        columns.append((disease.id, random.random(len(people)) < 1 / (1 + np.exp(-logit))))
    return _join(columns, len(people))


def draw_heights(seed: int, people: People, shift_cm: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Standing height in cm, to the millimetre: normal in each sex, plus `shift_cm`."""
    random = generator(seed, "height")
    mean = np.where(people.female, 165.0, 179.0)
    heights: npt.NDArray[np.float64] = np.round(mean + shift_cm + random.normal(0, 6.5, len(people)), 1)
    return heights


def _join(columns: Sequence[tuple[str, Flags]], size: int) -> list[str]:
    lists: list[list[str]] = [[] for _ in range(size)]
    for text, holds in columns:
        for person in np.flatnonzero(holds).tolist():
            lists[person].append(text)
    return [";".join(parts) for parts in lists]
