# SPDX-License-Identifier: Apache-2.0
"""Moments as people read them."""

from datetime import UTC, datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def moment(text: str) -> str:
    """An ISO 8601 time as `4 Mar 2026, 09:05 UTC`, whatever the language of the machine; "–" where there is none."""
    if not text:
        return "–"
    time = datetime.fromisoformat(text).astimezone(UTC)
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year}, {time:%H:%M} UTC"
