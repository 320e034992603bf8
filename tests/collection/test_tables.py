# SPDX-License-Identifier: Apache-2.0
"""The migrations make exactly the tables that the code names."""

from typing import Any

import sqlalchemy as sa

from megagenome.collection.tables import METADATA
from megagenome.kernel.database import open_database, upgrade


def described(engine: sa.Engine) -> dict[str, Any]:
    """Everything that the database itself tells of its tables."""
    found = sa.inspect(engine)
    return {
        table: {
            "columns": [{**column, "type": repr(column["type"])} for column in found.get_columns(table)],
            "primary key": found.get_pk_constraint(table),
            "foreign keys": sorted(map(str, found.get_foreign_keys(table))),
            "unique": sorted(map(str, found.get_unique_constraints(table))),
            "indexes": sorted(str(index_of(index)) for index in found.get_indexes(table)),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def index_of(index: Any) -> dict[str, Any]:
    """An index with the condition of a partial one as text."""
    return {**index, "dialect_options": {name: str(value) for name, value in index["dialect_options"].items()}}


def test_migrations_equal_the_tables_of_the_code() -> None:
    migrated, declared = open_database("sqlite://"), open_database("sqlite://")
    upgrade(migrated)
    METADATA.create_all(declared)
    found, named = described(migrated), described(declared)
    assert {table: found[table] for table in named} == named
    assert set(named) == set(METADATA.tables)
    migrated.dispose()
    declared.dispose()


def test_upgrade_is_idempotent_and_begins_at_version_0() -> None:
    engine = open_database("sqlite://")
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.scalars(sa.text("SELECT version FROM collection_version")).all() == [0]
    engine.dispose()
