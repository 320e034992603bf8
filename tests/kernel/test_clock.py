# SPDX-License-Identifier: Apache-2.0
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from megagenome.kernel import clock


def test_now_is_aware_in_utc_and_between_two_looks_at_the_system_clock() -> None:
    before = time.time()
    now = clock.now()
    after = time.time()
    assert now.utcoffset() == timedelta(0)
    assert before - 1e-3 <= now.timestamp() <= after + 1e-3


def test_the_steady_clock_is_that_of_the_wall_until_somebody_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = clock.steady()
    assert abs(first - clock.now()) < timedelta(seconds=5)
    assert first.utcoffset() == timedelta(0)
    real_s = clock.seconds_awake_or_asleep()
    monkeypatch.setattr(clock, "now", lambda: first + timedelta(days=3650))
    monkeypatch.setattr(clock, "seconds_awake_or_asleep", lambda: real_s + 100)
    assert timedelta(seconds=99) < clock.steady() - first < timedelta(seconds=105)


def test_stamps_are_of_one_length_in_utc() -> None:
    moment = datetime(2026, 11, 22, 12, 12, 0, 123456, timezone(timedelta(hours=2)))
    assert clock.stamp(moment) == "2026-11-22T10:12:00.123456Z"
    assert clock.stamp(datetime(2026, 11, 22, 12, tzinfo=UTC)) == "2026-11-22T12:00:00.000000Z"
