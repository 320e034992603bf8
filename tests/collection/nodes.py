# SPDX-License-Identifier: Apache-2.0
"""A small node for the collection's tests: datasets, a seven-term ontology, and random people and cohorts."""

from collections.abc import Sequence

import sqlalchemy as sa
from hypothesis import strategies as st

from megagenome.collection.cohort import (
    EVERYONE,
    All,
    Any,
    Carries,
    Cohort,
    FromCountry,
    FromPopulation,
    HasAge,
    HasCustom,
    HasSex,
    HasTerm,
    InDataset,
    Not,
)
from megagenome.collection.model import Sex, Use
from megagenome.collection.people import YES, Fact, FactKind, People, Person, Status
from megagenome.collection.tables import dataset
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.ids import Country, IndividualId, SampleId
from tests.oracles.obo import PlainOntology

#        1
#      2   3
#     4  5  6      (5 is below both 2 and 3; 7 below 5; 0000070 is 7's alternative id)
#        7
HP = PlainOntology(
    "HP",
    parents={
        "HP:0000001": set(),
        "HP:0000002": {"HP:0000001"},
        "HP:0000003": {"HP:0000001"},
        "HP:0000004": {"HP:0000002"},
        "HP:0000005": {"HP:0000002", "HP:0000003"},
        "HP:0000006": {"HP:0000003"},
        "HP:0000007": {"HP:0000005"},
    },
    alternatives={"HP:0000070": "HP:0000007"},
    names={"HP:0000005": "Seizure", "HP:0000007": "Focal seizure"},
)
TERMS = (*HP.parents, "ICD10:I83", "ICD10:I42")
ALLELES = tuple(Allele("GRCh38", "22", start, "A", "G") for start in (100, 200))


def ontology_for(term: str) -> PlainOntology | None:
    return HP if term.startswith("HP:") else None


def add_dataset(connection: sa.Connection, number: int, name: str) -> int:
    """A dataset's row; returns its number."""
    row = {"number": number, "id": name, "title": name, "description": "", "state": "draft", "open": False, "floor": 10}
    connection.execute(dataset.insert(), row | {"created": "2025-01-01", "updated": "2025-01-01"})
    return number


def person(name: str, *facts: Fact, **recorded: object) -> Person:
    """A person who says yes, with a sample called as they are, unless `recorded` says otherwise."""
    defaults: dict[str, object] = {"sample_id": name, "consent": YES}
    return Person(individual_id=IndividualId(name), facts=facts, **(defaults | recorded))


def people(*persons: Person) -> People:
    return People(list(persons), {}, {})


def observed(*terms: str, kind: FactKind = FactKind.PHENOTYPE) -> tuple[Fact, ...]:
    return tuple(Fact(kind, term) for term in terms)


def excluded(*terms: str, kind: FactKind = FactKind.PHENOTYPE) -> tuple[Fact, ...]:
    return tuple(Fact(kind, term, Status.EXCLUDED) for term in terms)


@st.composite
def facts(draw: st.DrawFn) -> tuple[Fact, ...]:
    """Facts that `unite` accepts."""
    statuses = draw(st.dictionaries(st.sampled_from(TERMS), st.sampled_from(Status), max_size=4))
    kinds = st.sampled_from([FactKind.PHENOTYPE, FactKind.DISEASE])
    clinical = [Fact(draw(kinds), term, status) for term, status in statuses.items()]
    values = draw(st.dictionaries(st.sampled_from(["smoker", "site"]), st.sampled_from(["a", "b"])))
    return (*clinical, *(Fact(FactKind.CUSTOM, name, value=value) for name, value in values.items()))


@st.composite
def persons(draw: st.DrawFn, most: int = 8) -> Sequence[Person]:
    """People with anything recorded or not, called P0, P1 ..."""
    return [
        Person(
            individual_id=IndividualId(f"P{number}"),
            sample_id=draw(st.sampled_from([None, SampleId(f"S{number}")])),
            sex=draw(st.sampled_from(Sex)),
            country=draw(st.sampled_from([Country("EE"), Country("FI"), Country("ZZ")])),
            population=draw(st.sampled_from(["", "north", "south"])),
            birth_year=draw(st.sampled_from([None, 1950, 1975, 2000, 2021])),
            facts=draw(facts()),
            consent=draw(st.sampled_from([None, YES, frozenset(), frozenset({Use.RESEARCH}), frozenset(Use)])),
        )
        for number in range(draw(st.integers(1, most)))
    ]


_ages = st.sampled_from([None, 0, 20, 45, 70])

leaves: st.SearchStrategy[Cohort] = st.one_of(
    st.just(EVERYONE),
    st.builds(HasTerm, st.sampled_from((*TERMS, "HP:0000070", "ICD10:Z99")), st.booleans()),
    st.builds(HasCustom, st.sampled_from(["smoker", "site", "never"]), st.sampled_from(["a", "b", "c"])),
    st.builds(HasSex, st.sampled_from(Sex)),
    st.builds(HasAge, _ages, _ages),
    st.builds(FromCountry, st.sampled_from(["EE", "FI", "SE", "ZZ"])),
    st.builds(FromPopulation, st.sampled_from(["north", "south", "west", ""])),
    st.builds(InDataset, st.sampled_from(["ONE", "TWO", "HIDDEN", "NONE"])),
    st.builds(Carries, st.sampled_from(ALLELES)),
)

cohorts: st.SearchStrategy[Cohort] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.lists(inner, max_size=3).map(tuple)),
        st.builds(Any, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)
