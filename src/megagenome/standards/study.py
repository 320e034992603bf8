# SPDX-License-Identifier: Apache-2.0
"""A federated study as its holder writes it down: whom, where, what, how. No outside standard; JSON, version 1.

The document says everything that is computed, so that its digest stands for the study: hub and nodes check the same
bytes, each by its own rules, before anything runs. It can ask for more caution than a node's rules, never for less.

Positions in regions are 1-based and inclusive, as people write them (`22:16050001-17000000`, or a whole contig: `22`).
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

import msgspec

from megagenome.kernel.coordinates import Region
from megagenome.kernel.errors import Invalid
from megagenome.standards.in_words import in_words

LARGEST_DOCUMENT_BYTES = 8 << 20
MOST_WEIGHTS = 100_000
Assembly = Literal["GRCh37", "GRCh38"]
_REGION = re.compile(r"([0-9A-Za-z]{1,20})(?::([0-9,]{1,15})-([0-9,]{1,15}))?")
_LONGEST = 1 << 28
"""No contig is longer."""
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Cohort = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
"""A cohort's canonical JSON text (`collection.cohort`), as permits carry it."""


class _Stated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field whose name is misspelt is refused: a study must not run without the covariate that it was to have."""


# --- what is known of a person


class Measured(_Stated, frozen=True, tag="measured"):
    """A number recorded of each person: a measure (`LOINC:8308-9`; of several the one with the latest time), or the
    holder's own column. Who has none, or none that is a finite number, is left out of the study and counted."""

    term: _Text


class Sex(_Stated, frozen=True, tag="sex"):
    """1 for female, 0 for male; people of unrecorded sex are left out."""


class Age(_Stated, frozen=True, tag="age"):
    """Calendar years between birth and the dataset's collection year."""


class Category(_Stated, frozen=True, tag="category"):
    """One column of zeros and ones for each level but the first. People of no level are left out.

    of      `country`, `population`, or the holder's own column
    levels  two or more, each once
    """

    of: _Text
    levels: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=2, max_length=40)]


class Group(_Stated, frozen=True, tag="group"):
    """1 for people of cohort `cases`, 0 for people of cohort `controls` who are no cases; all others, also of whom it
    is unknown, are left out. Controls `{"type":"everyone"}` take silence for a no, which the study must justify."""

    cases: _Cohort
    controls: _Cohort


Variable = Measured | Sex | Age | Category | Group
Numeric = Measured | Age


def name_of(variable: Variable) -> str:
    """A variable for people."""
    match variable:
        case Measured(term=term):
            return term
        case Category(of=of):
            return of
        case Group():
            return "being a case or a control"
        case _:
            return type(variable).__name__.lower()


def column_names(variables: Sequence[Variable]) -> tuple[str, ...]:
    """Names of the columns that variables become, at every site and at the hub: a category has one for each level but
    the first."""
    names: list[str] = []
    for each in variables:
        match each:
            case Measured(term=term):
                names.append(term)
            case Category(of=of, levels=levels):
                names += [f"{of}={level}" for level in levels[1:]]
            case _:
                names.append(type(each).__name__.lower())
    return tuple(names)


# --- which alleles


class Variants(_Stated, frozen=True):
    """Alleles that every node has a record of and that pass these bounds over all nodes together.

    regions       empty for all autosomes
    least_count   of the rarer allele, over all people of the study; a node or the hub may demand more
    least_frequency  of the rarer allele, likewise
    """

    assembly: Assembly
    regions: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=1000)] = ()
    least_count: Annotated[int, msgspec.Meta(ge=1)] = 10
    least_frequency: Annotated[float, msgspec.Meta(ge=0, le=0.5)] = 0.0


def read_region(assembly: str, text: str) -> Region:
    """`22`, or `22:16050001-17000000`, 1-based with both ends. Raises `Invalid`."""
    found = _REGION.fullmatch(text)
    if found is None:
        raise Invalid(f"region {text[:60]!r}: write 22, or 22:16050001-17000000")
    contig, first, last = found.groups()
    if first is None:
        return Region(assembly, contig, 0, _LONGEST)
    start, end = (int(each.replace(",", "") or "0") for each in (first, last))
    if not 0 < start <= end <= _LONGEST:
        raise Invalid(f"region {text[:60]!r}: positions count from 1, and the first is not after the last")
    return Region(assembly, contig, start - 1, end)


# --- what is computed


class Frequencies(_Stated, frozen=True, tag="frequencies"):
    """Counts and frequencies of alleles, genotypes, and the exact test of Hardy-Weinberg equilibrium."""

    variants: Variants


class Linear(_Stated, frozen=True, tag="linear"):
    """Least squares of a trait on each allele's copies and the covariates.

    missing  of people without a call: `drop` leaves them out at that allele (as plink2 does), `mean` gives them the
             mean of all nodes
    """

    variants: Variants
    trait: Numeric
    covariates: tuple[Variable, ...] = ()
    missing: Literal["drop", "mean"] = "drop"


class Logistic(_Stated, frozen=True, tag="logistic"):
    """Score test of a yes-or-no trait on each allele's copies, saddle-point approximated where the normal is not good
    enough; effects by maximum likelihood, or Firth's where that fails. Missing calls get the mean of all nodes.

    effects_below  effects are estimated where the test's p is below this; 1 for all
    """

    variants: Variants
    trait: Group
    covariates: tuple[Variable, ...] = ()
    effects_below: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1e-4


class Components(_Stated, frozen=True, tag="components"):
    """Principal components of standardised genotypes. What leaves are eigenvalues and loadings; each person's place
    stays at their node."""

    variants: Variants
    components: Annotated[int, msgspec.Meta(ge=1, le=20)] = 10


class Weight(_Stated, frozen=True, array_like=True):
    """One row of a polygenic score. `start` is 0-based."""

    contig: str
    start: int
    effect: str
    other: str
    weight: float


class Score(_Stated, frozen=True, tag="score"):
    """A polygenic score's distribution over the study's people.

    score    its id (`PGS001229`)
    missing  of people without a call: `mean` gives them the mean of all nodes, `zero` no copy of the effect allele
    trait    if given, also how well the score tells cases from controls, or explains the number
    """

    assembly: Assembly
    score: _Text
    weights: Annotated[tuple[Weight, ...], msgspec.Meta(min_length=1, max_length=MOST_WEIGHTS)]
    missing: Literal["mean", "zero"] = "mean"
    trait: Measured | Group | None = None


class Arm(_Stated, frozen=True):
    """A group of a survival study. Who is in several counts in the first of them; who is in none is left out."""

    label: _Text
    cohort: _Cohort


class Survival(_Stated, frozen=True, tag="survival"):
    """Kaplan-Meier curves of one or more groups and the log-rank test between them.

    time        from the beginning to the event or the last sign of life, 0 or more
    event       the column that says whether it was the event
    happened    the value of that column that means so; every other recorded value means censored
    width       times are counted in bins of this width; a bin ends where enough people had the event
    """

    time: Measured
    event: _Text
    happened: _Text = "1"
    groups: Annotated[tuple[Arm, ...], msgspec.Meta(max_length=10)] = ()
    width: Annotated[float, msgspec.Meta(gt=0)] = 1.0


Method = Frequencies | Linear | Logistic | Components | Score | Survival


# --- the document


class Site(_Stated, frozen=True):
    """A node, the datasets of it that are studied, and the thumbprint (RFC 7638) of the key that it signs with."""

    node: _Text
    datasets: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1)]
    key: _Text


class StudyDocument(_Stated, frozen=True):
    """A study.

    permit    by which it reads
    cohort    canonical JSON text; the study's people are those of the permit who also belong to it
    sites     in the order of their names, each once
    least_people      fewest people at one node and in all; the nodes' rules may demand more
    when_one_fails    `stop`, or `go on` with the others while at least `least_sites` are left
    duplicates        of people who are at a node twice (or are identical twins), by their genotypes: `leave out` all
                      but one of each, or `keep` them. Relatives are kept. Both are counted in the result's notes
    """

    version: Literal[1]
    title: _Text
    permit: _Text
    cohort: _Cohort
    sites: Annotated[tuple[Site, ...], msgspec.Meta(min_length=1, max_length=100)]
    method: Method
    least_people: Annotated[int, msgspec.Meta(ge=1)] = 20
    least_sites: Annotated[int, msgspec.Meta(ge=1)] = 3
    when_one_fails: Literal["stop", "go on"] = "stop"
    duplicates: Literal["leave out", "keep"] = "leave out"


def variables_of(method: Method) -> tuple[Variable | None, tuple[Variable, ...]]:
    """The trait, where the method has one, and the covariates."""
    match method:
        case Linear(trait=trait, covariates=covariates) | Logistic(trait=trait, covariates=covariates):
            return trait, covariates
        case Score(trait=trait) | Survival(time=trait):
            return trait, ()
        case _:
            return None, ()


def variants_of(method: Method) -> Variants | None:
    """The alleles that are studied; None where there are none, or those of a score."""
    return None if isinstance(method, Survival | Score) else method.variants


def cohorts_of(document: StudyDocument) -> Iterator[tuple[str, str]]:
    """Each cohort's text, with where in the document it stands."""
    yield "cohort", document.cohort
    trait, covariates = variables_of(document.method)
    for where, each in (("trait", trait), *(("covariates", each) for each in covariates)):
        if isinstance(each, Group):
            yield f"{where}, cases", each.cases
            yield f"{where}, controls", each.controls
    if isinstance(document.method, Survival):
        yield from ((f"group {arm.label}", arm.cohort) for arm in document.method.groups)


def encode(document: StudyDocument) -> bytes:
    """The canonical JSON text."""
    return msgspec.json.encode(document, order="sorted")


def decode(content: bytes) -> StudyDocument:
    """A study document. Raises `Invalid`, naming the field."""
    if len(content) > LARGEST_DOCUMENT_BYTES:
        raise Invalid(f"a study document of more than {LARGEST_DOCUMENT_BYTES:,} bytes")
    try:
        return msgspec.json.decode(content, type=StudyDocument)
    except msgspec.ValidationError as error:
        raise Invalid(f"not a study document: {in_words(error, content, StudyDocument)}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"not a study document: {error}") from None


def digest(document: StudyDocument) -> str:
    """`sha256:` and the digest of the canonical text."""
    return "sha256:" + hashlib.sha256(encode(document)).hexdigest()
