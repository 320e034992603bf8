# SPDX-License-Identifier: Apache-2.0
"""The migrations make exactly the tables of reception."""

from megagenome.reception.tables import METADATA
from tests.kernel.schema import assert_migrated


def test_migrations_equal_the_tables_of_the_code() -> None:
    assert_migrated(METADATA)
