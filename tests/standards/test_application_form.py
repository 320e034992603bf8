# SPDX-License-Identifier: Apache-2.0
"""Answers held to a form: the released one, in which every kind of field stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.access.form import newest_form, read_form
from megagenome.standards.application_form import Around, Form, check_complete, check_shape
from tests.access.hub import complete_answers

AROUND = Around(frozenset({"p1", "p2"}), frozenset({"d1"}))


@pytest.fixture(scope="module")
def form() -> Form:
    return read_form(newest_form("data-access"))


def test_complete_answers_are_complete(form: Form) -> None:
    assert check_complete(form, complete_answers("d1", {"p1", "p2"}), AROUND) == ()


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
