# SPDX-License-Identifier: Apache-2.0
"""A hub's tables of what it harvested, empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.catalogue.harvest import tables as t
from megagenome.kernel.database import open_database, sqlite_url


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_database(sqlite_url(tmp_path / "hub.sqlite"))
    t.METADATA.create_all(made)
    yield made
    made.dispose()
