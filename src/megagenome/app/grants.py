# SPDX-License-Identifier: Apache-2.0
"""What people have access to at a node, as visas say it: the datasets of their permits that hold."""

import logging
from collections.abc import Iterable

import sqlalchemy as sa

from megagenome.collection import Collection
from megagenome.collection.permit_reading import READABLE
from megagenome.collection.permits import StoredPermit, read_permits_of
from megagenome.identity.needs import Granted, GrantsOf
from megagenome.kernel import clock
from megagenome.kernel.errors import Corrupt

_log = logging.getLogger(__name__)


def grants_of(collection: Collection) -> GrantsOf:
    """Asks a collection."""

    def grants(subject: str) -> Iterable[Granted]:
        with collection.engine.connect() as connection:
            permits = [
                each for each in read_permits_of(connection, subject) if _is_proven(collection, connection, each)
            ]
        readable = {dataset.id for dataset in collection.snapshot().datasets if dataset.state in READABLE}
        now = clock.now()
        return [
            Granted(dataset, permit.stored, permit.expires)
            for permit in permits
            if permit.holds(now)
            for dataset in permit.datasets
            if dataset in readable
        ]

    return grants


def _is_proven(collection: Collection, connection: sa.Connection, permit: StoredPermit) -> bool:
    try:
        collection.prove(connection, permit)
    except Corrupt as error:
        _log.error("no visa: %s", error)
        return False
    return True
