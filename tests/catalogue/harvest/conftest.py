# SPDX-License-Identifier: Apache-2.0
"""A hub's tables of what it harvested, empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.kernel.records import open_records


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    made = open_records(tmp_path / "hub.sqlite")
    yield made
    made.dispose()
