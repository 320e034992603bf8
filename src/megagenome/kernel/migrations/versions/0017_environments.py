# SPDX-License-Identifier: Apache-2.0
"""Environments of permits: the keys for which their data are sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "permit_environment",
        sa.Column("permit", sa.String(200), sa.ForeignKey("permit.id"), primary_key=True),
        sa.Column("public_key", sa.String(64), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("by", sa.String(600), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("ended", sa.String(40)),
    )
