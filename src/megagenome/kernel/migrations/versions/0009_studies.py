# SPDX-License-Identifier: Apache-2.0
"""Federated studies: their runs at a hub, and at a node the keys of the nodes that it computes with."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "study_run",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("owner", sa.String(600), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("permit", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("restarts", sa.Integer, nullable=False),
        sa.Column("people", sa.BigInteger),
        sa.Column("rounds", sa.Integer, nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("ended", sa.String(40), nullable=False),
        sa.Column("result", sa.LargeBinary),
    )
    op.create_table(
        "study_site",
        sa.Column("run", sa.String(40), sa.ForeignKey("study_run.id"), primary_key=True),
        sa.Column("node", sa.String(200), primary_key=True),
        sa.Column("taking_part", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("up_bytes", sa.BigInteger, nullable=False),
        sa.Column("down_bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "study_sum",
        sa.Column("run", sa.String(40), sa.ForeignKey("study_run.id"), primary_key=True),
        sa.Column("round", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("asked", sa.String(80), nullable=False),
        sa.Column("is_of_values", sa.Boolean, nullable=False),
        sa.Column("opened", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "study_node",
        sa.Column("node", sa.String(200), primary_key=True),
        sa.Column("sent", sa.String(40), nullable=False),
    )
    op.create_table(
        "study_peer",
        sa.Column("node", sa.String(200), primary_key=True),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("since", sa.String(40), nullable=False),
    )
