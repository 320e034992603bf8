# SPDX-License-Identifier: Apache-2.0
"""Application forms as documents: sections, fields, texts by language, and what each needs. No outside standard.

A hub serves them at `/access/forms/{form}/{version}`; whoever renders one needs to know no question by name.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

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
    """One question. `source` says which rule asks it; `means` is what the process reads it for: title, uses."""

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
