# SPDX-License-Identifier: Apache-2.0
"""The one place that reads the wall clock, so that tests can set it."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)
