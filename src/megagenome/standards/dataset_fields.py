# SPDX-License-Identifier: Apache-2.0
"""The fields of a dataset's record: what each is called, helps with, takes, and whether a dataset needs it to be
published. Forms, files, messages and the rule of publication all read this one table."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from megagenome.standards import duo
from megagenome.standards.dataset_record import DatasetRecord, DataUse, Problem, value_at

IDENTIFIER = re.compile(r"(GOE|GDI)-[A-Z]{2}-[A-Z]+-[0-9]+")
"""How GDI names datasets (GDI metadata 1.1, DatasetShape#identifier)."""

ACCESS_RIGHTS = {
    "PUBLIC": "Open to everybody",
    "RESTRICTED": "Open to those who meet its conditions",
    "NON_PUBLIC": "By permit only, because it is about people",
}
HEALTH_CATEGORIES = {
    "human-genetic": "Human genetic data",
    "human-genomic": "Human genomic data",
    "human-epigenomic": "Human epigenomic data",
}
KINDS = {
    "": "not stated",
    "1MGCompliant": "1+MG compliant: decided by the country's holder",
    "1MGCohort": "1+MG cohort: recommended by the network, after a national veto window",
    "ExternallyGoverned": "Governed elsewhere: apply there",
}
LEGAL_BASES = {
    "consent": ("Consent of the people in it (GDPR Art. 6(1)(a), 9(2)(a))", "https://w3id.org/dpv#Consent"),
    "public-interest": ("A task in the public interest (Art. 6(1)(e), 9(2)(g))", "https://w3id.org/dpv#PublicInterest"),
    "legal-obligation": ("A legal obligation (Art. 6(1)(c))", "https://w3id.org/dpv#LegalObligation"),
    "research": (
        "Scientific research under national law (Art. 6(1)(e), 9(2)(j))",
        "https://w3id.org/dpv/legal/eu/gdpr#A9-2-j",
    ),
}


class Need(StrEnum):
    """Which datasets need a field before they are published."""

    CONTROLLED = "controlled"
    """Those that are not declared open."""
    NEVER = "never"


class Kind(StrEnum):
    """What a field takes."""

    LINE = "line"
    TEXT = "text"
    EMAIL = "email"
    URL = "url"
    DAY = "day"
    LINES = "lines"
    CHOICE = "choice"
    CHOICES = "choices"
    TICK = "tick"
    USES = "uses"


class Field(NamedTuple):
    """One field. `section` is its heading, `choices` what may be chosen, with its words."""

    path: str
    section: str
    label: str
    help: str
    kind: Kind = Kind.LINE
    need: Need = Need.CONTROLLED
    choices: Mapping[str, str] = MappingProxyType({})


def _party(path: str, section: str, who: str, *, need: Need = Need.CONTROLLED) -> list[Field]:
    return [
        Field(f"{path}.name", section, f"{who}: name", "As it is to be read.", need=need),
        Field(f"{path}.email", section, f"{who}: e-mail", "An office's rather than a person's.", Kind.EMAIL, need),
        Field(f"{path}.url", section, f"{who}: page", "Its web page, or its address at ror.org.", Kind.URL, need),
    ]


def _approval(path: str, section: str, what: str, by: str) -> list[Field]:
    return [
        Field(f"{path}.by", section, f"{what}: by whom", by),
        Field(f"{path}.reference", section, f"{what}: reference", "Its number or address, where it is kept."),
        Field(f"{path}.on", section, f"{what}: day", "Such as 2026-03-31.", Kind.DAY),
    ]


_WHAT, _WHO, _USE, _GROUND, _SIGNED = (
    "What it is",
    "Who answers for it",
    "What it may be used for",
    "On what ground",
    "Sign-off of the contact point",
)
FIELDS: tuple[Field, ...] = (
    Field("title", _WHAT, "Title", "One line that says what the dataset is."),
    Field(
        "description",
        _WHAT,
        "Description",
        "Who is in it, what was measured and how, for readers elsewhere.",
        Kind.TEXT,
    ),
    Field("identifier", _WHAT, "Identifier", "As GDI names datasets: GDI-FI-COHORT-001. It never changes."),
    Field("access_rights", _WHAT, "Access", "Data of people are not public.", Kind.CHOICE, choices=ACCESS_RIGHTS),
    Field("health_categories", _WHAT, "Categories", "Those of the EHDS.", Kind.CHOICES, choices=HEALTH_CATEGORIES),
    Field("keywords", _WHAT, "Keywords", "One in each line, such as a disease.", Kind.LINES),
    Field("provenance", _WHAT, "Where it comes from", "From which study, register or biobank, and when.", Kind.TEXT),
    Field("population", _WHAT, "Population", "Whom it stands for.", Kind.TEXT, Need.NEVER),
    Field("conforms_to", _WHAT, "Kind of dataset", "By 1+MG; it says who decides.", Kind.CHOICE, Need.NEVER, KINDS),
    Field("synthetic", _WHAT, "Synthetic", "Nobody in it is real.", Kind.TICK, Need.NEVER),
    Field("language", _WHAT, "Language of these texts", "Two letters of ISO 639, such as en.", need=Need.NEVER),
    Field("themes", _WHAT, "Themes", "Codes of the EU's table data-theme, HEAL (health) among them.", Kind.LINES),
    Field("legislation", _WHAT, "Legislation", "Addresses (ELI) of the law that it is kept under.", Kind.LINES),
    Field("references", _WHAT, "Publications", "Addresses, one in each line.", Kind.LINES, Need.NEVER),
    *_party("publisher", _WHO, "Publisher"),
    *_party("creator", _WHO, "Made by", need=Need.NEVER),
    *_party("contact", _WHO, "Contact point"),
    *_party("hdab", _WHO, "Health data access body"),
    Field("uses", _USE, "Terms of use", "Terms of DUO, one in each line, what it is limited to behind it.", Kind.USES),
    *_party("governance.controller", _GROUND, "Controller"),
    Field(
        "governance.legal_basis",
        _GROUND,
        "Legal basis",
        "Why the data may be processed.",
        Kind.CHOICE,
        choices={key: words for key, (words, _) in LEGAL_BASES.items()},
    ),
    Field("governance.law", _GROUND, "Law or decision", "Which law, consent form or decision.", Kind.TEXT),
    *_approval("governance.ethics", _GROUND, "Ethics approval", "The committee."),
    *_approval("governance.dpia", _GROUND, "Data protection impact assessment", "Who made it."),
    Field("governance.sign_off.name", _SIGNED, "Sign-off: name", "Who signs for the contact point."),
    Field("governance.sign_off.role", _SIGNED, "Sign-off: function", "In which function, such as head of the biobank."),
    Field("governance.sign_off.on", _SIGNED, "Sign-off: day", "After any change it is signed anew.", Kind.DAY),
)
"""All of them, in the order of a form."""

_BY_PATH = {field.path: field for field in FIELDS}
_SEVERAL = frozenset({"health_categories", "keywords", "themes", "uses"})
_PLACE = {field.path: place for place, field in enumerate(FIELDS)}
_EMAIL = re.compile(r"[^\s@<>\"{}|\\^`]+@[^\s@<>\"{}|\\^`]+\.[^\s@<>\"{}|\\^`.]+")
_IRI = re.compile(r"[^\x00-\x20<>\"{}|\\^`]+")
_CODE = re.compile(r"[A-Z_]{2,20}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def begun(dataset: str, title: str = "", description: str = "") -> DatasetRecord:
    """What is stated already of a dataset of which nobody recorded anything: its id is its identifier where it is a
    name by GDI's pattern."""
    identifier = dataset if IDENTIFIER.fullmatch(dataset) else ""
    return DatasetRecord(title=title, description=description, identifier=identifier)


def field_of(path: str) -> Field:
    """The field of this name."""
    return _BY_PATH[path]


def missing(record: DatasetRecord, *, is_open: bool) -> tuple[Problem, ...]:
    """What must still be stated before the dataset may be published, in the order of the form.

    Data that are declared open need nothing: they are about nobody, and the catalogue fills in what the node says of
    itself. All others need each field of `Need.CONTROLLED`.
    """
    if is_open:
        return ()
    needed = (field for field in FIELDS if field.need is Need.CONTROLLED)
    return tuple(
        Problem(field.path, f"{field.label} {'are' if field.path in _SEVERAL else 'is'} missing")
        for field in needed
        if not value_at(record, field.path)
    )


def topics(problems: Iterable[Problem]) -> str:
    """What some problems are about, each topic once: `title, publisher, ethics approval`."""
    labels = (_BY_PATH[each.field].label.partition(":")[0] for each in problems)
    return ", ".join(dict.fromkeys(label if label.isupper() else label[:1].lower() + label[1:] for label in labels))


def in_form_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """One problem of each field, the first, in the order of the form; last what is about no field."""
    first: dict[str, Problem] = {}
    for each in problems:
        first.setdefault(each.field, each)
    return tuple(sorted(first.values(), key=lambda each: _PLACE.get(each.field, len(_PLACE))))


def faults(record: DatasetRecord, *, is_open: bool) -> tuple[Problem, ...]:
    """What stands in the record and cannot be so. What is missing is no fault."""
    found = [Problem(f.path, says) for f in FIELDS if (says := _fault(f, value_at(record, f.path)))]
    if record.access_rights == "PUBLIC" and not is_open:
        found.append(Problem("access_rights", "Only data that their holder declared open are open to everybody"))
    for path in ("creator", "publisher", "contact", "hdab", "governance.controller"):
        party = value_at(record, path)
        if not party.name and (party.email or party.url):
            found.append(Problem(f"{path}.name", f"{_BY_PATH[f'{path}.name'].label} is missing"))
    return tuple(found)


def _fault(field: Field, value: object) -> str:
    texts = value if isinstance(value, tuple) else (value,)
    for text in texts:
        if isinstance(text, str) and text and (says := _text_fault(field, text)):
            return says
        if isinstance(text, DataUse) and (says := _use_fault(text)):
            return says
    return ""


def _text_fault(field: Field, text: str) -> str:
    if _CONTROL.search(text) or (field.kind is not Kind.TEXT and "\n" in text):
        return "There is a character in it that no text has"
    if not text.strip():
        return "There are only spaces in it"
    own = _OF_PATH.get(field.path)
    if own:
        return own(text)
    return _OF_KIND[field.kind](field, text) if field.kind in _OF_KIND else ""


def _chosen(field: Field, text: str) -> str:
    return "" if text in field.choices else f"{text[:40]!r} is none of {', '.join(filter(None, field.choices))}"


def _email(_: Field, text: str) -> str:
    return "" if _EMAIL.fullmatch(text) and text.isascii() else f"{text[:60]!r} is no e-mail address"


def _url(_: Field, text: str) -> str:
    return "" if is_web_address(text) else f"{text[:60]!r} is no address that begins with https:// or http://"


def _day(_: Field, text: str) -> str:
    try:
        is_day = len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        is_day = False
    return "" if is_day else f"{text[:20]!r} is no day such as 2026-03-31"


_OF_KIND: dict[Kind, Callable[[Field, str], str]] = {
    Kind.CHOICE: _chosen,
    Kind.CHOICES: _chosen,
    Kind.EMAIL: _email,
    Kind.URL: _url,
    Kind.DAY: _day,
}
_OF_PATH: dict[str, Callable[[str], str]] = {
    "identifier": lambda text: "" if IDENTIFIER.fullmatch(text) else "Use GDI-CC-ORG-NNN, such as GDI-FI-COHORT-001",
    "language": lambda text: "" if _LANGUAGE.fullmatch(text) else "Use the two letters of ISO 639, such as en",
    "themes": lambda text: "" if _CODE.fullmatch(text) else "Use codes of the EU's table data-theme, such as HEAL",
    "legislation": lambda text: _url(_BY_PATH["legislation"], text),
    "references": lambda text: _url(_BY_PATH["references"], text),
}


def is_web_address(text: str) -> bool:
    """Whether a text is an http(s) address that can stand in RDF as it is."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and bool(_IRI.fullmatch(text)) and text.isascii()


def _use_fault(use: DataUse) -> str:
    term = duo.TERMS.get(use.term)
    if term is None:
        return f"{use.term[:40]!r} is no term of DUO that permits or restricts something, such as DUO:0000042"
    if any(not value.strip() or _CONTROL.search(value) or "\n" in value for value in use.values):
        return f"{use.term}: there is an empty or unreadable value behind it"
    needs = _VALUES[term.needs]
    if (term.needs is duo.Needs.NOTHING) == bool(use.values) or not all(map(needs, use.values)):
        wanted = term.needs.value or "nothing"
        return f"{use.term} ({term.code}) takes {wanted} behind it"
    return ""


_VALUES: dict[duo.Needs, Callable[[str], bool]] = {
    duo.Needs.NOTHING: lambda _text: False,
    duo.Needs.DISEASES: lambda text: bool(re.fullmatch(r"MONDO:[0-9]{7}( .+)?", text)),
    duo.Needs.DATE: lambda text: not _day(_BY_PATH["governance.sign_off.on"], text),
    duo.Needs.MONTHS: lambda text: text.isascii() and text.isdigit() and 0 < int(text) < 1200,
    duo.Needs.COUNTRIES: lambda text: bool(re.fullmatch(r"[A-Z]{2}", text)),
    duo.Needs.NAMES: lambda text: bool(text.strip()),
}
