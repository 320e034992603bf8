# SPDX-License-Identifier: Apache-2.0
"""Runs of studies in the hub's database: what a run is taken up again from after the hub was killed."""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa

from megagenome.kernel.database import begin_writing
from megagenome.kernel.ledger import Act
from megagenome.network.stamps import is_new, stamp
from megagenome.network.studies import tables as t
from megagenome.network.studies.model import StudyResult
from megagenome.network.studies.needs import Enter
from megagenome.standards.study_arrays import pack, unpack
from megagenome.standards.study_receipt import Release, RoundFacts
from megagenome.standards.study_shown import OVER, ResultShown, RunState, StudyListed


class StoredRun(NamedTuple):
    """A run as it was written down."""

    id: str
    owner: str
    name: str
    permit: str
    digest: str
    document: bytes
    state: RunState
    reason: str
    epoch: int
    restarts: int
    people: int | None
    rounds: int
    created: str
    ended: str


class StoredSite(NamedTuple):
    """One node's part in a run."""

    node: str
    taking_part: bool
    state: str
    reason: str
    terms: str
    up_bytes: int
    down_bytes: int


class StoredSum(NamedTuple):
    """What was opened of one round, and the digest of what was asked."""

    asked: str
    opened: dict[str, Any]


_RUN = [t.study_run.c[name] for name in StoredRun._fields]
_SITE = [t.study_site.c[name] for name in StoredSite._fields]


class StudyStore:
    """Reads and writes runs. Every method is one transaction, durable on return."""

    def __init__(self, engine: sa.Engine, enter: Enter) -> None:
        self.engine, self._enter = engine, enter

    def add(self, run: StoredRun, sites: Sequence[StoredSite], acts: Sequence[Act]) -> None:
        """A new run, and its entry in the ledger."""
        with begin_writing(self.engine) as connection:
            connection.execute(sa.insert(t.study_run).values(**run._asdict()))
            connection.execute(sa.insert(t.study_site), [{"run": run.id, **each._asdict()} for each in sites])
            self._enter(connection, acts)

    def save(
        self,
        run: StoredRun,
        sites: Sequence[StoredSite],
        *,
        result: bytes | None = None,
        release: Release | None = None,
        forget: bool = False,
        acts: Sequence[Act] = (),
    ) -> None:
        """What changed of a run; with `forget`, all that was opened in its epochs so far is deleted, but for what the
        rounds were. `result` is of `encode_result`."""
        with begin_writing(self.engine) as connection:
            if forget:
                connection.execute(sa.delete(t.study_sum).where(t.study_sum.c.run == run.id))
            self._save(connection, run, sites, result)
            if release is not None:
                _put_release(connection, run.id, release)
            if acts:
                self._enter(connection, acts)

    def add_sum(
        self, run: StoredRun, sites: Sequence[StoredSite], facts: RoundFacts, opened: StoredSum, acts: Sequence[Act]
    ) -> None:
        """What was opened of a round, and its entry in the ledger."""
        number = facts.round
        with begin_writing(self.engine) as connection:
            row = {"run": run.id, "round": number, **opened._asdict(), "opened": pack(opened.opened)}
            connection.execute(sa.insert(t.study_sum).values(row))
            stated = {"epoch": facts.epoch, "round": number, "facts": msgspec.json.encode(facts).decode()}
            connection.execute(sa.insert(t.study_round).values(run=run.id, **stated))
            self._save(connection, run, sites, None)
            self._enter(connection, acts)

    def _save(
        self, connection: sa.Connection, run: StoredRun, sites: Sequence[StoredSite], result: bytes | None
    ) -> None:
        row = run._asdict() | ({} if result is None else {"result": result})
        connection.execute(sa.update(t.study_run).where(t.study_run.c.id == run.id).values(row))
        site = t.study_site.c
        for each in sites:
            mine = (site.run == run.id) & (site.node == each.node)
            connection.execute(sa.update(t.study_site).where(mine).values(each._asdict()))

    def find(self, run: str) -> StoredRun | None:
        """A run; None where there is none with this id."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(*_RUN).where(t.study_run.c.id == run)).one_or_none()
        return None if row is None else _stored(row)

    def open_runs(self) -> list[StoredRun]:
        """Those that are not over, oldest first."""
        asked = sa.select(*_RUN).where(t.study_run.c.state.not_in(sorted(OVER))).order_by(t.study_run.c.created)
        with self.engine.connect() as connection:
            return [_stored(row) for row in connection.execute(asked)]

    def sites(self, run: str) -> list[StoredSite]:
        """The nodes of a run, by name."""
        asked = sa.select(*_SITE).where(t.study_site.c.run == run).order_by(t.study_site.c.node)
        with self.engine.connect() as connection:
            return [StoredSite(*row) for row in connection.execute(asked)]

    def sums(self, run: str) -> list[StoredSum]:
        """What was opened of a run, round by round."""
        asked = sa.select(t.study_sum).where(t.study_sum.c.run == run)
        with self.engine.connect() as connection:
            rows = connection.execute(asked.order_by(t.study_sum.c.round)).all()
        return [StoredSum(row.asked, unpack(row.opened)) for row in rows]

    def rounds(self, run: str) -> list[RoundFacts]:
        """What each round was that was opened, in all epochs, in order."""
        column = t.study_round.c
        asked = sa.select(column.facts).where(column.run == run).order_by(column.epoch, column.round)
        with self.engine.connect() as connection:
            return [msgspec.json.decode(row.facts, type=RoundFacts) for row in connection.execute(asked)]

    def has_opened(self, run: str) -> bool:
        """Whether a sum of people's values was opened of a run, in whichever epoch."""
        return any(each.is_of_values for each in self.rounds(run))

    def release(self, run: str) -> Release | None:
        """How a run's result came to be told; None where there is none."""
        asked = sa.select(t.study_release.c.facts).where(t.study_release.c.run == run)
        with self.engine.connect() as connection:
            facts = connection.execute(asked).scalar()
        return None if facts is None else msgspec.json.decode(facts, type=Release)

    def result(self, run: StoredRun) -> ResultShown | None:
        """What a run found; None where it has no result."""
        asked = sa.select(t.study_run.c.result).where(t.study_run.c.id == run.id)
        with self.engine.connect() as connection:
            content = connection.execute(asked).scalar()
        return None if content is None else shown_result(content, run.id, run.digest)

    def waiting(self) -> tuple[StoredRun, ...]:
        """Runs whose result waits for somebody, oldest first."""
        asked = sa.select(*_RUN).where(t.study_run.c.state == RunState.WAITING).order_by(t.study_run.c.ended)
        with self.engine.connect() as connection:
            return tuple(_stored(row) for row in connection.execute(asked.limit(1000)))

    def decide(self, run: str, state: RunState, reason: str, release: Release | None, acts: Sequence[Act]) -> bool:
        """End the waiting of a run, with its entries in the ledger; False where it does not wait (any more). A result
        that is not released is deleted."""
        row: dict[str, Any] = {"state": state, "reason": reason}
        if state is not RunState.FINISHED:
            row["result"] = None
        which = (t.study_run.c.id == run) & (t.study_run.c.state == RunState.WAITING)
        with begin_writing(self.engine) as connection:
            if not connection.execute(sa.update(t.study_run).where(which).values(row)).rowcount:
                return False
            if release is not None:
                _put_release(connection, run, release)
            self._enter(connection, acts)
        return True

    def listed(self, owner: str | None) -> tuple[StudyListed, ...]:
        """Somebody's runs, or everybody's, newest first."""
        asked = sa.select(*_RUN).order_by(t.study_run.c.created.desc(), t.study_run.c.id)
        if owner is not None:
            asked = asked.where(t.study_run.c.owner == owner)
        with self.engine.connect() as connection:
            rows = [_stored(row) for row in connection.execute(asked.limit(1000))]
        return tuple(_listed(row) for row in rows)

    def note_message(self, node: str, sent_at: datetime) -> bool:
        """Note a node's message; False where it is not new (`stamps.is_new`)."""
        column = t.study_node.c
        with begin_writing(self.engine) as connection:
            if connection.execute(sa.select(column.node).where(column.node == node)).scalar() is None:
                connection.execute(sa.insert(t.study_node).values(node=node, sent=stamp(sent_at)))
                return True
            which = (column.node == node) & is_new(column.sent, sent_at)
            return connection.execute(sa.update(t.study_node).where(which).values(sent=stamp(sent_at))).rowcount == 1


def _put_release(connection: sa.Connection, run: str, release: Release) -> None:
    connection.execute(sa.delete(t.study_release).where(t.study_release.c.run == run))
    facts = msgspec.json.encode(release).decode()
    connection.execute(sa.insert(t.study_release).values(run=run, facts=facts))


class _Brief(msgspec.Struct):
    """What lists show of a document."""

    title: str
    method: dict[str, Any]


def _stored(row: Iterable[Any]) -> StoredRun:
    found = StoredRun(*row)
    return found._replace(state=RunState(found.state))


def _listed(run: StoredRun) -> StudyListed:
    brief = msgspec.json.decode(run.document, type=_Brief)
    return StudyListed(run.id, brief.title, brief.method["type"], run.permit, run.state, run.created, run.ended)


def encode_result(result: StudyResult) -> bytes:
    """A result as it is stored: the JSON that is shown."""
    tables = {
        name: {column: _column(values) for column, values in table.columns.items()}
        for name, table in result.tables.items()
    }
    summary = {name: _value(value) for name, value in result.summary.items()}
    return msgspec.json.encode(ResultShown("", "", tables, summary, result.notes))


def shown_result(content: bytes, run: str, document: str) -> ResultShown:
    """A stored result as it is shown of a run."""
    return msgspec.structs.replace(decode_result(content), id=run, document=document)


def decode_result(content: bytes) -> ResultShown:
    """What `encode_result` wrote."""
    return msgspec.json.decode(content, type=ResultShown)


def _column(values: Any) -> list[float | int | str | None]:
    stated = values.tolist() if isinstance(values, np.ndarray) else values
    return [_value(each) for each in stated]


def _value(value: float | int | str) -> float | int | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
