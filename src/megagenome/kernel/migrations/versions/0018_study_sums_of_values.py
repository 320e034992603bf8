# SPDX-License-Identifier: Apache-2.0
"""Federated studies at the hub: what a round was stands in `study_round` alone."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Drop the column."""
    op.drop_column("study_sum", "is_of_values")
