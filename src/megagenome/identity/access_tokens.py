# SPDX-License-Identifier: Apache-2.0
"""Tokens with which a person's own programs ask as that person: made on the account's page, shown once, for a while.

Only a token's digest is stored. A token is good where it is let in (`caller_middleware.bearers_below`) and nowhere
else, and whoever presents it has none of the person's roles.
"""

import secrets
from datetime import timedelta

import msgspec
import sqlalchemy as sa
from anyio import to_thread

from megagenome.identity.begun import digest
from megagenome.identity.people import timestamp
from megagenome.identity.subjects import readable
from megagenome.identity.tables import access_token, person
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.database import write_if_free
from megagenome.kernel.errors import Conflict, Invalid, Unauthenticated

PREFIX = "mgt_"
"""By which a token is known for one, also by programs that look for secrets in texts."""
DAYS = 30
MOST_DAYS = 90
MOST = 20
"""Tokens of one person that are good at once."""
_TOUCH_S = 60


class AccessToken(msgspec.Struct, frozen=True):
    """A token as its owner sees it. `token_sha256` names it and opens nothing; `used` None: never."""

    token_sha256: str
    label: str
    made: str
    used: str | None
    expires: str


class AccessTokens:
    """The tokens of one server, in its database. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def make(self, subject: str, label: str, days: int = DAYS) -> str:
        """A new token of `subject`; nobody can read it again. Durable on return. Raises `Invalid`, `Conflict`."""
        if not 1 <= days <= MOST_DAYS:
            raise Invalid(f"a token is good for 1 to {MOST_DAYS} days")
        token = PREFIX + secrets.token_urlsafe(32)
        now = clock.now()
        row = {
            "token_sha256": digest(token),
            "subject": subject,
            "label": readable(label)[:100] or "without a name",
            "made": now.isoformat(timespec="seconds"),
            "expires": (now + timedelta(days=days)).isoformat(timespec="seconds"),
        }
        with self._engine.begin() as connection:
            connection.execute(sa.delete(access_token).where(access_token.c.expires <= row["made"]))
            mine = sa.select(sa.func.count()).where(access_token.c.subject == subject)
            if connection.execute(mine).scalar_one() >= MOST:
                raise Conflict(f"you have {MOST} tokens: revoke one that you do not use any more")
            connection.execute(sa.insert(access_token).values(row))
        return token

    def of(self, subject: str) -> list[AccessToken]:
        """Somebody's tokens that are good, newest first."""
        columns = [access_token.c[name] for name in AccessToken.__struct_fields__]
        mine = sa.select(*columns).where(access_token.c.subject == subject, access_token.c.expires > timestamp())
        with self._engine.connect() as connection:
            rows = connection.execute(mine.order_by(access_token.c.made.desc(), access_token.c.token_sha256))
            return [AccessToken(*row) for row in rows]

    def revoke(self, subject: str, token_sha256: str) -> None:
        """End one token of `subject`, at once and durably. Idempotent; nobody's else can be ended."""
        one = (access_token.c.token_sha256 == token_sha256, access_token.c.subject == subject)
        with self._engine.begin() as connection:
            connection.execute(sa.delete(access_token).where(*one))

    def caller(self, token: str) -> Caller | None:
        """Who presents a token, without their roles; None for what is no such token. Raises `Unauthenticated` where it
        is not good (any more). Cost: one query by primary key, and a write once a minute, which waits for no other."""
        if not token.startswith(PREFIX):
            return None
        held = digest(token)
        found = (
            sa.select(access_token.c.subject, access_token.c.used, person.c.name)
            .join(person, person.c.subject == access_token.c.subject)
            .where(access_token.c.token_sha256 == held, access_token.c.expires > timestamp())
        )
        with self._engine.connect() as connection:
            row = connection.execute(found).one_or_none()
        if row is None:
            raise Unauthenticated("the token is not good, or not any more: make one on the page of your account")
        before = (clock.now() - timedelta(seconds=_TOUCH_S)).isoformat(timespec="seconds")
        if row.used is None or row.used < before:
            touched = sa.update(access_token).where(access_token.c.token_sha256 == held)
            write_if_free(self._engine, touched.values(used=timestamp()))
        return Caller(row.subject, row.name)

    async def reads(self, token: str) -> Caller | None:
        """The same for `CallerMiddleware`, in a thread."""
        return await to_thread.run_sync(self.caller, token)
