# SPDX-License-Identifier: Apache-2.0
"""How the demo tells its progress: a line for each stage, with the time that it took."""

import contextlib
import time
from collections.abc import Callable, Iterator

Say = Callable[[str], None]
"""Told one line for people."""


@contextlib.contextmanager
def stage(say: Say, done: str) -> Iterator[None]:
    """Say what was done, once it is, and how long it took."""
    began = time.monotonic()
    yield
    say(f"{done} ({time.monotonic() - began:.1f} s)")
