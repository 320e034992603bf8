# SPDX-License-Identifier: Apache-2.0
"""Somebody withdraws while a study runs over real processes: it goes on without them, within the promised time."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.studying import COUNTRIES, Network, asleep, pooled, studying, table, until_answered

PROMISE_S = 5.0
HELD_BACK = 10
"""Others who are held back with whoever withdrew, where the node had recorded the study's people already."""


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A hub and three nodes of this story alone, for who withdrew stays so."""
    with studying(tmp_path / "studies") as network:
        network.get_permit()
        yield network


@pytest.mark.promise
def test_somebody_who_withdraws_on_the_way_is_not_counted(network: Network) -> None:
    women = [row for country in COUNTRIES for row in table(country) if row["sex"] == "female"]
    gone = next(row["individual_id"] for row in women if row["country"] == "FI")
    with asleep(network, "SE"):
        study = network.begin()
        until_answered(network, study, "FI")
        network.withdraw(gone)
        began, version = time.monotonic(), ""
        while (shown := network.ada.get(f"/studies/{study}?after={version}"))["epoch"] == 0:
            version = shown["version"]
        assert time.monotonic() - began < PROMISE_S
    shown = network.until(study, "finished", "stopped")
    assert (shown["state"], shown["reason"]) == ("finished", "")
    without = len(women) - 1 - shown["people"]
    assert without in (0, HELD_BACK)
    expected, found = pooled((gone,)), network.counts(study)
    assert found.keys() == expected.keys()
    if not without:
        assert found == expected
    for allele, counts in found.items():
        for theirs, all_of_them in zip(counts, expected[allele], strict=True):
            # of few who have no call it is withheld how many were called
            assert theirs is None or 0 <= all_of_them - theirs <= 2 * without
