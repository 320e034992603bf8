# SPDX-License-Identifier: Apache-2.0
"""What people have access to at a node, as visas say it: the datasets of their permits that hold."""

from collections.abc import Iterable

from megagenome.collection import Collection
from megagenome.collection.permit_reading import READABLE
from megagenome.collection.permits import read_permits_of
from megagenome.identity.needs import Granted, GrantsOf
from megagenome.kernel import clock


def grants_of(collection: Collection) -> GrantsOf:
    """Asks a collection."""

    def grants(subject: str) -> Iterable[Granted]:
        with collection.engine.connect() as connection:
            permits = read_permits_of(connection, subject)
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
