# SPDX-License-Identifier: Apache-2.0
"""Which individual somebody is who signs in."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "citizen",
        sa.Column("subject", sa.String(600), primary_key=True),
        sa.Column("individual", sa.BigInteger, sa.ForeignKey("individual.number"), nullable=False, unique=True),
        sa.Column("linked", sa.String(40), nullable=False),
        sa.Column("linked_by", sa.String(600), nullable=False),
    )
