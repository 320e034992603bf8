# SPDX-License-Identifier: Apache-2.0
"""What a cohort is: an expression over facts, in three-valued logic; its id is the digest of its canonical form.

Each expression divides people into those it holds for, those it does not hold for, and those of whom it is unknown.
*Not* swaps the first two and never turns unknown into either, so "not HP:0001250" is the people in whom a seizure
was looked for and excluded. *And* and *Or* are Kleene's.
"""

import hashlib

import msgspec

from megagenome.collection.model import Sex
from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import CohortId


class Everyone(msgspec.Struct, frozen=True, tag="everyone"):
    """All people."""


class HasTerm(msgspec.Struct, frozen=True, tag="term"):
    """Phenotype or disease `id` observed; with `descendants`, or any term below it. Excluded: it or a term above it."""

    id: str
    descendants: bool = True


class HasCustom(msgspec.Struct, frozen=True, tag="custom"):
    """The holder's own column `name` has this value; not, where it has another; unknown, where it is empty."""

    name: str
    value: str


class HasSex(msgspec.Struct, frozen=True, tag="sex"):
    """Recorded sex."""

    sex: Sex


class HasAge(msgspec.Struct, frozen=True, tag="age"):
    """Age in calendar years (the dataset's collection year minus the year of birth), both ends included."""

    at_least: int | None = None
    at_most: int | None = None


class FromCountry(msgspec.Struct, frozen=True, tag="country"):
    """Recorded country."""

    country: str


class FromPopulation(msgspec.Struct, frozen=True, tag="population"):
    """Recorded population."""

    population: str


class InDataset(msgspec.Struct, frozen=True, tag="dataset"):
    """Member of a dataset."""

    id: str


class Carries(msgspec.Struct, frozen=True, tag="carries"):
    """Carries at least one copy; not, where all alleles were called and are others; unknown, where not called."""

    allele: Allele


class All(msgspec.Struct, frozen=True, tag="all"):
    """Every part holds."""

    parts: tuple["Cohort", ...]


class Any(msgspec.Struct, frozen=True, tag="any"):
    """At least one part holds."""

    parts: tuple["Cohort", ...]


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The part is known not to hold."""

    part: "Cohort"


Cohort = (
    Everyone
    | HasTerm
    | HasCustom
    | HasSex
    | HasAge
    | FromCountry
    | FromPopulation
    | InDataset
    | Carries
    | All
    | Any
    | Not
)

EVERYONE = Everyone()


def canonical(cohort: Cohort) -> Cohort:
    """The same cohort in its one canonical form: nested `All` and `Any` flattened, parts sorted and once each, double
    negation removed, a single part unwrapped, `Everyone` dropped from `All`."""
    match cohort:
        case Not(part=part):
            inner = canonical(part)
            return inner.part if isinstance(inner, Not) else Not(inner)
        case All(parts=parts) | Any(parts=parts):
            kind = type(cohort)
            flat: dict[bytes, Cohort] = {}
            for part in map(canonical, parts):
                for piece in part.parts if isinstance(part, kind) else (part,):
                    if not (kind is All and isinstance(piece, Everyone)):
                        flat[msgspec.json.encode(piece)] = piece
            ordered = tuple(flat[key] for key in sorted(flat))
            if len(ordered) == 1:
                return ordered[0]
            return EVERYONE if kind is All and not ordered else kind(ordered)
        case _:
            return cohort


def mentions_alleles(cohort: Cohort) -> bool:
    """Whether it asks who carries an allele."""
    match cohort:
        case Not(part=part):
            return mentions_alleles(part)
        case All(parts=parts) | Any(parts=parts):
            return any(map(mentions_alleles, parts))
        case _:
            return isinstance(cohort, Carries)


def cohort_id(cohort: Cohort) -> CohortId:
    """`sha256:` and the digest of the canonical form. Equal cohorts have equal ids on every node."""
    return CohortId("sha256:" + hashlib.sha256(msgspec.json.encode(canonical(cohort))).hexdigest())


def read_cohort(definition: str) -> Cohort:
    """The cohort of a canonical JSON text. Raises `Invalid` for a text that is none."""
    try:
        cohort: Cohort = msgspec.json.decode(definition, type=Cohort)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Invalid(f"not a cohort's definition: {error}") from None
    return cohort
