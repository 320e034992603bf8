# SPDX-License-Identifier: Apache-2.0
"""Erasing from a node who uses it: the link to their own genome, their place in permits, their name at what they did.

Not genomes: these leave by withdrawal and release (`acts`, `release`).
"""

from typing import NamedTuple

import sqlalchemy as sa

from megagenome.collection import tables
from megagenome.collection.permits import read_permits_of
from megagenome.kernel import clock
from megagenome.kernel.callers import ERASED
from megagenome.kernel.errors import Conflict
from megagenome.standards.permit import PermitState


class ErasedUser(NamedTuple):
    """What was there of somebody: whether a genome was theirs, permits that named them, acts that they did."""

    linked: bool
    permits: int
    acts: int


def erase_user(connection: sa.Connection, subject: str) -> ErasedUser:
    """Erase somebody, by the caller's commit. Idempotent.

    Raises `Conflict` naming a permit of theirs that is not over, by which they could read.
    """
    permits = read_permits_of(connection, subject)
    for permit in permits:
        if permit.state is not PermitState.REVOKED and clock.now() < permit.expires:
            raise Conflict(f"permit {permit.id} names them and is not over: revoke it at the hub first")
    citizen, person = tables.citizen, tables.permit_person
    linked = connection.execute(sa.delete(citizen).where(citizen.c.subject == subject)).rowcount
    connection.execute(sa.delete(person).where(person.c.subject == subject))
    acts = sum(
        connection.execute(sa.update(table).where(table.c.by == subject).values(by=ERASED)).rowcount
        for table in (tables.consent_act, tables.tier_change, tables.dataset_record)
    )
    return ErasedUser(linked > 0, len(permits), acts)
