# SPDX-License-Identifier: Apache-2.0
"""People tables: tab-separated text with a header, one line per individual. docs/collection.md has the columns."""

import re
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache

from megagenome.collection.model import Use
from megagenome.collection.people import CUSTOM_NAME, YES, Fact, FactKind, Person, parse_sex, parse_text, unite
from megagenome.collection.vocabulary import Vocabulary
from megagenome.kernel.clock import now
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import UNKNOWN_COUNTRY, Country, IndividualId, SampleId, parse_country
from megagenome.standards.people_table import COLUMNS

EARLIEST_BIRTH_YEAR = 1850
POPULATION_LIMIT = 100

_WORDS_OF_COHORTS = {"age", "assembly", "carries", "dataset"}
"""No column may be called what cohorts already ask for."""


class PeopleTable:
    """A people table whose header has been read. Iterate once: `(line number, Person)` per line, in file order.

    A line says nothing where a cell is empty or a column absent. `names_samples` tells whether it has `sample_id`.
    Raises `Invalid` at the first line that cannot be understood, with its number and, where known, its individual.
    """

    unit = "line"
    kind = "people-table"

    def __init__(self, lines: Iterator[str], name: str, vocabulary: Vocabulary) -> None:
        self._lines = lines
        self._name = name
        self._vocabulary = vocabulary
        self._header = [cell.strip() for cell in next(lines).rstrip("\r\n").split("\t")]
        try:
            self._custom = _custom_columns(self._header)
        except Invalid as error:
            raise Invalid(f"{name} line 1: {error}") from None
        self._latest_birth_year = now().year
        self.names_samples = "sample_id" in self._header

    def __iter__(self) -> Iterator[tuple[int, Person]]:
        for number, line in enumerate(self._lines, start=2):
            cells = [cell.strip() for cell in line.split("\t")]
            if len(cells) == 1 and not cells[0]:
                continue
            try:
                yield number, self._person(cells)
            except Invalid as error:
                raise Invalid(f"{self._name} line {number}{self._whose(cells)}: {error}") from None

    def _whose(self, cells: Sequence[str]) -> str:
        row = dict(zip(self._header, cells, strict=False))
        return f" ({row['individual_id'][:60]})" if row.get("individual_id") else ""

    def _person(self, cells: Sequence[str]) -> Person:
        if len(cells) != len(self._header):
            raise Invalid(f"{len(cells)} cells, but the header has {len(self._header)} columns, separated by tabs")
        row = dict(zip(self._header, cells, strict=True))
        if not row["individual_id"]:
            raise Invalid("individual_id is empty")
        individual_id = parse_text("individual_id", row["individual_id"])
        sample_id = parse_text("sample_id", row.get("sample_id", ""))
        country = row.get("country")
        return Person(
            individual_id=IndividualId(individual_id),
            sample_id=SampleId(sample_id) if sample_id else None,
            sex=parse_sex(row.get("sex", "")),
            country=Country(sys.intern(parse_country(country))) if country else UNKNOWN_COUNTRY,
            population=sys.intern(parse_text("population", row.get("population", ""), POPULATION_LIMIT)),
            birth_year=self._birth_year(row.get("birth_year", "")),
            facts=unite(self._facts(row)),
            consent=_parse_consent(row.get("consent", "")),
        )

    def _birth_year(self, text: str) -> int | None:
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{4}", text) or not EARLIEST_BIRTH_YEAR <= int(text) <= self._latest_birth_year:
            raise Invalid(
                f"birth_year {text[:20]!r}: use a year from {EARLIEST_BIRTH_YEAR} to {self._latest_birth_year}"
            )
        return int(text)

    def _facts(self, row: dict[str, str]) -> Iterator[Fact]:
        for column, kind in (("phenotypes", FactKind.PHENOTYPE), ("diseases", FactKind.DISEASE)):
            cell = row.get(column)
            if not cell:
                continue
            for piece in filter(None, map(str.strip, cell.split(";"))):
                yield self._vocabulary.fact(kind, piece.removeprefix("!").lstrip(), excluded=piece.startswith("!"))
        for name in self._custom:
            if row[name]:
                yield self._vocabulary.custom(name, row[name])


def _custom_columns(header: Sequence[str]) -> tuple[str, ...]:
    """The holder's own columns, after a check of the whole header."""
    if "individual_id" not in header:
        found = ", ".join(header)[:100]
        raise Invalid(f"no column individual_id among {found!r}; the header names the columns, separated by tabs")
    for name in header:
        if header.count(name) > 1:
            raise Invalid(f"column {name!r} stands twice")
    custom = tuple(name for name in header if name not in COLUMNS)
    for name in custom:
        # A misspelt column must not become a custom fact in silence: a `Consent` or `phenotype` would be lost.
        if near := _MEANT.get(_simplified(name)):
            raise Invalid(f"column {name[:60]!r}: " + (f"write {near!r}" if near in COLUMNS else "choose another name"))
        if not CUSTOM_NAME.fullmatch(name):
            raise Invalid(f"column {name[:60]!r}: name it with up to 64 of A-Z a-z 0-9 _, a letter first")
    return custom


def _simplified(name: str) -> str:
    return re.sub(r"[ _-]", "", name.lower()).removesuffix("s")


_MEANT = {_simplified(name): name for name in (*COLUMNS, *_WORDS_OF_COHORTS)}
_CONSENTS: dict[str, frozenset[Use] | None] = {"": None, "yes": YES, "no": frozenset()}


def _parse_consent(text: str) -> frozenset[Use] | None:
    try:
        return _CONSENTS[text.lower()]
    except KeyError:
        return _parse_uses(text)


@lru_cache(maxsize=256)  # people of one table say the same few things
def _parse_uses(text: str) -> frozenset[Use]:
    try:
        return frozenset(Use(use.strip().lower()) for use in text.split(";"))
    except ValueError:
        uses = ", ".join(Use)
        raise Invalid(f"consent {text[:60]!r}: use yes or no, or kinds of use joined by ';': {uses}") from None
