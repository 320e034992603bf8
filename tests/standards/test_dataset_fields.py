# SPDX-License-Identifier: Apache-2.0
"""What a dataset needs, and what its fields may hold."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from megagenome.standards.dataset_fields import (
    FIELDS,
    Kind,
    Need,
    faults,
    field_of,
    in_form_order,
    is_web_address,
    missing,
    topics,
)
from megagenome.standards.dataset_record import DatasetRecord, DataUse, Party, Problem, value_at, with_value
from megagenome.standards.duo import TERMS
from tests.catalogue.records import whole_records, without

WHOLE = DatasetRecord(title="T")


def leaves(struct: type[msgspec.Struct], before: str = "") -> set[str]:
    """The names of all fields of a record."""
    found = set()
    for field in msgspec.structs.fields(struct):
        inner = field.type
        is_struct = isinstance(inner, type) and issubclass(inner, msgspec.Struct)
        found |= leaves(inner, f"{before}{field.name}.") if is_struct else {before + field.name}
    return found


def test_each_field_of_a_record_is_in_the_form_once() -> None:
    paths = [field.path for field in FIELDS]
    assert sorted(paths) == sorted(leaves(DatasetRecord))
    assert all(field.label and field.help for field in FIELDS)


@settings(max_examples=30)
@given(record=whole_records, data=st.data())
def test_each_gap_is_named_and_only_of_data_that_are_not_open(record: DatasetRecord, data: st.DataObject) -> None:
    assert missing(record, is_open=False) == faults(record, is_open=False) == ()
    field = data.draw(st.sampled_from(FIELDS))
    gap = without(record, field.path)
    named = [problem.field for problem in missing(gap, is_open=False)]
    assert named == ([field.path] if field.need is Need.CONTROLLED else [])
    assert missing(gap, is_open=True) == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("identifier", "GDI-ee-COHORT-001"),
        ("identifier", "GDI-EE-COHORT-001\n"),
        ("identifier", "EE-SMALL"),
        ("access_rights", "SECRET"),
        ("access_rights", "PUBLIC"),
        ("health_categories", ("human-genomic", "fish")),
        ("conforms_to", "2MG"),
        ("language", "english"),
        ("themes", ("health",)),
        ("legislation", ("Regulation 2025/327",)),
        ("references", ("ftp://example.org/",)),
        ("references", ("https://example.org/a b",)),
        ("references", ("https://example.org/<b>",)),
        ("publisher.email", "info at example.org"),
        ("publisher.email", "a@b@example.org"),
        ("publisher.email", "a@example.org>"),
        ("publisher.url", "javascript:alert(1)"),
        ("publisher.url", "https://"),
        ("publisher.url", "https://exa mple.org"),
        ("title", "two\nlines"),
        ("title", "\x00"),
        ("title", "   "),
        ("description", "\ud800"),
        ("keywords", ("good", "")),
        ("governance.ethics.on", "2026-02-30"),
        ("governance.ethics.on", "20260331"),
        ("governance.ethics.on", "yesterday"),
        ("governance.legal_basis", "because"),
        ("uses", (DataUse("DUO:0000001"),)),
        ("uses", (DataUse("HMB"),)),
        ("uses", (DataUse("DUO:0000007"),)),
        ("uses", (DataUse("DUO:0000007", ("asthma",)),)),
        ("uses", (DataUse("DUO:0000006", ("MONDO:0005027",)),)),
        ("uses", (DataUse("DUO:0000022", ("Finland",)),)),
        ("uses", (DataUse("DUO:0000024", ("soon",)),)),
        ("uses", (DataUse("DUO:0000025", ("0",)),)),
        ("uses", (DataUse("DUO:0000026", (" ",)),)),
    ],
)
def test_what_cannot_be_so_is_a_fault_of_its_field(path: str, value: object) -> None:
    found = faults(with_value(WHOLE, path, value), is_open=False)
    ignored = {"publisher.name"}  # which is missing beside it
    if path == "keywords":  # an empty line is nothing
        assert not found
        return
    assert {problem.field for problem in found} - ignored == {path}


def test_only_open_data_are_public() -> None:
    assert faults(with_value(WHOLE, "access_rights", "PUBLIC"), is_open=True) == ()


def test_an_address_without_a_name_is_a_fault() -> None:
    [found] = faults(with_value(WHOLE, "creator", Party(email="a@example.org")), is_open=True)
    assert found.field == "creator.name"


def test_topics_are_named_once() -> None:
    named = topics(missing(DatasetRecord(), is_open=False))
    assert named.startswith("title, description, identifier, access")
    assert named.count("publisher") == 1
    assert named.endswith(
        "controller, legal basis, law or decision, ethics approval, data protection impact assessment, sign-off"
    )


@given(st.text(max_size=30))
def test_addresses_of_any_text_are_decided(text: str) -> None:
    for prefix in ("", "https://", "https://example.org/"):
        accepted = is_web_address(prefix + text)
        assert not accepted or (prefix + text).isascii()
        assert not (accepted and set(prefix + text) & set(' <>"{}|\\^`'))


def test_choices_of_a_form_are_what_is_accepted() -> None:
    for field in FIELDS:
        if field.kind in (Kind.CHOICE, Kind.CHOICES):
            for key in field.choices:
                value = (key,) if field.kind is Kind.CHOICES else key
                assert faults(with_value(WHOLE, field.path, value), is_open=True) == ()
                assert value_at(with_value(WHOLE, field.path, value), field.path) == value
    assert field_of("uses").kind is Kind.USES
    assert TERMS


def test_problems_stand_in_the_order_of_the_form_one_of_each_field() -> None:
    paths = [field.path for field in FIELDS]
    told = [Problem("", "of all"), *(Problem(path, says) for says in ("first", "second") for path in reversed(paths))]
    found = in_form_order(told)
    assert [each.field for each in found] == [*paths, ""]
    assert {each.says for each in found} == {"first", "of all"}
