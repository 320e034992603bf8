# SPDX-License-Identifier: Apache-2.0
"""The migrations make exactly the tables that the code names."""

import sqlalchemy as sa

from megagenome.identity.tables import METADATA
from megagenome.kernel.database import open_database
from tests.collection.test_tables import described


def test_migrations_equal_the_tables_of_the_code(engine: sa.Engine) -> None:
    declared = open_database("sqlite://")
    METADATA.create_all(declared)
    found, named = described(engine), described(declared)
    assert {table: found[table] for table in named} == named
    assert set(named) == set(METADATA.tables)
    declared.dispose()
