# SPDX-License-Identifier: Apache-2.0
"""Federated studies: at a node the sets of people of whom sums left, at a hub what was opened and what was released."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "study_people",
        sa.Column("digest", sa.String(80), primary_key=True),
        sa.Column("people", sa.LargeBinary, nullable=False),
        sa.Column("since", sa.String(40), nullable=False),
    )
    op.create_table(
        "study_part",
        sa.Column("run", sa.String(100), primary_key=True),
        sa.Column("people", sa.String(80), sa.ForeignKey("study_people.digest"), nullable=False),
    )
    op.create_table(
        "study_round",
        sa.Column("run", sa.String(40), sa.ForeignKey("study_run.id"), primary_key=True),
        sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("round", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_table(
        "study_release",
        sa.Column("run", sa.String(40), sa.ForeignKey("study_run.id"), primary_key=True),
        sa.Column("facts", sa.Text, nullable=False),
    )
