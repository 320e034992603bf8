# SPDX-License-Identifier: Apache-2.0
"""Erasing whoever signed in here: what their provider said of them, their sessions, roles and tokens."""

from typing import NamedTuple

import sqlalchemy as sa

from megagenome.identity.people import timestamp
from megagenome.identity.tables import access_token, person, role_grant, session
from megagenome.kernel.callers import ERASED


class ErasedAccount(NamedTuple):
    """What was there of somebody: whether they had signed in, sessions, roles that were ever given, and tokens."""

    known: bool
    sessions: int
    roles: int
    tokens: int


def erase_account(connection: sa.Connection, subject: str, by: str) -> ErasedAccount:
    """Erase somebody's account, by the caller's commit: they are signed out everywhere, and whoever signs in as them
    later is a new person without roles. That a role was given and taken, when and by whom, stays. Idempotent.
    """
    sessions = connection.execute(sa.delete(session).where(session.c.subject == subject)).rowcount
    theirs = role_grant.c.subject == subject
    ended = {"revoked": timestamp(), "revoked_by": by}
    connection.execute(sa.update(role_grant).where(theirs, role_grant.c.revoked.is_(None)).values(ended))
    roles = connection.execute(sa.update(role_grant).where(theirs).values(subject=ERASED)).rowcount
    tokens = connection.execute(sa.delete(access_token).where(access_token.c.subject == subject)).rowcount
    known = connection.execute(sa.delete(person).where(person.c.subject == subject)).rowcount > 0
    return ErasedAccount(known, sessions, roles, tokens)
