# SPDX-License-Identifier: Apache-2.0
"""The migrations make exactly the tables that the code names."""

from pathlib import Path

import numpy as np
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from megagenome.collection import bitmap
from megagenome.collection.members import SetKind, read_members
from megagenome.collection.model import Use
from megagenome.collection.tables import METADATA, member_set
from megagenome.kernel import database
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


def test_a_node_of_the_first_version_keeps_what_it_told(tmp_path: Path) -> None:
    """A yes was one to research, by which counts were told: it is one to aggregates, too, and who was told stays so."""
    engine = open_database(f"sqlite:///{tmp_path / 'node.sqlite'}")
    numbers = {"consented": {"ONE": [0, 1, 2], "TWO": range(1, 6000)}, "consent": {"research": range(1, 6000)}}
    members = {"dataset": {"ONE": [0, 1, 2], "TWO": range(1, 7000)}}
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        for number, (name, is_open) in enumerate((("ONE", 1), ("TWO", 0))):
            row = (number, name, name, "", "published", is_open, 10, "2025", "2025")
            connection.exec_driver_sql(
                "INSERT INTO dataset (number, id, title, description, state, open, floor, created, updated) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
        row = (0, "P0", "male", "EE", "", None, True)
        connection.exec_driver_sql("INSERT INTO individual VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        for kind, sets in (numbers | members).items():
            for key, some in sets.items():
                encoded = bitmap.encode(np.array(some, np.uint16))
                connection.execute(member_set.insert().values(kind=kind, key=key, batch=0, members=encoded))
    upgrade(engine)
    with engine.connect() as connection:

        def members_of(kind: SetKind, key: str) -> list[int]:
            return bitmap.to_numbers(read_members(connection, kind, key, 1)).tolist()

        for use in (Use.AGGREGATES, Use.RESEARCH):
            assert members_of(SetKind.CONSENT, use) == list(range(1, 6000))
            assert members_of(SetKind.CONSENTED, f"{use}/ONE") == [0, 1, 2]
        assert members_of(SetKind.CONSENT, Use.POLICY) == []
        assert members_of(SetKind.RELEASED, "ONE") == [1, 2]
        assert members_of(SetKind.RELEASED, "TWO") == list(range(1, 6000))
        tiers = connection.exec_driver_sql("SELECT alleles_tier, people_tier FROM dataset ORDER BY number").all()
        assert list(map(tuple, tiers)) == [("public", "public"), ("public", "registered")]
        assert connection.exec_driver_sql("SELECT id FROM individual").scalar_one() == "P0"
    engine.dispose()
