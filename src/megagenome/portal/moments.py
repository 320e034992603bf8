# SPDX-License-Identifier: Apache-2.0
"""Moments as people read them."""

from datetime import UTC, date, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WHOLE_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def moment(text: str | datetime | None) -> str:
    """An ISO 8601 time as `4 Mar 2026, 09:05 UTC`, whatever the language of the machine; "–" where there is none."""
    if not text:
        return "–"
    time = (datetime.fromisoformat(text) if isinstance(text, str) else text).astimezone(UTC)
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}, {time:%H:%M} UTC"


def day(when: date | str) -> str:
    """A day as `4 Mar 2026`; of a time its day in UTC; "–" where there is none."""
    if not when:
        return "–"
    given = datetime.fromisoformat(when) if isinstance(when, str) else when
    found = given.astimezone(UTC).date() if isinstance(given, datetime) and given.tzinfo else given
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def month_name(month: str) -> str:
    """A month `2026-03` as `March 2026`."""
    year, _, number = month.partition("-")
    return f"{_WHOLE_MONTHS[int(number) - 1]} {year}"
