# SPDX-License-Identifier: Apache-2.0
"""A saved cohort as the API tells it, with anything in every text."""

from datetime import UTC, datetime
from typing import Any

from megagenome.standards.application import CohortRef
from megagenome.standards.saved_cohort import SavedCohort, node_counts
from tests.portal import fake_hub

ID = "sha256:" + "a" * 64
SAVED_AT = datetime(2026, 3, 4, 9, 5, tzinfo=UTC)


def saved(says: str = "words", **changed: Any) -> SavedCohort:
    """One of whose people four nodes told, and two did not; `says` stands in every text that people write."""
    fields: dict[str, Any] = {
        "cohort": CohortRef(ID, '{"type":"sex","sex":"female"}'),
        "title": says,
        "note": says,
        "question": "sex=female",
        "saved": SAVED_AT,
        "told": node_counts(fake_hub.counts().nodes),
    }
    return SavedCohort(**{**fields, **changed})
