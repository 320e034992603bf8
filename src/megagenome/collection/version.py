# SPDX-License-Identifier: Apache-2.0
"""The collection's version: one number that grows with each change of what readings are made from."""

import sqlalchemy as sa

from megagenome.collection.tables import collection_version

_VERSION = sa.select(collection_version.c.version)


def current_version(connection: sa.Connection) -> int:
    """The collection's version now."""
    return int(connection.execute(_VERSION).scalar_one())


def raise_version(connection: sa.Connection) -> None:
    """Say, in the same transaction, that the collection changed."""
    connection.execute(sa.update(collection_version).values(version=collection_version.c.version + 1))
