# SPDX-License-Identifier: Apache-2.0
"""Every file is read again now and then, because a disk says nothing of what it lost before somebody reads it.

Which file was read when is in the database, so whoever is killed goes on with those that were read longest ago. What is
read is bounded: others need the disk, and verifying holds Python's interpreter lock for most of its time.
"""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import sqlalchemy as sa

from megagenome.archive import tables, verify
from megagenome.archive.model import Parts
from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, MegagenomeError, NotFound
from megagenome.kernel.sealed_files import FileId, FileState

MOST_BYTES_PER_S = 32 << 20
"""80 TB in 30 days, for a sixteenth of a processor."""

_READ_AGAIN = (FileState.ARCHIVED, FileState.VERIFIED, FileState.READY, FileState.WITHDRAWN)


class Checked(NamedTuple):
    """A file that was read again, and what is wrong with it; "" for nothing."""

    file: FileId
    wrong: str


class _Stopped(Exception):
    pass


def scrub(parts: Parts, stopping: threading.Event) -> Iterator[Checked]:
    """See `Archive.scrub`."""
    pace = _Pace(stopping)
    for file in overdue(parts, parts.settings.verify_days):
        try:
            verify.verify(parts, file, pace)
        except _Stopped:
            return
        except (NotFound, Conflict):
            continue  # it was shredded meanwhile
        except MegagenomeError as error:
            yield Checked(file, str(error))
        else:
            yield Checked(file, "")


def overdue(parts: Parts, days: int) -> list[FileId]:
    """Files that nobody read through for so many days, those first that were read longest ago. With 0 days none."""
    if days == 0:
        return []
    read = sa.func.coalesce(tables.file.c.verified, tables.file.c.created)
    until = clock.stamp(clock.now() - timedelta(days=days))
    where = (tables.file.c.state.in_([state.value for state in _READ_AGAIN]), read < until)
    asked = sa.select(tables.file.c.id).where(*where).order_by(read, tables.file.c.created)
    with parts.engine.connect() as connection:
        return [FileId(found) for found in connection.scalars(asked)]


class _Pace:
    """Holds whoever reads to `MOST_BYTES_PER_S`, and ends it when the server stops."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping, self._next_at = stopping, time.monotonic()

    def __call__(self, size_bytes: int) -> None:
        """So many bytes were read."""
        self._next_at = max(self._next_at, time.monotonic()) + size_bytes / MOST_BYTES_PER_S
        if self._stopping.wait(self._next_at - time.monotonic()):
            raise _Stopped
