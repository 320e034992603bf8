# SPDX-License-Identifier: Apache-2.0
"""Work that is put down with the records that ask for it, and done at least once, whoever is killed meanwhile.

A job waits, runs under a lease, and is done or has failed. Each beginning is an attempt with a number of its own; what
it does counts only if its number is still the job's when it finishes, by one commit with its effects. So a job may be
begun twice, and must bear it, but it is finished once. Leases are by the wall clock: set forward, it begins a job again
while that runs; set back, it delays a job by `LONGEST_S` at most; neither loses one or finishes it twice.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from megagenome.kernel import clock
from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Conflict, Invalid, NotFound
from megagenome.kernel.job_tables import job as t

LONGEST_S = 3600
"""No lease and no wait is longer; one that seems so was written before the clock was set back."""

_MANY_ATTEMPTS = 10
"""What failed so often has been tried for a quarter of an hour."""

_OVERDUE_MS = 24 * 3600 * 1000
"""What waits so long waits for no other job: nobody works."""


class Job(msgspec.Struct, frozen=True):
    """One attempt at a job.

    id         of the job
    kind       what is to be done
    key        to what; there is one job of a kind and key
    arguments  what else it takes, as JSON has it
    attempt    1, 2, 3 ...
    lease_s    how long nobody else begins it, from each `claim` and `extend` on
    """

    id: int
    kind: str
    key: str
    arguments: dict[str, Any]
    attempt: int
    lease_s: float


class Unfinished(msgspec.Struct, frozen=True):
    """A job that is not done, as whoever runs the server sees it.

    id        by which `retry` knows it
    kind      what is to be done
    key       to what
    state     waiting, running, or failed: for good, nobody begins it by itself
    attempts  how often it was begun
    due       when it may be begun, of a running one when its lease ends (UTC, RFC 3339)
    failure   why the last attempt that ended failed; "" where none did
    stuck     it failed for good or ten times, or nobody began it for a day after it was due
    """

    id: int
    kind: str
    key: str
    state: str
    attempts: int
    due: str
    failure: str
    stuck: bool


def enqueue(connection: sa.Connection, kind: str, key: str, arguments: Mapping[str, Any] | None = None) -> bool:
    """Put down a job with the caller's own transaction: it is there when that commits. False, and nothing is done,
    where one of this kind and key was put down before, whatever became of it, and is not forgotten (`done_jobs`)."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    text, now = msgspec.json.encode(arguments or {}).decode(), _now_ms()
    row = {"kind": kind, "key": key, "arguments": text, "state": "waiting", "attempt": 0, "created_ms": now}
    values = {**row, "not_before_ms": now, "lease_until_ms": 0, "lease_owner": "", "failure": ""}
    put_down = insert(t).values(values).on_conflict_do_nothing().returning(t.c.id)
    return connection.scalar(put_down) is not None


def claim(engine: sa.Engine, kinds: Collection[str], owner: str, lease_s: float) -> Job | None:
    """Begin the job of these kinds that is due longest, if there is one; it is `owner`'s for `lease_s`.

    A job whose lease is over waits for another attempt as one that failed does: it may be what kills the process.
    """
    if not 0 < lease_s <= LONGEST_S:
        raise Invalid(f"a lease of {lease_s:,} s: it is more than none and at most {LONGEST_S:,}")
    with engine.connect() as connection:  # most often there is none, and nobody must wait to learn that
        if connection.execute(_due(kinds, _now_ms())).first() is None:
            return None
    with begin_writing(engine, alone=False) as connection:
        now = _now_ms()
        while row := connection.execute(_due(kinds, now).with_for_update(skip_locked=True)).first():
            if row.state == "waiting":
                lease = {"lease_owner": owner, "lease_until_ms": now + _ms(lease_s)}
                _change(connection, row.id, state="running", attempt=row.attempt + 1, **lease)
                arguments = msgspec.json.decode(row.arguments)
                return Job(row.id, row.kind, row.key, arguments, row.attempt + 1, lease_s)
            wait = {
                "not_before_ms": now + _ms(backoff_s(row.attempt)),
                "failure": f"{row.lease_owner} did not come back",
            }
            _change(connection, row.id, state="waiting", **wait)
    return None


def extend(engine: sa.Engine, job: Job) -> None:
    """Let the lease last `lease_s` from now on. Raises `Conflict` where the job is another's, or over."""
    with begin_writing(engine, alone=False) as connection:
        _change_mine(connection, job, lease_until_ms=_now_ms() + _ms(job.lease_s))


def finish(connection: sa.Connection, job: Job) -> None:
    """It is done, by the caller's commit, which is that of its effects (`kernel.database.begin_writing`).

    Raises `Conflict` where the job is another's by now, or over: let the transaction end without effects.
    """
    _change_mine(connection, job, state="done", failure="")


def fail(engine: sa.Engine, job: Job, reason: str, retry_in_s: float | None) -> None:
    """This attempt failed: another one may begin after so long (at most `LONGEST_S`), or with None none ever.

    `reason` is what an operator reads: no person, no genotype. Raises `Conflict` as `finish` does.
    """
    if retry_in_s is None:
        change: dict[str, Any] = {"state": "failed"}
    else:
        change = {"state": "waiting", "not_before_ms": _now_ms() + _ms(min(retry_in_s, LONGEST_S))}
    with begin_writing(engine, alone=False) as connection:
        _change_mine(connection, job, failure=reason, **change)


def unfinished(engine: sa.Engine) -> list[Unfinished]:
    """All jobs that are not done, by when they were put down."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(t).where(t.c.state != "done").order_by(t.c.id)).all()
    return [_unfinished(row, _now_ms()) for row in rows]


def _unfinished(row: sa.Row[Any], now: int) -> Unfinished:
    due = row.lease_until_ms if row.state == "running" else row.not_before_ms
    often = row.attempt >= _MANY_ATTEMPTS and row.failure != ""
    stuck = row.state == "failed" or often or due < now - _OVERDUE_MS
    at = datetime.fromtimestamp(due // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Unfinished(row.id, row.kind, row.key, row.state, row.attempt, at, row.failure, stuck)


def retry(engine: sa.Engine, number: int) -> None:
    """Let a job that failed, or that waits for another attempt, be begun now; durable, and idempotent until it is.

    Raises `NotFound` where there is none of this id, `Conflict` where it runs or is done.
    """
    with begin_writing(engine, alone=False) as connection:
        mine = sa.and_(t.c.id == number, t.c.state.in_(["failed", "waiting"]))
        again = sa.update(t).where(mine).values(state="waiting", not_before_ms=_now_ms())
        if connection.execute(again).rowcount:
            return
        state = connection.scalar(sa.select(t.c.state).where(t.c.id == number))
    if state is None:
        raise NotFound(f"there is no job {number}; `megagenome node jobs list` shows those that are not done")
    raise Conflict(f"job {number} is {state}: only one that failed or waits is begun again")


def backoff_s(attempt: int) -> float:
    """How long to wait after this attempt: 1, 2, 4 ... seconds, at most `LONGEST_S`."""
    return float(min(2 ** min(attempt - 1, 20), LONGEST_S))


def _due(kinds: Collection[str], now: int) -> sa.Select[Any]:
    longest = now + _ms(LONGEST_S)
    waited = sa.or_(t.c.not_before_ms <= now, t.c.not_before_ms > longest)
    ended = sa.or_(t.c.lease_until_ms <= now, t.c.lease_until_ms > longest)
    due = sa.or_(sa.and_(t.c.state == "waiting", waited), sa.and_(t.c.state == "running", ended))
    return sa.select(t).where(t.c.kind.in_(list(kinds)), due).order_by(t.c.not_before_ms, t.c.id).limit(1)


def _change(connection: sa.Connection, number: int, **values: Any) -> None:
    connection.execute(sa.update(t).where(t.c.id == number).values(values))


def _change_mine(connection: sa.Connection, job: Job, **values: Any) -> None:
    mine = (t.c.id == job.id, t.c.attempt == job.attempt, t.c.state == "running")
    if connection.execute(sa.update(t).where(*mine).values(values)).rowcount != 1:
        raise Conflict(f"job {job.kind} {job.key}: attempt {job.attempt} is over, its lease went to another")


def _now_ms() -> int:
    return _ms(clock.now().timestamp())


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
