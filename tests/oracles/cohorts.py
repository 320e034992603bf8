# SPDX-License-Identifier: Apache-2.0
"""Whether a cohort's expression holds for one person: True, False, or None where that is unknown. Slow and plain."""

from collections.abc import Mapping
from typing import NamedTuple

from megagenome.collection.cohort import (
    All,
    Any,
    Carries,
    Cohort,
    Everyone,
    FromCountry,
    FromPopulation,
    HasAge,
    HasCustom,
    HasSex,
    HasTerm,
    InDataset,
    Not,
)
from megagenome.collection.model import Sex
from megagenome.collection.people import FactKind, Person, Status
from megagenome.kernel.coordinates import Allele
from tests.oracles.obo import PlainOntology


class Circumstances(NamedTuple):
    """What is known besides the person's own record. `carries` has no entry for an allele that was not called."""

    ontology: PlainOntology
    datasets: frozenset[str]
    collection_year: int | None
    carries: Mapping[Allele, bool]


def holds(cohort: Cohort, person: Person, around: Circumstances) -> bool | None:
    match cohort:
        case Everyone():
            return True
        case Not(part=part):
            inner = holds(part, person, around)
            return None if inner is None else not inner
        case All(parts=parts):
            found = {holds(part, person, around) for part in parts}
            return False if False in found else None if None in found else True
        case Any(parts=parts):
            found = {holds(part, person, around) for part in parts}
            return True if True in found else None if None in found else False
        case HasTerm(id=term, descendants=descendants):
            return _has_term(term, descendants, person, around.ontology)
        case HasCustom(name=name, value=value):
            values = [fact.value for fact in person.facts if fact.kind == FactKind.CUSTOM and fact.term == name]
            return values[0] == value if values else None
        case HasSex(sex=sex):
            return None if person.sex is Sex.UNKNOWN else person.sex is sex
        case FromCountry(country=country):
            return None if person.country == "ZZ" else person.country == country
        case FromPopulation(population=population):
            return None if person.population == "" else person.population == population
        case InDataset(id=dataset):
            return dataset in around.datasets
        case Carries(allele=allele):
            return around.carries.get(allele)
        case HasAge(at_least=at_least, at_most=at_most):
            if (
                around.collection_year is None
                or person.birth_year is None
                or person.birth_year > around.collection_year
            ):
                return None
            age = around.collection_year - person.birth_year
            return not (at_least is not None and age < at_least) and not (at_most is not None and age > at_most)
    raise AssertionError(cohort)


def _has_term(term: str, descendants: bool, person: Person, ontology: PlainOntology) -> bool | None:
    def up(some: str) -> set[str]:
        return set(ontology.ancestors(some)) if some.startswith(ontology.prefix + ":") else {some}

    term = ontology.alternatives.get(term, term)
    clinical = [fact for fact in person.facts if fact.kind in (FactKind.PHENOTYPE, FactKind.DISEASE)]
    observed = {fact.term for fact in clinical if fact.status is Status.OBSERVED}
    excluded = {fact.term for fact in clinical if fact.status is Status.EXCLUDED}
    found_below = any(term in up(other) for other in observed)
    if term in observed or (descendants and found_below):
        return True
    return False if excluded & up(term) and not found_below else None
