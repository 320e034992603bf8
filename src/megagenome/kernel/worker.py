# SPDX-License-Identifier: Apache-2.0
"""Threads that do jobs, each one after the other, and keep their leases meanwhile."""

import logging
import secrets
import socket
import threading
from collections.abc import Callable, Mapping

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
    """Does the jobs of the kinds that it knows, from `start` to `close`: as many at once as it has `threads`."""

    def __init__(
        self, engine: sa.Engine, performing: Mapping[str, Perform], *, threads: int = 1, lease_s: float = LEASE_S
    ) -> None:
        self._engine, self._performing, self._lease_s = engine, performing, lease_s
        self._owner = f"{socket.gethostname()[:60]}/{secrets.token_hex(4)}"
        self._stopping = threading.Event()
        self._leases: set[Lease] = set()
        self._threads = [threading.Thread(target=self._run, name="jobs", daemon=True) for _ in range(threads)]

    def start(self) -> None:
        """Begin; a job that is put down is found within a second."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Begin no other job, tell the running ones to end, and wait until they did; another worker may begin those at
        once."""
        self._stopping.set()
        for lease in tuple(self._leases):
            lease.over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = self.do_one()
            except (sa.exc.SQLAlchemyError, MegagenomeError) as error:
                _log.warning("jobs: the database does not answer (%s); asking again", type(error).__name__)
                busy = False
            except Exception:  # noqa: BLE001 - without this thread nothing would be done until the next start
                _log.exception("jobs: none was begun; asking again")
                busy = False
            if not busy:
                self._stopping.wait(_POLL_S)

    def do_one(self) -> bool:
        """Do the job that is due longest, in this thread. False: there was none."""
        job = claim(self._engine, self._performing, self._owner, self._lease_s)
        if job is None:
            return False
        lease = Lease(job)
        self._leases.add(lease)
        if self._stopping.is_set():  # it may not have seen this lease
            lease.over.set()
        try:
            self._attempt(lease)
        finally:
            self._leases.discard(lease)
        return True

    def _attempt(self, lease: Lease) -> None:
        job, done = lease.job, threading.Event()
        beating = threading.Thread(target=self._beat, args=(lease, done), name="lease", daemon=True)
        try:
            beating.start()
            effects = self._performing[job.kind](lease)
            with begin_writing(self._engine) as connection:
                finish(connection, job)
                if effects is not None:
                    effects(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, the job is tried again
            self._give_back(job, error)
        finally:
            done.set()
            if beating.ident is not None:  # it began
                beating.join()

    def _give_back(self, job: Job, error: Exception) -> None:
        reason = str(error) if isinstance(error, MegagenomeError) else type(error).__name__
        wait_s = 0.0 if self._stopping.is_set() else backoff_s(job.attempt)
        retry_in_s = None if isinstance(error, _HOPELESS) else wait_s
        _log.warning("job %s %s, attempt %d: %s", job.kind, job.key, job.attempt, reason)
        try:
            fail(self._engine, job, reason, retry_in_s)
        except (sa.exc.SQLAlchemyError, MegagenomeError):
            return  # it is another's; or its lease ends by itself

    def _beat(self, lease: Lease, done: threading.Event) -> None:
        while not done.wait(self._lease_s / 3):
            try:
                extend(self._engine, lease.job)
            except Conflict:
                lease.over.set()
                return
            except (sa.exc.SQLAlchemyError, MegagenomeError):
                continue  # if this lasts, the lease ends, and the commit that would finish the job fails
