# SPDX-License-Identifier: Apache-2.0
"""Visas are of permits that hold, of datasets that can be read, and of the people whom a permit names."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from megagenome.app.grants import grants_of
from megagenome.app.node import open_node
from megagenome.collection.cohort import EVERYONE
from megagenome.collection.datasets import move_dataset
from megagenome.collection.model import DatasetState, Use
from megagenome.collection.permits import GrantedPermit, change_permit, store_permit
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.standards.permit import PermitState

DATASET = DatasetId("EE-SMALL")
PERMIT = PermitId("permit-1")
ALICE = "alice@https://login.example.org"
NOW = datetime.now(UTC)


def granted(**changed: Any) -> GrantedPermit:
    facts: dict[str, Any] = {
        "id": PERMIT,
        "digest": "sha256:1",
        "cohort": EVERYONE,
        "datasets": (DATASET, DatasetId("NOT-HERE")),
        "uses": frozenset({Use.POLICY}),
        "people": frozenset({ALICE}),
        "not_before": NOW - timedelta(days=1),
        "expires": NOW + timedelta(days=1),
        "conditions": "",
        "countersignature": "signed",
    }
    return GrantedPermit(**facts | changed)


def test_a_permit_grants_its_readable_datasets_to_its_people(loaded: Path) -> None:
    collection = open_node(loaded).collection
    with collection.engine.begin() as connection:
        store_permit(connection, granted())
    asked = grants_of(collection)
    [grant] = asked(ALICE)
    assert (grant.dataset, grant.until) == (DATASET, NOW + timedelta(days=1))
    assert abs(grant.asserted - datetime.now(UTC)) < timedelta(minutes=1)
    assert list(asked("bob@https://login.example.org")) == []
    with collection.engine.begin() as connection:
        move_dataset(connection, DATASET, DatasetState.WITHDRAWN)
    collection.refresh()
    assert list(asked(ALICE)) == []
    collection.close()


@pytest.mark.parametrize("state", [PermitState.SUSPENDED, PermitState.REVOKED])
def test_a_permit_that_was_ended_or_halted_grants_nothing(loaded: Path, state: PermitState) -> None:
    collection = open_node(loaded).collection
    with collection.engine.begin() as connection:
        store_permit(connection, granted())
        change_permit(connection, PERMIT, state, "why")
    assert list(grants_of(collection)(ALICE)) == []
    if state is PermitState.SUSPENDED:
        with collection.engine.begin() as connection:
            change_permit(connection, PERMIT, PermitState.ACTIVE, "")
        assert len(list(grants_of(collection)(ALICE))) == 1
    collection.close()


@pytest.mark.parametrize(
    "days", [{"not_before": NOW + timedelta(hours=1)}, {"expires": NOW - timedelta(hours=1)}], ids=["early", "late"]
)
def test_a_permit_grants_nothing_before_and_after_its_days(loaded: Path, days: Any) -> None:
    collection = open_node(loaded).collection
    with collection.engine.begin() as connection:
        store_permit(connection, granted(**days))
    assert list(grants_of(collection)(ALICE)) == []
    collection.close()
