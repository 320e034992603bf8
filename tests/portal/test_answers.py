# SPDX-License-Identifier: Apache-2.0
"""Answers from a web form, field type by field type, and back into words."""

from typing import Any

import pytest
from litestar.datastructures import FormMultiDict

from megagenome.portal.answers import in_words, merged, read_section, section_digest, without_attachment
from megagenome.standards.application_form import Around, FieldType, Section, check_shape
from tests.portal.applications import FORM, answers

SECTION = {section.id: section for section in FORM.sections}


def posted(section: Section, given: dict[str, Any]) -> FormMultiDict:
    """What a browser sends for these answers."""
    pairs: list[tuple[str, Any]] = [("csrf", "x"), ("order", "y")]
    for field in section.fields:
        value = given.get(field.id)
        if field.type is FieldType.PEOPLE:
            pairs += [(f"{field.id}:{key}", text) for key, text in (value or {}).items()]
        elif isinstance(value, list):
            pairs += [(field.id, each) for each in value]
        elif field.type is FieldType.DECLARATION:
            pairs += [(field.id, "yes")] if value else []
        elif value is not None:
            pairs.append((field.id, str(value).replace("\n", "\r\n")))
    return FormMultiDict(pairs)


@pytest.mark.parametrize("section", FORM.sections, ids=lambda section: section.id)
def test_what_a_browser_sends_is_what_was_answered(section: Section) -> None:
    given = answers("ä <b> & words")
    read = read_section(section, posted(section, given), ["p1"])
    assert read == {field.id: given[field.id] for field in section.fields}
    assert check_shape(FORM, read, Around(frozenset({"p1"}), frozenset({"d1"}))) == ()


@pytest.mark.parametrize("section", FORM.sections, ids=lambda section: section.id)
def test_what_is_left_empty_takes_the_answer_out(section: Section) -> None:
    empty = read_section(section, FormMultiDict([]), ["p1"])
    assert set(empty) == {field.id for field in section.fields}
    assert set(empty.values()) == {None}
    left = merged(answers("x"), empty)
    assert left.keys().isdisjoint(empty)
    assert left == {name: value for name, value in answers("x").items() if name not in empty}


@pytest.mark.parametrize(
    ("text", "value"), [("12", 12), (" 1.5 ", 1.5), ("1,5", 1.5), ("true", "true"), ("[1]", "[1]"), ("many", "many")]
)
def test_a_number_that_is_none_is_kept_as_text_and_then_refused(text: str, value: Any) -> None:
    read = read_section(SECTION["environment"], FormMultiDict([("months", text)]), [])
    assert read["months"] == value
    found = check_shape(FORM, {"months": read["months"]}, Around())
    assert bool(found) == isinstance(value, str)


def test_nobody_answers_for_people_who_take_no_part() -> None:
    sent = FormMultiDict([("people:p1", "leads"), ("people:p2", "spies")])
    assert read_section(SECTION["who"], sent, ["p1"])["people"] == {"p1": "leads"}


def test_a_document_goes_from_every_answer() -> None:
    kept = without_attachment({"a": ["d1", "d2"], "b": ["d1"], "title": "d1"}, "d1")
    assert kept == {"a": ["d2"], "title": "d1"}


def test_a_digest_changes_with_its_section_alone() -> None:
    before = answers("x")
    digest = section_digest(SECTION["purpose"], before)
    assert section_digest(SECTION["purpose"], {**before, "tools": "other"}) == digest
    assert section_digest(SECTION["purpose"], {**before, "title": "other"}) != digest
    assert section_digest(SECTION["purpose"], {}) == section_digest(SECTION["purpose"], {"tools": "x"})


def test_answers_in_words() -> None:
    given = {**answers("x"), "uses": ["research", "policy"], "description": "one\ntwo", "commercial": "no"}
    told = {each.field: each for each in in_words(FORM, SECTION["purpose"], given, {})}
    assert told["uses"].lines == ("Scientific research", "Policy making")
    assert told["description"].lines == ("one", "two")
    assert "commercial_interest" not in told  # nobody asks it after a no
    who = {each.field: each for each in in_words(FORM, SECTION["who"], given, {"p1": "Ada"})}
    assert who["people"].lines == ("Ada: x",)
    assert in_words(FORM, SECTION["environment"], given, {})[2].lines == ("1 Dec 2026",)
    assert in_words(FORM, SECTION["documents"], given, {})[0].documents == ("d1",)
    assert all(each.lines == () for each in in_words(FORM, SECTION["safeguards"], {}, {}))
