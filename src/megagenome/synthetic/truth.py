# SPDX-License-Identifier: Apache-2.0
"""What a right answer is: exact counts over consenting people for a fixed set of questions, before disclosure control.

Whoever compares applies the rule of what may be told. `recount` makes it; as `truth.json` it is for tests and
demonstrations only, since it names carriers. All positions are 0-based half-open except in texts.
"""

import msgspec

TRUTH_VERSION = 1


class DatasetTruth(msgspec.Struct, frozen=True):
    """A dataset. `people` are all in it, `consenting` those who are ever counted, by sex."""

    id: str
    country: str
    open: bool
    collection_year: int
    people: int
    consenting: dict[str, int]


class PlantedTruth(msgspec.Struct, frozen=True):
    """A planted allele and all its carriers (individual ids, consenting or not), by country."""

    allele: str
    note: str
    carriers: dict[str, list[str]]


class AssociationTruth(msgspec.Struct, frozen=True, omit_defaults=True):
    """A trait and the allele that it depends on, additively per copy."""

    allele: str
    trait: str
    odds_ratio: float | None = None
    centimetres: float | None = None


class Cell(msgspec.Struct, frozen=True, array_like=True):
    """Exact counts at one allele. `dataset` is `""` for all people of the country's datasets, each once.

    A dataset whose file has no record of the allele has no cell, and its people are in no number.
    """

    country: str
    dataset: str
    sex: str
    allele_count: int
    allele_number: int
    heterozygous: int
    homozygous: int
    hemizygous: int


class AlleleTruth(msgspec.Struct, frozen=True):
    """One allele, written as people write it (`22-28695868-AG-A`), 0-based place, and its cells; none where absent."""

    text: str
    contig: str
    start: int
    end: int
    note: str
    cells: tuple[Cell, ...]


class RegionTruth(msgspec.Struct, frozen=True):
    """All alleles that overlap `start` to `end`. `text` is what people type: `22:28690001-28700000`, or a gene."""

    text: str
    contig: str
    start: int
    end: int
    alleles: tuple[AlleleTruth, ...]


class CohortQuestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """People of whom everything stated holds. Terms match with all that is below them; ages include both ends."""

    sex: str = ""
    at_least: int | None = None
    at_most: int | None = None
    terms: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    smoking: str = ""
    carries: str = ""

    def text(self, assembly: str) -> str:
        """The question as `megagenome ask cohort` takes it, with the allele on `assembly`."""
        kind = {term: "phenotype" if term.startswith("HP:") else "disease" for term in (*self.terms, *self.excluded)}
        clauses = [f"sex={self.sex}"] if self.sex else []
        clauses += [f"age>={self.at_least}"] if self.at_least is not None else []
        clauses += [f"age<={self.at_most}"] if self.at_most is not None else []
        clauses += [f"{kind[term]}={term}" for term in self.terms]
        clauses += [f"!{kind[term]}={term}" for term in self.excluded]
        clauses += [f"smoking={self.smoking}"] if self.smoking else []
        clauses += [f"carries={self.carries}@{assembly}"] if self.carries else []
        return " ".join(clauses)


class CohortCount(msgspec.Struct, frozen=True, array_like=True):
    """Consenting people who match. `dataset` is `""` for all people of the country's datasets, each once."""

    country: str
    dataset: str
    members: int


class CohortTruth(msgspec.Struct, frozen=True):
    """A cohort and how many people it has."""

    question: CohortQuestion
    counts: tuple[CohortCount, ...]


class Truth(msgspec.Struct, frozen=True):
    """The answers. `shared` are people who are in two datasets, by country."""

    version: int
    assembly: str
    seed: int
    individuals: int
    megabases: float
    datasets: tuple[DatasetTruth, ...]
    shared: dict[str, list[str]]
    planted: tuple[PlantedTruth, ...]
    associations: tuple[AssociationTruth, ...]
    alleles: tuple[AlleleTruth, ...]
    regions: tuple[RegionTruth, ...]
    cohorts: tuple[CohortTruth, ...]
