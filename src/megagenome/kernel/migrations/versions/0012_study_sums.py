# SPDX-License-Identifier: Apache-2.0
"""Federated studies at a node: sets that were groups in a study, and with which sites sums of values were made."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the column, and make the table."""
    op.add_column("study_people", sa.Column("is_group", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "study_lent",
        sa.Column("run", sa.String(100), primary_key=True),
        sa.Column("people", sa.String(80), primary_key=True),
        sa.Column("sites", sa.Text, nullable=False),
        sa.Column("is_opened", sa.Boolean, nullable=False),
        sa.Column("has_ended", sa.Boolean, nullable=False),
    )
