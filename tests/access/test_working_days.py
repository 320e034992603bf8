# SPDX-License-Identifier: Apache-2.0
"""Golden terms, counted by hand on the countries' calendars."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.access.working_days import (
    ZONES,
    calendar_deadline,
    is_working_day,
    working_days_between,
    working_deadline,
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


GOLDEN = [
    # 11 working days of SOP0003, nothing between: Tuesday the 3rd is the first, Tuesday the 17th the last
    ("EE", utc(2026, 11, 2, 9), 11, utc(2026, 11, 17, 22)),
    # 10 of SOP0002
    ("FI", utc(2026, 11, 2, 9), 10, utc(2026, 11, 16, 22)),
    # Christmas Eve and Christmas are off, the 26th is a Saturday, New Year is a Friday: 28 29 30 31 | 4
    ("FI", utc(2026, 12, 23, 9), 5, utc(2027, 1, 4, 22)),
    # Estonia's Independence Day is Tuesday 24 February: 23 | 25 26 27 | 2
    ("EE", utc(2026, 2, 20, 9), 5, utc(2026, 3, 2, 22)),
    # a leap day counts as any other: Monday 28, Tuesday 29 February, Wednesday 1 March
    ("DE", utc(2028, 2, 25, 9), 3, utc(2028, 3, 1, 23)),
    # summer time began on Sunday, so Monday ends at 22:00 UTC
    ("FR", utc(2026, 3, 27, 9), 1, utc(2026, 3, 30, 22)),
    # ... and in the week before at 23:00 UTC
    ("FR", utc(2026, 3, 26, 9), 1, utc(2026, 3, 27, 23)),
    # Hungary works on Saturday 10 January 2026, for the 2nd
    ("HU", utc(2026, 1, 8, 9), 2, utc(2026, 1, 10, 23)),
    # Portugal Day is Wednesday 10 June; Lisbon is on UTC+1 in summer
    ("PT", utc(2026, 6, 9, 9), 1, utc(2026, 6, 11, 23)),
    # at 22:30 UTC it is Tuesday already in Helsinki, so Wednesday is the first day
    ("FI", utc(2026, 11, 2, 22, 30), 1, utc(2026, 11, 4, 22)),
    # Greek Easter is a week after the Western one in 2026: Friday 10 and Monday 13 April are off
    ("GR", utc(2026, 4, 9, 9), 1, utc(2026, 4, 14, 21)),
    # a country without a calendar: only weekends, days of UTC
    ("ZZ", utc(2026, 12, 24, 9), 2, utc(2026, 12, 29)),
]


@pytest.mark.parametrize(("country", "start", "days", "end"), GOLDEN)
def test_golden_terms(country: str, start: datetime, days: int, end: datetime) -> None:
    assert working_deadline(country, start, days) == end


def test_six_calendar_days_across_the_end_of_summer_time() -> None:
    assert calendar_deadline("FR", utc(2026, 10, 23, 9), 6) == utc(2026, 10, 29, 23)


def test_days_between_are_whole_and_never_negative() -> None:
    monday, friday = utc(2026, 11, 2, 9), utc(2026, 11, 6, 9)
    assert working_days_between("EE", monday, friday) == 3  # Tuesday, Wednesday, Thursday
    assert working_days_between("EE", monday, monday) == 0
    assert working_days_between("EE", friday, monday) == 0


@given(
    st.sampled_from(sorted(ZONES)),
    st.integers(1_704_000_000, 1_925_000_000).map(lambda second: datetime.fromtimestamp(second, UTC)),
    st.integers(1, 15),
)
def test_a_term_has_exactly_its_working_days(country: str, start: datetime, days: int) -> None:
    end = working_deadline(country, start, days)
    last_moment = end - timedelta(microseconds=1)
    assert working_days_between(country, start, last_moment) == days - 1
    assert working_days_between(country, start, end) == days
    assert end > start


def test_every_capital_has_a_calendar() -> None:
    christmas = date(2026, 12, 25)
    assert [country for country in ZONES if is_working_day(country, christmas)] == []
