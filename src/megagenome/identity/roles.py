# SPDX-License-Identifier: Apache-2.0
"""Roles of people at this server, with scope and history. Its operator grants them, by command, and nobody else."""

import msgspec
import sqlalchemy as sa

from megagenome.identity.people import timestamp
from megagenome.identity.tables import role_grant
from megagenome.kernel.callers import Role
from megagenome.kernel.errors import Conflict, Invalid, NotFound


class Scope(msgspec.Struct, frozen=True):
    """Where a role holds. Nobody acts for an organisation or a country that their grant does not name, or sends for a
    dataset that it does not name."""

    country: str = ""
    organisation: str = ""
    dataset: str = ""


class Grant(msgspec.Struct, frozen=True):
    """A role that somebody was given, and since when it is over."""

    subject: str
    role: Role
    scope: Scope
    granted: str
    granted_by: str
    revoked: str | None = None
    revoked_by: str | None = None


PLACES = {
    Role.SIGNING_OFFICIAL: ("organisation", True),
    Role.COUNTRY_DECIDER: ("country", True),
    Role.RESEARCHER: ("organisation", False),  # without one they have registered access, and cannot apply
    Role.DATA_PROVIDER: ("dataset", True),
    Role.DATA_STEWARD: ("country", False),  # at a node, which is of one country, it need not be said
}
"""By which part of its scope a role is limited, and whether it counts for nothing without. All others hold at the whole
server."""


def grant_role(connection: sa.Connection, subject: str, role: Role, scope: Scope, by: str) -> None:
    """Give a role. Raises `Conflict` when they have it in this very scope, `Invalid` for what can be no subject, and
    for a role without the place that it needs or with one that would not limit it.

    The subject need not have signed in yet: it is as the account page shows it.
    """
    if "@" not in subject or not subject.isprintable() or " " in subject or len(subject) > 800:
        raise Invalid(f"{subject[:100]!r} is no subject: copy it from the person's account page, or from `role people`")
    _check_place(role, scope)
    new = {"subject": subject, "role": role.value, **msgspec.structs.asdict(scope)}
    try:
        connection.execute(sa.insert(role_grant).values(**new, granted=timestamp(), granted_by=by))
    except sa.exc.IntegrityError:
        raise Conflict(f"{subject} is {role} there already") from None


def revoke_role(connection: sa.Connection, subject: str, role: Role, scope: Scope, by: str) -> None:
    """Take a role, from the next request on. Raises `NotFound` when they do not have it in this very scope."""
    held = [role_grant.c.subject == subject, role_grant.c.role == role.value, role_grant.c.revoked.is_(None)]
    held += [role_grant.c[name] == value for name, value in msgspec.structs.asdict(scope).items()]
    taken = connection.execute(sa.update(role_grant).where(*held).values(revoked=timestamp(), revoked_by=by))
    if not taken.rowcount:
        raise NotFound(f"{subject} is not {role} there: `role list` shows who is what")


def grants_of(connection: sa.Connection, subject: str) -> list[Grant]:
    """The roles that somebody has now."""
    return _grants(connection, role_grant.c.subject == subject, role_grant.c.revoked.is_(None))


def has_role(connection: sa.Connection, subject: str, role: Role, **place: str) -> bool:
    """Whether somebody has a role now for exactly this place, such as `dataset="GDI-EE-COHORT-001"`."""
    where = [role_grant.c.subject == subject, role_grant.c.role == role.value, role_grant.c.revoked.is_(None)]
    where += [role_grant.c[name] == value for name, value in place.items()]
    return connection.execute(sa.select(role_grant.c.number).where(*where).limit(1)).first() is not None


def all_grants(connection: sa.Connection, *, history: bool = False) -> list[Grant]:
    """Everybody's roles, in the order in which they were given; with `history` also those that were taken."""
    return _grants(connection) if history else _grants(connection, role_grant.c.revoked.is_(None))


def _grants(connection: sa.Connection, *which: sa.ColumnElement[bool]) -> list[Grant]:
    rows = connection.execute(sa.select(role_grant).where(*which).order_by(role_grant.c.number))
    return [
        Grant(
            row.subject,
            Role(row.role),
            Scope(row.country, row.organisation, row.dataset),
            row.granted,
            row.granted_by,
            row.revoked,
            row.revoked_by,
        )
        for row in rows
    ]


def _check_place(role: Role, scope: Scope) -> None:
    """Refuse a role that would count for nothing without its place, or everywhere in spite of one."""
    name, needed = PLACES.get(role, ("", False))
    if needed and not getattr(scope, name):
        raise Invalid(f"a {role.value} without a place counts for nothing: name it with --{name}")
    for part, value in msgspec.structs.asdict(scope).items():
        if value and part != name:
            raise Invalid(f"no {part} limits what a {role.value} may do: leave --{part} out")
