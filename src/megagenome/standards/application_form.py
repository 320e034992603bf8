# SPDX-License-Identifier: Apache-2.0
"""Application forms as documents: sections, fields, texts by language, and what answers must be. No outside standard.

A hub serves them at `/access/forms/{form}/{version}`; whoever renders one needs to know no question by name.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

import msgspec

from megagenome.standards.application import FieldFinding

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Text = dict[str, str]
"""A text by language (ISO 639-1); `en` is always there."""


class FieldType(StrEnum):
    """What a field takes: the value of each in the answers is named after the dash."""

    TEXT = "text"  # one line - text
    PARAGRAPH = "paragraph"  # lines - text
    DATE = "date"  # - ISO 8601 text
    OPTION = "option"  # one of `options` - its id
    MULTISELECT = "multiselect"  # several of `options` - list of ids
    NUMBER = "number"  # within `minimum` and `maximum` - number
    ATTACHMENT = "attachment"  # documents of the application - list of attachment ids
    PEOPLE = "people"  # everybody who takes part, with what they do - object from person key to text
    DECLARATION = "declaration"  # to be agreed to - true


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A choice of a field."""

    id: str
    label: Text


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field is visible if the answer to an earlier one is, or holds, one of these."""

    field: str
    is_any_of: tuple[str, ...]


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question. `source` says which rule asks it; `means` is what the process reads it for: title,
    uses, starts (the first day asked for), months (for how many)."""

    id: str
    type: FieldType
    title: Text
    help: Text = {}
    required: bool = False
    visible_if: Condition | None = None
    max_length: int = 10_000
    options: tuple[Option, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    source: str = ""
    means: str = ""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields that stand together."""

    id: str
    title: Text
    fields: tuple[Field, ...]
    help: Text = {}


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form document."""

    id: str
    version: str
    title: Text
    sections: tuple[Section, ...]

    def fields(self) -> tuple[Field, ...]:
        """All fields, in order."""
        return tuple(field for section in self.sections for field in section.fields)

    def field_that_means(self, meaning: str) -> Field | None:
        """The field that the process reads for something."""
        return next((field for field in self.fields() if field.means == meaning), None)


def is_visible(form: Form, field: Field, answers: Mapping[str, Any]) -> bool:
    """Whether the field is asked, given the other answers; one whose condition is hidden itself is not."""
    if field.visible_if is None:
        return True
    other = next(each for each in form.fields() if each.id == field.visible_if.field)
    value = answers.get(other.id)
    given = value if isinstance(value, list) else [value]
    return is_visible(form, other, answers) and any(each in field.visible_if.is_any_of for each in given)


class Around(msgspec.Struct, frozen=True):
    """What answers may refer to: people who take part, and attachments, by key."""

    people: frozenset[str] = frozenset()
    attachments: frozenset[str] = frozenset()


def check_shape(form: Form, answers: Mapping[str, Any], around: Around) -> tuple[FieldFinding, ...]:
    """What no draft may have: answers to no field, of the wrong kind, too long, or that refer to what is not there."""
    fields = {field.id: field for field in form.fields()}
    found = [
        FieldFinding(name[:100], says)
        for name, value in answers.items()
        if (says := _wrong_with(fields.get(name), value, around))
    ]
    return tuple(found)


def check_complete(form: Form, answers: Mapping[str, Any], around: Around) -> tuple[FieldFinding, ...]:
    """Everything that stands between these answers and a submission, field by field; empty when there is nothing."""
    found = list(check_shape(form, answers, around))
    for field in form.fields():
        if not is_visible(form, field, answers):
            continue
        value = answers.get(field.id)
        if field.required and _is_empty(value):
            found.append(FieldFinding(field.id, _MISSING.get(field.type, "this is needed")))
        elif field.type is FieldType.PEOPLE and isinstance(value, dict):
            missing = len([person for person in around.people if not str(value.get(person, "")).strip()])
            if missing:
                found.append(FieldFinding(field.id, f"say what each person does; {missing} are missing"))
    return tuple(found)


_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MISSING = {
    FieldType.DECLARATION: "this has to be agreed to",
    FieldType.ATTACHMENT: "attach a document",
    FieldType.OPTION: "choose one",
    FieldType.MULTISELECT: "choose at least one",
}


def _is_empty(value: Any) -> bool:
    given = value.strip() if isinstance(value, str) else value
    return given is None or given is False or given in ("", [], {})


def _wrong_with(field: Field | None, value: Any, around: Around) -> str:
    """Why `value` cannot be the answer to `field`; empty when it can."""
    if field is None:
        return "the form has no such field"
    if value is None:
        return ""
    match field.type:
        case FieldType.TEXT | FieldType.PARAGRAPH:
            return _wrong_text(field, value)
        case FieldType.DATE:
            return "" if value == "" or _is_date(value) else "write the date as 2027-03-26"
        case FieldType.NUMBER:
            return _wrong_number(field, value)
        case FieldType.OPTION:
            return "" if value in ["", *_ids(field)] else "choose one of the options"
        case FieldType.MULTISELECT:
            return "" if _all_in(value, _ids(field)) else "choose among the options, each once"
        case FieldType.ATTACHMENT:
            return "" if _all_in(value, around.attachments) else "this names a document that is not attached"
        case FieldType.PEOPLE:
            return _wrong_people(field, value, around)
        case FieldType.DECLARATION:
            return "" if isinstance(value, bool) else "agree, or leave it open"


def _wrong_text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        return "write a text"
    if len(value) > field.max_length:
        return f"{len(value)} characters; at most {field.max_length} are taken"
    if field.type is FieldType.TEXT and "\n" in value:
        return "write it on one line"
    if _CONTROLS.search(value):
        return "this holds control characters; write it anew"
    return ""


def _wrong_number(field: Field, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "write a number"
    low, high = field.minimum, field.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return f"write a number from {low:g} to {high:g}" if low is not None and high is not None else "out of range"
    return ""


def _wrong_people(field: Field, value: Any, around: Around) -> str:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        return "say for each person what they do"
    if not value.keys() <= around.people:
        return "this names somebody who does not take part"
    if any(len(text) > field.max_length for text in value.values()):
        return f"at most {field.max_length} characters are taken for each person"
    if any(map(_CONTROLS.search, value.values())):
        return "this holds control characters; write it anew"
    return ""


def _is_date(value: Any) -> bool:
    try:
        msgspec.convert(value, date)
    except msgspec.ValidationError:
        return False
    return True


def _ids(field: Field) -> frozenset[str]:
    return frozenset(option.id for option in field.options)


def _all_in(value: Any, known: frozenset[str]) -> bool:
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return is_list and len(set(value)) == len(value) and known.issuperset(value)
