# SPDX-License-Identifier: Apache-2.0
"""The migrations make exactly the tables that the code names."""

from megagenome.access.tables import METADATA
from megagenome.kernel.database import open_database, upgrade
from tests.collection.test_tables import described


def test_migrations_equal_the_tables_of_the_code() -> None:
    migrated, declared = open_database("sqlite://"), open_database("sqlite://")
    upgrade(migrated)
    METADATA.create_all(declared)
    ours = {table: found for table, found in described(migrated).items() if table in METADATA.tables}
    assert ours == described(declared)
    assert set(ours) == set(METADATA.tables)
    migrated.dispose()
    declared.dispose()
