# SPDX-License-Identifier: Apache-2.0
"""A node's records in memory."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from megagenome.kernel.database import open_database
from tests.collection.nodes import make_tables


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    """A transaction on empty tables."""
    engine = open_database("sqlite://")
    make_tables(engine)
    with engine.begin() as connection:
        yield connection
    engine.dispose()
