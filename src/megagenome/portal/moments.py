# SPDX-License-Identifier: Apache-2.0
"""Moments as people read them."""

from datetime import UTC, date, datetime

from megagenome.kernel import clock
from megagenome.portal.numbers import plural

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

_LENGTH_S = {"year": 365 * 86400, "month": 30 * 86400, "day": 86400, "hour": 3600}


def moment(text: str | datetime | None) -> str:
    """An ISO 8601 time as `4 Mar 2026, 09:05 UTC`, whatever the language of the machine; "–" where there is none."""
    if not text:
        return "–"
    time = (datetime.fromisoformat(text) if isinstance(text, str) else text).astimezone(UTC)
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}, {time:%H:%M} UTC"


def ago(when: datetime) -> str:
    """How long ago it was: `just now`, `5 hours ago`, `3 days ago`, `14 months ago`."""
    seconds = (clock.now() - when).total_seconds()
    for unit, length_s in (("year", 2 * 365 * 86400), ("month", 2 * 30 * 86400), ("day", 86400), ("hour", 3600)):
        if seconds >= length_s:
            return f"{plural(int(seconds // _LENGTH_S[unit]), unit)} ago"
    return f"{plural(int(seconds // 60), 'minute')} ago" if seconds >= 60 else "just now"


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
