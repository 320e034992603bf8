# SPDX-License-Identifier: Apache-2.0
"""What is recorded of a person, and how two records of one person become one."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import msgspec

from megagenome.collection.model import Sex, Use
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import UNKNOWN_COUNTRY, Country, IndividualId, SampleId

YES: frozenset[Use] = frozenset({Use.AGGREGATES, Use.RESEARCH})
"""What a plain yes of a people table says yes to."""


class FactKind(StrEnum):
    """What a fact says. Phenotypes and diseases are asked for by their term alone."""

    PHENOTYPE = "phenotype"
    DISEASE = "disease"
    MEASURE = "measure"
    CUSTOM = "custom"


class Status(StrEnum):
    """Whether the term was found in the person, or looked for and not found. Unrecorded is the absence of a fact."""

    OBSERVED = "observed"
    EXCLUDED = "excluded"


class Fact(NamedTuple):
    """One clinical fact, in the order of the table's columns.

    term   the CURIE (of a measure: the assay's), or the holder's own column for a custom fact
    value  of a measure and of a custom fact, as text; None otherwise
    unit   of a measure, as the holder wrote it; None where unrecorded
    time   of a measure, as the holder wrote it; "" where unrecorded
    """

    kind: FactKind
    term: str
    status: Status = Status.OBSERVED
    value: str | None = None
    unit: str | None = None
    time: str = ""


class Person(msgspec.Struct, frozen=True, gc=False):
    """One individual as a dataset's people tables describe them.

    sample_id         the germline sample that is their column in this dataset's files; None: they have none in it
    sex ... birth_year  `Sex.UNKNOWN`, `UNKNOWN_COUNTRY`, "" and None where unrecorded
    facts             each once; no term both observed and excluded
    consent           the uses that the tables say yes to, none for a plain no; None where they say nothing, which
    counts
                      as a no to every use
    """

    individual_id: IndividualId
    sample_id: SampleId | None = None
    sex: Sex = Sex.UNKNOWN
    country: Country = UNKNOWN_COUNTRY
    population: str = ""
    birth_year: int | None = None
    facts: tuple[Fact, ...] = ()
    consent: frozenset[Use] | None = None


class People(NamedTuple):
    """What a set of people tables says.

    persons   each individual once, in the order of their first mention
    labels    names of terms, where a table or a loaded ontology has one
    left_out  parts of the records that are not read, and in how many records they stand
    """

    persons: list[Person]
    labels: dict[str, str]
    left_out: dict[str, int]


def unite(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """The same facts, each once. Raises `Invalid` when a term is both observed and excluded (whether as a phenotype or
    as a disease), or one measure or custom column has two values at one time."""
    statuses: dict[str, Status] = {}
    found: dict[tuple[FactKind, str, str], Fact] = {}
    for fact in facts:
        if statuses.setdefault(fact.term, fact.status) != fact.status:
            raise Invalid(f"{fact.term} is both observed and excluded")
        if found.setdefault((fact.kind, fact.term, fact.time), fact) != fact:
            raise Invalid(f"{fact.kind} {fact.term} has two values" + (f" at {fact.time}" if fact.time else ""))
    return tuple(found.values())


def join(first: Person, more: Person) -> Person:
    """Two records of one individual as one: what one leaves open the other fills in. Raises `Invalid` where they
    contradict each other, naming the field."""
    return Person(
        individual_id=first.individual_id,
        sample_id=_agreed("sample_id", first.sample_id, more.sample_id, None),
        sex=_agreed("sex", first.sex, more.sex, Sex.UNKNOWN),
        country=_agreed("country", first.country, more.country, UNKNOWN_COUNTRY),
        population=_agreed("population", first.population, more.population, ""),
        birth_year=_agreed("birth_year", first.birth_year, more.birth_year, None),
        facts=unite((*first.facts, *more.facts)) if first.facts and more.facts else first.facts or more.facts,
        consent=_agreed("consent", first.consent, more.consent, None),
    )


Field = TypeVar("Field")


def _agreed(name: str, first: Field, more: Field, unrecorded: Any) -> Field:
    if more in (unrecorded, first):
        return first
    if first == unrecorded:
        return more
    raise Invalid(f"{name} is {_shown(more)} here and {_shown(first)} before")


def _shown(value: object) -> str:
    if isinstance(value, frozenset):
        return "yes" if value == YES else ";".join(sorted(value)) or "no"
    return str(value)


_SEXES = {
    Sex.FEMALE: ("female", "f", "2", "ncit:c16576"),
    Sex.MALE: ("male", "m", "1", "ncit:c20197"),
    # ncit:c1799 is how Beacon's own example misspells c17998
    Sex.UNKNOWN: ("", "unknown", "u", "0", "other", "undetermined", "ncit:c17998", "ncit:c1799"),
}
_SEX_BY_SPELLING = {spelling: sex for sex, spellings in _SEXES.items() for spelling in spellings}


def parse_sex(text: str) -> Sex:
    """Sex from a word, a letter, the number of a PED file or the NCIT term of Beacon, in any case. What is neither
    female nor male (other, undetermined) is unknown here, because sex decides nothing but ploidy and strata."""
    try:
        return _SEX_BY_SPELLING[text.lower()]
    except KeyError:
        raise Invalid(f"sex {text[:20]!r}: use female, male or unknown (or F, M, U; or 2, 1, 0)") from None


TEXT_LIMIT = 200
"""Characters in an id or a custom value."""


def parse_text(what: str, text: str, limit: int = TEXT_LIMIT) -> str:
    """A short printable text, as every id and name here is."""
    if len(text) > limit or not text.isprintable():
        raise Invalid(f"{what} {text[:40]!r}: use up to {limit} printable characters")
    return text


CUSTOM_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
"""What the holder's own columns may be called."""
