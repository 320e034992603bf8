# SPDX-License-Identifier: Apache-2.0
"""The ledger: what was done with people's genomes, by whom and under which permit, so that nobody can change it unseen.

Append-only and hash-chained, with heads signed by the node's or hub's key (`ledger_chain` states both exactly). One
entry for each permit-bound read, slice, file and egress, for each decision, grant, revocation and withdrawal, and for
each change of a dataset's state, committed before the first byte leaves; and one for each caller, dataset and minute of
public aggregates (`ledger_tally`). What anybody may do without end, which is to fetch data that are declared open, has
two for each caller, object and minute at most (`append_often`), so that nobody fills the disk with entries.

An entry holds no question and no personal data: ids and short words only, which the grammar of its fields enforces. Who
did it is an opaque key. What person a key stands for is in a table of its own, from which a person can be erased; the
chain stays as it is.
"""

import contextlib
import re
import secrets
import threading
from collections.abc import Generator, Iterable, Iterator
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

import msgspec
import sqlalchemy as sa

from megagenome.kernel import clock
from megagenome.kernel.database import begin_snapshot, begin_writing
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger_chain import HEAD_TYPE, NO_HASH, Entry, Head, Verdict, digest, verify_chain
from megagenome.kernel.ledger_tables import ledger_entry, ledger_head, ledger_person

_ID = re.compile(r"[A-Za-z0-9._:/-]{0,200}")
_WORD = re.compile(r"[A-Za-z0-9._:-]{0,40}")
_AT_ONCE = 1_000
_Row = tuple[int, str, str, str, str, str, str, int, str]


class Kind(StrEnum):
    """What an entry is of."""

    READ = "read"  # individual records or exact counts, by permit
    SLICE = "slice"
    FILE = "file"
    EGRESS = "egress"  # what left a closed environment
    DECISION = "decision"  # on an application or a permit, yes or no
    GRANT = "grant"
    REVOCATION = "revocation"  # also suspending and resuming
    WITHDRAWAL = "withdrawal"  # of a consent
    ERASURE = "erasure"  # of whom a key stood for, of what was written in an application, of a file; by the operator
    PUBLICATION = "publication"  # of a dataset, and every other change of its state; `detail` is OLD:NEW
    STUDY = "study"  # a run of a federated study: begun, a vector or a sum of a round, ended
    AGGREGATE = "aggregate"  # answers for the public; `detail` is the minute


class Act(msgspec.Struct, frozen=True):
    """What is to be entered.

    kind          what was done
    subject, name who did it, as the caller is known; None for the public. They are kept apart from the chain
    dataset       id of the dataset that it was done with; "" where there is none. Several datasets are several acts
    permit        id of the permit, or of the application where there is no permit yet; "" where there is none
    detail        a word of the kind's own, such as the use or `approved`
    count         of records or answers
    """

    kind: Kind
    subject: str | None = None
    name: str = ""
    dataset: str = ""
    permit: str = ""
    detail: str = ""
    count: int = 1

    def __post_init__(self) -> None:
        """Let nothing in that could be a question, a name or an address."""
        for value, grammar in ((self.dataset, _ID), (self.permit, _ID), (self.detail, _WORD)):
            if not grammar.fullmatch(value):
                raise Invalid(f"the ledger takes ids and single words only, not a text of {len(value)} characters")
        if self.count < 0:
            raise Invalid("the ledger counts from 0 upward")


class Person(msgspec.Struct, frozen=True):
    """Whom an actor's key stands for."""

    actor: str
    subject: str
    name: str


class Ledger:
    """One node's or hub's ledger. Safe to use from many threads, and from many processes on one database."""

    def __init__(self, engine: sa.Engine, keys: SigningKeys, issuer: str) -> None:
        """`issuer`: the id of the node or hub, which its heads state."""
        self.engine = engine
        self.issuer = issuer
        self._keys = keys
        self._turn = threading.Lock()  # fairer than the database's lock, for which SQLite polls
        self._often_turn = threading.Lock()
        self._minute = ""
        self._repeated: dict[Act, int] = {}  # of that minute: how much more since each was entered

    @property
    def kid(self) -> str:
        """The id of the key that signs its heads."""
        return self._keys.kid

    def append(self, *acts: Act) -> tuple[Entry, ...]:
        """Enter these acts, all or none; durable on return. Let no byte leave before. Cost: one commit, some ms."""
        with self._turn, begin_writing(self.engine) as connection:
            return self.write(connection, *acts)

    def append_often(self, act: Act) -> None:
        """Enter what may happen without end. The first of a minute is entered as `append` does it; what else is the
        same but for its count is added up in memory and entered as one after the minute, by `settle` or the next.

        So it is never missing that it was done, and a crash loses no more than how often in the running minute. Cost:
        a commit for the first, microseconds for others.
        """
        minute, same = _minute(), msgspec.structs.replace(act, count=0)
        with self._often_turn:
            if minute != self._minute:
                self._enter_repeated(minute)
            if same in self._repeated:
                self._repeated[same] += act.count
            else:
                self.append(act)
                self._repeated[same] = 0

    def settle(self, *, everything: bool = False) -> None:
        """Enter what `append_often` counted in a minute that is over, or `everything` at the end; durable on return.
        What cannot be entered is counted still."""
        minute = _minute()
        with self._often_turn:
            if everything or minute != self._minute:
                self._enter_repeated(minute)

    def _enter_repeated(self, minute: str) -> None:
        if owed := [msgspec.structs.replace(act, count=count) for act, count in self._repeated.items() if count]:
            with self._turn, begin_writing(self.engine) as connection:
                self.write(connection, *_without_erased(connection, owed))
        self._repeated.clear()
        self._minute = minute

    def write(self, connection: sa.Connection, *acts: Act) -> tuple[Entry, ...]:
        """Enter these acts with the caller's own transaction (`kernel.database.begin_writing`), by its commit."""
        last = _lock_last(connection)
        now = clock.now()
        if last is not None and last.day != clock.stamp(now)[:10]:
            self._sign_day(connection, last)
        entries = []
        for seq, act in enumerate(acts, last.seq + 1 if last else 1):
            actor = _actor(connection, act.subject, act.name) if act.subject is not None else ""
            fields = (seq, clock.stamp(now), str(act.kind), actor, act.dataset, act.permit, act.detail, act.count)
            last = Entry(*fields, digest(last.hash if last else NO_HASH, *fields))
            entries.append(last)
        if entries:
            connection.execute(sa.insert(ledger_entry), [msgspec.structs.asdict(entry) for entry in entries])
        return tuple(entries)

    def sign(self) -> str:
        """A head of all entries so far, signed now; durable on return."""
        with self._turn, begin_writing(self.engine) as connection:
            return self._sign(connection, _lock_last(connection))

    def close_day(self) -> None:
        """Sign the head of the newest entry's day if that is over; `append` does it too, before a new day's entry."""
        with self._turn, begin_writing(self.engine) as connection:
            last = _lock_last(connection)
            if last is not None and last.day != clock.stamp(clock.now())[:10]:
                self._sign_day(connection, last)

    def verify(self, kept: Iterable[str] = ()) -> Verdict:
        """Whether it is as it was written and signed (`ledger_chain.verify_chain`), by this folder's own keys."""
        return verify_chain(self.items(), self._keys.key_set(), self.issuer, kept)

    def items(self) -> Iterator[Entry | str]:
        """All entries by `seq`, and each head after the entry that it covers, as they were at one moment.

        Raises `Corrupt` where a row is not one of ours."""
        with begin_snapshot(self.engine) as connection:
            heads = connection.execute(sa.select(ledger_head).order_by(ledger_head.c.seq, ledger_head.c.number)).all()
            covering = {seq: [row.token for row in rows] for seq, rows in groupby(heads, attrgetter("seq"))}
            yield from covering.pop(0, [])
            with contextlib.closing(_stream(connection)) as entries:  # also for who reads only some of them
                for entry in entries:
                    yield entry
                    yield from covering.pop(entry.seq, [])
            for beyond in covering.values():
                yield from beyond

    def person(self, actor: str) -> Person | None:
        """Whom a key stands for; None for the public, and for who was erased."""
        with self.engine.begin() as connection:
            return _person(connection, ledger_person.c.actor == actor)

    def forget(self, connection: sa.Connection, subject: str) -> bool:
        """Erase whom a key stands for, by the caller's commit (`kernel.database.begin_erasing`). False: was not there.

        The entries stay, and say no more who. What they do later stands under a new key. Backups that were made before
        still have the row.
        """
        return connection.execute(sa.delete(ledger_person).where(ledger_person.c.subject == subject)).rowcount > 0

    def _sign_day(self, connection: sa.Connection, last: Entry) -> None:
        if connection.scalar(sa.select(sa.func.count()).where(ledger_head.c.seq == last.seq)) == 0:
            self._sign(connection, last)

    def _sign(self, connection: sa.Connection, last: Entry | None) -> str:
        now = clock.now()
        seq, hash_, day = (last.seq, last.hash, last.day) if last else (0, NO_HASH, clock.stamp(now)[:10])
        time = ledger_entry.c.time
        of_day = sa.select(sa.func.count()).where(time >= day, time < day + "U")  # "T" follows the date in a time
        head = Head(self.issuer, seq, hash_, day, connection.scalar(of_day) or 0, int(now.timestamp()))
        token = self._keys.sign(msgspec.structs.asdict(head), HEAD_TYPE)
        connection.execute(sa.insert(ledger_head).values(seq=seq, token=token))
        return token


def _minute() -> str:
    return clock.stamp(clock.now())[:16]


def _lock_last(connection: sa.Connection) -> Entry | None:
    """The newest entry. Nobody else appends until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE ledger_entry IN SHARE ROW EXCLUSIVE MODE")
    row = connection.execute(sa.select(ledger_entry).order_by(ledger_entry.c.seq.desc()).limit(1)).first()
    try:
        return None if row is None else _entry(row)
    except msgspec.ValidationError:
        raise Corrupt("the ledger's newest entry was changed: nothing is entered after it; verify the ledger") from None


def _stream(connection: sa.Connection) -> Generator[Entry, None, None]:
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(
        sa.select(ledger_entry).order_by(ledger_entry.c.seq)
    )
    try:
        for row in rows:
            yield _entry(row)
    except (msgspec.ValidationError, sa.exc.DatabaseError):
        raise Corrupt("a row of another shape is in the ledger's table") from None
    finally:
        rows.close()


def _entry(row: Iterable[object]) -> Entry:
    return Entry(*msgspec.convert(tuple(row), _Row))  # SQLite itself holds no column to its type


def _without_erased(connection: sa.Connection, acts: list[Act]) -> list[Act]:
    """Acts of which the first of each is entered: whose person is not there was erased since, and stays so."""
    named = {act.subject for act in acts if act.subject is not None}
    there = sa.select(ledger_person.c.subject).where(ledger_person.c.subject.in_(named))
    known = {None, *connection.scalars(there)}
    return [act if act.subject in known else msgspec.structs.replace(act, subject=None, name="") for act in acts]


def _actor(connection: sa.Connection, subject: str, name: str) -> str:
    """The key that stands for somebody, made where there is none. It tells nothing: it is drawn at random."""
    found = _person(connection, ledger_person.c.subject == subject)
    if found is None:
        actor = secrets.token_hex(16)
        connection.execute(sa.insert(ledger_person).values(actor=actor, subject=subject, name=name))
        return actor
    if name and name != found.name:
        connection.execute(sa.update(ledger_person).where(ledger_person.c.actor == found.actor).values(name=name))
    return found.actor


def _person(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Person | None:
    row = connection.execute(sa.select(ledger_person).where(where)).first()
    return None if row is None else Person(row.actor, row.subject, row.name)
