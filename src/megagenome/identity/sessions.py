# SPDX-License-Identifier: Apache-2.0
"""Sessions: who is signed in, in which browser, until when. The server keeps them; a browser holds a random id.

Only the id's digest is stored, so that nobody who reads the database is signed in. A session begins with a new id, so
that none can be planted; it ends by signing out (here, or everywhere), when it is not used, and after its longest time.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.identity.begun import digest
from megagenome.identity.people import Person, accept_terms, find_person, remember
from megagenome.identity.roles import grants_of
from megagenome.identity.settings import SignInSettings
from megagenome.identity.subjects import Profile, readable
from megagenome.identity.tables import session
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role

TOUCH_S = 60
"""The use of a session is noted at most this often, so that reading seldom writes."""


class Session(msgspec.Struct, frozen=True):
    """A session that is open. `id_sha256` names it to its owner and opens nothing."""

    id_sha256: str
    subject: str
    browser: str
    started: str
    used: str
    expires: str


class Visit(NamedTuple):
    """Whose a request is.

    session  None for the public, and for those who present a token of their own
    csrf     what forms of this session carry
    offered  whether one can sign in here
    """

    caller: Caller
    session: Session | None = None
    csrf: str = ""
    offered: bool = False


class Sessions:
    """The sessions of one server, in its database. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, settings: SignInSettings) -> None:
        self.engine = engine
        self._settings = settings

    def open(self, profile: Profile, browser: str, *, instead_of: str = "") -> str:
        """Sign `profile` in: remember who it is, and return the id of a new session for the cookie.

        `browser` is how the browser calls itself; the session whose id is `instead_of`, that the browser may have held,
        ends. Durable on return.
        """
        token = secrets.token_urlsafe(32)
        now = clock.now()
        row = {
            "id_sha256": digest(token),
            "subject": profile.subject,
            "browser": readable(browser),
            "started": _text(now),
            "used": _text(now),
            "expires": _text(now + timedelta(seconds=self._settings.longest_s)),
        }
        with self.engine.begin() as connection:
            remember(connection, profile)
            connection.execute(
                sa.delete(session).where(self._is_over(now) | (session.c.id_sha256 == digest(instead_of)))
            )
            connection.execute(sa.insert(session).values(row))
        return token

    def visit(self, token: str) -> Visit | None:
        """Whose the session with this id is, with today's roles; None when there is none, or it is over.

        Cost: three small queries, and a write once a minute.
        """
        now = clock.now()
        with self.engine.connect() as connection:
            row = (
                connection.execute(sa.select(session).where(session.c.id_sha256 == digest(token), ~self._is_over(now)))
                .mappings()
                .one_or_none()
            )
            if row is None:
                return None
            found = _session(row)
            who = find_person(connection, found.subject)
            roles = frozenset(grant.role for grant in grants_of(connection, found.subject))
        if found.used < _text(now - timedelta(seconds=TOUCH_S)):
            with self.engine.begin() as connection:
                mine = sa.update(session).where(session.c.id_sha256 == found.id_sha256)
                connection.execute(mine.values(used=_text(now)))
        caller = Caller(found.subject, who.name, roles, self.is_registered(who, roles))
        return Visit(caller, found, csrf_token(token), offered=True)

    def is_registered(self, who: Person, roles: frozenset[Role]) -> bool:
        """Whether they have registered access: accepted the terms of today, and are known as a researcher, by their
        organisation (through the provider) or by the operator of this server."""
        return who.terms == self._settings.terms and (who.is_faculty or Role.RESEARCHER in roles)

    def of(self, subject: str) -> list[Session]:
        """Somebody's open sessions, last used first."""
        mine = sa.select(session).where(session.c.subject == subject, ~self._is_over(clock.now()))
        with self.engine.connect() as connection:
            rows = connection.execute(mine.order_by(session.c.used.desc(), session.c.started)).mappings()
            return [_session(row) for row in rows]

    def end(self, subject: str, id_sha256: str) -> None:
        """End one session of `subject`, at once and durably. Idempotent; nobody's else can be ended."""
        with self.engine.begin() as connection:
            one = (session.c.id_sha256 == id_sha256, session.c.subject == subject)
            connection.execute(sa.delete(session).where(*one))

    def end_all(self, subject: str) -> None:
        """Sign `subject` out everywhere, at once and durably."""
        with self.engine.begin() as connection:
            connection.execute(sa.delete(session).where(session.c.subject == subject))

    def person(self, subject: str) -> Person:
        """What is known of somebody who signed in."""
        with self.engine.connect() as connection:
            return find_person(connection, subject)

    def accept_terms(self, subject: str) -> None:
        """Note that `subject` accepts the terms of the settings, now."""
        with self.engine.begin() as connection:
            accept_terms(connection, subject, self._settings.terms)

    def _is_over(self, now: datetime) -> sa.ColumnElement[bool]:
        idle = _text(now - timedelta(seconds=self._settings.idle_s))
        return (session.c.expires <= _text(now)) | (session.c.used <= idle)


def csrf_token(token: str) -> str:
    """What forms of the session with this id carry. It follows from the id, which no page and no script can read."""
    return hmac.digest(token.encode(), b"csrf", "sha256").hex()


def _session(row: sa.RowMapping) -> Session:
    return Session(**row)


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
