# SPDX-License-Identifier: Apache-2.0
"""Harvest: catalogues of nodes and others, what they say of datasets, and what datasets are found by."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "harvest_point",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("url", sa.String(1000), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("node", sa.String(200), nullable=False),
        sa.Column("hosts", sa.Text, nullable=False),
        sa.Column("named_by", sa.String(10), nullable=False),
        sa.Column("added", sa.String(40), nullable=False),
        sa.Column("removed", sa.String(40)),
        sa.Column("tried", sa.String(40), nullable=False),
        sa.Column("succeeded", sa.String(40), nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
    )
    op.create_table(
        "harvest_document",
        sa.Column("point", sa.String(16), sa.ForeignKey("harvest_point.id"), primary_key=True),
        sa.Column("address", sa.String(2000), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("tag", sa.Text, nullable=False),
        sa.Column("modified", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("children", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
    )
    op.create_table(
        "harvest_dataset",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("point", sa.String(16), sa.ForeignKey("harvest_point.id"), nullable=False, index=True),
        sa.Column("address", sa.String(2000), nullable=False),
        sa.Column("title", sa.String(1000), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("first_seen", sa.String(40), nullable=False),
        sa.Column("changed", sa.String(40), nullable=False),
        sa.Column("seen", sa.String(40), nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("gone", sa.String(40)),
    )
    op.create_table(
        "harvest_facet",
        sa.Column("dataset", sa.String(16), sa.ForeignKey("harvest_dataset.id"), primary_key=True),
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("value", sa.String(200), primary_key=True),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Index("harvest_facet_value", "name", "value"),
    )
