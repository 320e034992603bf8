# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.portal.moments import moment, month_name


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


def test_a_month_has_its_name() -> None:
    assert [month_name(month) for month in ("2026-01", "2026-12")] == ["January 2026", "December 2026"]
