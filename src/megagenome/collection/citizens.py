# SPDX-License-Identifier: Apache-2.0
"""Which individual somebody is who signs in at this node, and what a person's genome is part of.

Only the node's operator ties the two, having seen who they are: nothing that somebody says when signing in does.
"""

from typing import NamedTuple

import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.collection.acts import datasets_of, holding
from megagenome.collection.model import Use
from megagenome.collection.permits import StoredPermit, read_permits
from megagenome.kernel import clock
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.ids import DatasetId, IndividualId


class Part(NamedTuple):
    """What one person's genome is part of: datasets, the uses that they consent to, permits over these datasets."""

    datasets: tuple[DatasetId, ...]
    holds: frozenset[Use]
    permits: tuple[StoredPermit, ...]


def link_citizen(connection: sa.Connection, subject: str, individual: IndividualId, by: str) -> None:
    """Say that who signs in as `subject` is this individual. Idempotent.

    Raises `NotFound` for nobody here, `Conflict` where either belongs to another already: unlink them first.
    """
    number = _number(connection, individual)
    table = tables.citizen
    known = connection.execute(
        sa.select(table).where((table.c.subject == subject) | (table.c.individual == number))
    ).all()
    if any((row.subject, row.individual) != (subject, number) for row in known):
        raise Conflict(f"{subject} or {individual} is linked to somebody else: unlink that first")
    if not known:
        row = {"subject": subject, "individual": number, "linked": clock.now().isoformat(), "linked_by": by}
        connection.execute(sa.insert(table).values(row))


def unlink_citizen(connection: sa.Connection, subject: str) -> None:
    """Take that back. Raises `NotFound` where there was no such link."""
    done = connection.execute(sa.delete(tables.citizen).where(tables.citizen.c.subject == subject))
    if not done.rowcount:
        raise NotFound(f"{subject} is linked to nobody here")


def individual_of(connection: sa.Connection, subject: str) -> IndividualId:
    """Who signs in as `subject`. Raises `NotFound` where the operator has not said so."""
    found = connection.scalar(
        sa.select(tables.individual.c.id)
        .join_from(tables.citizen, tables.individual, tables.citizen.c.individual == tables.individual.c.number)
        .where(tables.citizen.c.subject == subject)
    )
    if found is None:
        raise NotFound("this node does not know which genome is yours: ask its contact point to link you to it")
    return IndividualId(found)


def part_of(connection: sa.Connection, individual: IndividualId) -> Part:
    """What a person's genome is part of now. Raises `NotFound` for nobody here. Cost: one look at each set."""
    number = _number(connection, individual)
    mine = datasets_of(connection, number)
    permits = tuple(each for each in read_permits(connection) if set(each.datasets) & set(mine))
    return Part(mine, holding(connection, number), permits)


def _number(connection: sa.Connection, individual: IndividualId) -> int:
    number = connection.scalar(sa.select(tables.individual.c.number).where(tables.individual.c.id == individual))
    if number is None:
        raise NotFound(f"individual {individual} is not in this node; check the id")
    return int(number)
