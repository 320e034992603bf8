# SPDX-License-Identifier: Apache-2.0
"""Lists of applications: one's own, one's desk ordered by urgency, and all that one may know of. From the rows that
`projection` keeps, so a list of thousands reads no event."""

from typing import Any

import msgspec
import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.model import Reach
from megagenome.access.needs import Directory
from megagenome.access.store import Store
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Invalid
from megagenome.standards.application import ApplicationId, Line, Page, PartState, Scope, State

_DAC_STATES = (State.SCREENING, State.ASSESSING, State.RECOMMENDED)
_DECIDING = (State.NATIONAL_WINDOW, State.ACTIVE, State.SUSPENDED)
_row = t.application.c


def list_applications(
    store: Store,
    directory: Directory,
    caller: Caller,
    scope: Scope,
    states: tuple[State, ...],
    skip: int,
    limit: int,
    cohort: str = "",
) -> Page:
    """A page of a list, of certain states where any are named; of one's own also those of one cohort, by its id.

    Raises `Unauthenticated`; `Invalid` for a cohort in another list than one's own: who may look need not read.
    """
    subject = caller.require_subject()
    if cohort and scope is not Scope.MINE:
        raise Invalid("cohort= is for scope=mine")
    with store.engine.connect() as connection:
        person = connection.execute(sa.select(t.person.c.key).where(t.person.c.subject == subject)).scalar()
        took_part = sa.select(t.participant.c.application).where(t.participant.c.person == (person or ""))
        countries = sorted(_countries_of(directory, caller, Role.COUNTRY_DECIDER))
        reading: sa.ColumnElement[bool] = sa.true()
        if scope is Scope.MINE:
            which: sa.ColumnElement[bool] = _row.id.in_(took_part.where(t.participant.c.is_present))
        else:
            reading = sa.or_(sa.false(), *_desks(directory, caller, scope))
            looking = _onlookers(directory, caller) if scope is Scope.ALL else []
            which = _row.id.not_in(took_part) & sa.or_(reading, *looking)
            reading = reading if looking else sa.true()
        if states:
            which &= _row.state.in_(states)
        if cohort:
            which &= _is_of(cohort)
        return _page(connection, which, reading, scope, countries, skip, limit)


def _is_of(cohort: str) -> sa.ColumnElement[bool]:
    """Whether an application was begun with this cohort, by its first event."""
    # the fields of an event stand in a fixed order, and within a text of JSON no quote stands unescaped
    names = f'"cohort":{{"id":{msgspec.json.encode(cohort).decode()},'
    first = t.event.c
    return sa.exists().where(
        first.application == _row.id, first.sequence == 1, first.body.contains(names, autoescape=True)
    )


def _desks(directory: Directory, caller: Caller, scope: Scope) -> list[sa.ColumnElement[bool]]:
    """What waits at each desk of the caller; for `ALL` what came to it. All of these read what it says."""
    waits = scope is Scope.DESK
    found: list[sa.ColumnElement[bool]] = []
    if Role.SIGNING_OFFICIAL in caller.roles:
        organisations = sorted(directory.organisations(caller.subject or "", Role.SIGNING_OFFICIAL))
        signs = _row.organisation.in_(organisations) & (_row.reached >= Reach.SUBMITTED)
        found.append(signs & (_row.state == State.SUBMITTED) if waits else signs)
    if caller.roles & {Role.DAC_CHAIR, Role.DAC_MEMBER}:
        assesses = _row.reached >= Reach.ENDORSED
        found.append(assesses & _row.state.in_(_DAC_STATES) if waits else assesses)
    if Role.COUNTRY_DECIDER in caller.roles:
        countries = sorted(_countries_of(directory, caller, Role.COUNTRY_DECIDER))
        asked = sa.select(t.part.c.application).where(_is_asked(countries))
        found.append(_row.state.in_(_DECIDING) & _row.id.in_(asked) if waits else _has_come_to(countries))
    return found


def _onlookers(directory: Directory, caller: Caller) -> list[sa.ColumnElement[bool]]:
    """What the caller may look at, and not read what it says."""
    found: list[sa.ColumnElement[bool]] = []
    if Role.DATA_STEWARD in caller.roles:
        found.append(_has_come_to(sorted(_countries_of(directory, caller, Role.DATA_STEWARD))))
    if Role.AUDITOR in caller.roles:
        found.append(_row.reached >= Reach.SUBMITTED)
    return found


def _countries_of(directory: Directory, caller: Caller, role: Role) -> frozenset[str]:
    return directory.countries(caller.subject or "", role) if role in caller.roles else frozenset()


def _is_asked(countries: list[str]) -> sa.ColumnElement[bool]:
    return t.part.c.country.in_(countries) & (t.part.c.state == PartState.REQUESTED)


def _has_come_to(countries: list[str]) -> sa.ColumnElement[bool]:
    theirs = sa.select(t.part.c.application).where(t.part.c.country.in_(countries))
    return (_row.reached >= Reach.REQUESTED) & _row.id.in_(theirs)


def _page(
    connection: sa.Connection,
    which: sa.ColumnElement[bool],
    reading: sa.ColumnElement[bool],
    scope: Scope,
    countries: list[str],
    skip: int,
    limit: int,
) -> Page:
    # joined and not correlated: SQLite would look through a country's parts once for each application
    window = sa.select(t.part.c.application, sa.func.min(t.part.c.due).label("due")).where(_is_asked(countries))
    windows = window.group_by(t.part.c.application).subquery()
    due = (sa.func.coalesce(windows.c.due, _row.due) if scope is Scope.DESK else _row.due).label("urgency")
    source = t.application.outerjoin(windows, windows.c.application == _row.id)
    order = (~_row.overdue, due.is_(None), due, _row.updated) if scope is Scope.DESK else (_row.updated.desc(),)
    total = connection.execute(sa.select(sa.func.count()).select_from(t.application).where(which)).scalar_one()
    is_read = sa.case((reading, True), else_=False).label("is_read")
    asked = sa.select(t.application, due, is_read).select_from(source).where(which).order_by(*order, _row.id)
    rows = connection.execute(asked.offset(skip).limit(limit)).all()
    named = _countries(connection, [row.id for row in rows])
    return Page(total, skip, tuple(_line(row, named.get(row.id, ())) for row in rows))


def _countries(connection: sa.Connection, ids: list[str]) -> dict[str, tuple[str, ...]]:
    part = t.part.c
    asked = sa.select(part.application, part.country).where(part.application.in_(ids)).distinct()
    found: dict[str, tuple[str, ...]] = {}
    for application, country in connection.execute(asked.order_by(part.country)):
        found[application] = (*found.get(application, ()), country)
    return found


def _line(row: Any, countries: tuple[str, ...]) -> Line:
    return Line(
        ApplicationId(row.id),
        row.title if row.is_read else "",
        State(row.state),
        row.version,
        row.organisation,
        countries,
        row.created,
        row.updated,
        row.urgency,
        row.clock,
        row.overdue,
    )
