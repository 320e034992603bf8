# SPDX-License-Identifier: Apache-2.0
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.access.form import decode_form, form_of, forms, newest_form, read_form
from megagenome.kernel.errors import Corrupt, Invalid, NotFound
from megagenome.standards.application import FormRef
from megagenome.standards.application_form import Around, Form, check_complete, check_shape
from tests.access.hub import complete_answers

RELEASED = {("data-access", "1"): "sha256:4f692c5437c72f4c51515a03d7181fab1a2260f8a5444730a755971f74504982"}
"""A released form is never edited, because applications answer it. A change is a file with the next version."""
AROUND = Around(frozenset({"p1", "p2"}), frozenset({"d1"}))


@pytest.fixture(scope="module")
def form() -> Form:
    return read_form(newest_form("data-access"))


def test_released_forms_are_as_they_were_released() -> None:
    assert {(ref.id, ref.version): ref.digest for ref in forms()} == RELEASED


def test_a_form_that_was_changed_or_is_not_there(form: Form) -> None:
    with pytest.raises(Corrupt):
        read_form(FormRef("data-access", "1", "sha256:00"))
    with pytest.raises(NotFound):
        newest_form("other")
    with pytest.raises(NotFound):
        form_of("data-access", "999")


def test_complete_answers_are_complete(form: Form) -> None:
    assert check_complete(form, complete_answers("d1", {"p1", "p2"}), AROUND) == ()


def test_the_form_asks_what_the_rules_list(form: Form) -> None:
    sources = " ".join(field.source for field in form.fields())
    assert all(rule in sources for rule in ("Art. 67(2)", "Art. 53", "Art. 54", "Art. 71(4)", "SOP0003", "1+MG"))
    documents = [field for field in form.fields() if field.type == "attachment"]
    assert [(field.id, field.required) for field in documents] == [
        ("ethics_approval", True),
        ("project_description", True),
        ("analysis_plan", True),
        ("peer_review", True),
        ("funding", False),
    ]


@pytest.mark.parametrize("field", [field.id for field in read_form(newest_form("data-access")).fields()])
def test_every_required_field_is_missed(form: Form, field: str) -> None:
    answers = complete_answers("d1", {"p1", "p2"})
    answers.pop(field, None)
    found = {finding.field for finding in check_complete(form, answers, AROUND)}
    [asked] = [each for each in form.fields() if each.id == field]
    is_needed = asked.required and field not in HIDDEN
    assert found == ({field} if is_needed else set())


HIDDEN = {
    "public_tasks": {"applicant_kind": "public"},
    "commercial_interest": {"commercial": "yes"},
    "why_pseudonymised": {"form_of_data": "pseudonymised"},
    "own_data_description": {"own_data": "yes"},
    "opt_out_reasons": {"opt_out_exception": "yes"},
}


@pytest.mark.parametrize("field", HIDDEN)
def test_what_depends_is_asked_when_it_applies(form: Form, field: str) -> None:
    answers = {**complete_answers("d1", {"p1", "p2"}), **HIDDEN[field]}
    assert [each.field for each in check_complete(form, answers, AROUND)] == [field]
    assert check_complete(form, {**answers, field: "because"}, AROUND) == ()
    assert [each.field for each in check_complete(form, {**answers, field: "  \n"}, AROUND)] == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", 7),
        ("title", "x" * 201),
        ("title", "two\nlines"),
        ("description", ["x"]),
        ("description", "x\x00"),
        ("starts", "2026-02-30"),
        ("starts", "tomorrow"),
        ("starts", 20260101),
        ("months", "12"),
        ("months", 0),
        ("months", 121),
        ("months", True),
        ("commercial", "maybe"),
        ("commercial", ["yes"]),
        ("uses", "research"),
        ("uses", ["research", "research"]),
        ("uses", ["marketing"]),
        ("uses", [["research"]]),
        ("ethics_approval", ["d2"]),
        ("ethics_approval", "d1"),
        ("people", {"p3": "x"}),
        ("people", ["p1"]),
        ("people", {"p1": 1}),
        ("people", {"p1": "x" * 501}),
        ("people", {"p1": "\x1b[2J"}),
        ("stigma", "yes"),
        ("nothing", "x"),
    ],
)
def test_what_no_answer_can_be(form: Form, field: str, value: Any) -> None:
    assert [finding.field for finding in check_shape(form, {field: value}, AROUND)] == [field]


def test_everybody_who_takes_part_is_accounted_for(form: Form) -> None:
    answers = {**complete_answers("d1", {"p1", "p2"}), "people": {"p1": "analyses", "p2": " "}}
    [finding] = check_complete(form, answers, AROUND)
    assert (finding.field, finding.says) == ("people", "say what each person does; 1 are missing")


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.data(), json)
def test_any_json_is_an_answer_or_a_finding(data: st.DataObject, value: Any) -> None:
    form = read_form(newest_form("data-access"))
    field = data.draw(st.sampled_from([each.id for each in form.fields()]))
    answers = {**complete_answers("d1", {"p1", "p2"}), field: value}
    for finding in check_complete(form, answers, AROUND):
        assert finding.says


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"visible_if": {"field": "later", "is_any_of": ["x"]}}, "depends on 'later'"),
        ({"type": "option"}, "needs options"),
        ({"title": {"fi": "x"}}, "English"),
        ({"colour": "red"}, "not a form document"),
    ],
)
def test_a_form_document_is_held_to_its_rules(change: dict[str, Any], says: str) -> None:
    field = {"id": "a", "type": "text", "title": {"en": "A"}, **change}
    document = {"id": "f", "version": "1", "title": {"en": "F"}, "sections": []}
    document["sections"] = [{"id": "s", "title": {"en": "S"}, "fields": [field]}]
    with pytest.raises(Invalid, match=says):
        decode_form(msgspec.json.encode(document))


def test_a_field_stands_once() -> None:
    field = {"id": "a", "type": "text", "title": {"en": "A"}}
    sections = [{"id": "s", "title": {"en": "S"}, "fields": [field, field]}]
    with pytest.raises(Invalid, match="twice"):
        decode_form(msgspec.json.encode({"id": "f", "version": "1", "title": {"en": "F"}, "sections": sections}))
