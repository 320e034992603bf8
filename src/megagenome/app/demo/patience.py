# SPDX-License-Identifier: Apache-2.0
"""Waiting for what another server does in its own time, and how long that took."""

import time
from collections.abc import Callable

PATIENCE_S = 20.0
_PAUSE_S = 0.02


def until(holds: Callable[[], bool], since: float | None = None) -> float:
    """The seconds after which it held, from now or from `since` on (`time.monotonic`), with the time that a look takes.
    Gives up after `PATIENCE_S`, and returns that or more."""
    began = time.monotonic() if since is None else since
    while not holds():
        if time.monotonic() - began > PATIENCE_S:
            break
        time.sleep(_PAUSE_S)
    return time.monotonic() - began


def within(seconds: float, promised: float) -> str:
    """As a step tells it: the promise where it was kept."""
    return f"within {promised:g} s" if seconds < promised else f"after {seconds:.1f} s"
