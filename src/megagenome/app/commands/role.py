# SPDX-License-Identifier: Apache-2.0
"""`megagenome node role` and `megagenome hub role`: who may do what at one server. Only its operator, here, says so."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import sqlalchemy as sa
from cyclopts import App, Parameter
from rich.console import RenderableType

from megagenome.app.commands.operator import given_by
from megagenome.app.commands.results import Done, show_done
from megagenome.identity.people import Person, list_people
from megagenome.identity.roles import Grant, Scope, all_grants, grant_role, revoke_role
from megagenome.kernel.callers import Role
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import parse_country, parse_dataset_id
from megagenome.kernel.output import Json, show, table

Folder = Annotated[Path, Parameter(help="The folder of the node or hub.")]
Subject = Annotated[str, Parameter(help="The person's identity, as their account's page shows it.")]
Country = Annotated[str, Parameter(help="Only for this country, ISO 3166-1 alpha-2.")]
Organisation = Annotated[str, Parameter(help="Only for this organisation, by its domain such as example.org.")]
Dataset = Annotated[str, Parameter(help="Only for this dataset, by its id, which need not be there yet.")]
History = Annotated[bool, Parameter(negative="", help="Also roles that were taken, and by whom.")]
# as documents and pages have it, dac_chair; dac-chair is understood
RoleName = Annotated[Role, Parameter(name_transform=lambda name: name.lower().replace("-", "_"))]


class Records(NamedTuple):
    """The database of a node or hub, and the country that a node is of; empty at a hub, which is of none."""

    engine: sa.Engine
    country: str = ""


OpenRecords = Callable[[Path], Records]
"""Opens what is in a node's or hub's folder."""


class Granted(msgspec.Struct, frozen=True):
    """Who may do what, as a program reads it."""

    grants: list[Grant]


class SignedIn(msgspec.Struct, frozen=True):
    """Who signed in, as a program reads it."""

    people: list[Person]


def role_commands(server: str, open_records: OpenRecords) -> App:
    """The commands for one kind of server, `node` or `hub`."""
    role = App(name="role", help=f"Say who may do what at this {server}.")

    @role.command(name="grant")
    def grant(
        folder: Folder,
        subject: Subject,
        role: RoleName,
        /,
        *,
        country: Country = "",
        organisation: Organisation = "",
        dataset: Dataset = "",
        json: Json = False,
    ) -> None:
        """Give a person a role, from their next request on. A signing official needs the --organisation and a country's
        decider the --country that they act for; so do who applies for data (--organisation) and a hub's data steward
        (--country). A data provider needs the --dataset that they send for. All other roles hold at the whole
        server."""
        scope = _scope(country, organisation, dataset)
        with _begin(open_records, folder, scope.country) as connection:
            grant_role(connection, subject, role, scope, given_by())
            note = _note_of(connection, subject)
        show_done(Done(str(folder), f"{subject} is {_named(role, scope)}{note}"), json=json)

    @role.command(name="revoke")
    def revoke(
        folder: Folder,
        subject: Subject,
        role: RoleName,
        /,
        *,
        country: Country = "",
        organisation: Organisation = "",
        dataset: Dataset = "",
        json: Json = False,
    ) -> None:
        """Take a role from a person, from their next request on. Give the options with which it was granted."""
        scope = _scope(country, organisation, dataset)
        with _begin(open_records, folder) as connection:
            revoke_role(connection, subject, role, scope, given_by())
        show_done(Done(str(folder), f"{subject} is no longer {_named(role, scope)}"), json=json)

    @role.command(name="list")
    def list_(folder: Folder, /, *, history: History = False, json: Json = False) -> None:
        """Who may do what, since when, and who said so."""
        with _begin(open_records, folder) as connection:
            grants = all_grants(connection, history=history)
        show(Granted(grants), json=json, render=lambda granted: _grants_table(granted, history=history))

    @role.command(name="people")
    def people(folder: Folder, /, *, json: Json = False) -> None:
        """Who signed in here, to find a person's identity; last seen first."""
        with _begin(open_records, folder) as connection:
            found = list_people(connection)
        show(SignedIn(found), json=json, render=_people_table)

    return role


@contextlib.contextmanager
def _begin(open_records: OpenRecords, folder: Path, place: str = "") -> Iterator[sa.Connection]:
    engine, country = open_records(folder)
    try:
        if country and place not in ("", country):
            raise Invalid(f"this is a node of {country}: a role for {place} counts for nothing here")
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _note_of(connection: sa.Connection, subject: str) -> str:
    known = any(person.subject == subject for person in list_people(connection))
    return "" if known else "; nobody has signed in as that yet, so look at it twice"


def _grants_table(granted: Granted, *, history: bool) -> RenderableType:
    if not granted.grants:
        return "nobody has a role here"
    columns = ["identity", "role", "where", "since", "given by", *(["until", "taken by"] if history else [])]
    rows = [
        [g.subject, g.role, _where(g.scope), g.granted, g.granted_by, *([g.revoked, g.revoked_by] if history else [])]
        for g in granted.grants
    ]
    return table(columns, rows)


def _people_table(signed_in: SignedIn) -> RenderableType:
    if not signed_in.people:
        return "nobody has signed in here yet"
    columns = ["identity", "name, as the provider says", "e-mail", "organisation", "last seen"]
    rows = ([each.subject, each.name, each.email, each.organisation, each.last_seen] for each in signed_in.people)
    return table(columns, rows)


def _scope(country: str, organisation: str, dataset: str) -> Scope:
    return Scope(
        parse_country(country) if country else "",
        organisation.lower(),
        parse_dataset_id(dataset) if dataset else "",
    )


def _where(scope: Scope) -> str:
    return ", ".join(part for part in (scope.country, scope.organisation, scope.dataset) if part) or "everywhere here"


def _named(role: Role, scope: Scope) -> str:
    return f"{role.value} ({_where(scope)})"
