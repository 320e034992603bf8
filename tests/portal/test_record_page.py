# SPDX-License-Identifier: Apache-2.0
"""A steward's form: what is sent is what was shown, messages stand at their fields, hostile text stays text."""

from typing import Any

import pytest
from hypothesis import given, settings

from megagenome.portal.record_form import ident_of, read_form, sections
from megagenome.portal.record_page import list_page, record_page
from megagenome.standards.catalogue_pages import StewardLine, StewardView
from megagenome.standards.dataset_fields import FIELDS, Kind, faults, missing
from megagenome.standards.dataset_record import DatasetRecord, RecordVersion, value_at, with_value
from megagenome.synthetic.governance import made_up_record
from tests.catalogue.records import whole_records
from tests.portal.document import Document
from tests.portal.fake_hub import EVIL

RECORD = made_up_record("GDI-EE-COHORT-001")
VERSION = RecordVersion(1, False, "sofia@idp", "2026-11-22T10:00:00+00:00", RECORD)


def view(record: DatasetRecord = RECORD, state: str = "draft", says: str = "words") -> StewardView:
    problems = missing(record, is_open=False)
    history = (VERSION, RecordVersion(2, True, says, "2026-11-22T10:00:00+00:00", record))
    return StewardView("GDI-EE-COHORT-001", says, state, False, record, problems, history)


def hostile() -> DatasetRecord:
    """The same text in each field that takes one."""
    record = RECORD
    for field in FIELDS:
        if field.kind in (Kind.LINE, Kind.TEXT, Kind.EMAIL, Kind.URL, Kind.DAY):
            record = with_value(record, field.path, EVIL)
    return record


class Form:
    """What a browser sends of a form that shows a record."""

    def __init__(self, record: DatasetRecord) -> None:
        shown = [asked for _, fields in sections(record, (), is_open=False) for asked in fields]
        self._values = {
            asked.field.path: list(asked.chosen) if asked.field.kind is Kind.CHOICES else [asked.text]
            for asked in shown
        }

    def getall(self, name: str, default: list[Any], /) -> list[Any]:
        return self._values.get(name) or default


@settings(max_examples=40)
@given(whole_records)
def test_what_is_sent_is_what_was_shown(record: DatasetRecord) -> None:
    sent = read_form(Form(record))
    for field in FIELDS:
        stated, read = value_at(record, field.path), value_at(sent, field.path)
        if isinstance(stated, str):  # a form takes spaces at the ends away
            assert read == stated.strip()
        elif field.kind is Kind.LINES:
            assert read == tuple(line.strip() for line in stated)
        elif field.kind is Kind.USES:
            assert [use.term for use in read] == [use.term for use in stated]
        else:
            assert read == stated


@pytest.mark.parametrize("state", ["draft", "published", "withdrawn"])
def test_the_form_is_whole_and_hostile_text_stays_text(state: str) -> None:
    record = hostile()
    wrong = faults(record, is_open=False)
    page = record_page(view(record, state, EVIL), typed=record, problems=wrong, problem=EVIL, said=EVIL)
    found = Document(page)
    found.check()
    assert "<script>window" not in page
    assert {form["action"] for form in found.all("form")} == {"/datasets/GDI-EE-COHORT-001"}
    Document(list_page((StewardLine("A", EVIL, state, True, 1, True, 3),))).check()
    Document(list_page(())).check()


def test_each_message_stands_at_its_field() -> None:
    gap = with_value(with_value(RECORD, "publisher.email", "nobody"), "keywords", ())
    wrong = faults(gap, is_open=False) + missing(gap, is_open=False)
    found = Document(record_page(view(), typed=gap, problems=wrong, problem="Nothing was recorded."))
    invalid = {each["id"] for name in ("input", "textarea") for each in found.all(name) if "aria-invalid" in each}
    assert invalid == {ident_of("publisher.email"), ident_of("keywords")}
    links = [a["href"] for a in found.all("a") if a["href"].startswith("#f-")]
    assert links == [f"#{ident_of(path)}" for path in ("publisher.email", "keywords")]


def test_it_says_what_is_left_to_state() -> None:
    assert "Before it can be published: title, description" in Document(record_page(view(DatasetRecord()))).text
    assert "All that is needed to publish it is stated" in Document(record_page(view())).text
