# SPDX-License-Identifier: Apache-2.0
"""A dataset's record as a web form, and back. The names of its fields are those of the record: `publisher.email`."""

import re
from typing import NamedTuple

from megagenome.portal.answers import Posted
from megagenome.portal.commands import text_of, texts_of
from megagenome.standards.dataset_fields import FIELDS, Field, Kind, Need
from megagenome.standards.dataset_record import DatasetRecord, DataUse, Problem, value_at, with_value

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Asked(NamedTuple):
    """One field on the page: what stands in it, and what is wrong with that."""

    field: Field
    text: str
    chosen: tuple[str, ...]
    needed: bool
    problem: str

    @property
    def ident(self) -> str:
        """Its id on the page."""
        return ident_of(self.field.path)

    @property
    def input_type(self) -> str:
        """Of the page's input; a browser would empty an input of days that holds none."""
        is_day = not self.text or (not self.problem and _DAY.fullmatch(self.text) is not None)
        kinds = {Kind.EMAIL: "email", Kind.URL: "url", Kind.DAY: "date" if is_day else "text"}
        return kinds.get(self.field.kind, "text")


def ident_of(path: str) -> str:
    """The id on the page of a field by its name in the record."""
    return "f-" + path.replace(".", "-")


def sections(record: DatasetRecord, problems: tuple[Problem, ...], *, is_open: bool) -> list[tuple[str, list[Asked]]]:
    """The fields under their headings, in order."""
    wrong = {each.field: each.says for each in problems}
    found: dict[str, list[Asked]] = {}
    for field in FIELDS:
        value = value_at(record, field.path)
        chosen = value if field.kind is Kind.CHOICES else ()
        needed = field.need is Need.CONTROLLED and not is_open
        asked = Asked(field, _as_text(value), chosen, needed, wrong.get(field.path, ""))
        found.setdefault(field.section, []).append(asked)
    return list(found.items())


def read_form(posted: Posted) -> DatasetRecord:
    """The record as the form has it."""
    record = DatasetRecord()
    for field in FIELDS:
        record = with_value(record, field.path, _read(field, posted))
    return record


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return "\n".join(" ".join([x.term, *_joined(x.values)]) if isinstance(x, DataUse) else str(x) for x in value)
    return value if isinstance(value, str) else "yes" if value else ""


def _joined(values: tuple[str, ...]) -> list[str]:
    return ["; ".join(values)] if values else []


def _read(field: Field, posted: Posted) -> object:
    text = text_of(posted, field.path)
    match field.kind:
        case Kind.TICK:
            return bool(text)
        case Kind.CHOICES:
            return texts_of(posted, field.path)
        case Kind.LINES:
            return _lines(text)
        case Kind.USES:
            return tuple(_use(line) for line in _lines(text))
        case _:
            return text


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.split("\n") if line.strip())


def _use(line: str) -> DataUse:
    term, _, rest = line.partition(" ")
    return DataUse(term, tuple(each.strip() for each in rest.split(";") if each.strip()))
