# SPDX-License-Identifier: Apache-2.0
"""Reception: what providers send, until it is in a dataset."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "reception_submission",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("dataset", sa.String(100), nullable=False, index=True),
        sa.Column("subject", sa.String(800), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("manifest", sa.Text, nullable=False),
        sa.Column("created", sa.String(40), nullable=False, index=True),
        sa.Column("changed", sa.String(40), nullable=False, index=True),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("decided_by", sa.String(800), nullable=False),
        sa.Column("decisions", sa.Integer, nullable=False),
        sa.Column("report", sa.Text),
        sa.Column("preview", sa.Text),
        sa.Column("receipt", sa.Text),
    )
    op.create_table(
        "reception_file",
        sa.Column("submission", sa.String(20), sa.ForeignKey("reception_submission.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("file", sa.String(20), nullable=False, unique=True),
        sa.Column("parts", sa.Integer),
        sa.Column("archived", sa.String(40)),
    )
    op.create_table(
        "reception_part",
        sa.Column("submission", sa.String(20), sa.ForeignKey("reception_submission.id"), primary_key=True),
        sa.Column("file", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
