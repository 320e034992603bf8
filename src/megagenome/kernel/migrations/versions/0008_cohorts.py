# SPDX-License-Identifier: Apache-2.0
"""Cohorts that people saved."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "access_cohort",
        sa.Column("owner", sa.String(40), sa.ForeignKey("access_person.key"), primary_key=True),
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("saved", sa.String(40), nullable=False),
    )
