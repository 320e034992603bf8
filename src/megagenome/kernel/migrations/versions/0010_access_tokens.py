# SPDX-License-Identifier: Apache-2.0
"""Tokens with which people's programs ask."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "access_token",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(800), sa.ForeignKey("person.subject"), nullable=False, index=True),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("made", sa.String(25), nullable=False),
        sa.Column("used", sa.String(25)),
        sa.Column("expires", sa.String(25), nullable=False),
    )
