# SPDX-License-Identifier: Apache-2.0
from datetime import UTC, datetime, timedelta

import pytest

from megagenome.kernel import clock
from megagenome.portal.moments import ago, moment, month_name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-03-04T09:05:59+00:00", "4 Mar 2026, 09:05 UTC"),
        ("2026-12-31T23:30:00-02:00", "1 Jan 2027, 01:30 UTC"),
        ("", "–"),
    ],
)
def test_moments_are_read_alike_everywhere(text: str, shown: str) -> None:
    assert moment(text) == shown


@pytest.mark.parametrize(
    ("passed", "shown"),
    [
        (timedelta(hours=-3), "just now"),  # a clock was put back
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=119), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(hours=24), "1 day ago"),
        (timedelta(days=59), "59 days ago"),
        (timedelta(days=60), "2 months ago"),
        (timedelta(days=729), "24 months ago"),
        (timedelta(days=730), "2 years ago"),
    ],
)
def test_how_long_ago(passed: timedelta, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    then = datetime(2026, 3, 4, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: then + passed)
    assert ago(then).replace("\u00a0", " ") == shown


def test_a_month_has_its_name() -> None:
    assert [month_name(month) for month in ("2026-01", "2026-12")] == ["January 2026", "December 2026"]
