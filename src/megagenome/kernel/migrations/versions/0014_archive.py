# SPDX-License-Identifier: Apache-2.0
"""The archive: its files, their headers, and what workers are writing."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "archive_file",
        sa.Column("id", sa.String(20), primary_key=True),
        sa.Column("stem", sa.String(80), nullable=False, unique=True),
        sa.Column("dataset", sa.String(100), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("format", sa.String(20), nullable=False),
        sa.Column("samples", sa.Text, nullable=False),
        sa.Column("index_of", sa.String(20), index=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("md5", sa.String(32)),
        sa.Column("body_sha256", sa.String(64)),
        sa.Column("prefix", sa.String(8), nullable=False),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("verified", sa.String(40), index=True),
        sa.Column("receipt", sa.Text),
    )
    op.create_table(
        "archive_header",
        sa.Column("file", sa.String(20), sa.ForeignKey("archive_file.id"), primary_key=True),
        sa.Column("key", sa.String(32), primary_key=True, index=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "archive_attempt",
        sa.Column("stem", sa.String(80), primary_key=True),
        sa.Column("file", sa.String(20), nullable=False, index=True),
        sa.Column("until", sa.String(40), nullable=False, index=True),
        sa.Column("given_up", sa.Boolean, nullable=False),
    )
