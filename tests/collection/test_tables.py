# SPDX-License-Identifier: Apache-2.0
"""The migrations make exactly the tables that the code names."""

import sqlalchemy as sa

from megagenome.collection.tables import METADATA
from megagenome.kernel.database import open_database, upgrade
from tests.kernel.schema import assert_migrated


def test_migrations_equal_the_tables_of_the_code() -> None:
    assert_migrated(METADATA)


def test_upgrade_is_idempotent_and_begins_at_version_0() -> None:
    engine = open_database("sqlite://")
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT version FROM collection_version")).all() == [0]
    engine.dispose()
