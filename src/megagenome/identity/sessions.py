# SPDX-License-Identifier: Apache-2.0
"""Sessions: who is signed in, in which browser, until when. The server keeps them; a browser holds a random id.

Only the id's digest is stored, so that nobody who reads the database is signed in. A session begins with a new id, so
that none can be planted; it ends by signing out (here, or everywhere), when it is not used, and after its longest time.
Time is what passes (`clock.steady`): a wall clock that jumps ends no session, and revives none.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from megagenome.identity.begun import digest
from megagenome.identity.people import Person, accept_terms, find_person, is_faculty, remember
from megagenome.identity.settings import SignInSettings
from megagenome.identity.subjects import Profile, readable
from megagenome.identity.tables import person, role_grant, session
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.database import write_if_free

TOUCH_S = 60
"""The use of a session is noted at most this often, so that reading seldom writes."""
_SOON_S = 60
"""By so much the clocks of two processes that serve the same sessions may differ."""


_OPEN = (
    (session.c.expires > sa.bindparam("now"))
    & (session.c.used > sa.bindparam("idle"))
    & (session.c.started < sa.bindparam("soon"))  # a later one began while the clock of an earlier process was ahead
)
_IS_ID = session.c.id_sha256 == sa.bindparam("id")
_ENDED = sa.delete(session).where(sa.not_(_OPEN) | _IS_ID)
_VISITED = (
    sa.select(session, person.c.name, person.c.terms, person.c.affiliations, role_grant.c.role)
    .join(person, person.c.subject == session.c.subject)
    .outerjoin(role_grant, (role_grant.c.subject == session.c.subject) & role_grant.c.revoked.is_(None))
    .where(_IS_ID, _OPEN)
)
"""A session with its person and their roles of today: a row for each role, one row for none. Made once, because to
make a query takes longer than to ask it."""


class Session(msgspec.Struct, frozen=True):
    """A session that is open. `id_sha256` names it to its owner and opens nothing."""

    id_sha256: str
    subject: str
    browser: str
    started: str
    used: str
    expires: str


class Visit(NamedTuple):
    """Whose a request is. Registered access is for who accepted the terms of today and is known as a researcher: by
    their organisation, through the provider, or by the operator of this server.

    session  None for the public, and for those who present a token of their own
    csrf     what forms of this session carry
    offered  whether one can sign in here
    notice   what the operator has to say on every page; empty: nothing
    """

    caller: Caller
    session: Session | None = None
    csrf: str = ""
    offered: bool = False
    notice: str = ""


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
        now = clock.steady()
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
            connection.execute(_ENDED, {"id": digest(instead_of), **self._still_open(now)})
            connection.execute(sa.insert(session).values(row))
        return token

    def visit(self, token: str) -> Visit | None:
        """Whose the session with this id is, with today's roles; None when there is none, or it is over.

        Cost: one query by primary keys, and a write once a minute, which waits for no other.
        """
        now = clock.steady()
        with self.engine.connect() as connection:
            rows = connection.execute(_VISITED, {"id": digest(token), **self._still_open(now)}).all()
        if not rows:
            return None
        first = rows[0]
        if first.used < _text(now - timedelta(seconds=TOUCH_S)):
            touched = sa.update(session).where(session.c.id_sha256 == first.id_sha256)
            write_if_free(self.engine, touched.values(used=_text(now)))
        found = Session(first.id_sha256, first.subject, first.browser, first.started, first.used, first.expires)
        roles = frozenset(Role(row.role) for row in rows if row.role is not None)
        is_researcher = is_faculty(first.affiliations) or Role.RESEARCHER in roles
        registered = first.terms == self._settings.terms and is_researcher
        return Visit(Caller(found.subject, first.name, roles, registered), found, csrf_token(token), offered=True)

    def of(self, subject: str) -> list[Session]:
        """Somebody's open sessions, last used first."""
        mine = sa.select(session).where(session.c.subject == subject, _OPEN)
        with self.engine.connect() as connection:
            ordered = mine.order_by(session.c.used.desc(), session.c.started)
            rows = connection.execute(ordered, self._still_open(clock.steady())).mappings()
            return [Session(**row) for row in rows]

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

    def _still_open(self, now: datetime) -> dict[str, str]:
        """What `_OPEN` compares with."""
        idle, soon = now - timedelta(seconds=self._settings.idle_s), now + timedelta(seconds=_SOON_S)
        return {"now": _text(now), "idle": _text(idle), "soon": _text(soon)}


def csrf_token(token: str) -> str:
    """What forms of the session with this id carry. It follows from the id, which no page and no script can read."""
    return hmac.digest(token.encode(), b"csrf", "sha256").hex()


def _text(time: datetime) -> str:
    return time.isoformat(timespec="seconds")
