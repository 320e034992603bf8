# SPDX-License-Identifier: Apache-2.0
"""Rows arrive as given, whichever way the driver takes them."""

import pytest
import sqlalchemy as sa

from megagenome.collection.rows import insert_rows
from megagenome.collection.tables import METADATA, individual

ROWS = [(0, "P0", "male", "EE", "", None), (1, "P'1;--", "female", "FI", "north", 1950)]


@pytest.mark.parametrize("paramstyle", ["qmark", "named"])
def test_rows_arrive_as_given(paramstyle: str) -> None:
    engine = sa.create_engine("sqlite://", paramstyle=paramstyle)
    METADATA.create_all(engine)
    with engine.begin() as connection:
        insert_rows(connection, individual, ROWS)
        insert_rows(connection, individual, [])
        assert [tuple(row) for row in connection.execute(sa.select(individual).order_by("number"))] == ROWS
    engine.dispose()
