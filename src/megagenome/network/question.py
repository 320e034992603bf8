# SPDX-License-Identifier: Apache-2.0
"""The language of cohort questions, and its translation to a Beacon request for individuals.

    sex=female phenotype=HP:0001250 !phenotype=HP:0001263 age>=40 age<65 country=FI smoking="never smoked"

Clauses stand apart by blanks and hold together (and). A leading `!` or `not` means excluded: it was looked for and is
not so; people in whom nobody looked are not among them. Keys other than those of `KEYS` are holders' own columns.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from megagenome.kernel.errors import Invalid
from megagenome.network.needs import Resolve
from megagenome.standards import beacon
from megagenome.standards.federation import Resolved

KEYS = ("sex", "age", "phenotype", "disease", "country", "population", "dataset", "carries", "assembly")
"""The words of the language; `carrier` is another way to write `carries`."""

EXAMPLE = "sex=female phenotype=HP:0001250 age>=40 carries=22-16050075-A-G@GRCh37"
MOST_TEXT = 4000
MOST_CLAUSES = 50
OLDEST = 150

SEX_TERMS = {"female": "NCIT:C16576", "male": "NCIT:C20197", "unknown": "NCIT:C17998"}
"""The terms that Beacon filters and the GDI portal use for sex."""

_SYNONYMS = {"carrier": "carries"}
_CLAUSE = re.compile(
    r"(?P<excluded>!\s*|not\s+)?(?P<key>[A-Za-z_][A-Za-z0-9_.-]{0,63})(?P<operator><=|>=|!=|=|<|>)"
    r'(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"]+))(?=\s|$)'
)
_BLANK = re.compile(r"\s*")
_TERM = re.compile(r"[A-Za-z][A-Za-z0-9._-]*:[A-Za-z0-9][A-Za-z0-9._/-]*")
_COUNTRY = re.compile(r"[A-Z]{2}")


class Clause(NamedTuple):
    """One clause as read: `key`, one of = < > <= >=, and a value; `excluded` when it must be known not to hold."""

    key: str
    operator: str
    value: str
    excluded: bool

    def __str__(self) -> str:
        # what the plain form cannot hold is quoted, so that the text reads back as the same clause
        plain = re.fullmatch(r'[^\s"]+', self.value) and not (self.operator in "<>" and self.value.startswith("="))
        return f"{'!' if self.excluded else ''}{self.key}{self.operator}" + (self.value if plain else f'"{self.value}"')


class CohortQuestion(NamedTuple):
    """A question, ready to be asked. `text` is its canonical text; reading that gives the same question."""

    text: str
    query: beacon.BeaconQuery


def parse(text: str) -> tuple[Clause, ...]:
    """The clauses of a text. Raises `Invalid`, naming the first word that is not one."""
    if len(text) > MOST_TEXT:
        raise Invalid(f"the question has {len(text)} characters: ask with at most {MOST_TEXT}")
    clauses = tuple(_clauses(text))
    if not clauses:
        raise Invalid(f"the question is empty; ask for example: {EXAMPLE}")
    if len(clauses) > MOST_CLAUSES:
        raise Invalid(f"the question has {len(clauses)} clauses: ask with at most {MOST_CLAUSES}")
    return clauses


def _clauses(text: str) -> Iterator[Clause]:
    place = _skip_blanks(text, 0)
    while place < len(text):
        match = _CLAUSE.match(text, place)
        if match is None:
            word = text[place : place + 60].split()[0]
            raise Invalid(
                f"cohort question: {word!r} is not a clause such as sex=female, age>=40 or !phenotype=HP:0001250"
            )
        operator, excluded = match["operator"], match["excluded"] is not None
        if operator == "!=":
            operator, excluded = "=", not excluded
        value = match["plain"] if match["quoted"] is None else " ".join(match["quoted"].split())
        key = match["key"].lower() if match["key"].lower() in (*KEYS, *_SYNONYMS) else match["key"]
        clause = Clause(_SYNONYMS.get(key, key), operator, value, excluded)
        if not value or not value.isprintable():
            _refuse(clause, "has no value")
        yield clause
        place = _skip_blanks(text, match.end())


def _skip_blanks(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    return match.end() if match else place


def _refuse(clause: Clause, why: str) -> NoReturn:
    raise Invalid(f"cohort question: {str(clause)[:80]!r} {why}")


def read_question(text: str, resolve: Resolve, assembly: str | None, default_assembly: str) -> CohortQuestion:
    """The question in `text`. `assembly` is the one that `carries` must be on where the text does not say its own.

    Raises `Invalid` with one line that names the word at fault.
    """
    clauses = parse(text)
    carried = _carried(clauses, resolve, assembly, default_assembly)
    shown = [clause for clause in clauses if clause.key not in ("carries", "assembly")]
    if carried:
        shown.append(Clause("carries", "=", f"{carried.text}@{carried.assembly}", excluded=False))
    parameters = beacon.RequestParameters(_variant(carried), _selection(clauses))
    filters = tuple(_filter(clause) for clause in clauses if clause.key not in ("carries", "assembly", "dataset"))
    query = beacon.BeaconQuery(
        parameters,
        filters,
        beacon.IncludeResultsets.ALL,
        # people are counted, never listed: one record is more than enough of what other Beacons may send
        beacon.Pagination(0, 1),
        beacon.Granularity.RECORD,
    )
    return CohortQuestion(" ".join(dict.fromkeys(map(str, shown))), query)


def _only(clauses: tuple[Clause, ...], key: str) -> Clause | None:
    """The one clause of a key that takes one plain value."""
    found = list(dict.fromkeys(clause for clause in clauses if clause.key == key))
    for clause in found:
        if clause.operator != "=" or clause.excluded:
            _refuse(clause, f"is not asked so: write {key}=…, without `!` or `not`")
    if len(found) > 1:
        _refuse(found[1], f"is the second {key}: a question has one")
    return found[0] if found else None


def _carried(
    clauses: tuple[Clause, ...], resolve: Resolve, assembly: str | None, default_assembly: str
) -> Resolved | None:
    carries, stated = _only(clauses, "carries"), _only(clauses, "assembly")
    if carries is None:
        return None
    allele, _, own = carries.value.partition("@")
    named = own or (stated.value if stated else "") or assembly
    try:
        found = resolve(allele, named or None, default=default_assembly)
    except Invalid as error:
        raise Invalid(f"cohort question: {str(carries)[:80]!r}: {error}") from None
    if found.kind != "allele":
        _refuse(carries, f"names a {found.kind}: name one allele, such as carries=22-16050075-A-G@GRCh37")
    return found


def _variant(carried: Resolved | None) -> beacon.VariantParameters | None:
    if carried is None:
        return None
    return beacon.VariantParameters(
        assembly_id=carried.assembly,
        reference_name=carried.contig,
        start=(carried.start,),
        reference_bases=carried.ref,
        alternate_bases=carried.alt,
    )


def _selection(clauses: tuple[Clause, ...]) -> beacon.DatasetSelection | None:
    dataset = _only(clauses, "dataset")
    return beacon.DatasetSelection((dataset.value,)) if dataset else None


def _filter(clause: Clause) -> beacon.Filter:
    key, operator, value, excluded = clause
    if key == "age":
        return _age(clause)
    if operator != "=":
        _refuse(clause, f"compares: only age can be compared; write {key}=…")
    match key:
        case "sex":
            if value.lower() not in SEX_TERMS:
                _refuse(clause, "is no recorded sex: write sex=female, sex=male or sex=unknown")
            return _term(SEX_TERMS[value.lower()], excluded)
        case "phenotype" | "disease":
            if not _TERM.fullmatch(value):
                _refuse(
                    clause, f"is not a term: write its id, such as {key}=HP:0001250, which /api/terms finds by name"
                )
            return _term(value, excluded)
        case "country":
            if not _COUNTRY.fullmatch(value.upper()):
                _refuse(clause, "is no country: write the two letters of ISO 3166, such as country=FI")
            return _equal(key, value.upper(), excluded)
        case _:
            return _equal(key, value, excluded)


def _age(clause: Clause) -> beacon.Filter:
    operator, value = clause.operator, clause.value
    if not (value.isascii() and value.isdecimal() and len(value) <= 3 and int(value) <= OLDEST):
        _refuse(clause, f"is no age: write whole years from 0 to {OLDEST}, such as age>=40")
    if clause.excluded:
        operator = {"=": "!", "<": ">=", ">": "<=", "<=": ">", ">=": "<"}[operator]
    return beacon.Filter("age", operator, str(int(value)), "individual")


def _term(id_: str, excluded: bool) -> beacon.Filter:
    return beacon.Filter(id_, "!" if excluded else "", "", "individual")


def _equal(key: str, value: str, excluded: bool) -> beacon.Filter:
    return beacon.Filter(key, "!" if excluded else "=", value, "individual")
