# SPDX-License-Identifier: Apache-2.0
"""Publication: records of datasets with their history, and since when a dataset is told of."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0011"


def upgrade() -> None:
    """Make the table. What is published already was so at its last change, as far as anybody knows."""
    op.add_column("dataset", sa.Column("published", sa.String(40), nullable=False, server_default=""))
    op.execute("UPDATE dataset SET published = updated WHERE state = 'published'")
    op.create_table(
        "dataset_record",
        sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("draft", sa.Boolean, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("by", sa.String(600), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
    )
