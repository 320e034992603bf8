# SPDX-License-Identifier: Apache-2.0
"""Made-up records."""

import pytest

from megagenome.standards.dataset_fields import FIELDS, faults, missing
from megagenome.standards.dataset_record import value_at
from megagenome.synthetic.governance import made_up_record


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize("dataset", ["GDI-FI-COHORT-001", "EE-SMALL", "a"])
def test_a_made_up_record_is_whole_and_says_that_it_is_made_up(dataset: str, is_open: bool) -> None:
    record = made_up_record(dataset, country="FI", is_open=is_open)
    assert missing(record, is_open=False) == faults(record, is_open=is_open) == ()
    assert record.access_rights == ("PUBLIC" if is_open else "NON_PUBLIC")
    for path in ("provenance", "publisher.name", "contact.name", "hdab.name", "governance.law"):
        assert "made up" in value_at(record, path)
    addresses = [value_at(record, field.path) for field in FIELDS if field.path.endswith((".email", ".url"))]
    assert all("example.org" in each for each in addresses if each)


def test_each_dataset_has_an_identifier_of_its_own() -> None:
    assert made_up_record("GDI-FI-COHORT-001").identifier == "GDI-FI-COHORT-001"
    assert len({made_up_record(f"D{n}").identifier for n in range(1000)}) == 1000
