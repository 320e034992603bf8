# SPDX-License-Identifier: Apache-2.0
"""Records from files and back."""

import pytest
from hypothesis import given, settings

from megagenome.kernel.errors import Invalid
from megagenome.standards.dataset_fields import FIELDS
from megagenome.standards.dataset_record import (
    LARGEST_BYTES,
    DatasetRecord,
    DataUse,
    decode_record,
    encode_record,
    read_record,
    value_at,
    with_value,
)
from tests.catalogue.records import whole_records

TOML = b"""
title = "A cohort"
keywords = ["one", "two"]
uses = [{term = "DUO:0000006"}, {term = "DUO:0000007", values = ["MONDO:0005027"]}]
[publisher]
name = "Biobank"
[governance.ethics]
on = "2026-03-31"
"""


def test_a_record_is_read_from_toml_and_json() -> None:
    record = read_record(TOML, "record.toml")
    assert (record.title, record.keywords, record.publisher.name) == ("A cohort", ("one", "two"), "Biobank")
    assert record.uses == (DataUse("DUO:0000006"), DataUse("DUO:0000007", ("MONDO:0005027",)))
    assert record.governance.ethics.on == "2026-03-31"
    assert read_record(encode_record(record).encode(), "record.json") == record


@settings(max_examples=50)
@given(whole_records)
def test_records_survive_being_stored(record: DatasetRecord) -> None:
    assert decode_record(encode_record(record)) == record


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b'titel = "A"', "r.toml", r"r\.toml: .*titel"),
        (b"title = 7", "r.toml", r"r\.toml: .*str.*title"),
        (b"title = ", "r.toml", r"r\.toml: "),
        (b'{"title": "A"', "r.json", r"r\.json: "),
        (b'{"publisher": {"email": 1}}', "r.json", r"publisher\.email"),
        (b"\xff", "r.toml", r"r\.toml: "),
        (b"[" * 100_000, "r.json", r"r\.json: "),
        (b" " * (LARGEST_BYTES + 1), "r.toml", "bytes at most"),
        (b'title = "' + b"A" * 1001 + b'"', "r.toml", "title"),
    ],
)
def test_what_is_no_record_is_refused_with_its_place(content: bytes, name: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        read_record(content, name)


def test_fields_are_reached_by_their_names() -> None:
    record = DatasetRecord()
    for field in FIELDS:
        value = value_at(record, field.path)
        assert value_at(with_value(record, field.path, value), field.path) == value
    changed = with_value(record, "governance.ethics.on", "2026-01-01")
    assert changed.governance.ethics.on == "2026-01-01"
    assert with_value(changed, "governance.ethics.on", "") == record
