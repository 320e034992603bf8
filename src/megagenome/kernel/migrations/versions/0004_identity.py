# SPDX-License-Identifier: Apache-2.0
"""People who signed in, sign-ins that were begun, sessions and roles."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "person",
        sa.Column("subject", sa.String(800), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("organisation", sa.String(255), nullable=False),
        sa.Column("affiliations", sa.Text, nullable=False),
        sa.Column("first_seen", sa.String(25), nullable=False),
        sa.Column("last_seen", sa.String(25), nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.Column("terms_accepted", sa.String(25)),
    )
    op.create_table(
        "sign_in",
        sa.Column("secret_sha256", sa.String(64), primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("next", sa.Text, nullable=False),
        sa.Column("expires", sa.String(25), nullable=False, index=True),
    )
    op.create_table(
        "session",
        sa.Column("id_sha256", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(800), sa.ForeignKey("person.subject"), nullable=False, index=True),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.Column("started", sa.String(25), nullable=False),
        sa.Column("used", sa.String(25), nullable=False),
        sa.Column("expires", sa.String(25), nullable=False),
    )
    op.create_table(
        "role_grant",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("subject", sa.String(800), nullable=False),
        sa.Column("role", sa.String(30), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("organisation", sa.String(255), nullable=False),
        sa.Column("dataset", sa.String(100), nullable=False),
        sa.Column("granted", sa.String(25), nullable=False),
        sa.Column("granted_by", sa.String(200), nullable=False),
        sa.Column("revoked", sa.String(25)),
        sa.Column("revoked_by", sa.String(200)),
    )
    op.create_index(
        "role_grant_once",
        "role_grant",
        ["subject", "role", "country", "organisation", "dataset"],
        unique=True,
        sqlite_where=sa.text("revoked IS NULL"),
        postgresql_where=sa.text("revoked IS NULL"),
    )
