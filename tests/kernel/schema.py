# SPDX-License-Identifier: Apache-2.0
"""What a database tells of its tables, to compare migrations with the tables that the code names."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from megagenome.kernel.database import open_database, upgrade


def described(engine: sa.Engine, tables: Iterable[str]) -> dict[str, Any]:
    """Everything that the database itself tells of these tables."""
    found = sa.inspect(engine)
    return {
        table: {
            "columns": [{**column, "type": repr(column["type"])} for column in found.get_columns(table)],
            "primary key": found.get_pk_constraint(table),
            "foreign keys": sorted(map(str, found.get_foreign_keys(table))),
            "unique": sorted(map(str, found.get_unique_constraints(table))),
            "indexes": sorted(str(_index(index)) for index in found.get_indexes(table)),
        }
        for table in tables
    }


def _index(index: Any) -> dict[str, Any]:
    """An index with the condition of a partial one as text."""
    return {**index, "dialect_options": {name: str(value) for name, value in index["dialect_options"].items()}}


def assert_migrated(metadata: sa.MetaData) -> None:
    """The migrations make exactly these tables."""
    migrated, declared = open_database("sqlite://"), open_database("sqlite://")
    upgrade(migrated)
    metadata.create_all(declared)
    assert described(migrated, metadata.tables) == described(declared, metadata.tables)
    migrated.dispose()
    declared.dispose()
