# SPDX-License-Identifier: Apache-2.0
"""The first schema: datasets, individuals, facts, sets of members, loads and the manifest of packs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "collection_version",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "dataset",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(100), nullable=False, unique=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("floor", sa.Integer, nullable=False),
        sa.Column("collection_year", sa.Integer),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("updated", sa.String(40), nullable=False),
    )
    op.create_table(
        "individual",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.String(200), nullable=False, unique=True),
        sa.Column("sex", sa.String(10), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("population", sa.String(100), nullable=False),
        sa.Column("birth_year", sa.Integer),
        sa.Column("research_consent", sa.Boolean, nullable=False),
    )
    op.create_table(
        "biosample",
        sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), primary_key=True),
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("individual", sa.BigInteger, sa.ForeignKey("individual.number"), nullable=False, index=True),
    )
    op.create_table(
        "fact",
        sa.Column("individual", sa.BigInteger, sa.ForeignKey("individual.number"), primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("term", sa.String(200), primary_key=True),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("value", sa.Text),
        sa.Column("unit", sa.String(100)),
        sa.Column("time", sa.String(40), primary_key=True),
    )
    op.create_table(
        "term",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("label", sa.Text, nullable=False),
    )
    op.create_table(
        "member_set",
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("key", sa.String(300), primary_key=True),
        sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("members", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "load",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("report", sa.Text, nullable=False),
    )
    op.create_table(
        "pack",
        sa.Column("load", sa.String(40), sa.ForeignKey("load.id"), primary_key=True),
        sa.Column("assembly", sa.String(20), primary_key=True),
        sa.Column("contig", sa.String(100), primary_key=True),
        sa.Column("dataset", sa.Integer, sa.ForeignKey("dataset.number"), nullable=False),
        sa.Column("genotypes_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("genotypes_sha256", sa.String(64), nullable=False),
        sa.Column("counted_by", sa.String(40), nullable=False),
        sa.Column("counts_size_bytes", sa.BigInteger, nullable=False),
        sa.Column("counts_sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "pack_member",
        sa.Column("load", sa.String(40), sa.ForeignKey("load.id"), primary_key=True),
        sa.Column("assembly", sa.String(20), primary_key=True),
        sa.Column("contig", sa.String(100), primary_key=True),
        sa.Column("batch", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("members", sa.LargeBinary, nullable=False),
    )
    op.execute("INSERT INTO collection_version (version) VALUES (0)")
