# SPDX-License-Identifier: Apache-2.0
"""The ledger: entries, signed heads, and whom an actor's key stands for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "ledger_entry",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", sa.String(27), nullable=False, index=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("actor", sa.String(32), nullable=False, index=True),
        sa.Column("dataset", sa.String(200), nullable=False, index=True),
        sa.Column("permit", sa.String(200), nullable=False, index=True),
        sa.Column("detail", sa.String(40), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "ledger_head",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False, index=True),
        sa.Column("token", sa.Text, nullable=False),
    )
    op.create_table(
        "ledger_person",
        sa.Column("actor", sa.String(32), primary_key=True),
        sa.Column("subject", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
    )
