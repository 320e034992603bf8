# SPDX-License-Identifier: Apache-2.0
"""The one place that reads the wall clock, so that tests can set it, and the clock that nobody sets."""

import time
from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def stamp(time: datetime) -> str:
    """A time as text that sorts as times do, to the microsecond, in UTC."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_awake_or_asleep() -> float:
    """A clock that nobody sets, and that goes on while the machine sleeps. It begins anywhere: only differences within
    one start of the machine mean something."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


_BEGAN, _BEGAN_S = datetime.now(UTC), seconds_awake_or_asleep()


def steady() -> datetime:
    """The wall clock's time when this process began, and what passed since by a clock that nobody sets. For what lasts
    hours and must not end, nor come back to life, because somebody sets the wall clock."""
    return _BEGAN + timedelta(seconds=seconds_awake_or_asleep() - _BEGAN_S)
