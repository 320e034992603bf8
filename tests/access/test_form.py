# SPDX-License-Identifier: Apache-2.0
from typing import Any

import msgspec
import pytest

from megagenome.access.form import decode_form, form_of, forms, newest_form, read_form
from megagenome.kernel.errors import Corrupt, Invalid, NotFound
from megagenome.standards.application import FormRef
from megagenome.standards.application_form import Form

RELEASED = {("data-access", "1"): "sha256:704791a7bb89900e3b4dd43593089e6a946b0f52c4f2d96989fe32e8c20f622b"}
"""A released form is never edited, because applications answer it. A change is a file with the next version."""


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


def test_the_form_asks_what_the_rules_list(form: Form) -> None:
    sources = " ".join(field.source for field in form.fields())
    assert all(
        rule in sources for rule in ("Art. 67", "Art. 53", "Art. 54", "Art. 61(4)", "Art. 71", "SOP0003", "1+MG")
    )
    documents = [field for field in form.fields() if field.type == "attachment"]
    assert [(field.id, field.required) for field in documents] == [
        ("ethics_approval", True),
        ("project_description", True),
        ("analysis_plan", True),
        ("peer_review", True),
        ("funding", False),
    ]


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
