# SPDX-License-Identifier: Apache-2.0
"""Who is in a cohort: expressions evaluated on the stored sets, in three-valued logic."""

from collections.abc import Callable, Collection
from functools import partial, reduce
from operator import and_, or_
from typing import NamedTuple, assert_never

import numpy as np
import sqlalchemy as sa

from megagenome.collection import bitmap
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
    canonical,
)
from megagenome.collection.members import SetKind, read_keys, read_members, read_union
from megagenome.collection.people import CUSTOM_NAME
from megagenome.collection.vocabulary import ancestors, resolve_term
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import DatasetId, parse_country
from megagenome.reference.ontology import OntologyFor


class Truth(NamedTuple):
    """Those an expression holds for and those it is known not to hold for; of all others it is unknown. Disjoint."""

    holds: bitmap.Planes
    fails: bitmap.Planes


class Evidence(NamedTuple):
    """What expressions are evaluated on.

    connection       where the sets are
    people           individuals of the node; any that the sets have besides, as newcomers, may or may not be in answers
    datasets         datasets that the reader may know of; any other is to them as one that does not exist
    collection_year  the year that ages are stated for; None: all ages are unknown
    ontology_for     the loaded ontologies
    carriers         who carries an allele, and who is called at it and does not
    """

    connection: sa.Connection
    people: int
    datasets: Collection[DatasetId]
    collection_year: int | None
    ontology_for: OntologyFor
    carriers: Callable[[Allele], Truth]

    @property
    def batches(self) -> int:
        """Batches of the node's people."""
        return bitmap.batches_for(self.people)


def evaluate(cohort: Cohort, evidence: Evidence) -> Truth:
    """The people of the node for whom `cohort` holds and those for whom it fails, whatever they consent to: the caller
    intersects with those who may be read.

    A term of a loaded ontology that has no such term raises `Invalid`. A term, value, country or dataset that nobody
    is recorded with gives the empty set, which looks as rare ones do. Each distinct leaf is read once, with one to
    three queries.
    """
    known: dict[Cohort, Truth] = {}

    def truth(part: Cohort) -> Truth:
        match part:
            case Not(part=inner):
                holds, fails = truth(inner)
                return Truth(fails, holds)
            case All(parts=parts):
                truths = [truth(inner) for inner in parts] or [truth(Everyone())]
                return Truth(reduce(and_, (t.holds for t in truths)), reduce(or_, (t.fails for t in truths)))
            case Any(parts=parts):
                truths = [truth(inner) for inner in parts] or [truth(Not(Everyone()))]
                return Truth(reduce(or_, (t.holds for t in truths)), reduce(and_, (t.fails for t in truths)))
            case _:
                if part not in known:
                    known[part] = _leaf(part, evidence)
                return known[part]

    return truth(canonical(cohort))


Leaf = Everyone | HasTerm | HasCustom | HasSex | HasAge | FromCountry | FromPopulation | InDataset | Carries


def _leaf(leaf: Leaf, evidence: Evidence) -> Truth:
    match leaf:
        case Everyone():
            return Truth(_everyone(evidence), bitmap.nobody(evidence.batches))
        case HasTerm():
            return _has_term(leaf, evidence)
        case HasAge():
            return _has_age(leaf, evidence)
        case HasCustom(name=name, value=value):
            if not CUSTOM_NAME.fullmatch(name):
                raise Invalid(f"{name[:60]!r} cannot be the name of a custom column")
            return _among(evidence, (SetKind.CUSTOM, f"{name}={value}"), (SetKind.CUSTOM, name))
        case HasSex(sex=sex):
            return _among(evidence, (SetKind.SEX, sex), (SetKind.RECORDED, "sex"))
        case FromCountry(country=country):
            return _among(evidence, (SetKind.COUNTRY, parse_country(country)), (SetKind.RECORDED, "country"))
        case FromPopulation(population=population):
            return _among(evidence, (SetKind.POPULATION, population), (SetKind.RECORDED, "population"))
        case InDataset(id=dataset):
            known = dataset in evidence.datasets
            members = read_union(evidence.connection, SetKind.DATASET, (dataset,) if known else (), evidence.batches)
            return Truth(members, _everyone(evidence) & ~members)
        case Carries(allele=allele):
            return evidence.carriers(allele)
    assert_never(leaf)


def _everyone(evidence: Evidence) -> bitmap.Planes:
    return bitmap.from_numbers(np.arange(evidence.people), evidence.batches)


def _among(evidence: Evidence, members: tuple[SetKind, str], recorded: tuple[SetKind, str]) -> Truth:
    """Membership that is known of the recorded only."""
    holds = read_members(evidence.connection, *members, evidence.batches)
    return Truth(holds, read_members(evidence.connection, *recorded, evidence.batches) & ~holds)


def _has_term(leaf: HasTerm, evidence: Evidence) -> Truth:
    term, _ = resolve_term(leaf.id, evidence.ontology_for)
    above = ancestors(term, evidence.ontology_for)
    found = read_members(evidence.connection, SetKind.FOLDED, term, evidence.batches)
    excluded = read_union(evidence.connection, SetKind.EXCLUDED, above, evidence.batches)
    # a finding outweighs the exclusion of something broader: both are recorded, and the finding is the more specific
    fails = excluded & ~found
    if leaf.descendants:
        return Truth(found, fails)
    return Truth(read_members(evidence.connection, SetKind.OBSERVED, term, evidence.batches), fails)


def _has_age(leaf: HasAge, evidence: Evidence) -> Truth:
    if evidence.collection_year is None:
        return Truth(bitmap.nobody(evidence.batches), bitmap.nobody(evidence.batches))
    years_by_truth: dict[bool, list[str]] = {True: [], False: []}
    for key in read_keys(evidence.connection, SetKind.BIRTH_YEAR):
        age = evidence.collection_year - int(key)
        if age < 0:  # born after the dataset's ages were stated: of no age in it
            continue
        is_within = (leaf.at_least or 0) <= age and (leaf.at_most is None or age <= leaf.at_most)
        years_by_truth[is_within].append(key)
    read = partial(read_union, evidence.connection, SetKind.BIRTH_YEAR, batches=evidence.batches)
    return Truth(read(years_by_truth[True]), read(years_by_truth[False]))
