# SPDX-License-Identifier: Apache-2.0
"""People of real files, read and counted plainly: one row after the other, no sets of the collection."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from megagenome.app.demo.expect import OVER_ALL
from megagenome.app.demo.plan import FileDataset
from megagenome.collection.read_vcf import read_header
from megagenome.kernel.coordinates import Allele
from megagenome.reference import Reference
from megagenome.synthetic.truth import CohortCount, CohortQuestion, CohortTruth

SEXES = ("female", "male", "unknown")
_SPELLINGS = {"female": "female", "f": "female", "2": "female", "male": "male", "m": "male", "1": "male"}


class Individual(NamedTuple):
    """One row of the people table."""

    id: str
    sample: str
    sex: str
    country: str
    consents: bool
    observed: frozenset[str]
    excluded: frozenset[str]


Members = list[Individual]


def members_of(datasets: Sequence[FileDataset], reference: Reference) -> dict[str, Members]:
    """For each dataset the people of its country who are in its file, in the order of the table."""
    with datasets[0].table.open(encoding="utf-8-sig", newline="") as file:
        everybody = [_individual(row, reference) for row in csv.DictReader(file, delimiter="\t")]
    files = {dataset.path: set(read_header(dataset.path).samples) for dataset in datasets}
    return {
        dataset.id: [one for one in everybody if one.country == dataset.country and one.sample in files[dataset.path]]
        for dataset in datasets
    }


def _individual(row: Mapping[str, str | None], reference: Reference) -> Individual:
    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    terms = [term.strip() for column in ("diseases", "phenotypes") for term in cell(column).split(";") if term.strip()]
    return Individual(
        id=cell("individual_id"),
        sample=cell("sample_id") if "sample_id" in row else cell("individual_id"),
        sex=_SPELLINGS.get(cell("sex").lower(), "unknown"),
        country=cell("country"),
        consents=cell("consent").lower() == "yes",
        observed=frozenset(_canonical(term, reference) for term in terms if not term.startswith("!")),
        excluded=frozenset(_canonical(term[1:].strip(), reference) for term in terms if term.startswith("!")),
    )


def _canonical(term: str, reference: Reference) -> str:
    ontology = reference.ontology_for(term)
    return term if ontology is None else ontology.canonical(term)


class Counting(NamedTuple):
    """What cohorts are counted from. `carriers` of `allele` are individuals by dataset."""

    datasets: Sequence[FileDataset]
    members: Mapping[str, Members]
    reference: Reference
    allele: Allele | None
    carriers: Mapping[str, set[str]]


def cohorts_of(counting: Counting) -> Iterator[CohortTruth]:
    """Questions about sex, the commonest terms and carriers, alone and together, with their counts."""
    for question in dict.fromkeys(_questions(counting)):
        yield CohortTruth(question, tuple(_count(counting, question)))


def _questions(counting: Counting) -> Iterator[CohortQuestion]:
    people = {one.id: one for members in counting.members.values() for one in members}.values()
    observed = Counter(term for one in people for term in sorted(one.observed))
    excluded = Counter(term for one in people for term in sorted(one.excluded))
    yield CohortQuestion(sex="female")
    yield CohortQuestion(sex="male")
    for term, _ in observed.most_common(2):
        yield CohortQuestion(terms=(term,))
        yield CohortQuestion(sex="female", terms=(term,))
        for above in sorted(_with_above(term, counting.reference) - {term})[:2]:
            yield CohortQuestion(terms=(above,))
    for term, _ in excluded.most_common(1):
        yield CohortQuestion(excluded=(term,))
    if counting.allele is not None:
        yield CohortQuestion(carries=str(counting.allele))
        yield CohortQuestion(sex="male", carries=str(counting.allele))


def _count(counting: Counting, question: CohortQuestion) -> Iterator[CohortCount]:
    anywhere: dict[str, set[str]] = {}
    for dataset in counting.datasets:
        found = {
            one.id
            for one in counting.members[dataset.id]
            if one.consents
            and _matches(one, question, counting.reference)
            # who carries an allele carries it in every dataset that they are in
            and (not question.carries or any(one.id in ids for ids in counting.carriers.values()))
        }
        yield CohortCount(dataset.country, dataset.id, len(found))
        anywhere.setdefault(dataset.country, set()).update(found)
    for country, ids in anywhere.items():
        yield CohortCount(country, OVER_ALL, len(ids))


def _matches(one: Individual, question: CohortQuestion, reference: Reference) -> bool:
    return (
        question.sex in ("", one.sex)
        and all(any(term in _with_above(x, reference) for x in one.observed) for term in question.terms)
        and all(one.excluded & _with_above(term, reference) for term in question.excluded)
    )


def _with_above(term: str, reference: Reference) -> frozenset[str]:
    ontology = reference.ontology_for(term)
    return frozenset((term,)) if ontology is None else frozenset(ontology.ancestors(term))
