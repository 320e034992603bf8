# SPDX-License-Identifier: Apache-2.0
"""Days that count, by country: public holidays (package `holidays`), weekends, and where a day ends.

Terms run as in Regulation (EEC, Euratom) No 1182/71, Articles 2 and 3: the day of the event does not count, working
days are all but public holidays, Saturdays and Sundays, and a term ends with the last hour of its last day, in the time
zone of the country's capital. Where a country declares a Saturday a working day, it is one.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import holidays

_ONE_DAY = timedelta(days=1)

ZONES = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BG": "Europe/Sofia",
    "CH": "Europe/Zurich",
    "CY": "Asia/Nicosia",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "EE": "Europe/Tallinn",
    "ES": "Europe/Madrid",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "HR": "Europe/Zagreb",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IS": "Atlantic/Reykjavik",
    "IT": "Europe/Rome",
    "LI": "Europe/Vaduz",
    "LT": "Europe/Vilnius",
    "LU": "Europe/Luxembourg",
    "LV": "Europe/Riga",
    "MT": "Europe/Malta",
    "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo",
    "PL": "Europe/Warsaw",
    "PT": "Europe/Lisbon",
    "RO": "Europe/Bucharest",
    "SE": "Europe/Stockholm",
    "SI": "Europe/Ljubljana",
    "SK": "Europe/Bratislava",
}
"""The capitals' time zones (IANA). Elsewhere days are those of UTC."""


def is_working_day(country: str, day: date) -> bool:
    """Whether people of `country` (ISO 3166) work on `day`. Of a country without a calendar only weekends are known."""
    calendar = _calendar(country, day.year)
    return day.weekday() < 5 if calendar is None else bool(calendar.is_working_day(day))


def local_day(country: str, moment: datetime) -> date:
    """The day that it is in the country's capital."""
    return moment.astimezone(_zone(country)).date()


def working_deadline(country: str, start: datetime, days: int) -> datetime:
    """When a term of `days` (at least 1) working days ends that an event at `start` began: UTC, exclusive."""
    day = local_day(country, start)
    while days:
        day += _ONE_DAY
        days -= is_working_day(country, day)
    return end_of_day(country, day)


def calendar_deadline(country: str, start: datetime, days: int) -> datetime:
    """The same for calendar days."""
    return end_of_day(country, local_day(country, start) + timedelta(days=days))


def working_days_between(country: str, start: datetime, end: datetime) -> int:
    """Whole working days after the day of `start` and before the day of `end`; 0 when the clock went back."""
    day, last = local_day(country, start) + _ONE_DAY, local_day(country, end)
    count = 0
    while day < last:
        count += is_working_day(country, day)
        day += _ONE_DAY
    return count


def end_of_day(country: str, day: date) -> datetime:
    """The moment, in UTC, at which `day` is over there."""
    return datetime.combine(day + _ONE_DAY, time(), _zone(country)).astimezone(UTC)


def _zone(country: str) -> ZoneInfo:
    return ZoneInfo(ZONES.get(country, "UTC"))


@lru_cache(maxsize=512)
def _calendar(country: str, year: int) -> "holidays.HolidayBase | None":
    import holidays  # takes 0.05 s of processor, which no start should wait for

    # one finished calendar per year: those that grow when asked are not for several threads
    try:
        return holidays.country_holidays(country, years=year, expand=False)
    except NotImplementedError:
        return None
