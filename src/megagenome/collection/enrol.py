# SPDX-License-Identifier: Apache-2.0
"""Enrolment: a dataset's people become numbered individuals of the node, with samples, facts and sets."""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap
from megagenome.collection.consent import record_consent
from megagenome.collection.members import SetKind, add_members
from megagenome.collection.model import Sex, Use
from megagenome.collection.people import FactKind, People, Person, Status
from megagenome.collection.register import Register
from megagenome.collection.strata import Strata, count_individuals, read_strata
from megagenome.collection.tables import dataset as dataset_table
from megagenome.collection.terms import store_terms
from megagenome.collection.vocabulary import ancestors
from megagenome.kernel.ids import UNKNOWN_COUNTRY, Curie, DatasetId, SampleId
from megagenome.reference.ontology import OntologyFor


class Enrolment(NamedTuple):
    """What an enrolment did, and what genotypes are stored by.

    numbers     individual number by sample id, of the enrolled people who have a sample in the dataset
    strata      of all people of the node
    added       people who are new on this node
    consenting  enrolled people who consent to be counted now
    overruled   enrolled people for whom these tables say yes to that, but another dataset of theirs, or they, do not
    withdrawn   people who consented to it until these tables, which do not say yes for them
    moved       int64, increasing: earlier people whose stratum is another now, so that counts which were stored with
                their earlier loads no longer hold
    """

    numbers: dict[SampleId, int]
    strata: Strata
    added: int
    consenting: int
    overruled: int
    withdrawn: int
    moved: bitmap.Numbers


def enrol(connection: sa.Connection, dataset_number: int, people: People, ontology_for: OntologyFor) -> Enrolment:
    """Make `people` individuals of the node and members of the dataset, which must exist.

    In the caller's transaction, which must also raise the collection's version. New individuals get the next numbers in
    the order of `people`. An individual whom the node has already, from any dataset, stays one: what was unrecorded is
    filled in, facts are united, consent follows `collection/consent.py`. Enrolling the same people again changes
    nothing. Raises `Conflict`, naming the individual, where a record contradicts a stored one.
    """
    dataset = DatasetId(
        connection.execute(sa.select(dataset_table.c.id).where(dataset_table.c.number == dataset_number)).scalar_one()
    )
    earlier_people = count_individuals(connection)
    register = Register(connection, dataset_number)
    sets = _Sets()
    numbers: dict[SampleId, int] = {}
    moved: list[int] = []
    for number, person, before in register.enter(people.persons):
        sets.take(number, person)
        if person.sample_id is not None:
            numbers[person.sample_id] = number
        if before is not None and _stratum(before) != _stratum(person):
            moved.append(number)
    sets.store(connection, dataset, ontology_for)
    store_terms(connection, sets.terms, people.labels)

    batches = bitmap.batches_for(register.people)
    named = bitmap.from_numbers(_frozen(sets.named), batches)
    agreeing = {use: bitmap.from_numbers(_frozen(who), batches) for use, who in sets.agreeing.items()}
    before_consent, consent = record_consent(connection, dataset, named, agreeing)
    return Enrolment(
        numbers=numbers,
        strata=read_strata(connection),
        added=register.people - earlier_people,
        consenting=bitmap.count(consent & named),
        overruled=bitmap.count(agreeing.get(Use.AGGREGATES, bitmap.nobody(batches)) & ~consent),
        withdrawn=bitmap.count(before_consent & ~consent),
        moved=bitmap.distinct(np.array(moved, np.int64)),
    )


def _stratum(person: Person) -> tuple[str, str, Sex]:
    return person.country, person.population, person.sex


def _frozen(numbers: "array[int]") -> bitmap.Numbers:
    return np.frombuffer(numbers, np.int64) if numbers else np.zeros(0, np.int64)


Growing = defaultdict[str, "array[int]"]


def _growing() -> Growing:
    return defaultdict(lambda: array("q"))


class _Sets:
    """The enrolled people's numbers by everything that makes a set. Arrays, because a million people have tens of
    millions of memberships."""

    def __init__(self) -> None:
        self.named = array("q")
        self.agreeing: defaultdict[Use, array[int]] = defaultdict(lambda: array("q"))
        self.terms: set[tuple[str, FactKind]] = set()
        self._sex = _growing()
        self._country = _growing()
        self._population = _growing()
        self._birth_year = _growing()
        self._recorded = _growing()
        self._observed = _growing()
        self._excluded = _growing()
        self._custom = _growing()

    def take(self, number: int, person: Person) -> None:
        """Note what the person is a member of."""
        self.named.append(number)
        for use in person.consent or ():
            self.agreeing[use].append(number)
        if person.sex is not Sex.UNKNOWN:
            self._sex[person.sex].append(number)
            self._recorded["sex"].append(number)
        if person.country != UNKNOWN_COUNTRY:
            self._country[person.country].append(number)
            self._recorded["country"].append(number)
        if person.population:
            self._population[person.population].append(number)
            self._recorded["population"].append(number)
        if person.birth_year is not None:
            self._birth_year[str(person.birth_year)].append(number)
        for kind, term, status, value, _unit, _time in person.facts:
            self.terms.add((term, kind))
            if kind is FactKind.CUSTOM:
                self._custom[term].append(number)
                self._custom[f"{term}={value}"].append(number)
            elif kind is not FactKind.MEASURE:
                (self._observed if status is Status.OBSERVED else self._excluded)[term].append(number)

    def store(self, connection: sa.Connection, dataset: DatasetId, ontology_for: OntologyFor) -> None:
        """Add everybody to the stored sets."""
        add_members(connection, SetKind.DATASET, [(dataset, _frozen(self.named))])
        for kind, growing in (
            (SetKind.SEX, self._sex),
            (SetKind.COUNTRY, self._country),
            (SetKind.POPULATION, self._population),
            (SetKind.BIRTH_YEAR, self._birth_year),
            (SetKind.RECORDED, self._recorded),
            (SetKind.OBSERVED, self._observed),
            (SetKind.EXCLUDED, self._excluded),
            (SetKind.CUSTOM, self._custom),
        ):
            add_members(connection, kind, ((key, _frozen(numbers)) for key, numbers in growing.items()))
        add_members(connection, SetKind.FOLDED, self._folded(ontology_for))

    def _folded(self, ontology_for: OntologyFor) -> Iterator[tuple[str, bitmap.Numbers]]:
        below: defaultdict[Curie, list[bitmap.Numbers]] = defaultdict(list)
        for term, numbers in self._observed.items():
            for above in ancestors(Curie(term), ontology_for):
                below[above].append(_frozen(numbers))
        for above, parts in below.items():
            yield above, np.concatenate(parts)
