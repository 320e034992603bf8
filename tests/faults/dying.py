# SPDX-License-Identifier: Apache-2.0
"""A process that kills itself (SIGKILL) before its n-th durable step: n grows until it comes through."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

ROOT = Path(__file__).parents[2]


class Death:
    """Ends this process before its `last` step; at 0 never. Steps of files count from `at_files` on, those of a
    database from `at_commits` or `at_statements` on."""

    def __init__(self, last: int) -> None:
        self._last, self._steps = last, 0
        self.before_dying: Callable[[], object] = lambda: None

    def step(self, *_: object) -> None:
        """One more step is about to be taken."""
        self._steps += 1
        if self._steps == self._last:
            self.before_dying()
            os.kill(os.getpid(), signal.SIGKILL)

    def at_files(self) -> None:
        """Each fsync, link, rename and removal of a file."""
        os.fsync = self._before(os.fsync)
        os.link = self._before(os.link)
        Path.rename = self._before(Path.rename)
        Path.unlink = self._before(Path.unlink)

    def at_commits(self, engine: sa.Engine) -> None:
        """Each commit."""
        sa.event.listen(engine, "commit", self.step)

    def at_statements(self, engine: sa.Engine) -> None:
        """Each statement and each commit."""
        sa.event.listen(engine, "before_cursor_execute", self.step)
        self.at_commits(engine)

    def _before(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **more: Any) -> Any:
            self.step()
            return act(*args, **more)

        return run


def run_child(code: str, *words: object) -> subprocess.CompletedProcess[str]:
    """Run `code`, which can import `tests`, in a process without threads, with these words as its arguments."""
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
