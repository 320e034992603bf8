# SPDX-License-Identifier: Apache-2.0
"""Answers to a form document as a web form sends them, and back. The names of fields are those of the document, with
what they belong to behind a colon: `people:KEY`, `file:FIELD`."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from megagenome.portal.moments import day
from megagenome.standards.application_form import Field, FieldType, Form, Section, is_visible


class Posted(Protocol):
    """A form as it was sent; names may repeat."""

    def getall(self, name: str, default: list[Any], /) -> list[Any]:
        """All values of a name."""
        ...


def read_section(section: Section, posted: Posted, people: Sequence[str]) -> dict[str, Any]:
    """The answers of one section as sent. What was left empty is None, which takes an earlier answer out."""
    return {field.id: _value(field, posted, people) for field in section.fields}


def _value(field: Field, posted: Posted, people: Sequence[str]) -> Any:
    given = [value for value in posted.getall(field.id, []) if isinstance(value, str)]
    match field.type:
        case FieldType.PEOPLE:
            found = {key: _only(posted.getall(f"{field.id}:{key}", [])) for key in people}
            return {key: text for key, text in found.items() if text.strip()} or None
        case FieldType.DECLARATION:
            return True if given else None
        case FieldType.MULTISELECT | FieldType.ATTACHMENT:
            return list(dict.fromkeys(value for value in given if value)) or None
        case FieldType.NUMBER:
            return _number(_only(given))
        case FieldType.PARAGRAPH:
            # browsers send each end of a line as two characters, which would count twice
            return _only(given).replace("\r\n", "\n") or None
        case _:
            return _only(given).strip() or None


def _only(values: Sequence[Any]) -> str:
    return values[0] if values and isinstance(values[0], str) else ""


def _number(text: str) -> Any:
    """A number where it is one; else the text, which the form's rules then refuse with a reason."""
    try:
        value = msgspec.json.decode(text.strip().replace(",", "."))
    except (msgspec.DecodeError, RecursionError):
        return text.strip() or None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else text.strip()


def merged(answers: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """All answers with those that changed; without those that were taken out."""
    return {name: value for name, value in {**answers, **changed}.items() if value is not None}


def section_digest(section: Section, answers: Mapping[str, Any]) -> str:
    """What is saved in a section, as one short text: a page carries it, so that saving sees whether somebody else
    changed it meanwhile."""
    mine = {field.id: answers.get(field.id) for field in section.fields}
    return hashlib.sha256(msgspec.json.encode(mine, order="sorted")).hexdigest()[:32]


def without_attachment(answers: Mapping[str, Any], attachment: str) -> dict[str, Any]:
    """The answers with a document taken out of each list that names it."""
    left = {
        name: [each for each in value if each != attachment] if isinstance(value, list) else value
        for name, value in answers.items()
    }
    return {name: value for name, value in left.items() if value != []}


class Shown(msgspec.Struct, frozen=True):
    """One answered question for people to read; `documents` are ids of attachments."""

    field: str
    title: str
    lines: tuple[str, ...]
    documents: tuple[str, ...] = ()


def in_words(form: Form, section: Section, answers: Mapping[str, Any], names: Mapping[str, str]) -> tuple[Shown, ...]:
    """The questions of a section that are asked, with their answers; `names` are of people, by key."""
    return tuple(
        _shown(field, answers.get(field.id), names) for field in section.fields if is_visible(form, field, answers)
    )


def _shown(field: Field, value: Any, names: Mapping[str, str]) -> Shown:
    title = field.title["en"]
    labels = {option.id: option.label.get("en", option.id) for option in field.options}
    match field.type:
        case FieldType.ATTACHMENT:
            return Shown(field.id, title, (), tuple(map(str, value or ())))
        case FieldType.PEOPLE:
            said = value if isinstance(value, dict) else {}
            return Shown(field.id, title, tuple(f"{names.get(key, 'somebody')}: {text}" for key, text in said.items()))
        case FieldType.DECLARATION:
            return Shown(field.id, title, ("Agreed",) if value is True else ())
        case FieldType.OPTION | FieldType.MULTISELECT:
            chosen = value if isinstance(value, list) else [value] if value else []
            return Shown(field.id, title, tuple(labels.get(str(each), str(each)) for each in chosen))
        case FieldType.DATE if isinstance(value, str) and value:
            return Shown(field.id, title, (day(value),))
        case _:
            return Shown(field.id, title, tuple(str(value).split("\n")) if value not in (None, "") else ())
