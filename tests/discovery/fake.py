# SPDX-License-Identifier: Apache-2.0
"""A collection in memory that counts person by person, with the contract of `megagenome.collection`."""

from collections.abc import Collection as Some
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from megagenome.collection import cohort as c
from megagenome.collection.model import (
    AlleleCounts,
    Dataset,
    DatasetState,
    FilteringTerm,
    PeopleCounts,
    Sex,
    Stratum,
    Tier,
)
from megagenome.discovery import DiscoverySettings
from megagenome.discovery.answer import Beacon
from megagenome.discovery.model import Identity
from megagenome.discovery.needs import CountAggregate
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import Country, Curie, DatasetId
from megagenome.reference import EXPECTED_PLOIDY, assembly

IDENTITY = Identity(
    id="org.example.node",
    name="Example node",
    url="https://node.example.org",
    organization_id="example",
    organization_name="Example",
    organization_url="https://example.org",
    version="0.1.0",
    country="FI",
)


class Person(NamedTuple):
    """A consenting person. `facts`: term -> observed (True) or excluded (False)."""

    country: str = "FI"
    sex: Sex = Sex.FEMALE
    population: str = ""
    age: int | None = None
    facts: dict[str, bool] = {}  # noqa: RUF012 - read only
    custom: dict[str, str] = {}  # noqa: RUF012 - read only

    @property
    def stratum(self) -> Stratum:
        return Stratum(Country(self.country), self.population, self.sex)


Call = tuple[int, int]
"""Copies of the alternate allele, alleles called: (1, 2) is heterozygous, (0, 1) a haploid reference call."""


def dataset(
    id_: str,
    *,
    is_open: bool = False,
    floor: int = 0,
    assemblies: tuple[str, ...] = ("GRCh37",),
    alleles: Tier = Tier.PUBLIC,
) -> Dataset:
    """A published dataset; `individuals` is filled in by the collection."""
    return Dataset(
        id=DatasetId(id_),
        title=f"Dataset {id_}",
        description="Made up",
        state=DatasetState.PUBLISHED,
        open=is_open,
        floor=floor if is_open else max(floor, 10),
        alleles_tier=alleles,
        people_tier=Tier.PUBLIC,
        collection_year=2020,
        individuals=0,
        assemblies=assemblies,
        created="2024-01-01T00:00:00Z",
        updated="2024-01-02T00:00:00Z",
    )


class FakeCollection:
    """People by number, datasets with their members, and calls by dataset and allele (who is not in it is missing)."""

    def __init__(
        self,
        people: list[Person],
        datasets: dict[str, tuple[Dataset, set[int]]],
        calls: dict[tuple[str, Allele], dict[int, Call]],
        terms: tuple[FilteringTerm, ...] = (),
    ) -> None:
        self.people = people
        self.members = [members for _, members in datasets.values()]
        self.datasets = tuple(_with_size(dataset, len(members)) for dataset, members in datasets.values())
        self.calls = calls
        self.version = 1
        self.terms = terms
        self.strata = tuple(sorted({person.stratum for person in people}))
        self.checked = True

    def is_fresh(self, version: int) -> bool:
        return self.checked and version == self.version

    @property
    def published(self) -> tuple[Dataset, ...]:
        return self.datasets

    def open(
        self, caller: Any, use: Any, cohort: c.Cohort = c.EVERYONE, permit: None = None, *, asked: Any = None
    ) -> "FakeReading":
        del caller, use, permit, asked
        return FakeReading(self, cohort)


class FakeReading:
    """What of a fake collection belongs to a cohort."""

    def __init__(self, collection: FakeCollection, cohort: c.Cohort) -> None:
        self._collection = collection
        self._cohort = cohort
        self.datasets = collection.datasets
        self.strata = collection.strata
        self._place = {stratum: k for k, stratum in enumerate(self.strata)}

    @cached_property
    def _members(self) -> list[set[int]]:
        return [{n for n in members if self._holds(self._cohort, n)} for members in self._collection.members]

    @property
    def shared(self) -> np.ndarray:
        members = self._collection.members
        n = len(members)
        return np.array([[i != j and bool(members[i] & members[j]) for j in range(n)] for i in range(n)], bool).reshape(
            n, n
        )

    @property
    def same(self) -> np.ndarray:
        members = self._collection.members
        return np.array([[mine == other for other in members] for mine in members], bool).reshape(2 * [len(members)])

    def count_alleles(self, place: Allele | Region, datasets: Some[DatasetId] | None = None) -> AlleleCounts:
        rows = sorted(
            (allele, k)
            for k, each in enumerate(self.datasets)
            for (name, allele) in self._collection.calls
            if name == each.id and _is_at(allele, place) and (datasets is None or each.id in datasets)
        )
        counts = np.zeros((len(rows), len(self.strata), 4), np.int64)
        for row, (allele, k) in enumerate(rows):
            for n, call in self._collection.calls[self.datasets[k].id, allele].items():
                if n in self._members[k]:
                    counts[row, self._place[self._collection.people[n].stratum]] += _counted(call)
        columns = (counts[:, :, kind] for kind in range(4))
        return AlleleCounts([allele for allele, _ in rows], np.array([k for _, k in rows], np.int32), *columns)

    def count_alleles_once(self, allele: Allele) -> tuple[np.ndarray, ...]:
        counts = np.zeros((len(self.strata), 4), np.int64)
        seen: set[int] = set()
        for k, each in enumerate(self.datasets):
            for n, call in self._collection.calls.get((each.id, allele), {}).items():
                if n in self._members[k] and n not in seen:
                    seen.add(n)
                    counts[self._place[self._collection.people[n].stratum]] += _counted(call)
        return tuple(counts.T)

    def count_people(self) -> PeopleCounts:
        return PeopleCounts(
            np.array([len(m) for m in self._members], np.int64),
            np.array([len(m) for m in self._collection.members], np.int64),
            len(set().union(*self._members)),
        )

    def terms(self, least: Some[int] | None = None) -> tuple[FilteringTerm, ...]:
        people, groups = self._collection.people, self._collection.members
        return tuple(
            term
            for term in self._collection.terms
            for recorded in [[n for n, p in enumerate(people) if term.id in p.facts or term.id in p.custom]]
            if least is None or any(len(group & set(recorded)) >= few for group, few in zip(groups, least, strict=True))
        )

    def copies_possible(self, place: Allele | Region) -> np.ndarray:
        genome = assembly(place.assembly)
        kinds = {genome.ploidy_class(place.contig, at) for at in (place.start, place.end - 1)}
        ploidy = [{EXPECTED_PLOIDY[kind][stratum.sex] for kind in kinds} for stratum in self.strata]
        return np.array([[2 in p, 2 in p, 1 in p] for p in ploidy], bool).reshape(-1, 3)

    def _holds(self, cohort: c.Cohort, n: int) -> bool | None:
        """Whether a cohort holds for a person; None where that is unknown."""
        person = self._collection.people[n]
        match cohort:
            case c.Everyone():
                return True
            case c.HasTerm(id=term, descendants=below):
                told = [v for t, v in person.facts.items() if t == term or (below and t in BELOW.get(term, ()))]
                above = [v for t, v in person.facts.items() if term in BELOW.get(t, ())]
                return True if True in told else False if person.facts.get(term) is False or False in above else None
            case c.HasCustom(name=name, value=value):
                return person.custom[name] == value if name in person.custom else None
            case c.HasSex(sex=sex):
                return person.sex is sex if person.sex is not Sex.UNKNOWN or sex is Sex.UNKNOWN else None
            case c.HasAge(at_least=low, at_most=high):
                if person.age is None:
                    return None
                return (low is None or person.age >= low) and (high is None or person.age <= high)
            case c.FromCountry(country=country):
                return person.country == country if person.country != "ZZ" else None
            case c.FromPopulation(population=population):
                return person.population == population if person.population else None
            case c.InDataset(id=id_):
                return any(d.id == id_ and n in m for d, m in zip(self.datasets, self._collection.members, strict=True))
            case c.Carries(allele=allele):
                calls = [v[n] for (_, a), v in self._collection.calls.items() if a == allele and n in v]
                return any(copies for copies, _ in calls) if calls else None
            case c.All(parts=parts):
                answers = [self._holds(part, n) for part in parts]
                return False if False in answers else None if None in answers else True
            case c.Not(part=part):
                answer = self._holds(part, n)
                return None if answer is None else not answer
            case _:
                raise NotImplementedError(cohort)


BELOW = {"HP:0012638": {"HP:0001250", "HP:0011097"}, "HP:0001250": {"HP:0011097"}}
KNOWN = {*BELOW, "HP:0011097", "HP:0000118"}


class FakeOntology:
    """Four terms of HPO; HP:0001275 is an old id of seizure."""

    prefix = "HP"
    version = "2025-01-16"

    def canonical(self, term: str, /) -> Curie:
        if term == "HP:0001275":
            return Curie("HP:0001250")
        if term not in KNOWN:
            raise Invalid(f"unknown term {term}")
        return Curie(term)

    def label(self, term: str, /) -> str:
        return {"HP:0001250": "Seizure"}.get(term, term)


class FakeReference:
    """HPO alone is loaded."""

    ontologies = (FakeOntology(),)

    def ontology_for(self, curie: str, /) -> FakeOntology | None:
        return self.ontologies[0] if curie.startswith("HP:") else None


def beacon_of(collection: FakeCollection, settings: DiscoverySettings | None = None, **more: CountAggregate) -> Beacon:
    """A Beacon over a fake collection."""
    return Beacon(collection, FakeReference(), IDENTITY, settings or DiscoverySettings(), **more)


def _counted(call: Call) -> tuple[int, int, int, int]:
    copies, called = call
    return int(call == (1, 2)), int(call == (2, 2)), int(call == (1, 1)), called if copies <= called else 0


def _is_at(allele: Allele, place: Allele | Region) -> bool:
    if isinstance(place, Allele):
        return allele == place.parsimonious()
    return allele[:2] == place[:2] and allele.start < place.end and allele.end > place.start


def _with_size(each: Dataset, individuals: int) -> Dataset:
    import msgspec

    return msgspec.structs.replace(each, individuals=individuals)
