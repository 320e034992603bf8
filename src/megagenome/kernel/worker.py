# SPDX-License-Identifier: Apache-2.0
"""A thread that does jobs, one after the other, and keeps their leases meanwhile."""

import logging
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Self

import sqlalchemy as sa

from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Corrupt, Invalid, MegagenomeError, NotEntitled, NotFound, TooLarge
from megagenome.kernel.jobs import Job, backoff_s, claim, extend, fail, finish

LEASE_S = 60.0
_POLL_S = 1.0
_HOPELESS = (Invalid, NotEntitled, NotFound, TooLarge, Corrupt)
_log = logging.getLogger(__name__)


class Lease:
    """A job that is being done, and whether it is still this worker's."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.over = threading.Event()
        """Set when the lease was lost or the worker stops."""

    def require(self) -> None:
        """Raise `Conflict` when nobody needs this attempt any more. Ask it at least once a second of work."""
        if self.over.is_set():
            raise Conflict(f"job {self.job.kind} {self.job.key}: attempt {self.job.attempt} is to end now")


Effects = Callable[[sa.Connection], None]
Perform = Callable[[Lease], Effects | None]
"""What does a job of one kind: the work itself, and then, returned, what is written by the commit that finishes it.

Both may be done again from the beginning after a kill, the effects only when the commit did not come. `Invalid`,
`NotEntitled`, `NotFound`, `TooLarge` and `Corrupt` fail the job for good; whatever else is raised, another attempt is
made, ever more seldom, down to one an hour.
"""


class Worker:
    """Does the jobs of the kinds that it knows, from entering a `with` to leaving it."""

    def __init__(self, engine: sa.Engine, performing: Mapping[str, Perform], *, lease_s: float = LEASE_S) -> None:
        self._engine, self._performing, self._lease_s = engine, performing, lease_s
        self._owner = f"{socket.gethostname()[:60]}/{secrets.token_hex(4)}"
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._lease: Lease | None = None
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._thread.join()

    def wake(self) -> None:
        """There may be a job; without it one is found within a second."""
        self._woken.set()

    def stop(self) -> None:
        """Begin no other job, and tell the running one to end; another worker may begin that at once."""
        self._stopping.set()
        self._woken.set()
        if lease := self._lease:
            lease.over.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                busy = self.do_one()
            except (sa.exc.SQLAlchemyError, MegagenomeError) as error:
                _log.warning("jobs: the database does not answer (%s); asking again", type(error).__name__)
                busy = False
            if not busy and not self._stopping.is_set():
                self._woken.wait(_POLL_S)

    def do_one(self) -> bool:
        """Do the job that is due longest, in this thread. False: there was none."""
        job = claim(self._engine, self._performing, self._owner, self._lease_s)
        if job is None:
            return False
        lease = self._lease = Lease(job)
        if self._stopping.is_set():  # it may not have seen this lease
            lease.over.set()
        done = threading.Event()
        beating = threading.Thread(target=self._beat, args=(lease, done), name="lease", daemon=True)
        beating.start()
        try:
            self._attempt(lease)
        finally:
            self._lease = None
            done.set()
            beating.join()
        return True

    def _attempt(self, lease: Lease) -> None:
        job = lease.job
        try:
            effects = self._performing[job.kind](lease)
            with begin_writing(self._engine) as connection:
                finish(connection, job)
                if effects is not None:
                    effects(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job is tried again
            self._give_back(job, error)

    def _give_back(self, job: Job, error: Exception) -> None:
        reason = str(error) if isinstance(error, MegagenomeError) else type(error).__name__
        wait_s = 0.0 if self._stopping.is_set() else backoff_s(job.attempt)
        retry_in_s = None if isinstance(error, _HOPELESS) else wait_s
        _log.warning("job %s %s, attempt %d: %s", job.kind, job.key, job.attempt, reason)
        try:
            fail(self._engine, job, reason, retry_in_s)
        except (Conflict, sa.exc.SQLAlchemyError):
            return  # it is another's; or its lease ends by itself

    def _beat(self, lease: Lease, done: threading.Event) -> None:
        while not done.wait(self._lease_s / 3):
            try:
                extend(self._engine, lease.job)
            except Conflict:
                lease.over.set()
                return
            except sa.exc.SQLAlchemyError:
                continue  # if this lasts, the lease ends, and the commit that would finish the job fails
