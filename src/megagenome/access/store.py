# SPDX-License-Identifier: Apache-2.0
"""Events in the database: one transaction per command, append-only, numbered without gaps within an application.

Every transaction begins with a write to the application's row, and holds all other writers off until it ends, so two
commands on one application come one after the other, and the second sees the first.

What is personal stands apart and can be erased without touching an event: names and subjects in `access_person`, all
that people wrote in `access_text`. An event holds random keys, and digests of texts with a random salt; with key's row,
text and salt gone they say nothing. The view, the numbers and the digests stay as they were.
"""

import contextlib
import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.events import Actor, Body, Event, is_of_clock
from megagenome.access.fold import apply, fold
from megagenome.access.model import ENDED, Application, TextId
from megagenome.access.news import note_news
from megagenome.access.projection import first_row, project, stamp
from megagenome.kernel.database import begin_either, take_turn
from megagenome.kernel.errors import Conflict, Corrupt, NotFound, Unavailable
from megagenome.standards.application import ApplicationId, PersonKey


class Written(NamedTuple):
    """A text on its way into the database."""

    id: TextId
    salt: str
    content: str


class Known(NamedTuple):
    """What the house knows of a person; empty when erased."""

    subject: str
    name: str


class Done(NamedTuple):
    """A command that was carried out before."""

    sha256: str
    application: ApplicationId
    version: int
    told: dict[str, str]


NOBODY = Known("", "")

# Made once, because to make a statement takes longer than to carry it out.
_OF: sa.BindParameter[str] = sa.bindparam("of")
_MINE = t.event.c.application == _OF
_EVENTS = sa.select(t.event.c.body).where(_MINE).order_by(t.event.c.sequence)
_DIGESTS = sa.select(t.event.c.sequence, t.event.c.body, t.event.c.sha256).where(_MINE).order_by(t.event.c.sequence)
_LAST_DIGEST = sa.select(t.event.c.sha256).where(_MINE).order_by(t.event.c.sequence.desc()).limit(1)
_ADDED = sa.insert(t.event)
_LOCKED = sa.update(t.application).where(t.application.c.id == _OF).values(id=_OF)
_DUE = sa.select(t.application.c.id).where(t.application.c.due <= sa.bindparam("now")).order_by(t.application.c.due)
_IS_DUE = sa.select(t.application.c.id).where(t.application.c.id == _OF, t.application.c.due <= sa.bindparam("now"))
_DONE = sa.select(t.command.c.sha256, t.command.c.application, t.command.c.version, t.command.c.told).where(
    t.command.c.person == sa.bindparam("of_person"), t.command.c.id == sa.bindparam("command")
)
_REMEMBERED = sa.insert(t.command)
_PERSON = sa.select(t.person.c.key).where(t.person.c.subject == sa.bindparam("of_subject"))
_NAMED = sa.update(t.person).where(t.person.c.key == sa.bindparam("of_key")).values(name=sa.bindparam("called"))


_EVENT = msgspec.json.Decoder(Event)


class Store:
    """Access's part of the database."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @contextlib.contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """All or nothing. Raises `Conflict` where another was faster, `Unavailable` where there is no way in."""
        try:
            with begin_either(self.engine) as connection:
                yield Transaction(connection)
        except sa.exc.IntegrityError:
            raise Conflict("somebody else wrote at the same moment: read the application again, then repeat") from None
        except sa.exc.OperationalError as error:
            raise Unavailable(f"the database does not answer: {error.orig}; try again") from None

    def applications(self) -> list[ApplicationId]:
        """The ids of all applications."""
        with self.engine.connect() as connection:
            return list(map(ApplicationId, connection.scalars(sa.select(t.application.c.id))))

    def rebuild(self) -> None:
        """Make the rows of lists again from the events, in one transaction. Raises `Corrupt` where one was changed."""
        applications = self.applications()
        with self.transaction() as transaction:
            transaction.begin_write()
            for application in applications:
                transaction.verify(application)
                project(transaction.connection, transaction.view(application))

    def verify(self) -> int:
        """How many applications there are, each with all its events as they were written; raises `Corrupt` otherwise.
        Cost: some 10 ms for a hundred applications."""
        applications = self.applications()
        with self.transaction() as transaction:
            for application in applications:
                transaction.verify(application)
        return len(applications)

    def is_due(self, application: str, now: datetime) -> bool:
        """Whether a clock of the application is due."""
        with self.engine.connect() as connection:
            return connection.execute(_IS_DUE, {"of": application, "now": stamp(now)}).first() is not None

    def due(self, now: datetime) -> list[ApplicationId]:
        """Applications with a clock that is due, the longest first."""
        with self.engine.connect() as connection:
            return list(map(ApplicationId, connection.scalars(_DUE, {"now": stamp(now)})))


class Transaction:
    """One transaction of `Store`."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.concerned: set[str] = set()  # nodes for which there will be news once this commits

    # Applications and events

    def begin_write(self) -> None:
        """Take the one write lock, waiting for it: on SQLite a transaction that read first could take it no more."""
        self._overwrite_what_goes()
        take_turn(self.connection)
        self.connection.execute(sa.update(t.person).where(t.person.c.key == "").values(key=""))

    def create(self, application: ApplicationId) -> None:
        """Make the row that holds others off from now on."""
        self.connection.execute(sa.insert(t.application).values(first_row(application)))

    def count_open(self, applicant: PersonKey) -> int:
        """How many of a person's applications have not ended."""
        row = t.application.c
        asked = sa.select(sa.func.count()).where(row.applicant == applicant, row.state.not_in(ENDED))
        return self.connection.execute(asked).scalar_one()

    def lock(self, application: ApplicationId) -> bool:
        """Hold others off until the transaction ends; whether there is such an application."""
        self._overwrite_what_goes()
        take_turn(self.connection)
        return self.connection.execute(_LOCKED, {"of": application}).rowcount == 1

    def _overwrite_what_goes(self) -> None:
        """Let SQLite overwrite with zeros what is erased or replaced, instead of only forgetting where it was. Its
        write-ahead log loses it when it is next written back."""
        if self.connection.dialect.name == "sqlite":
            self.connection.exec_driver_sql("PRAGMA secure_delete=ON")

    def events(self, application: ApplicationId) -> list[Event]:
        """All events of an application, in order; empty when there is none."""
        return [_EVENT.decode(body) for body in self.connection.scalars(_EVENTS, {"of": application})]

    def view(self, application: ApplicationId) -> Application:
        """The application as its events make it. Raises `NotFound`."""
        events = self.events(application)
        if not events:
            raise not_found(application)
        return fold(application, events)

    def begin(self, application: ApplicationId, actor: Actor, command: str, body: Body, now: datetime) -> Application:
        """Append the first event."""
        first = Event(1, now.astimezone(UTC), actor, command, body)
        self._insert(application, [first])
        view = fold(application, [first])
        project(self.connection, view)
        return view

    def append(
        self, view: Application, actor: Actor | None, command: str, bodies: Sequence[Body], now: datetime
    ) -> Application:
        """Append events to those that made `view`, and bring the lists up to date; the application after them."""
        new = [
            Event(number, now.astimezone(UTC), None if is_of_clock(body) else actor, command, body)
            for number, body in enumerate(bodies, start=view.version + 1)
        ]
        self._insert(view.id, new)
        after = reduce(apply, new, view)
        project(self.connection, after)
        self.concerned |= note_news(self.connection, view, after, bodies, now)
        return after

    def _insert(self, application: ApplicationId, events: Iterable[Event]) -> None:
        before = self._last_digest(application)
        for event in events:
            body = msgspec.json.encode(event).decode()
            before = chained(before, body)
            row = {"application": application, "sequence": event.sequence, "body": body, "sha256": before}
            self.connection.execute(_ADDED, row)

    def _last_digest(self, application: ApplicationId) -> str:
        return self.connection.execute(_LAST_DIGEST, {"of": application}).scalar() or ""

    def verify(self, application: ApplicationId) -> None:
        """Raise `Corrupt` where an event was changed, removed from between or added from outside."""
        before = ""
        for number, row in enumerate(self.connection.execute(_DIGESTS, {"of": application}), start=1):
            before = chained(before, row.body)
            if row.sequence != number or row.sha256 != before:
                raise Corrupt(f"application {application}: event {number} is not as it was written; restore a backup")

    # Commands done

    def done(self, person: PersonKey, command: str) -> Done | None:
        """The command that this person sent under this id before."""
        row = self.connection.execute(_DONE, {"of_person": person, "command": command}).one_or_none()
        if row is None:
            return None
        return Done(row.sha256, ApplicationId(row.application), row.version, msgspec.json.decode(row.told))

    def remember(self, person: PersonKey, command: str, done: Done) -> None:
        """Keep what a command did."""
        told = msgspec.json.encode(done.told).decode()
        row = {"sha256": done.sha256, "application": done.application, "version": done.version, "told": told}
        self.connection.execute(_REMEMBERED, {"person": person, "id": command, **row})

    # People and texts

    def person(self, subject: str, name: str) -> PersonKey:
        """The key of a person, made at their first appearance. A name that is given replaces the one that is known."""
        known = self.find_person(subject)
        if known is None:
            known = PersonKey(secrets.token_hex(12))
            self.connection.execute(sa.insert(t.person).values(key=known, subject=subject, name=name))
        elif name:
            self.connection.execute(_NAMED, {"of_key": known, "called": name})
        return known

    def find_person(self, subject: str) -> PersonKey | None:
        """The key of a person who appeared before."""
        key = self.connection.execute(_PERSON, {"of_subject": subject}).scalar()
        return None if key is None else PersonKey(key)

    def people(self, keys: Iterable[PersonKey]) -> Mapping[PersonKey, Known]:
        """What is known of people; of every key something, `NOBODY` where it was erased."""
        wanted = sorted(set(keys))
        rows = t.person.c
        found = self.connection.execute(sa.select(rows.key, rows.subject, rows.name).where(rows.key.in_(wanted)))
        known = {PersonKey(row.key): Known(row.subject or "", row.name) for row in found}
        return {key: known.get(key, NOBODY) for key in wanted}

    def keep(self, application: ApplicationId, author: PersonKey, texts: Iterable[Written]) -> None:
        """Store texts."""
        for text in texts:
            row = {"id": text.id, "application": application, "author": author, "salt": text.salt}
            self.connection.execute(sa.insert(t.text).values(**row, content=text.content))

    def texts(self, ids: Iterable[TextId | None]) -> Mapping[TextId, str]:
        """The contents of texts, without those that were erased. Raises `Corrupt` for one that is another."""
        rows = t.text.c
        wanted = sorted({text for text in ids if text is not None})
        asked = sa.select(rows.id, rows.salt, rows.content).where(rows.id.in_(wanted), rows.content.is_not(None))
        found = {}
        for row in self.connection.execute(asked):
            if text_id(row.salt, row.content) != row.id:
                raise Corrupt(f"text {row.id} is not as it was written; restore a backup")
            found[TextId(row.id)] = row.content
        return found

    def erase_text(self, text: TextId) -> None:
        """Erase a text; its digest in events stays and says nothing. Idempotent."""
        self.connection.execute(sa.update(t.text).where(t.text.c.id == text).values(salt=None, content=None))


def write(content: str) -> Written:
    """A text with a fresh salt, and so an id that nobody can guess a text by."""
    salt = secrets.token_hex(16)
    return Written(text_id(salt, content), salt, content)


def text_id(salt: str, content: str) -> TextId:
    """`sha256:` and the digest of salt and text."""
    return TextId("sha256:" + hashlib.sha256(f"{salt}\n{content}".encode()).hexdigest())


def chained(before: str, body: str) -> str:
    """The digest of an event after the one before it."""
    return hashlib.sha256(f"{before}\n{body}".encode()).hexdigest()


def not_found(application: str) -> NotFound:
    """The one answer for what is not there and for what the caller may not know of."""
    return NotFound(f"there is no application {application[:40]!r}, or you have no part in it")
