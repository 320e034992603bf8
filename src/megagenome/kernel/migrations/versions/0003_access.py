# SPDX-License-Identifier: Apache-2.0
"""Access: applications as events, the people and texts that can be erased, and what lists are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "access_person",
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("subject", sa.Text, unique=True),
        sa.Column("name", sa.Text, nullable=False),
    )
    op.create_table(
        "access_application",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("applicant", sa.String(40), nullable=False, index=True),
        sa.Column("organisation", sa.String(300), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("updated", sa.String(40), nullable=False),
        sa.Column("reached", sa.SmallInteger, nullable=False),
        sa.Column("due", sa.String(40)),
        sa.Column("clock", sa.String(20)),
        sa.Column("overdue", sa.Boolean, nullable=False),
        sa.Column("permit", sa.String(40), unique=True),
        sa.Column("permit_digest", sa.String(80)),
        sa.Column("permit_state", sa.String(20), index=True),
        sa.Index("access_application_desk", "state", "due"),
        sa.Index("access_application_due", "due"),
    )
    op.create_table(
        "access_event",
        sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "access_text",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), nullable=False, index=True),
        sa.Column("author", sa.String(40), nullable=False, index=True),
        sa.Column("salt", sa.String(40)),
        sa.Column("content", sa.Text),
    )
    op.create_table(
        "access_participant",
        sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), primary_key=True),
        sa.Column("person", sa.String(40), primary_key=True, index=True),
        sa.Column("is_present", sa.Boolean, nullable=False),
    )
    op.create_table(
        "access_part",
        sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), primary_key=True),
        sa.Column("node", sa.String(100), primary_key=True),
        sa.Column("dataset", sa.String(100), primary_key=True),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("due", sa.String(40)),
        sa.Index("access_part_desk", "country", "state", "due"),
    )
    op.create_table(
        "access_command",
        sa.Column("person", sa.String(40), primary_key=True),
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("application", sa.String(40), sa.ForeignKey("access_application.id"), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
    )
